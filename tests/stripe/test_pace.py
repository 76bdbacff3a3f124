"""Requests to Stripe leave evenly, all processes together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from billing.stripe_pace import Pace, SharedPace
from marketplace.kit import db as kit_db

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.asyncio(loop_scope="session")
A_SECOND, MANY = 200, 20


async def _seconds(paces: Sequence[Pace]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(paces[at % len(paces)].wait() for at in range(MANY)))
    return loop.time() - began


async def test_one_process_goes_evenly() -> None:
    assert await _seconds([Pace(A_SECOND)]) >= (MANY - 1) / A_SECOND


async def test_processes_share_one_pace(committed: str) -> None:
    assert await _seconds([SharedPace(A_SECOND) for _process in range(3)]) >= (MANY - 1) / A_SECOND * 0.95
    assert await kit_db.value("SELECT count(*) FROM stripe_pace") == 1
