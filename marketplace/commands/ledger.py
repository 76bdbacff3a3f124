"""``marketplace ledger``: are the books right, and the books as a file for the accountant or the tax office."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date, datetime

    from billing.books.check import Report
    from marketplace.kit.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def ledger() -> None:
    """Look at the books: double entry, append-only.

    \b
    Example: marketplace ledger check
             marketplace ledger export --format xaf --from 2026-01-01 --to 2026-12-31 --out books-2026.xaf
    """


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts in cents.")
def check(*, as_json: bool) -> int:
    """Check that the books add up, agree with documents and money, and miss nothing. Exit code 1 when they don't.

    \b
    Example: marketplace ledger check --json
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> Report:
        from billing.books import check as books

        return await books.check()

    report = with_database(run)
    click.echo(msgspec.json.encode(report).decode() if as_json else _text(report))
    return 0 if report.right else 1


@ledger.command()
@click.option("--format", "kind", type=click.Choice(["xaf", "csv"]), default="xaf", show_default=True, help="Audit file 3.2, or CSV.")
@click.option("--from", "from_on", type=_DAY, required=True, metavar="DAY", help="The first day, as 2026-01-01.")
@click.option("--to", "until_on", type=_DAY, required=True, metavar="DAY", help="The last day; it belongs to the file.")
@click.option(
    "--out",
    "goal",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; - is standard output.",
)
def export(kind: str, from_on: datetime, until_on: datetime, goal: Path) -> None:
    """Write the entries of a stretch of days for the accountant (CSV) or the tax office (XML audit file).

    \b
    Example: marketplace ledger export --format csv --from 2026-10-01 --to 2026-12-31 --out q4.csv
    """
    from marketplace.commands.running import with_database

    first, last = from_on.date(), until_on.date()
    if last < first:
        raise click.ClickException("--to lies before --from: turn them around.")
    try:
        with _opened(goal) as file:
            size = with_database(lambda _loaded: _write(kind, first, last, file))
    except OSError as error:
        raise click.ClickException(f"{goal} can't be written ({error.strerror}): choose another file with --out.") from None
    if str(goal) != "-":
        click.echo(f"{goal}: {size} bytes")


def _opened(goal: Path) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if str(goal) == "-" else goal.open("wb")


async def _write(kind: str, first: date, last: date, file: IO[bytes]) -> int:
    from billing.books import csv_lines, xaf
    from marketplace.kit import clock

    pieces: AsyncIterator[bytes] = csv_lines.write(first, last) if kind == "csv" else xaf.write(first, last, today=clock.today(clock.now()))
    return sum([file.write(piece) async for piece in pieces])


def _text(report: Report) -> str:
    lines = [f"{row.number}  {row.name:<38} {row.balance / 100:>16,.2f}" for row in report.trial_balance if row.balance]
    lines += ["", "Debtors, over all time"]
    signs = {"invoiced": 1, "credited": -1, "received": -1, "refunded": 1, "written_off": -1}
    lines += [f"  {name.replace('_', ' '):<42} {sign * getattr(report, name) / 100:>14,.2f}" for name, sign in signs.items()]
    lines += [
        f"  {'owed':<42} {report.receivable / 100:>14,.2f}",
        f"  {'received, not allocated yet':<42} {report.unallocated / 100:>14,.2f}",
        "",
    ]
    return "\n".join([*lines, *(report.problems or ["The books are right."])])
