"""Which object at Stripe stands for which row of ours: invoices, customers, credit notes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from marketplace.kit import db
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime


async def of(kind: str, our_id: UUID) -> str | None:
    """Return the id at Stripe of a row of ours, or None."""
    found: str | None = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = $1 AND our_id = $2", kind, our_id)
    return found


async def ours(kind: str, stripe_id: str) -> UUID | None:
    """Return the id of our row behind an object of Stripe's, or None when it isn't ours."""
    found = await db.value("SELECT our_id FROM stripe_link WHERE kind = $1 AND stripe_id = $2", kind, stripe_id)
    return UUID(str(found)) if found is not None else None


async def tie(kind: str, our_id: UUID, stripe_id: str, *, now: datetime) -> str:
    """Tie the two; when another worker was first, return what it tied."""
    sql = "INSERT INTO stripe_link (id, kind, our_id, stripe_id, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
    await db.execute(sql, new_id(), kind, our_id, stripe_id, now)
    return await of(kind, our_id) or stripe_id
