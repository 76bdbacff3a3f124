"""Differences as rows: found, seen again, resolved by themselves once both sides agree; and taking one over into the books."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import refunds
from billing.comparison.judge import WORDS, Found, Kind, Ours, of_invoice
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from billing.stripe_port import StripeInvoice
    from marketplace.kit.identity import Actor

_LATER = frozenset({Kind.REFUNDED_THERE, Kind.REFUND_MISSING, Kind.DISPUTE_NOT_BOOKED})
"""What only looking at the payments themselves can find, or find gone."""

_OURS = """
    SELECT i.id, i.number, i.debtor_id, i.state, i.total_cents, i.credited_cents, i.written_off_cents, i.paid_cents, i.refunded_cents,
        (SELECT coalesce(sum(p.cents), 0)::bigint FROM payment p
          WHERE p.invoice_id = i.id AND p.source = 'stripe' AND p.external_id NOT LIKE '%:%') AS by_stripe_cents,
        (SELECT coalesce(sum(r.cents), 0)::bigint FROM refund r
          WHERE r.invoice_id = i.id AND r.source IN ('stripe', 'dispute') AND r.state = 'done')
        - (SELECT coalesce(sum(p.cents), 0)::bigint FROM payment p
          WHERE p.invoice_id = i.id AND p.source = 'stripe' AND p.external_id LIKE '%:%') AS back_cents
    FROM invoice i WHERE i.id = $1
"""


async def ours(invoice_id: UUID) -> Ours | None:
    """Return an invoice by our books, or None."""
    return await db.row(Ours, _OURS, invoice_id)


async def look(invoice_id: UUID, copy: StripeInvoice | None, *, now: datetime) -> list[Found]:
    """Compare an invoice with its copy as just fetched, and keep what differs; what refunds say is left as it was."""
    at = await ours(invoice_id)
    if at is None:
        return []
    found = of_invoice(at, copy)
    await keep(found, debtor_id=at.debtor_id, invoice_id=invoice_id, besides=_LATER, now=now)
    return found


async def keep(found: Sequence[Found], *, debtor_id: UUID, invoice_id: UUID | None, now: datetime, besides: Collection[Kind] = ()) -> None:
    """Write what differs now: new ones are noted in the audit trail, those that are gone are resolved, but for kinds ``besides``."""
    async with db.atomic():
        subject = invoice_id or debtor_id
        sql = """
            UPDATE stripe_difference SET resolved_at = $2, seen_at = $2
            WHERE coalesce(invoice_id, debtor_id) = $1 AND resolved_at IS NULL
                AND NOT (kind = ANY ($3::text[])) AND NOT (kind || ' ' || external_id = ANY ($4::text[]))
        """
        await db.execute(sql, subject, now, [kind.value for kind in besides], [f"{one.kind.value} {one.external_id}" for one in found])
        for one in found:
            if await _keep_one(one, debtor_id=debtor_id, invoice_id=invoice_id, now=now):
                data = {
                    "kind": one.kind.value,
                    "ours_cents": one.ours_cents,
                    "stripe_cents": one.theirs_cents,
                    "stripe_id": one.external_id,
                }
                about = ("invoice", invoice_id) if invoice_id else ("debtor", debtor_id)
                await audit.record("invoice.differs", actor=SYSTEM, subject=about, data=data, now=now)


async def _keep_one(found: Found, *, debtor_id: UUID, invoice_id: UUID | None, now: datetime) -> bool:
    sql = """
        INSERT INTO stripe_difference (id, invoice_id, debtor_id, kind, external_id, ours_cents, theirs_cents, found_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (coalesce(invoice_id, debtor_id), kind, external_id) WHERE resolved_at IS NULL
            DO UPDATE SET ours_cents = $6, theirs_cents = $7, seen_at = greatest(stripe_difference.seen_at, $8)
        RETURNING xmax = 0
    """
    args = (found.kind.value, found.external_id, found.ours_cents, found.theirs_cents, now)
    return bool(await db.value(sql, ids.new_id(), invoice_id, debtor_id, *args))


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference as it is shown."""

    id: UUID
    invoice_id: UUID | None
    debtor_id: UUID
    number: str | None
    debtor: str
    kind: Kind
    external_id: str
    ours_cents: int
    theirs_cents: int
    found_at: datetime
    seen_at: datetime
    resolved_at: datetime | None

    @property
    def what(self) -> str:
        """What it is, in words."""
        return _(WORDS[self.kind][0])

    @property
    def mend(self) -> str:
        """How to mend it, in words."""
        return _(WORDS[self.kind][1])

    @property
    def here(self) -> Money:
        """The amount by our books."""
        return Money(self.ours_cents)

    @property
    def there(self) -> Money:
        """The amount by Stripe."""
        return Money(self.theirs_cents)

    @property
    def cents(self) -> int:
        """How far the two are apart, in cents; never below zero."""
        return abs(self.ours_cents - self.theirs_cents)

    @property
    def can_take_over(self) -> bool:
        """Whether one button brings it into our books."""
        return self.kind is Kind.REFUNDED_THERE and self.resolved_at is None


_SELECT = """
    SELECT d.id, d.invoice_id, d.debtor_id, i.number, b.name AS debtor, d.kind, d.external_id, d.ours_cents, d.theirs_cents,
        d.found_at, d.seen_at, d.resolved_at
    FROM stripe_difference d JOIN debtor b ON b.id = d.debtor_id LEFT JOIN invoice i ON i.id = d.invoice_id
"""


async def unresolved(*, limit: int = 200) -> list[Difference]:
    """Return what differs now, the longest first."""
    return await db.rows(Difference, f"{_SELECT} WHERE d.resolved_at IS NULL ORDER BY d.found_at, d.id LIMIT $1", limit)


async def resolved(*, limit: int = 20) -> list[Difference]:
    """Return what was mended, the last first."""
    return await db.rows(Difference, f"{_SELECT} WHERE d.resolved_at IS NOT NULL ORDER BY d.resolved_at DESC, d.id LIMIT $1", limit)


async def take_over(difference_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Write a refund that somebody made at Stripe into our books, as the fact that it is. Raises ``NotFound``, ``Conflict``."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        at = await db.row(Difference, f"{_SELECT} WHERE d.id = $1 FOR UPDATE OF d", difference_id)
        if at is None:
            raise NotFound("not_found", _("There is no such difference."))
        if not at.can_take_over or at.invoice_id is None:
            raise Conflict("already_resolved", _("This difference is gone, or can't be mended by taking it over."))
        await refunds.taken_back(at.invoice_id, source="stripe", external_id=at.external_id, cents=at.theirs_cents, at=now, now=now)
        await db.execute("UPDATE stripe_difference SET resolved_at = $2, seen_at = $2 WHERE id = $1", difference_id, now)
        data = {"stripe_id": at.external_id, "cents": at.theirs_cents}
        await audit.record("invoice.difference_taken_over", actor=actor, subject=("invoice", at.invoice_id), data=data, now=now)
