"""The command ``marketplace``: which verbs there are, and how their errors are told.

Verbs live in ``marketplace/commands``, one module a subject, and are imported only when they are asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from marketplace import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

# verb → (module, one line for the list). The line stands here so that the list needs no imports.
VERBS = {
    "up": ("marketplace.commands.up", "Run the whole product on this machine."),
    "serve": ("marketplace.commands.serve", "Run the web process."),
    "worker": ("marketplace.commands.worker", "Run a worker process."),
    "migrate": ("marketplace.commands.database", "Bring the database to this version's schema."),
    "demo": ("marketplace.commands.demo", "Fill an empty database with the demo."),
    "doctor": ("marketplace.commands.doctor", "Check every part and say the mend."),
    "create-admin": ("marketplace.commands.accounts", "Make an ECL member who can sign in."),
    "token": ("marketplace.commands.accounts", "API tokens."),
    "jobs": ("marketplace.commands.jobs", "Periodic jobs, backlog and dead letters."),
    "import-staff": ("marketplace.commands.staff", "Import a company's staff from a file."),
    "invoice": ("marketplace.commands.invoice", "Issued documents."),
    "bank": ("marketplace.commands.bank", "Take in statements of the bank."),
    "payout": ("marketplace.commands.payout", "Payments to partners and their bank files."),
    "ledger": ("marketplace.commands.ledger", "Check the books, export them."),
    "vat-return": ("marketplace.commands.vat_return", "The figures of the VAT return."),
    "bench": ("marketplace.commands.bench", "Measure, as GATES.md defines it."),
    "sandbox": ("marketplace.commands.serve", "Run the Stripe sandbox (part of up)."),
    "mailcatcher": ("marketplace.commands.mailcatcher", "Run the mail catcher (part of up)."),
}
INTERNAL = {"sandbox", "mailcatcher"}


class LazyGroup(click.Group):
    """A group that imports a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs for the list."""
        return [name for name in VERBS if name not in INTERNAL]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a verb, or None when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(VERBS[cmd_name][0])
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the verbs."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Expat Centre Leiden's marketplace of courses for companies.

    \b
    Example: marketplace up
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 refused with one sentence, 2 wrong use."""
    os.environ.setdefault("TZ", "UTC")
    try:
        result = cli.main(args=list(sys.argv[1:] if argv is None else argv), prog_name="marketplace", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        click.echo(told, err=True)
        return 1
    return result if isinstance(result, int) else 0


def sentence(error: Exception) -> str | None:
    """Return the sentence for an error that we know, with its mend; None for one that is a fault of ours."""
    from marketplace.kit.errors import DomainError
    from marketplace.kit.postgres import PostgresError
    from marketplace.kit.settings import SettingsError

    if isinstance(error, SettingsError | PostgresError):
        return str(error)
    if isinstance(error, DomainError):
        fields = "; ".join(f"{name}: {text}" for name, text in error.fields.items() if text != error.message)
        return " ".join(part for part in (error.message, fields, error.next_step or "") if part)
    if "asyncpg" in sys.modules:
        import asyncpg

        if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
            return f"The database is not at this version's schema ({error}): run “marketplace migrate”."
        if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
            return f"The database refused ({error}): see DATABASE_URL, or run “marketplace doctor”."
    if isinstance(error, ConnectionError | OSError) and not isinstance(error, FileExistsError):
        return f"{error}: run “marketplace doctor” to see which part is away."
    return None
