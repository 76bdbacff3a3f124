"""Work that happens later: rows in the business transaction, claimed with a lease, done exactly once where it can be.

``due_work`` says what is due; this module says how it is done. A handler *inside* runs in the transaction that marks
its row done, so it may only touch our database. A handler *outside* may use the network; it is repeated after a crash,
so it hands the row's id on as idempotency key or Message-ID. The loop that drives it all is ``marketplace.worker``.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import msgspec
import structlog

from marketplace.kit import db
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LEASE = timedelta(seconds=12)
HEARTBEAT_SECONDS = 3.0
MAX_ATTEMPTS = 12
MAX_OUTSIDE_ATTEMPTS = 30
_BACKOFF_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900, 1800, 3600)
_log = structlog.get_logger()


class WorkItem(msgspec.Struct, frozen=True):
    """One claimed row. ``lease_token`` fences it: who has lost the lease can't mark it done."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int
    run_at: datetime
    created_at: datetime
    lease_token: UUID


class Handler(Protocol):
    """Does one item of work."""

    async def __call__(self, payload: dict[str, Any], *, item: WorkItem, now: datetime) -> None:
        """Do it, or raise; ``Retry`` and ``GiveUp`` say what then."""
        ...


class Registered(msgspec.Struct, frozen=True):
    """A handler and how it runs."""

    run: Any
    outside: bool


class Retry(Exception):
    """Try this item again after a while; it costs no patience (the attempt does not count towards giving up)."""

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class GiveUp(Exception):
    """The item can't be done; a person must look. The sentence is shown in the ECL desk."""


_handlers: dict[str, Registered] = {}


def handler(kind: str, *, outside: bool = False) -> Callable[[Handler], Handler]:
    """Register the function that does items of a kind; see the module for inside and outside."""

    def register(function: Handler) -> Handler:
        if kind in _handlers and _handlers[kind].run is not function:
            message = f"two handlers for {kind}"
            raise RuntimeError(message)
        _handlers[kind] = Registered(run=function, outside=outside)
        return function

    return register


def kinds() -> dict[str, Registered]:
    """Return every registered kind."""
    return dict(_handlers)


_ENQUEUE = (
    "INSERT INTO due_work (id, kind, dedupe_key, payload, run_at, state, attempts, created_at)"
    " VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6) ON CONFLICT DO NOTHING"
)


async def enqueue(
    kind: str, payload: Mapping[str, object], *, run_at: datetime, now: datetime | None = None, dedupe_key: str | None = None
) -> bool:
    """Write an item in the current transaction; return False when its ``dedupe_key`` was used before, ever.

    The item leaves with the commit. ``run_at`` is an instant in UTC.
    """
    body = msgspec.json.encode(payload).decode()
    return await db.execute(_ENQUEUE, new_id(), kind, dedupe_key, body, run_at, now or run_at) == 1


async def later(kind: str, payload: Mapping[str, object], *, run_at: datetime, dedupe_key: str | None = None) -> None:
    """Write an item like ``enqueue``, for who needn't know whether its ``dedupe_key`` was new: it costs no round trip."""
    await db.soon(_ENQUEUE, new_id(), kind, dedupe_key, msgspec.json.encode(payload).decode(), run_at, run_at)


async def withdraw(dedupe_key: str) -> bool:
    """Delete an item that has not begun; return whether there was one."""
    return await db.execute("DELETE FROM due_work WHERE dedupe_key = $1 AND state = 'queued'", dedupe_key) == 1


async def claim(now: datetime, *, limit: int = 20, lease: timedelta = LEASE, only: Sequence[str] = ()) -> list[WorkItem]:
    """Take due items under a lease (the database's clock, so processes need not agree), oldest first.

    Items whose lease ran out are taken again first. ``only`` narrows it to some kinds.
    """
    sql = """
        WITH expired AS (SELECT id FROM due_work WHERE state = 'running' AND lease_until < clock_timestamp()
                           AND (cardinality($4::text[]) = 0 OR kind = ANY ($4)) ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED),
             queued AS (SELECT id FROM due_work WHERE state = 'queued' AND run_at <= $1
                          AND (cardinality($4::text[]) = 0 OR kind = ANY ($4)) ORDER BY run_at, id LIMIT $2 FOR UPDATE SKIP LOCKED),
             due AS (SELECT id FROM expired UNION ALL SELECT id FROM queued LIMIT $2)
        UPDATE due_work AS work SET state = 'running', attempts = attempts + 1,
               lease_until = clock_timestamp() + $3::interval, lease_token = gen_random_uuid()
        FROM due WHERE work.id = due.id
        RETURNING work.id, kind, payload, attempts, run_at, created_at, lease_token
    """
    found = await db.rows(WorkItem, sql, now, limit, lease, list(only))
    return sorted(found, key=lambda item: (item.run_at, item.id))


async def perform(item: WorkItem, *, now: datetime) -> bool:
    """Do one claimed item and mark it done, to be retried, or dead. Return whether it was done.

    Never raises for the handler's sake; cancellation passes through and leaves the item to its lease.
    """
    registered = _handlers.get(item.kind)
    try:
        if registered is None:
            message = f"No code here does work of the kind {item.kind}."
            raise GiveUp(message)  # noqa: TRY301 - one road for all failures
        if registered.outside:
            return await _outside(registered, item, now=now)
        return await _inside(registered, item, now=now)
    except Exception as error:  # noqa: BLE001 - the row keeps it, the desk shows it
        await _failed(item, error, now=now, outside=bool(registered and registered.outside))
        return False


