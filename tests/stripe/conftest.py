"""The sandbox beside the tests: within the test's transaction without a socket, or as a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
import uvicorn

from billing import stripe_gateway, webhooks
from billing.sandbox.app import create_sandbox
from marketplace.kit import db as kit_db
from marketplace.kit import settings
from marketplace.kit.web import application
from marketplace.kit.web.config import from_settings
from tests.stripe.spec import Judge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from litestar import Litestar

BASE = "http://sandbox.test"
SECRET = "whsec_tests_only"
KEY = "sk_test_tests"


@pytest.fixture(scope="session")
def sandbox_app() -> Litestar:
    """Give the sandbox without its background loop."""
    return create_sandbox(pumping=False)


@pytest.fixture(scope="session")
def app(environment: Path) -> Litestar:
    """Give the shop with the webhook only, behind the same web kit."""
    return application.create(from_settings(settings.settings()), pages=webhooks.HANDLERS, api=[])


@pytest.fixture(scope="session")
def judge(sandbox_app: Litestar) -> Iterator[Judge]:
    """Give the way to the sandbox that holds every request and answer of this session against Stripe's spec."""
    made = Judge(httpx.ASGITransport(app=sandbox_app))  # type: ignore[arg-type]
    yield made
    assert made.violations == [], sorted(set(made.violations))[:40]


@pytest_asyncio.fixture(loop_scope="session")
async def raw(db: None, clock: object, judge: Judge) -> AsyncIterator[httpx.AsyncClient]:
    """Give a plain HTTP client of the sandbox, with a test key."""
    async with httpx.AsyncClient(transport=judge, base_url=BASE, headers={"authorization": f"Bearer {KEY}"}) as client:
        yield client


@pytest.fixture
def stripe_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the key and the webhook secret that shop and sandbox share."""
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("MARKETPLACE_STRIPE_BASE", BASE)
    settings.reload()
    yield
    monkeypatch.undo()
    settings.reload()


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(db: None, clock: object, judge: Judge, stripe_settings: None) -> AsyncIterator[stripe_gateway.Gateway]:
    """Install the real library against the sandbox, within the test's transaction, judged by the spec."""
    async with httpx.AsyncClient(transport=judge) as http:
        made = stripe_gateway.Gateway(api_key=KEY, base=BASE, retries=0, a_second=100_000, http=http)
        stripe_gateway.install(made)
        yield made
    stripe_gateway.install(None)


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[str]:
    """Serve an application on a free port of loopback, in this loop, and give its address."""
    own = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[own]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0)
        yield f"http://127.0.0.1:{own.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture(loop_scope="session")
async def live_sandbox(committed: str, clock: object, sandbox_app: Litestar, stripe_settings: None) -> AsyncIterator[str]:
    """Serve the sandbox over a real socket, on a database where commits are real; give its address."""
    assert not kit_db.in_transaction()
    async with served(sandbox_app) as base:
        made = stripe_gateway.Gateway(api_key=KEY, base=base, retries=0, timeout=0.4, a_second=100_000)
        stripe_gateway.install(made)
        yield base
        stripe_gateway.install(None)
