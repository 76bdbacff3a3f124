"""``marketplace payout``: payments to partners and their files for the bank."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from billing.settlement.payouts import Batch
    from marketplace.kit.settings import Settings


@click.group()
def payout() -> None:
    """Payouts to partners.

    \b
    Example: marketplace payout export P-2026-000001 --out payout.xml
    """


@payout.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: id, number, state, total (cents), currency, pay_on, payments.")
def list_payouts(as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Print the payouts, newest first.

    \b
    Example: marketplace payout list --json
    """
    import msgspec

    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> list[Batch]:
        from billing.settlement import payouts

        return await payouts.listed()

    found = with_database(run)
    if as_json:
        rows = [
            {
                "id": str(batch.id),
                "number": batch.number,
                "state": batch.state.value,
                "total": batch.total_cents,
                "currency": "EUR",
                "pay_on": batch.pay_on.isoformat(),
                "payments": batch.items,
            }
            for batch in found
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for batch in found:
        click.echo(f"{batch.id}  {batch.number}  {batch.state.value:<9}  {batch.total_cents / 100:>12.2f} EUR  {batch.pay_on}")


@payout.command()
@click.argument("name", metavar="ID")
@click.option(
    "--out",
    "goal",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; - is standard output.",
)
def export(name: str, goal: Path) -> None:
    """Write the bank's file (pain.001.001.09) of an approved payout, by its id or number: made once, the same bytes ever after.

    \b
    Example: marketplace payout export P-2026-000001 --out payout.xml
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> bytes:
        from billing.settlement import payouts
        from marketplace.kit import clock
        from marketplace.kit.identity import SYSTEM

        batch = await payouts.by_name(name)
        return await payouts.export(batch.id, actor=SYSTEM, now=clock.now())

    content = with_database(run)
    if str(goal) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        goal.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{goal} can't be written ({error.strerror}): choose another file with --out.") from None
    click.echo(f"{goal}: {len(content)} bytes")
