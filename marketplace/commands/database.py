"""``marketplace migrate``: the database's schema."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something is to be done.")
@click.option("--quiet", is_flag=True, help="Say nothing when there is nothing to do.")
@click.option("--demo-if-empty", is_flag=True, hidden=True, help="Make the demo in a database that was never used.")
def migrate(*, check: bool, quiet: bool, demo_if_empty: bool) -> int:
    """Bring the database to this version's schema. Safe to run from several machines at once: they take turns.

    \b
    Example: marketplace migrate --check
    """
    from marketplace.commands.running import with_database

    async def run(loaded: Settings) -> int:
        from marketplace.kit import migrations

        if check:
            pending = await migrations.status()
            for one in pending:
                click.echo(f"to do: {one.app} {one.migration}")
            return 1 if pending else 0
        done = await migrations.forwards(loaded.database_url)
        for one in [] if quiet else done:
            click.echo(f"done: {one.app} {one.migration}")
        if not done and not quiet:
            click.echo("The schema is up to date.")
        if demo_if_empty:
            await fill_if_empty()
        return 0

    return with_database(run)


async def fill_if_empty() -> bool:
    """Make the demo when the database has no account yet; False when it has."""
    if importlib.util.find_spec("marketplace.demo") is None:
        return False
    from marketplace import demo
    from marketplace.kit import db

    if await db.value("SELECT EXISTS (SELECT FROM account)"):
        return False
    click.echo("Making the demo data (the first time only) …")
    await demo.ensure()
    return True
