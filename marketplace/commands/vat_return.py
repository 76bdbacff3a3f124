"""``marketplace vat-return``: the figures of the Dutch VAT return and of the listing of services in the EU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from billing.books.periods import Period
    from billing.books.vat_return import VatReturn
    from marketplace.kit.settings import Settings


@click.command("vat-return")
@click.option("--period", "text", required=True, metavar="PERIOD", help="A quarter, month or year: 2026Q4, 2026-11, 2026.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; net and vat in cents, *_euros as the return takes them.")
def vat_return(text: str, *, as_json: bool) -> None:
    """Print each box of the VAT return of a period, and the EU listing (ICP), from the books.

    \b
    Example: marketplace vat-return --period 2026Q4 --json
    """
    from billing.books import periods
    from marketplace.commands.running import with_database

    period = periods.parse(text)

    async def run(_loaded: Settings) -> VatReturn:
        from billing.books import vat_return as own

        return await own.read(period.from_on, period.until_on)

    found = with_database(run)
    click.echo(msgspec.json.encode(_told(period, found)).decode() if as_json else _text(period, found))


def _told(period: Period, found: VatReturn) -> dict[str, Any]:
    return {"period": period.text, **msgspec.to_builtins(found)}


def _text(period: Period, found: VatReturn) -> str:
    lines = [f"VAT return {period.text}, {found.from_on} to {found.until_on}", "", f"{'box':<58}{'net':>14}{'VAT':>14}{'euros':>9}"]
    lines += [f"{one.box:<4}{one.name:<54}{one.net / 100:>14,.2f}{one.vat / 100:>14,.2f}{one.vat_euros:>9}" for one in found.boxes]
    lines += ["", f"Rounding to whole euros: {found.rounding / 100:.2f}", f"VAT-exempt turnover, in no box: {found.exempt / 100:,.2f}"]
    if found.services:
        lines += ["", "Listing of services to businesses in other EU states (ICP)"]
        lines += [f"  {one.vat_id:<20}{one.name:<40}{one.net / 100:>14,.2f}{one.net_euros:>9}" for one in found.services]
    return "\n".join([*lines, *found.problems])
