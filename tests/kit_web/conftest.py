"""The tiny shop as an app, and clients for its cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from marketplace.kit import db as kit_db
from marketplace.kit import identity, ids
from marketplace.kit.identity import Role
from marketplace.kit.web import application, cookies, sessions
from marketplace.kit.web.config import WebConfig
from tests.kit_web import handlers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime

    from marketplace.kit.web.application import Marketplace

BASE = "http://127.0.0.1:8000"
CONFIG = WebConfig(secret=b"a secret for tests", base_url=BASE, max_body=10_000)


@pytest.fixture
def cast() -> Iterator[handlers.Cast]:
    made = handlers.Cast({})
    previous = identity._loader[0]
    identity.set_actor_loader(made.load)
    yield made
    identity.set_actor_loader(previous)


@pytest.fixture
def shop() -> Marketplace:
    return application.create(CONFIG, pages=handlers.PAGES, api=handlers.API)


@pytest_asyncio.fixture(loop_scope="session")
async def browse(shop: Marketplace, db: None) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Make clients, each with its own cookies, from an address."""
    made: list[httpx.AsyncClient] = []

    def new(address: str = "192.0.2.1", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=shop, raise_app_exceptions=False, client=(address, 1234))
        made.append(httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers))
        return made[-1]

    yield new
    for client in made:
        await client.aclose()


async def signed_in(client: httpx.AsyncClient, account_id: object, now: datetime) -> str:
    """Give the client a live session without the sign-in page and return its token."""
    token = ids.secret_token()
    await kit_db.execute(
        "INSERT INTO web_session (id, account_id, token_hash, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)",
        ids.new_id(), account_id, identity.digest(token), now, now + sessions.ABSOLUTE,
    )  # fmt: skip
    client.cookies.set(cookies.SESSION, token)
    return token


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(browse: Callable[..., httpx.AsyncClient], cast: handlers.Cast, now: datetime) -> httpx.AsyncClient:
    """Give a browser of company A's buyer."""
    client = browse()
    await signed_in(client, await cast.join("hr@a.example", now, roles={Role.BUYER}, company=handlers.COMPANY), now)
    return client


@pytest_asyncio.fixture(loop_scope="session")
async def outsider(browse: Callable[..., httpx.AsyncClient], cast: handlers.Cast, now: datetime) -> httpx.AsyncClient:
    """Give a browser of company B's owner."""
    client = browse()
    await signed_in(client, await cast.join("hr@b.example", now, roles={Role.OWNER}, company=handlers.OTHER_COMPANY), now)
    return client


async def token_of(client: httpx.AsyncClient, page: str = "/things") -> str:
    """Open a page with a form and return the form's token."""
    text = (await client.get(page)).text
    return text.split('name="_csrf" value="', 1)[1].split('"', 1)[0]
