"""Events from Stripe: stored once by id as they arrive, worked on later from what Stripe says then.

An event is only a hint that something changed. The worker fetches the invoice again and projects it, so the order of
arrival, repeats and gaps don't matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.projection import project
from billing.stripe_gateway import GatewayError, gateway
from marketplace.kit import db, work
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.stripe_port import StripeEventRef

FAILURES = frozenset({"invoice.payment_failed", "payment_intent.payment_failed", "payment_intent.partially_funded"})
INTERESTING = FAILURES | {
    "invoice.finalized",
    "invoice.paid",
    "invoice.marked_uncollectible",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.processing",
}

# One statement, so that one round trip keeps the event and queues its work, or neither. The columns are work.enqueue's.
_RECEIVE = """
    WITH fresh AS (
        INSERT INTO stripe_event (id, type, created_at, payload, state, received_at)
        VALUES ($1, $2, $3, $4::jsonb, CASE WHEN $5::boolean THEN 'received' ELSE 'ignored' END, $6)
        ON CONFLICT (id) DO NOTHING RETURNING id),
    queued AS (
        INSERT INTO due_work (id, kind, dedupe_key, payload, run_at, state, attempts, created_at)
        SELECT $7, 'billing.stripe_event', 'billing.stripe_event:' || id, $8::jsonb, $6, 'queued', 0, $6 FROM fresh WHERE $5::boolean
        ON CONFLICT DO NOTHING)
    SELECT count(*) FROM fresh
"""


async def receive(event: StripeEventRef, *, now: datetime) -> bool:
    """Keep an event and queue its work; return whether it was new. Events that tell us nothing are kept as ``ignored``."""
    hint = {"event": event.id, "type": event.type, "object": event.object_id, "kind": event.object_kind, "invoice": event.invoice_id}
    wanted = event.type in INTERESTING
    return bool(await db.value(_RECEIVE, event.id, event.type, event.created_at, event.payload, wanted, now, new_id(), hint))


@work.handler("billing.stripe_event", outside=True)
async def follow(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Fetch what the event is about and bring our invoice up to date; an invoice that isn't ours is ignored quietly."""
    try:
        done = await _follow(payload, now=now)
    except GatewayError as error:
        if error.again:
            raise
        message = f"Event {payload['event']} can't be followed: {error}"
        raise work.GiveUp(message) from error
    await db.execute("UPDATE stripe_event SET state = $2, done_at = $3 WHERE id = $1", payload["event"], "done" if done else "ignored", now)


async def _follow(payload: dict[str, Any], *, now: datetime) -> bool:
    stripe_id = payload["invoice"]
    if stripe_id is None and payload["kind"] == "payment_intent":
        stripe_id = await gateway().invoice_of_payment(payload["object"])
    if stripe_id is None:
        return False
    return await refresh(stripe_id, now=now, failed=payload["type"] in FAILURES)


async def refresh(stripe_id: str, *, now: datetime, failed: bool = False) -> bool:
    """Fetch an invoice from Stripe and project it; return False when it isn't ours (or is gone)."""
    our_id = await db.value("SELECT our_id FROM stripe_link WHERE kind = 'invoice' AND stripe_id = $1", stripe_id)
    copy = await gateway().invoice(stripe_id)
    if copy is None:
        return False
    if our_id is None:
        our_id = await _ours(copy.our_id)
    if our_id is None:
        return False
    await project(our_id, copy, now=now, failed=failed)
    return True


async def _ours(named: UUID | None) -> UUID | None:
    """Return the id in the copy's metadata when it is an invoice of ours: the link may be a moment behind."""
    if named is None:
        return None
    found: UUID | None = await db.value("SELECT id FROM invoice WHERE id = $1 AND kind = 'invoice'", named)
    return found