async def _inside(registered: Registered, item: WorkItem, *, now: datetime) -> bool:
    async with db.atomic():
        mine = "SELECT 1 FROM due_work WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR UPDATE"
        if await db.value(mine, item.id, item.lease_token) is None:
            return False
        await registered.run(item.payload, item=item, now=now)
        return await _done(item, now=now)


async def _outside(registered: Registered, item: WorkItem, *, now: datetime) -> bool:
    if db.in_transaction():  # a test's own transaction: no second connection may touch the row
        await registered.run(item.payload, item=item, now=now)
        return await _done(item, now=now)
    beat = asyncio.create_task(_keep_lease(item))
    try:
        await registered.run(item.payload, item=item, now=now)
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
    return await _done(item, now=now)


async def _keep_lease(item: WorkItem) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        sql = "UPDATE due_work SET lease_until = clock_timestamp() + $3::interval WHERE id = $1 AND lease_token = $2 AND state = 'running'"
        with contextlib.suppress(Exception):
            await db.execute(sql, item.id, item.lease_token, LEASE)


async def _done(item: WorkItem, *, now: datetime) -> bool:
    sql = "UPDATE due_work SET state = 'done', done_at = $3, lease_until = NULL, last_error = NULL WHERE id = $1 AND lease_token = $2 AND state = 'running'"
    return await db.execute(sql, item.id, item.lease_token, now) == 1


async def _failed(item: WorkItem, error: Exception, *, now: datetime, outside: bool) -> None:
    limit = MAX_OUTSIDE_ATTEMPTS if outside else MAX_ATTEMPTS
    dead = isinstance(error, GiveUp) or (item.attempts >= limit and not isinstance(error, Retry))
    wait = error.after if isinstance(error, Retry) and error.after else backoff(item.attempts)
    text = f"{type(error).__name__}: {error}"[:2_000]
    _log.warning("work_failed", kind=item.kind, id=str(item.id), attempts=item.attempts, dead=dead, error=text)
    sql = """
        UPDATE due_work SET state = $3, run_at = CASE WHEN $3 = 'dead' THEN run_at ELSE $4 END, lease_until = NULL, last_error = $5
        WHERE id = $1 AND lease_token = $2 AND state = 'running'
    """
    await db.execute(sql, item.id, item.lease_token, "dead" if dead else "queued", now + wait, text)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after the n-th failure: from one second up to an hour."""
    return timedelta(seconds=_BACKOFF_SECONDS[min(max(attempts, 1), len(_BACKOFF_SECONDS)) - 1])


async def retry_dead(item_id: UUID, *, now: datetime) -> None:
    """Queue a dead item again, as new. Raises ``NotFound`` or, when it isn't dead, ``Conflict``."""
    sql = "UPDATE due_work SET state = 'queued', attempts = 0, run_at = $2 WHERE id = $1 AND state = 'dead'"
    if await db.execute(sql, item_id, now) == 1:
        return
    if await db.value("SELECT 1 FROM due_work WHERE id = $1", item_id) is None:
        raise NotFound("not_found", _("There is no such work item."))
    raise Conflict("not_dead", _("This item is not waiting for a person: it is queued, running or done."))


async def drain(now: datetime, *, rounds: int = 200, only: Sequence[str] = ()) -> int:
    """Do everything (or ``only`` some kinds) that is due until nothing is left; for tests and the demo. Return how many.

    Raises ``RuntimeError`` with the first error when an item failed, so that no test passes over it.
    """
    count = 0
    for _round in range(rounds):
        items = await claim(now, only=only)
        if not items:
            return count
        for item in items:
            if await perform(item, now=now):
                count += 1
                continue
            problem = await db.value("SELECT last_error FROM due_work WHERE id = $1", item.id)
            message = f"{item.kind}: {problem}"
            raise RuntimeError(message)
    message = f"work makes more work: not done after {rounds} rounds"
    raise RuntimeError(message)


class Backlog(msgspec.Struct, frozen=True):
    """How much is waiting: items due now, later, running and dead; and the instant of the oldest that is due."""

    due: int
    later: int
    running: int
    dead: int
    oldest_due_at: datetime | None


async def backlog(now: datetime) -> Backlog:
    """Return what waits, for the desk, ``jobs`` and ``doctor``."""
    sql = """
        SELECT (SELECT count(*) FROM due_work WHERE state = 'queued' AND run_at <= $1) AS due,
               (SELECT count(*) FROM due_work WHERE state = 'queued' AND run_at > $1) AS later,
               (SELECT count(*) FROM due_work WHERE state = 'running') AS running,
               (SELECT count(*) FROM due_work WHERE state = 'dead') AS dead,
               (SELECT min(run_at) FROM due_work WHERE state = 'queued' AND run_at <= $1) AS oldest_due_at
    """
    found = await db.row(Backlog, sql, now)
    assert found is not None
    return found


class Dead(msgspec.Struct, frozen=True):
    """A dead letter: work that waits for a person."""

    id: UUID
    kind: str
    attempts: int
    last_error: str | None
    run_at: datetime
    payload: dict[str, Any]


async def dead_letters(*, limit: int = 100) -> list[Dead]:
    """Return dead items, newest first."""
    sql = "SELECT id, kind, attempts, last_error, run_at, payload FROM due_work WHERE state = 'dead' ORDER BY run_at DESC LIMIT $1"
    return await db.rows(Dead, sql, limit)
