"""Money that debtors have with us: paid above what is owed after credits; and what is on its way back to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

_OWED = "(CASE WHEN i.state = 'void' THEN 0 ELSE i.total_cents - i.credited_cents - i.written_off_cents END)"
HELD = f"i.kind = 'invoice' AND i.paid_cents - i.refunded_cents > {_OWED}"
"""The condition of the index ``invoice_to_pay_back``."""


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with its debtor's money: what there is, and how much of it is on its way already; cents."""

    id: UUID
    number: str
    owner_id: UUID
    name: str
    since_at: datetime
    held_cents: int
    under_way_cents: int

    @property
    def held(self) -> Money:
        """Return what the debtor has with us."""
        return Money(self.held_cents)

    @property
    def under_way(self) -> Money:
        """Return what is on its way back."""
        return Money(self.under_way_cents)

    @property
    def left(self) -> Money:
        """Return what nobody has sent on its way yet."""
        return Money(max(self.held_cents - self.under_way_cents, 0))


_ROWS = f"""
    SELECT i.id, i.number, d.owner_id, d.name, i.state_at AS since_at, i.paid_cents - i.refunded_cents - {_OWED} AS held_cents,
           coalesce((SELECT sum(r.cents) FROM refund r WHERE r.invoice_id = i.id AND r.state IN ('requested', 'sent')), 0)::bigint AS under_way_cents
      FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE {HELD}
"""  # noqa: S608 - constants


async def listed(*, actor: Actor, cursor: str | None = None, size: int = 25) -> paging.Page[Back]:
    """Return a page of the invoices with money of their debtors, the longest waiting first."""
    require(actor, Permission.MANAGE_INVOICES)
    place = paging.read(cursor, datetime, UUID, size=size)
    started = f"AND (i.state_at, i.id) {place.after} ($2::timestamptz, $3::uuid)" if place.started else ""
    sql = f"{_ROWS} {started} ORDER BY i.state_at {place.ascending}, i.id {place.ascending} LIMIT $1"
    args = (place.fetch, *place.key) if place.started else (place.fetch,)
    return paging.page(await db.rows(Back, sql, *args), place, key=lambda row: (row.since_at, row.id))
