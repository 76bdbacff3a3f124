"""``marketplace demo``: companies, people, courses and orders to try the product with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.command()
@click.option("--scale", type=click.Choice(["region", "national"]), help="Not the demo's story but rows in quantity, for measuring.")
def demo(scale: str | None) -> None:
    """Fill an empty database with the demo. In one that has the demo already, nothing is changed.

    With --scale the database is as large as a region's (300 companies, 10,000 enrolments) or the country's (50,000
    companies, a million enrolments). The demo's sign-ins are there too.

    \b
    Example: marketplace demo
    Example: marketplace demo --scale region
    """
    from marketplace.commands.running import with_database

    async def run(loaded: Settings) -> bool:
        from marketplace import demo as own
        from marketplace.kit import migrations

        if not loaded.demo:
            raise click.ClickException("MARKETPLACE_DEMO is 0: set it to 1 for a database that may hold demo data.")
        await migrations.forwards(loaded.database_url)
        if scale is None:
            return await own.ensure()
        from marketplace.demo import scale as sizes

        await sizes.fill(scale)
        return True

    click.echo("The demo is ready." if with_database(run) else "The demo is there already; nothing was changed.")
