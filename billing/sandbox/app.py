"""The sandbox's own application. It shares PostgreSQL with the product and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx
import structlog
from litestar import Litestar

from billing.sandbox.api import api
from billing.sandbox.endpoints import deliver_due, ensure_endpoint
from billing.sandbox.hosted import settle_due
from billing.sandbox.pages import HANDLERS
from billing.transport.access_point.app import access_point
from marketplace.kit import clock, db
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PAUSE_SECONDS = 0.25
_log = structlog.get_logger()


async def pump(client: httpx.AsyncClient) -> None:
    """Settle bank transfers and deliver events, until cancelled. A database that is away is waited for."""
    while True:
        try:
            busy = await settle_due() + await deliver_due(client)
        except Exception as error:  # noqa: BLE001 - this loop outlives every trouble
            _log.warning("sandbox_pump", error=f"{type(error).__name__}: {error}")
            busy = 0
        await asyncio.sleep(0 if busy else _PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def _life(_app: Litestar) -> AsyncIterator[None]:
    opened = db.DB.pool is None
    if opened:
        await db.open_pool(settings().database_url, max_size=4, name="sandbox")
    await _listen_for_the_shop()
    async with httpx.AsyncClient() as client:
        task = asyncio.create_task(pump(client))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    if opened:
        await db.close_pool()


async def _listen_for_the_shop() -> None:
    """Register the shop's webhook address with the secret that both were started with, if they were."""
    ours = settings()
    if ours.stripe_base and ours.stripe_webhook_secret:
        await ensure_endpoint(f"{ours.base_url}/stripe/webhook", secret=ours.stripe_webhook_secret, now=clock.now())


def create_sandbox(*, pumping: bool = True) -> Litestar:
    """Return the sandbox's ASGI application; without ``pumping`` nothing is delivered by itself (tests do it by hand)."""
    return Litestar(
        route_handlers=[api, *HANDLERS, access_point],
        lifespan=[_life] if pumping else [],
        openapi_config=None,
        debug=False,
    )
