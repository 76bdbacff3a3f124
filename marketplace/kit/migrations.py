"""Brings a database to the schema of this code: our apps in import order, one process at a time.

A migration that has run is never edited; the next change is a new file beside it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from marketplace.kit import db
from marketplace.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from piccolo.conf.apps import AppConfig

APPS = (
    "marketplace.kit.piccolo_app",
    "catalog.piccolo_app",
    "billing.piccolo_app",
    "billing.vies.piccolo_app",
    "billing.transport.piccolo_app",
    "billing.bank.piccolo_app",
    "billing.books.piccolo_app",
    "billing.comparison.piccolo_app",
    "billing.dunning.piccolo_app",
    "billing.runs.piccolo_app",
    "billing.sandbox.piccolo_app",
    "billing.settlement.piccolo_app",
    "marketplace.people.piccolo_app",
    "marketplace.enrolments.piccolo_app",
    "marketplace.orders.piccolo_app",
    "marketplace.scheduling.piccolo_app",
    "marketplace.fulfilment.piccolo_app",
)
_LOCK = 727_201_26


class Pending(msgspec.Struct, frozen=True):
    """A migration that this code has and the database has not."""

    app: str
    migration: str


@contextlib.asynccontextmanager
async def _alone(dsn: str) -> AsyncIterator[None]:
    own = await asyncpg.connect(dsn)
    try:
        await own.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield
    finally:
        await own.close()


async def forwards(dsn: str) -> list[Pending]:
    """Run what has not run yet and return it. Each migration is one transaction; safe to call from many processes.

    Works on a pool of its own, and puts the process's pool back afterwards. Raises ``Unavailable`` when one fails.
    """
    outer, config, db.DB.pool = db.DB.pool, db.DB.config, None
    await db.open_pool(dsn, max_size=2)
    try:
        async with _alone(dsn):
            pending = await status()
            await _run_all()
            return pending
    finally:
        await db.close_pool()
        db.DB.pool, db.DB.config = outer, config


async def _run_all() -> None:
    from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

    for app in _apps():
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            result = await ForwardsMigrationManager(app_name=app.app_name).run()
        if not result.success:
            raise Unavailable("migration_failed", f"The database could not be brought up to date: {result.message}")


async def status() -> list[Pending]:
    """Return what this code has and the database has not, oldest first."""
    from piccolo.apps.migrations.commands.base import BaseMigrationManager
    from piccolo.apps.migrations.tables import Migration

    ran: set[tuple[str, str]] = set()
    if await Migration.table_exists().run():
        ran = {(row["app_name"], row["name"]) for row in await Migration.select(Migration.app_name, Migration.name)}
    manager = BaseMigrationManager()
    return [
        Pending(app.app_name, found)
        for app in _apps()
        for found in manager.get_migration_ids(manager.get_migration_modules(app.resolved_migrations_folder_path))
        if (app.app_name, found) not in ran
    ]


def statements(*lines: str) -> Callable[[], Awaitable[None]]:
    """Return a raw migration step: these statements, in this order, in the migration's transaction.

    Piccolo runs raw steps *before* its own operations of the same file: put them in a file of their own, after it.
    """

    async def run() -> None:
        for line in lines:
            await db.execute(line)

    return run


def _apps() -> list[AppConfig]:
    from piccolo.conf.apps import Finder

    return [Finder().get_app_config(importlib.import_module(name).APP_CONFIG.app_name) for name in APPS]
