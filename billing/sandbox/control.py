"""What only a sandbox has: faults on demand, its clock, and a look at what came in and went out."""

from __future__ import annotations

from datetime import datetime

import msgspec

from billing.sandbox import store
from billing.sandbox.wire import Json
from marketplace.kit import clock, db
from marketplace.kit.ids import new_id

KINDS = ("429", "500", "500_done", "409", "timeout", "lost_reply", "slow")


class FaultOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next ``times`` calls of ``operation`` (``invoices.create``; ``*`` is any) misbehave this way.

    429 and 409: refused, not done. 500: not done, and kept under its key. 500_done: done, but answered 500. timeout: not
    done, no answer for ``seconds`` (30), then the connection closes. lost_reply: done, connection closed. slow: done,
    answered after ``seconds`` (2).
    """

    kind: str
    operation: str = "*"
    times: int = 1
    seconds: int = 0


async def order_fault(order: FaultOrder) -> None:
    """Note the order."""
    sql = "INSERT INTO sandbox_fault (id, operation, kind, remaining, seconds, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
    await db.execute(sql, new_id(), order.operation, order.kind, order.times, order.seconds, clock.now())


async def clear_faults() -> None:
    """Behave again."""
    await db.execute("DELETE FROM sandbox_fault")


class SeenCall(msgspec.Struct):
    """A request that came in, and its answer."""

    operation: str
    method: str
    path: str
    form: str
    key: str | None
    status: int
    body: str
    at: datetime


class SeenDelivery(msgspec.Struct):
    """An event on its way to an endpoint, or there."""

    type: str
    url: str | None
    state: str
    attempts: int
    last_answer: str | None
    next_at: datetime


class SeenObject(msgspec.Struct):
    """An object, in short."""

    id: str
    kind: str
    body: Json


async def calls(limit: int = 50) -> list[SeenCall]:
    """Return the last requests, newest first."""
    return await db.rows(
        SeenCall, "SELECT operation, method, path, form, key, status, body, at FROM sandbox_call ORDER BY seq DESC LIMIT $1", limit
    )


async def deliveries(limit: int = 50) -> list[SeenDelivery]:
    """Return the last deliveries, newest first."""
    sql = """
        SELECT e.body->>'type' AS type, w.body->>'url' AS url, d.state, d.attempts, d.last_answer, d.next_at
        FROM sandbox_delivery d JOIN sandbox_object e ON e.id = d.event_id LEFT JOIN sandbox_object w ON w.id = d.endpoint_id
        ORDER BY e.seq DESC LIMIT $1
    """
    return await db.rows(SeenDelivery, sql, limit)


SHOWN = ("invoice", "charge", "credit_note", "refund", "dispute", "customer", "payment_intent", "webhook_endpoint", "event")
_FIRST = ("invoice", "credit_note", "refund", "dispute")


async def objects(kind: str | None = None, *, limit: int = 50) -> list[SeenObject]:
    """Return the last objects of a kind, newest first; without one, invoices and what followed from them."""
    kinds = [kind] if kind in SHOWN else list(_FIRST)
    return await db.rows(
        SeenObject, "SELECT id, kind, body FROM sandbox_object WHERE kind = ANY ($2) ORDER BY seq DESC LIMIT $1", limit, kinds
    )


async def found(object_id: str) -> SeenObject | None:
    """Return one object, or None."""
    return await db.row(SeenObject, "SELECT id, kind, body FROM sandbox_object WHERE id = $1", object_id)


async def around(seen: SeenObject) -> list[SeenObject]:
    """Return what belongs to an object and what it belongs to, oldest first."""
    sql = """
        SELECT id, kind, body FROM sandbox_object WHERE kind <> 'event' AND id <> $1
            AND (parent = $1 OR id = $2 OR id = $3 OR parent = $4) ORDER BY seq LIMIT 100
    """
    body = seen.body
    return await db.rows(
        SeenObject, sql, seen.id, body.get("customer"), body.get("invoice") or body.get("_invoice"), body.get("payment_intent")
    )


async def retry_deliveries() -> int:
    """Try everything that waits at once, and what was given up too; return how many."""
    return await db.execute(
        "UPDATE sandbox_delivery SET state = 'waiting', attempts = 0, next_at = $1 WHERE state <> 'delivered'", clock.now()
    )


async def advance(seconds: int) -> datetime:
    """Move the sandbox's clock forward and return its new time."""
    await store.advance(seconds)
    return await store.now()
