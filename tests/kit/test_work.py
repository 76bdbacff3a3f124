"""Durable work: exactly once inside, fenced leases, retries, dead letters; periodic slots; the audit chain."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from marketplace.kit import audit, db, periodic, work
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="session")
seen: list[dict[str, Any]] = []


@work.handler("test.note")
async def note(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    await audit.record("test.noted", actor=SYSTEM, subject=("test", payload["n"]), now=now)
    if payload.get("fail"):
        raise ValueError("as asked")


@work.handler("test.outside", outside=True)
async def outside(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    seen.append(payload)
    if payload.get("give_up"):
        raise work.GiveUp("a person must look")


async def _noted() -> int:
    return int(await db.value("SELECT count(*) FROM audit_entry WHERE event = 'test.noted'"))


async def test_work_leaves_only_with_its_commit(committed: str, now: datetime) -> None:
    with pytest.raises(ValueError, match="no"):
        async with db.atomic():
            await work.enqueue("test.note", {"n": 1}, run_at=now)
            raise ValueError("no")
    assert await work.drain(now) == 0


async def test_a_dedupe_key_is_used_once_ever(db: None, now: datetime) -> None:
    assert await work.enqueue("test.note", {"n": 1}, run_at=now, dedupe_key="k")
    assert not await work.enqueue("test.note", {"n": 1}, run_at=now, dedupe_key="k")
    await work.drain(now)
    assert not await work.enqueue("test.note", {"n": 1}, run_at=now, dedupe_key="k")


async def test_a_failing_item_leaves_nothing_and_is_retried_later(committed: str, now: datetime) -> None:
    await work.enqueue("test.note", {"n": 1, "fail": True}, run_at=now)
    (item,) = await work.claim(now)
    assert not await work.perform(item, now=now)
    assert await _noted() == 0
    assert await work.claim(now) == []
    (again,) = await work.claim(now + timedelta(minutes=1))
    assert again.attempts == 2


async def test_who_lost_the_lease_does_nothing(committed: str, now: datetime) -> None:
    await work.enqueue("test.note", {"n": 1}, run_at=now)
    (slow,) = await work.claim(now, lease=timedelta(seconds=-1))
    (quick,) = await work.claim(now)
    assert slow.id == quick.id
    assert not await work.perform(slow, now=now)
    assert await work.perform(quick, now=now)
    assert await _noted() == 1


async def test_two_workers_never_claim_the_same_item(committed: str, now: datetime) -> None:
    for n in range(60):
        await work.enqueue("test.note", {"n": n}, run_at=now)
    batches = await asyncio.gather(*(work.claim(now, limit=10) for _n in range(8)))
    ids = [item.id for batch in batches for item in batch]
    assert len(ids) == len(set(ids)) == 60


async def test_what_was_given_up_waits_for_a_person(committed: str, now: datetime) -> None:
    await work.enqueue("test.outside", {"give_up": True}, run_at=now)
    with pytest.raises(RuntimeError, match="a person must look"):
        await work.drain(now)
    (dead,) = await work.dead_letters()
    assert (await work.backlog(now)).dead == 1
    await work.retry_dead(dead.id, now=now)
    with pytest.raises(Conflict):
        await work.retry_dead(dead.id, now=now)
    with pytest.raises(NotFound):
        await work.retry_dead(new_id(), now=now)


async def test_a_slot_is_claimed_once_by_many_workers(committed: str, now: datetime) -> None:
    claims = await asyncio.gather(*(periodic.tick(now) for _n in range(6)))
    names = [name for claimed in claims for name in claimed]
    assert names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("cron", "now", "slot"),
    [
        ("0 9 * * *", datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        ("0 9 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 24, 7, tzinfo=UTC)),
        ("0 9 * * *", datetime(2027, 3, 28, 6, tzinfo=UTC), datetime(2027, 3, 27, 8, tzinfo=UTC)),
        ("0 9 * * *", datetime(2027, 3, 28, 7, tzinfo=UTC), datetime(2027, 3, 28, 7, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 23, 9, 7, 30, tzinfo=UTC), datetime(2026, 11, 23, 9, 5, tzinfo=UTC)),
        ("0 6 1 * *", datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),
        ("0 6 * * mon", datetime(2026, 11, 22, 9, tzinfo=UTC), datetime(2026, 11, 16, 5, tzinfo=UTC)),
    ],
)
async def test_the_latest_slot_keeps_wall_time_across_clock_changes(cron: str, now: datetime, slot: datetime) -> None:
    assert periodic.latest_slot(cron, now) == slot


async def test_the_chain_shows_meddling(committed: str, now: datetime) -> None:
    for n in range(3):
        await audit.record("test.noted", actor=SYSTEM, subject=("test", n), now=now)
    assert await audit.seal() == 3
    await audit.record("test.noted", actor=SYSTEM, subject=("test", 3), now=now)
    assert await audit.seal() == 1
    assert await audit.verify() == []
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await db.execute("UPDATE audit_entry SET event = 'x'")
    await db.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
    await db.execute("UPDATE audit_entry SET event = 'x' WHERE subject_id = '1'")
    assert await audit.verify() == ["Link 2 of the audit chain does not match its entry."]
