"""Periodic jobs: each nominal slot happens once, however many workers there are and whatever the clock does.

A slot is claimed by inserting its row; the same transaction queues the work. So a slot that passed while everything was
down is caught up once (the latest only), and two workers never both do it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from apscheduler.triggers.cron import CronTrigger

from marketplace.kit import db, work
from marketplace.kit.clock import AMSTERDAM
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_BACK = tuple(timedelta(minutes=minutes) for minutes in (2, 20, 180, 2_880, 12_000, 50_000, 550_000))


class PeriodicFunction(Protocol):
    """Does one slot of a periodic job, in the transaction that marks it done."""

    async def __call__(self, slot: datetime, *, now: datetime) -> None:
        """Do it."""
        ...


class Job(msgspec.Struct, frozen=True):
    """A periodic job: its name, its cron line (Amsterdam, five fields, day names) and its function."""

    name: str
    cron: str
    run: Any
    outside: bool


_jobs: dict[str, Job] = {}


def periodic(name: str, *, cron: str, outside: bool = False) -> Callable[[PeriodicFunction], PeriodicFunction]:
    """Register a periodic job. Don't set wall-clock times between 02:00 and 03:00: one night has none."""

    def register(function: PeriodicFunction) -> PeriodicFunction:
        _jobs[name] = Job(name=name, cron=cron, run=function, outside=outside)

        async def run_slot(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
            slot = datetime.fromisoformat(payload["slot"])
            await function(slot, now=now)
            await db.execute("UPDATE job_run SET finished_at = $3 WHERE name = $1 AND slot = $2", name, slot, now)

        work.handler(f"job:{name}", outside=outside)(run_slot)
        return function

    return register


def jobs() -> list[Job]:
    """Return every registered job by name."""
    return sorted(_jobs.values(), key=lambda job: job.name)


@lru_cache(maxsize=256)
def _trigger(cron: str) -> CronTrigger:
    return CronTrigger.from_crontab(cron, timezone=AMSTERDAM)


def latest_slot(cron: str, now: datetime) -> datetime | None:
    """Return the last instant at or before ``now`` at which the cron line fires, or None within the past year."""
    trigger = _trigger(cron)
    for span in _LOOK_BACK:
        found: datetime | None = None
        upcoming = trigger.get_next_fire_time(None, (now - span).astimezone(AMSTERDAM))
        while upcoming is not None and upcoming <= now:
            found = upcoming
            upcoming = trigger.get_next_fire_time(upcoming, upcoming + timedelta(microseconds=1))
        if found is not None:
            return found.astimezone(now.tzinfo)
    return None


def next_slot(cron: str, now: datetime) -> datetime | None:
    """Return the next instant after ``now`` at which the cron line fires."""
    found = _trigger(cron).get_next_fire_time(None, now.astimezone(AMSTERDAM) + timedelta(microseconds=1))
    return None if found is None else found.astimezone(now.tzinfo)


async def tick(now: datetime) -> list[str]:
    """Claim the latest slot of each job that has no row yet, and queue it. Return the names of those claimed."""
    claimed: list[str] = []
    for job in jobs():
        slot = latest_slot(job.cron, now)
        if slot is not None and await _claim(job, slot, now=now):
            claimed.append(job.name)
    return claimed


async def _claim(job: Job, slot: datetime, *, now: datetime) -> bool:
    newest = await db.value("SELECT max(slot) FROM job_run WHERE name = $1", job.name)
    if newest is not None and newest >= slot:
        return False
    async with db.atomic():
        sql = "INSERT INTO job_run (id, name, slot, claimed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        if await db.execute(sql, new_id(), job.name, slot, now) == 0:
            return False
        key = f"job:{job.name}:{slot.isoformat()}"
        await work.enqueue(f"job:{job.name}", {"slot": slot.isoformat()}, run_at=now, dedupe_key=key)
    return True


class JobState(msgspec.Struct, frozen=True):
    """A job as the desk shows it."""

    name: str
    cron: str
    last_slot: datetime | None
    finished_at: datetime | None
    next_slot: datetime | None


async def states(now: datetime) -> list[JobState]:
    """Return each job with its last and next run."""
    sql = """
        SELECT job.name, run.slot, run.finished_at FROM unnest($1::text[]) AS job (name)
        CROSS JOIN LATERAL (SELECT slot, finished_at FROM job_run WHERE name = job.name ORDER BY slot DESC LIMIT 1) run
    """
    last = {found["name"]: found for found in await db.records(sql, [job.name for job in jobs()])}
    return [
        JobState(
            name=job.name,
            cron=job.cron,
            last_slot=last.get(job.name, {}).get("slot"),
            finished_at=last.get(job.name, {}).get("finished_at"),
            next_slot=next_slot(job.cron, now),
        )
        for job in jobs()
    ]
