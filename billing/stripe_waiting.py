"""Which steps of an invoice Stripe hasn't taken yet: they go in their order, and while one is under way nothing is compared."""

from __future__ import annotations

from uuid import UUID

import msgspec

from marketplace.kit import db

STEPS = ("billing.stripe_mirror", "billing.stripe_void", "billing.stripe_uncollectible")
"""The kinds of work whose dedupe key ends in the invoice's id; those of credit notes, payments and refunds end in theirs."""


class Waiting(msgspec.Struct, frozen=True):
    """A step of an invoice that is not done yet."""

    id: UUID
    kind: str
    state: str


async def steps(invoice_id: UUID) -> list[Waiting]:
    """Return the steps of an invoice that are not done, in their order."""
    sql = """
        SELECT w.id, w.kind, w.state FROM due_work w WHERE w.state <> 'done' AND w.dedupe_key = ANY (ARRAY(
            SELECT k || ':' || ($1::uuid)::text FROM unnest($2::text[]) AS k
            UNION ALL SELECT 'billing.stripe_credit:' || c.id FROM invoice c WHERE c.credits_id = $1
            UNION ALL SELECT 'billing.stripe_settled:' || p.id FROM payment p WHERE p.invoice_id = $1
            UNION ALL SELECT 'billing.stripe_refund:' || r.id FROM refund r WHERE r.invoice_id = $1))
        ORDER BY w.created_at, w.id
    """
    return await db.rows(Waiting, sql, invoice_id, list(STEPS))


async def under_way(invoice_id: UUID) -> bool:
    """Tell whether a step will still be taken by itself; one that is stuck won't."""
    return any(step.state != "dead" for step in await steps(invoice_id))
