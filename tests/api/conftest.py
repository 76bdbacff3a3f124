"""A web process of its own on a committed database with one of everything, for tests that speak to it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from marketplace.kit import clock, identity
from tests.cast import a_cast
from tests.processes import Web
from tests.tenants.world import World, a_world, by


class Stage(NamedTuple):
    """Where the API is, tokens by the name of the cast, and what there is."""

    url: str
    tokens: dict[str, str]
    world: World
    web: Web

    def bearer(self, name: str = "hr_a") -> dict[str, str]:
        """Return the header of somebody's token."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}


@pytest_asyncio.fixture(loop_scope="session")
async def stage(committed: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a running web process with a world in its database."""
    cast, now = await a_cast(), clock.now()
    by(cast.ecl)
    world = await a_world(cast, now=now)
    tokens = {}
    for name in ("hr_a", "viewer_a", "finance_a", "hr_b", "partner_a", "ecl"):
        account_id = getattr(cast, name).account_id
        tokens[name] = await identity.create_token(account_id, now=now)
    with Web(committed, tmp_path / "web.log") as web:
        web.until_ready()
        yield Stage(web.url, tokens, world, web)
