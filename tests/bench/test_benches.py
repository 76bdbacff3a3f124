"""Each bench runs end to end at a tiny size and gives figures that make sense. How fast is nobody's business here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketplace.bench import data, order, page, run, webhook
from marketplace.commands.bench import BENCHES
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketplace.bench.common import Ratio

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
SMALL = data.Size(companies=5, staff=21, programmes=20, sessions=40, enrolments=80)


@pytest.fixture(autouse=True)
def own_pool() -> Iterator[None]:
    """Let the bench have this process's pool, and give it back."""
    before, db.DB.pool = db.DB.pool, None
    yield
    db.DB.pool = before


def _makes_sense(found: Ratio) -> None:
    assert found.ours > 0
    assert found.bare > 0
    assert found.ratio > 0
    assert 0 < found.p50_ms <= found.p99_ms


async def test_orders_are_measured_and_none_is_oversold() -> None:
    found = await order.run(seconds=0.3, rounds=1)
    _makes_sense(found.hot)
    _makes_sense(found.spread)
    assert found.oversold == 0


async def test_pages_are_measured_and_their_queries_counted() -> None:
    found = await page.run(size=SMALL, seconds=0.3, rounds=1)
    for one in (found.catalogue, found.programme, found.anonymous):
        _makes_sense(one)
    assert max(found.queries.values()) <= page.QUERIES_GATE


async def test_events_are_measured_and_none_is_lost() -> None:
    found = await webhook.run(seconds=0.3, rounds=1)
    _makes_sense(found.events)
    assert found.lost == 0


async def test_a_run_is_measured_and_every_invoice_issued() -> None:
    found = await run.run(invoices=12, quiet=0.2)
    assert (found.invoices, found.lines) == (12, 12 * run.LINES)
    assert found.per_second > 0
    assert 0 < found.busy_p50_ms <= found.busy_p99_ms


async def test_every_bench_of_the_command_is_there() -> None:
    assert set(BENCHES) >= {"page", "order", "invoice", "webhook", "run"}
