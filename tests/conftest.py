"""What every test stands on: a real PostgreSQL, a clock that stands still, a real SMTP server, the app without a socket.

``db`` gives a test its own transaction, rolled back at the end. ``committed`` gives it a database of its own where
commits are real: for races, workers and processes.
"""

from __future__ import annotations

import os
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller

from marketplace import registry
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit import ids, migrations, postgres, settings
from tests.browser.product import product as product  # noqa: PLC0414 - a fixture for tests of the whole
from tests.cast import cast as cast  # noqa: PLC0414 - a fixture for every test
from tests.smtp import Box

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from litestar import Litestar

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Leiden


def with_database(dsn: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left alone with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    browser = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: (item.path not in browser, item.path not in slow))


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the settings of this machine out of the tests."""
    home = tmp_path_factory.mktemp("home")
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("MARKETPLACE_", "STRIPE_")) and not name.startswith("MARKETPLACE_TEST"):
            del os.environ[name]
    os.environ["MARKETPLACE_HOME"] = str(home)
    (home / "no.env").write_text("")
    os.environ["MARKETPLACE_ENV"] = ""
    settings.reload()
    yield home
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of a PostgreSQL of this test session's own."""
    if own := os.environ.get("MARKETPLACE_TEST_DATABASE_URL"):
        yield own
        return
    major = os.environ.get("MARKETPLACE_TEST_PG")
    with postgres.temporary(major=int(major) if major else None) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server: str) -> str:
    """Make a database at the present schema, to be copied, and return its name."""
    registry.load()
    name = f"template_{ids.public_code(6).lower()}"
    await _command(server, f"CREATE DATABASE {name}")
    await migrations.forwards(with_database(server, name))
    return name


async def _command(server: str, sql: str) -> None:
    own = await asyncpg.connect(server)
    try:
        await own.execute(sql)
    finally:
        await own.close()


async def _copy(server: str, template: str) -> str:
    name = f"copy_{ids.public_code(10).lower()}"
    await _command(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


@asynccontextmanager
async def _pool(dsn: str, max_size: int) -> AsyncIterator[None]:
    outer, kit_db.DB.pool = kit_db.DB.pool, None
    await kit_db.open_pool(dsn, max_size=max_size)
    try:
        yield
    finally:
        await kit_db.close_pool()
        kit_db.DB.pool = outer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(server: str, template: str) -> AsyncIterator[None]:
    """Open the pool on a copy of the template that all rolled-back tests share."""
    async with _pool(with_database(server, await _copy(server, template)), max_size=4):
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def db(pool: None) -> AsyncIterator[None]:
    """Give the test a transaction; ``atomic()`` inside is a savepoint, and nothing stays."""
    async with kit_db.connection() as own:
        transaction = own.transaction()
        await transaction.start()
        holder = kit_db.Transaction(engine=kit_db.DB)
        holder.connection = own
        kit_db.DB.current_transaction.set(holder)
        try:
            yield
        finally:
            kit_db.DB.current_transaction.set(None)
            await transaction.rollback()


@pytest_asyncio.fixture(loop_scope="session")
async def committed(server: str, template: str) -> AsyncIterator[str]:
    """Give the test a database of its own, with a pool of 40 on it, and return its address."""
    name = await _copy(server, template)
    dsn = with_database(server, name)
    async with _pool(dsn, max_size=40):
        yield dsn
    await _command(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> Iterator[kit_clock.FakeClock]:
    """Stop the clock at ten in the morning, Monday 23 November 2026."""
    made = kit_clock.FakeClock(START)
    previous = kit_clock.install(made)
    yield made
    kit_clock.install(previous)


@pytest.fixture
def now(clock: kit_clock.FakeClock) -> datetime:
    """Give the instant at which the test's clock stands."""
    return clock.now()


@pytest.fixture(scope="session")
def _smtp() -> Iterator[Box]:
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def mails(_smtp: Box, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Run a real SMTP server for the worker to send to, and give what it received."""
    _smtp.clear()
    monkeypatch.setenv("MARKETPLACE_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MARKETPLACE_SMTP_PORT", str(_smtp.port))
    settings.reload()
    yield _smtp
    monkeypatch.undo()
    settings.reload()


@pytest.fixture(scope="session")
def app(environment: Path) -> Litestar:
    """Give the web app; its lifespan doesn't run, the fixtures open the pool."""
    from marketplace.app import create_app

    return create_app()


@pytest_asyncio.fixture(loop_scope="session")
async def client(app: Litestar, db: None, clock: kit_clock.FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    """Give a visitor's HTTP client that shares the test's transaction; redirects are not followed."""
    app.page_cache.clear()  # type: ignore[attr-defined] # pages of another test's data
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made
