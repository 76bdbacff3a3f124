"""``marketplace demo``: companies, people, courses and orders to try the product with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.command()
def demo() -> None:
    """Fill an empty database with the demo. In one that has the demo already, nothing is changed.

    \b
    Example: marketplace demo
    """
    from marketplace.commands.database import fill_if_empty
    from marketplace.commands.running import with_database

    async def run(loaded: Settings) -> bool:
        from marketplace.kit import migrations

        if not loaded.demo:
            raise click.ClickException("MARKETPLACE_DEMO is 0: set it to 1 for a database that may hold demo data.")
        await migrations.forwards(loaded.database_url)
        return await fill_if_empty()

    click.echo("The demo is ready." if with_database(run) else "The database is in use already; nothing was changed.")
