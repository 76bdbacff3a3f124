"""Two runs over the same charges, many workers, one killed: every charge on one line, no gap in the numbers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing import charges
from billing.runs import collect, issue, read
from billing.runs.states import RunState
from marketplace.kit import clock, db, ids, work
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_charge
from tests.builders.runs import a_monthly_debtor
from tests.processes import Worker

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEBTORS, EACH = 24, 3


async def _months(debtors: int, each: int, now: datetime) -> None:
    for _debtor in range(debtors):
        debtor_id, group = await a_monthly_debtor(), f"order:{ids.new_id()}"
        await charges.record([a_charge(debtor_id, group, cents=1_000 + at) for at in range(each)], now=now)
        await charges.ready(group, now=now)


async def _previews(count: int, now: datetime) -> list[UUID]:
    made = [await collect.make(clock.today(now), actor=SYSTEM, now=now + timedelta(seconds=at)) for at in range(count)]
    for run_id in made:
        await collect.collect(run_id, now=now)
    return made


async def _worker(now: datetime) -> int:
    done = 0
    while items := await work.claim(now, limit=2, only=["runs.issue_group"]):
        for item in items:
            done += await work.perform(item, now=now)
    return done


async def _billed_once(debtors: int, each: int) -> None:
    numbers = [row["number"] for row in await db.records("SELECT number FROM invoice ORDER BY number")]
    assert numbers == [f"2026-{at:06d}" for at in range(1, debtors + 1)]
    lines = Counter(row["charge_id"] for row in await db.records("SELECT charge_id FROM invoice_line"))
    assert set(lines.values()) == {1}
    assert len(lines) == debtors * each
    assert await db.value("SELECT count(*) FROM charge WHERE state <> 'invoiced'") == 0
    assert await db.value("SELECT sum(net_cents) FROM invoice") == await db.value("SELECT sum(net_cents) FROM charge")
    assert await db.value("SELECT sum(cents) FROM ledger_posting") == 0


async def test_two_runs_and_eight_workers_bill_each_charge_once(committed: str, now: datetime) -> None:
    await _months(DEBTORS, EACH, now)
    runs = await _previews(2, now)
    assert await asyncio.gather(*(issue.issue(run_id, actor=SYSTEM, now=now) for run_id in runs)) == [DEBTORS, DEBTORS]
    done = await asyncio.gather(*(_worker(now) for _ in range(8)))
    assert sum(done) == 2 * DEBTORS
    await _billed_once(DEBTORS, EACH)
    figures = [await read.figures(run_id) for run_id in runs]
    assert sum(one.issued for one in figures) == DEBTORS
    assert sum(one.left for one in figures) == DEBTORS
    assert {(await collect.get(run_id)).state for run_id in runs} == {RunState.DONE}


async def test_control_without_locks_two_runs_take_the_same_charges(committed: str, now: datetime) -> None:
    """The same two runs, choosing what is open without holding it: both would bill everything."""
    await _months(4, 1, now)
    taken: list[UUID] = []

    async def naive() -> None:
        async with db.atomic():
            found = [row["id"] for row in await db.records("SELECT id FROM charge WHERE state = 'open'")]
            await asyncio.sleep(0)
            taken.extend(found)
            await db.value("SELECT pg_sleep(0.05)")
            await db.execute("UPDATE charge SET state = 'invoiced' WHERE id = ANY($1)", found)

    await asyncio.gather(naive(), naive(), return_exceptions=True)
    assert max(Counter(taken).values()) == 2


async def test_the_last_two_groups_at_once_end_the_run(committed: str, now: datetime) -> None:
    for _round in range(6):
        await _months(2, 1, now)
        [run_id] = await _previews(1, now)
        await issue.issue(run_id, actor=SYSTEM, now=now)
        groups = await db.records("SELECT id FROM invoice_run_group WHERE run_id = $1", run_id)
        await asyncio.gather(*(issue.issue_group(row["id"], now=now) for row in groups))
        assert (await collect.get(run_id)).state is RunState.DONE


async def test_stopping_while_workers_issue_leaves_no_half_invoice(committed: str, now: datetime) -> None:
    await _months(12, 2, now)
    [run_id] = await _previews(1, now)
    await issue.issue(run_id, actor=SYSTEM, now=now)
    stopped, *_done = await asyncio.gather(issue.stop(run_id, actor=SYSTEM, now=now), *(_worker(now) for _ in range(4)))
    figures = await read.figures(run_id)
    assert (figures.queued, figures.issued + figures.left) == (0, 12)
    assert figures.left == stopped
    assert await db.value("SELECT count(*) FROM invoice") == figures.issued
    assert await db.value("SELECT count(*) FROM charge WHERE state = 'open'") == 2 * figures.left
    [rest] = await _previews(1, now)
    assert (await read.figures(rest)).ready == figures.left


@pytest.mark.slow
async def test_a_run_survives_killed_workers(committed: str, tmp_path: Path) -> None:
    now = clock.SystemClock().now()
    await _months(40, 2, now)
    [run_id] = await _previews(1, now)
    chance, kills = random.Random(11), 0
    with Worker(committed, tmp_path / "one.log") as one, Worker(committed, tmp_path / "two.log") as two:
        await issue.issue(run_id, actor=SYSTEM, now=now)
        while (await collect.get(run_id)).state is RunState.ISSUING:
            await asyncio.sleep(0.15)
            if kills < 4 and await db.value("SELECT count(*) FROM due_work WHERE kind = 'runs.issue_group' AND state = 'running'"):
                victim = chance.choice((one, two))
                victim.kill()
                victim.start()
                kills += 1
            assert one.alive or two.alive
    assert (await read.figures(run_id)).issued == 40
    lines = Counter(row["charge_id"] for row in await db.records("SELECT charge_id FROM invoice_line"))
    assert len(lines) == 80
    assert set(lines.values()) == {1}
    numbers = [int(row["number"].partition("-")[2]) for row in await db.records("SELECT number FROM invoice ORDER BY number")]
    assert numbers == list(range(1, 41))
