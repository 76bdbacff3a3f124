"""``marketplace bank import``: a CAMT.053 file from the bank, as the page takes it in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from marketplace.kit.errors import Invalid

if TYPE_CHECKING:
    from billing.bank.intake import Received
    from marketplace.kit.settings import Settings


@click.group()
def bank() -> None:
    """Take in statements of the bank.

    \b
    Example: marketplace bank import camt053.zip --confirm
    """


@bank.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirm", is_flag=True, help="Confirm what is certain: our number in the text and exactly what is open.")
def import_(file: Path, *, confirm: bool) -> None:
    """Take in FILE, a CAMT.053 statement as XML or a zip of them. The same file, or the same entry, again changes nothing.

    \b
    Example: marketplace bank import camt053.zip --confirm
    """
    from marketplace.commands.running import with_database

    content = file.read_bytes()

    async def run(_loaded: Settings) -> tuple[Received, int]:
        from billing.bank import allocate, intake
        from marketplace.kit import clock
        from marketplace.kit.identity import SYSTEM

        received = await intake.receive(file.name, content, actor=SYSTEM, now=clock.now())
        return received, await allocate.confirm_certain(received.file_id, actor=SYSTEM, now=clock.now()) if confirm else 0

    try:
        received, confirmed = with_database(run)
    except Invalid as refusal:
        raise click.ClickException(f"{refusal.message} {refusal.next_step or ''}".strip()) from refusal
    if received.replayed:
        click.echo("This file was here already; nothing new was read.")
    else:
        click.echo(f"{received.new_entries} of {received.entries} entries are new.")
    if confirm:
        click.echo(f"{confirmed} were certain and are confirmed.")
