"""The worker: APScheduler wakes it, PostgreSQL decides what is due and who does it.

Any number of workers may run against one database. ``run`` ends when ``stop`` is set: it takes nothing new, gives its
own items twenty seconds, and leaves the rest to their leases.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from marketplace.kit import clock, periodic, work

if TYPE_CHECKING:
    from collections.abc import Iterable

PARALLEL = 8
IDLE_SECONDS = 0.4
GRACE_SECONDS = 20
_log = structlog.get_logger()


async def run(stop: asyncio.Event, *, parallel: int = PARALLEL) -> None:
    """Do due work until ``stop`` is set. The pool must be open and the handlers imported (``marketplace.registry``)."""
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})
    scheduler.add_job(_tick, "interval", seconds=5)
    scheduler.start()
    loop = Loop(parallel=parallel)
    try:
        await _tick()
        while not stop.is_set():
            await loop.turn(stop)
    finally:
        scheduler.pause()
        await loop.finish()
        scheduler.shutdown(wait=False)


async def _tick() -> None:
    try:
        await periodic.tick(clock.now())
    except Exception as error:  # noqa: BLE001 - the database may be away; the next tick tries again
        _log.warning("tick_failed", error=repr(error))


class Loop:
    """Claims items and keeps up to ``parallel`` of them under way."""

    def __init__(self, *, parallel: int) -> None:
        self._parallel = parallel
        self._running: set[asyncio.Task[bool]] = set()

    async def turn(self, stop: asyncio.Event) -> None:
        """Fill the free places; sleep a little when there is nothing to do or nowhere to do it."""
        claimed: Iterable[work.WorkItem] = ()
        if room := self._parallel - len(self._running):
            try:
                claimed = await work.claim(clock.now(), limit=room)
            except Exception as error:  # noqa: BLE001 - the database may be away
                _log.warning("claim_failed", error=repr(error))
                await _wait(stop, timedelta(seconds=1))
        for item in claimed:
            task = asyncio.create_task(self._perform(item))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if self._running:
            await asyncio.wait({*self._running}, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        elif not claimed:
            await _wait(stop, timedelta(seconds=IDLE_SECONDS))

    async def _perform(self, item: work.WorkItem) -> bool:
        try:
            return await work.perform(item, now=clock.now())
        except Exception as error:  # noqa: BLE001 - its lease will run out, somebody takes it again
            _log.warning("item_left_to_its_lease", kind=item.kind, id=str(item.id), error=repr(error))
            return False

    async def finish(self) -> None:
        """Await what is under way, twenty seconds at most; then cancel it."""
        if not self._running:
            return
        _done, late = await asyncio.wait({*self._running}, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=2)


async def _wait(stop: asyncio.Event, how_long: timedelta) -> None:
    try:
        async with asyncio.timeout(how_long.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return
