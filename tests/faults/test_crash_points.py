"""The process dies at every kind of place, starts again, and nothing is lost, double or lopsided: the end is as if it had lived."""

from __future__ import annotations

import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from billing import ledger, stripe_gateway
from billing.sandbox.app import create_sandbox
from marketplace.kit import db
from tests.conftest import _command, _copy, with_database
from tests.faults.crash_scenarios import BASE, SCENARIOS, Facts, Scenario, issued_before
from tests.faults.crashing import BOMB, Crashed, Elsewhere, Mortal, Point
from tests.processes import FULL, measured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from marketplace.kit.clock import FakeClock

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

# What the end is compared by: everything that counts, and nothing that is only named differently in each run.
_END = (
    "SELECT state, count(*) AS n FROM seat GROUP BY 1 ORDER BY 1",
    "SELECT state, total_cents, count(*) AS n FROM placed_order GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT state, count(*) AS n FROM order_line GROUP BY 1 ORDER BY 1",
    "SELECT state, net_cents, count(*) AS n FROM charge GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT number, state, total_cents, paid_cents, credited_cents, refunded_cents FROM invoice ORDER BY number",
    "SELECT invoice_id IS NOT NULL AS made, count(*) AS n FROM invoice_line GROUP BY 1",
    "SELECT account, sum(cents)::bigint AS cents FROM ledger_posting GROUP BY 1 ORDER BY 1",
    "SELECT event, count(*) AS n FROM ledger_entry GROUP BY 1 ORDER BY 1",
    "SELECT event, count(*) AS n FROM audit_entry GROUP BY 1 ORDER BY 1",
    "SELECT template, count(*) AS n FROM mail_message GROUP BY 1 ORDER BY 1",
    "SELECT kind, state, count(*) AS n FROM due_work GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT series, last_number FROM number_series ORDER BY 1",
    "SELECT kind, count(*) AS n FROM stripe_link GROUP BY 1 ORDER BY 1",
    "SELECT source, state, cents FROM refund ORDER BY 1, 2, 3",
    "SELECT state, earned_cents, count(*) AS n FROM settlement_line GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT number, state, total_cents, paid_out_cents FROM partner_statement ORDER BY number",
    "SELECT number, state FROM payout_batch ORDER BY number",
    "SELECT state, count(*) AS n FROM payout_item GROUP BY 1 ORDER BY 1",
    "SELECT state, count(*) AS n FROM invoice_run_group GROUP BY 1 ORDER BY 1",
    "SELECT state, cents FROM bank_entry ORDER BY 1, 2",
    "SELECT level, count(*) AS n FROM reminder GROUP BY 1 ORDER BY 1",
    "SELECT state, count(*) AS n FROM person GROUP BY 1 ORDER BY 1",
)


@asynccontextmanager
async def _process(dsn: str) -> AsyncIterator[None]:
    """A process's life: its own pool, and the way to Stripe."""
    outer, db.DB.pool = db.DB.pool, None
    await db.open_pool(dsn, max_size=4, min_size=4, connection_class=Mortal)
    inner = httpx.ASGITransport(app=create_sandbox(pumping=False))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=Elsewhere(inner)) as http:
        stripe_gateway.install(stripe_gateway.Gateway(api_key="sk_test_crash", base=BASE, retries=0, a_second=1e6, http=http))
        try:
            yield
        finally:
            stripe_gateway.install(None)
            BOMB.disarm()
            _cut()
            db.DB.pool = outer


def _cut() -> None:
    """End every connection as a killed process does."""
    if db.DB.pool is not None:
        db.DB.pool.terminate()


async def _end_of(server: str, prepared: str, scenario: Scenario, facts: Facts, point: Point | None) -> tuple[list[object], int]:
    """Act on a copy of what was prepared, dying at the point, then once more as a new process; return the end, and how many statements."""
    name = await _copy(server, prepared)
    dsn = with_database(server, name)
    async with _process(dsn):
        BOMB.arm(point)
        try:
            await scenario.act(facts)
        except Crashed:
            pass
        else:
            assert point is None, f"{scenario.name} has no {point}"
        count = BOMB.count
    async with _process(dsn):
        if point is not None:
            await scenario.act(facts)
        assert (await ledger.check()).right
        end: list[object] = [await db.records(sql) for sql in _END]
    await _command(server, f"DROP DATABASE {name} WITH (FORCE)")
    return end, count


def _points(count: int, at_most: int) -> list[Point]:
    every = [Point(statement, done) for statement in range(1, count + 1) for done in (False, True)]
    if FULL or len(every) <= at_most:
        return every
    last = every[-1]  # nearly always a COMMIT that was done and never heard of
    return [*random.Random(20261123).sample(every[:-1], at_most - 1), last]


async def _differs(server: str, prepared: str, scenario: Scenario, facts: Facts, points: list[Point]) -> str | None:
    """Return where the end is another one than without a death, or None."""
    wanted, _count = await _end_of(server, prepared, scenario, facts, None)
    for point in points:
        end, _count = await _end_of(server, prepared, scenario, facts, point)
        for sql, mine, right in zip(_END, end, wanted, strict=True):
            if mine != right:
                return f"{scenario.name}, died {point}: {sql}\n{mine}\ninstead of\n{right}"
    return None


@asynccontextmanager
async def _prepared(server: str, template: str, scenario: Scenario) -> AsyncIterator[tuple[str, Facts]]:
    name = await _copy(server, template)
    async with _process(with_database(server, name)):
        facts = await scenario.prepare()
    yield name, facts
    await _command(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_death_at_any_point_changes_nothing_in_the_end(server: str, template: str, clock: FakeClock, scenario: Scenario) -> None:
    async with _prepared(server, template, scenario) as (prepared, facts):
        _end, count = await _end_of(server, prepared, scenario, facts, None)
        points, began = _points(count, scenario.at_most), time.monotonic()
        assert await _differs(server, prepared, scenario, facts, points) is None
        measured(f"{scenario.name}: {len(points)} of {2 * count} points, {(time.monotonic() - began) / len(points):.2f} s each")


async def _careless(facts: Facts) -> None:
    """Give a number and use it, as one must not: in two transactions."""
    number = await db.value("UPDATE number_series SET last_number = last_number + 1 WHERE series = '2026' RETURNING last_number")
    await db.execute("UPDATE charge SET state = 'dropped' WHERE group_key = $1 AND $2 > 0", facts["group"], number)


async def test_control_two_transactions_where_one_is_needed_are_noticed(server: str, template: str, clock: FakeClock) -> None:
    careless = Scenario("careless", issued_before, _careless)
    async with _prepared(server, template, careless) as (prepared, facts):
        assert "number_series" in str(await _differs(server, prepared, careless, facts, [Point(1, done=True)]))
