"""Holding an invoice back: while it is held nobody is reminded of it and nobody is blocked for it. With a reason, until a day or until lifted."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

# What is late and counts: unpaid, not on its way, not held, not disputed. ``i`` is the invoice, $1 the day.
# The payer's bank decides a dispute well within this many days; one that was lost must not keep an invoice from being late for ever.
DISPUTED_DAYS = 90
OPEN_CENTS = "(i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents)"
NOT_HELD = "NOT EXISTS (SELECT 1 FROM reminder_hold h WHERE h.invoice_id = i.id AND h.ended_at IS NULL AND (h.until_on IS NULL OR h.until_on >= $1))"
_OF_DISPUTE = f"r.source = 'dispute' AND r.state <> 'failed' AND r.requested_at >= $1::date - {DISPUTED_DAYS}"
NOT_DISPUTED = f"NOT EXISTS (SELECT 1 FROM refund r WHERE r.invoice_id = i.id AND {_OF_DISPUTE})"  # noqa: S608 - constants
LATE = f"i.kind = 'invoice' AND i.state IN ('issued', 'open') AND i.due_on < $1 AND {OPEN_CENTS} > 0 AND {NOT_HELD} AND {NOT_DISPUTED}"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that is held back."""

    id: UUID
    number: str
    company: str
    debtor_id: UUID
    due_on: date
    open_cents: int
    reason: str
    until_on: date | None
    held_at: datetime
    held_by: str | None

    @property
    def open(self) -> Money:
        """What is still to be paid on it."""
        return Money(self.open_cents)


_SELECT = f"""
    SELECT h.id, i.number, i.buyer ->> 'legal_name' AS company, i.debtor_id, i.due_on, {OPEN_CENTS}::bigint AS open_cents, h.reason, h.until_on, h.held_at,
           c.name AS held_by
      FROM reminder_hold h JOIN invoice i ON i.id = h.invoice_id LEFT JOIN account c ON c.id = h.held_by
     WHERE h.ended_at IS NULL AND (h.until_on IS NULL OR h.until_on >= $1)
"""  # noqa: S608 - constants


async def listed(*, actor: Actor, today: date) -> list[Hold]:
    """Return what is held back today, the longest due first; at most 500."""
    require(actor, Permission.MANAGE_INVOICES)
    return await db.rows(Hold, f"{_SELECT} ORDER BY i.due_on, i.number LIMIT 500", today)


async def of(number: str, *, today: date) -> Hold | None:
    """Return the hold on an invoice that the caller may see, or None."""
    return await db.row(Hold, f"{_SELECT} AND i.number = $2", today, number)


async def hold(number: str, *, reason: str, until_on: date | None, actor: Actor, now: datetime) -> None:
    """Hold an invoice back until and including a day (None: until it is lifted).

    Raises ``Invalid`` per field, ``Conflict`` ``held`` when it is held already.
    """
    require(actor, Permission.MANAGE_INVOICES)
    today, fields = clock.today(now), {}
    if not reason.strip():
        fields["reason"] = _("Say why, so that a colleague understands it later.")
    if until_on is not None and until_on < today:
        fields["until_on"] = _("This day is over.")
    async with db.atomic():
        sql = "SELECT id FROM invoice WHERE number = $1 AND kind = 'invoice' FOR UPDATE"
        invoice_id = await db.value(sql, number.strip().upper())
        if invoice_id is None:
            fields["number"] = _("There is no such invoice.")
        if fields:
            raise Invalid("invalid", next(iter(fields.values())), fields=fields)
        await db.execute(
            "UPDATE reminder_hold SET ended_at = $2 WHERE invoice_id = $1 AND ended_at IS NULL AND until_on < $3", invoice_id, now, today
        )
        made = await db.execute(
            "INSERT INTO reminder_hold (id, invoice_id, reason, until_on, held_by, held_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            ids.new_id(), invoice_id, reason.strip()[:300], until_on, actor.account_id, now,
        )  # fmt: skip
        if not made:
            raise Conflict("held", _("This invoice is held back already."), next_step=_("Lift it first to change the reason or the day."))
        data = {"until": until_on, "reason": reason.strip()[:300]}
        await audit.record("invoice.held", actor=actor, subject=("invoice", invoice_id), data=data, now=now)


async def lift(hold_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """End a hold; False when it was over. Raises ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        found = await db.records("SELECT invoice_id, ended_at FROM reminder_hold WHERE id = $1 FOR UPDATE", hold_id)
        if not found:
            raise NotFound("not_found", _("There is no such hold."))
        if found[0]["ended_at"] is not None:
            return False
        await db.execute("UPDATE reminder_hold SET ended_at = $2 WHERE id = $1", hold_id, now)
        await audit.record("invoice.hold_lifted", actor=actor, subject=("invoice", found[0]["invoice_id"]), now=now)
    return True
