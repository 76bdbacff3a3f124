"""Events from Stripe: stored once by id as they arrive, worked on later from what Stripe says then.

An event is only a hint that something changed. The worker fetches the invoice again and projects it, so the order of
arrival, repeats and gaps don't matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from billing.stripe_facts import follow_dispute, follow_refund, refresh
from billing.stripe_gateway import GatewayError, gateway
from marketplace.kit import db, work
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.stripe_port import StripeEventRef

FAILURES = frozenset({"invoice.payment_failed", "payment_intent.payment_failed", "payment_intent.partially_funded"})
INTERESTING = FAILURES | {
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "invoice.finalized",
    "invoice.paid",
    "invoice.marked_uncollectible",
    "invoice.overpaid",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.processing",
    "refund.created",
    "refund.failed",
    "refund.updated",
}

# One statement, so that one round trip keeps the events and queues their work, or neither. The columns are work.enqueue's.
_RECEIVE = """
    WITH given AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::boolean[], $6::uuid[], $7::text[])
            AS g (id, type, created_at, payload, wanted, work_id, hint)),
    fresh AS (
        INSERT INTO stripe_event (id, type, created_at, payload, state, received_at)
        SELECT id, type, created_at, payload::jsonb, CASE WHEN wanted THEN 'received' ELSE 'ignored' END, $8 FROM given ORDER BY id
        ON CONFLICT (id) DO NOTHING RETURNING id),
    queued AS (
        INSERT INTO due_work (id, kind, dedupe_key, payload, run_at, state, attempts, created_at)
        SELECT work_id, 'billing.stripe_event', 'billing.stripe_event:' || id, hint::jsonb, $8, 'queued', 0, $8
        FROM fresh JOIN given USING (id) WHERE wanted
        ON CONFLICT DO NOTHING)
    SELECT id FROM fresh
"""


async def receive(events: Sequence[StripeEventRef], *, now: datetime) -> set[str]:
    """Keep events and queue their work; return the ids of those that were new.

    Events that tell us nothing are kept as ``ignored``. All or nothing, in one statement.
    """
    columns: tuple[list[object], ...] = tuple([] for _ in range(7))
    for event in events:
        hint = {
            "event": event.id,
            "type": event.type,
            "object": event.object_id,
            "kind": event.object_kind,
            "invoice": event.invoice_id,
            "intent": event.intent_id,
        }
        row = (
            event.id,
            event.type,
            event.created_at,
            event.payload,
            event.type in INTERESTING,
            new_id(),
            msgspec.json.encode(hint).decode(),
        )
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return {str(row["id"]) for row in await db.records(_RECEIVE, *columns, now)}


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
    """Fetch the object of the event itself, never what the event says of it; return whether it was about something of ours."""
    match payload["kind"]:
        case "dispute":
            return await follow_dispute(await gateway().dispute(payload["object"]), now=now)
        case "refund":
            return await follow_refund(await gateway().refund(payload["object"]), now=now)
        case "charge":
            return await _follow_charge(payload.get("intent"), now=now)
        case "payment_intent":
            stripe_id = await gateway().invoice_of_payment(payload["object"])
        case _:
            stripe_id = payload["invoice"]
    return stripe_id is not None and await refresh(stripe_id, now=now, failed=payload["type"] in FAILURES)


async def _follow_charge(intent_id: str | None, *, now: datetime) -> bool:
    """Bring every refund of a charge up to date."""
    found = await gateway().refunds_of(intent_id) if intent_id else []
    return any([await follow_refund(one, now=now) for one in found])


__all__ = ["FAILURES", "INTERESTING", "follow", "receive", "refresh"]
