"""``marketplace invoice``: the documents that were issued."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from marketplace.commands import invoice_run

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.group()
def invoice() -> None:
    """Issued invoices, credit notes and self-billed invoices.

    \b
    Example: marketplace invoice export 2026-000001 --format pdf --out invoice.pdf
    """


@invoice.command()
@click.argument("number")
@click.option("--format", "kind", type=click.Choice(["pdf", "ubl-peppol", "ubl-nlcius", "cii"]), default="pdf", show_default=True)
@click.option(
    "--out",
    "goal",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; - is standard output.",
)
def export(number: str, kind: str, goal: Path) -> None:
    """Write a document exactly as it was issued: the stored bytes, checked against their SHA-256.

    \b
    Example: marketplace invoice export 2026-000001 --format ubl-peppol --out invoice.xml
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> bytes:
        from billing import archive

        return await archive.exported(number, kind)

    content = with_database(run)
    if str(goal) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        goal.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{goal} can't be written ({error.strerror}): choose another file with --out.") from None
    click.echo(f"{goal}: {len(content)} bytes")


invoice.add_command(invoice_run.run)
