"""``marketplace worker``: does what is due, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.command()
@click.option("--parallel", type=click.IntRange(1, 64), default=8, show_default=True, help="How many items at a time.")
def worker(parallel: int) -> None:
    """Run a worker process: mails, invoices, Stripe, periodic jobs. Any number may run against one database.

    TERM lets it finish what it has begun (20 seconds at most). What a killed worker leaves, another takes over.

    \b
    Example: DATABASE_URL=postgresql://shop@db/shop marketplace worker
    """
    from marketplace.commands.running import install_clock, set_up_logging, shop_settings

    loaded = shop_settings()
    set_up_logging(loaded)
    install_clock(loaded)
    asyncio.run(_work(loaded, parallel))


async def _work(loaded: Settings, parallel: int) -> None:
    from marketplace import registry
    from marketplace import worker as own
    from marketplace.kit import db

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    registry.load()
    await db.open_pool(loaded.database_url, max_size=max(loaded.pool_size, parallel + 2), name="marketplace worker")
    try:
        await own.run(stop, parallel=parallel)
    finally:
        await db.close_pool()
