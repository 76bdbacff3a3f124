"""Payments that were received: each outside id counts once, part payments add up, and what is too much stays visible."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from billing import ledger, states, write_offs
from billing.ledger import Account, Entry, Event
from marketplace.kit import audit, clock, db, ids, work
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM

Source = Literal["stripe", "bank", "manual", "setoff"]


class Payment(msgspec.Struct, frozen=True):
    """Money received for an invoice. ``method`` is a word such as ``ideal``, ``card`` or ``bank_transfer``."""

    id: UUID
    invoice_id: UUID
    source: str
    external_id: str
    cents: int
    method: str
    received_at: datetime


async def record(
    invoice_id: UUID,
    *,
    source: Source,
    external_id: str,
    cents: int,
    method: str,
    received_at: datetime,
    now: datetime,
    from_account: Account | None = None,
) -> bool:
    """Count a payment towards an invoice, once per (source, external id); return whether it was new.

    ``from_account`` is ``unallocated`` for a transfer that the books have already; else the money arrives where the source
    collects it. A ``setoff`` is booked by who sets off. The invoice is ``paid`` when the payments cover what is owed; more
    than that is kept and shown. Raises ``NotFound``, or
    ``Invalid`` for an amount that isn't positive.
    """
    if cents <= 0:
        raise Invalid("invalid", _("A payment is more than nothing."), fields={"cents": _("A payment is more than nothing.")})
    async with db.atomic():
        at = await states.standing(invoice_id, lock=True)
        sql = (
            "INSERT INTO payment (id, invoice_id, source, external_id, cents, method, received_at, recorded_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (source, external_id) DO NOTHING"
        )
        payment_id = ids.new_id()
        if await db.execute(sql, payment_id, invoice_id, source, external_id, cents, method, received_at, now) == 0:
            return False
        await _book(payment_id, at, source=source, cents=cents, from_account=from_account, on=clock.today(received_at), now=now)
        data = {"payment": payment_id, "source": source, "cents": cents}
        await audit.record("invoice.payment_received", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
        await db.execute("UPDATE invoice SET paid_cents = paid_cents + $2 WHERE id = $1", invoice_id, cents)
        await write_offs.make_room(invoice_id, cents, now=now)
        if await states.settle(invoice_id, now=now) is states.InvoiceState.PAID and source != "stripe":
            await _close_at_stripe(invoice_id, payment_id, now=now)
    return True


async def _close_at_stripe(invoice_id: UUID, payment_id: UUID, *, now: datetime) -> None:
    """Let Stripe's copy be closed, so that nobody pays there what was paid in another way (``stripe_steps``, by name)."""
    await work.enqueue(
        "billing.stripe_settled", {"invoice": str(invoice_id)}, run_at=now, dedupe_key=f"billing.stripe_settled:{payment_id}"
    )


async def _book(
    payment_id: UUID, at: states.Standing, *, source: Source, cents: int, from_account: Account | None, on: date, now: datetime
) -> None:
    if source == "setoff":
        return
    event = Event.PAYMENT_RECEIVED if from_account is None else Event.TRANSFER_ALLOCATED
    postings = ledger.moved(from_account or ledger.PAID_INTO[source], Account.RECEIVABLE, cents, debtor_id=at.debtor_id)
    await ledger.book(Entry(event=event, source_id=payment_id, on=on, reference=at.number), postings, now=now)


async def of(invoice_id: UUID) -> list[Payment]:
    """Return an invoice's payments, in the order in which they were received."""
    sql = (
        "SELECT id, invoice_id, source, external_id, cents, method, received_at FROM payment WHERE invoice_id = $1 ORDER BY received_at, id"
    )
    return await db.rows(Payment, sql, invoice_id)
