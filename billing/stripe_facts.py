"""What Stripe says now, fetched and brought into our books, forwards only: invoices, refunds, disputes.

Whoever hears that something changed (an event, a step of ours, the nightly comparison) comes here; it is the same each time
and in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import payments, refunds, stripe_links, stripe_waiting
from billing.comparison import differences
from billing.comparison.judge import Found, Kind
from billing.projection import OURS, project
from billing.stripe_gateway import gateway
from billing.stripe_port import DisputeState, RefundState, StripeDispute, StripeInvoice, StripeRefund
from marketplace.kit import db
from marketplace.kit.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime


async def refresh(stripe_id: str, *, now: datetime, failed: bool = False) -> bool:
    """Fetch an invoice from Stripe, project it and note what differs; return False when it isn't ours (or is gone)."""
    copy = await gateway().invoice(stripe_id)
    if copy is None:
        return False
    our_id = await stripe_links.ours("invoice", stripe_id) or await _ours(copy)
    if our_id is None:
        return False
    await project(our_id, copy, now=now, failed=failed)
    if not await stripe_waiting.under_way(our_id):
        await differences.look(our_id, copy, now=now)
    return True


async def _ours(copy: StripeInvoice) -> UUID | None:
    """Return the id in the copy's metadata when it is an invoice of ours: the link may be a moment behind.

    A duplicate made in Stripe's dashboard carries the same metadata under another number: it is not ours.
    """
    sql = """
        SELECT id FROM invoice i WHERE id = $1 AND kind = 'invoice' AND number = $2
            AND NOT EXISTS (SELECT FROM stripe_link l WHERE l.kind = 'invoice' AND l.our_id = i.id)
    """
    found: UUID | None = await db.value(sql, copy.our_id, copy.number)
    return found


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    invoice_id: UUID
    state: str
    cents: int


async def project_refund(found: StripeRefund, *, now: datetime) -> bool:
    """Follow a refund of ours; False when it isn't. One that comes back after it had arrived is money received again."""
    async with db.atomic():
        row = await _refund(found)
        if row is None:
            return False
        if found.state is RefundState.ON_ITS_WAY:
            await refunds.sent(row.id, external_id=found.stripe_id, now=now)
        elif found.state is RefundState.ARRIVED:
            await refunds.sent(row.id, external_id=found.stripe_id, now=now)
            await _arrived(row, found, now=now)
        elif row.state == "done":
            await _received_again(row, f"{found.stripe_id}:returned", "refund_returned", now=now)
        else:
            await refunds.sent(row.id, external_id=found.stripe_id, now=now)
            await refunds.failed(row.id, failure=found.failure, now=now)
    return True


async def _arrived(row: _Row, found: StripeRefund, *, now: datetime) -> None:
    """Book a refund that arrived; one that a dispute overtook gives back more than came, and waits as a difference."""
    try:
        await refunds.done(row.id, external_id=found.stripe_id, now=now)
    except Invalid:
        at = await differences.ours(row.invoice_id)
        if at is not None:
            wrong = Found(Kind.DISPUTE_NOT_BOOKED, 0, found.amount.cents, found.stripe_id)
            await differences.keep([wrong], debtor_id=at.debtor_id, invoice_id=row.invoice_id, besides=tuple(Kind), now=now)


async def _refund(found: StripeRefund) -> _Row | None:
    """Return our row of a refund: by its id at Stripe, or (before that is stored) by our id in its metadata."""
    sql = "SELECT id, invoice_id, state, cents FROM refund WHERE source = 'stripe' AND external_id = $1"
    row = await db.row(_Row, sql, found.stripe_id)
    if row is None and found.our_id is not None and found.amount.currency == OURS:
        sql = "SELECT id, invoice_id, state, cents FROM refund WHERE source = 'stripe' AND id = $1 AND external_id IS NULL AND cents = $2"
        row = await db.row(_Row, sql, found.our_id, found.amount.cents)
    return row


async def _received_again(row: _Row, external_id: str, method: str, *, now: datetime) -> None:
    await payments.record(
        row.invoice_id, source="stripe", external_id=external_id, cents=row.cents, method=method, received_at=now, now=now
    )


async def follow_refund(found: StripeRefund, *, now: datetime) -> bool:
    """Project a refund; one that somebody made at Stripe for an invoice of ours is a difference. False when it isn't ours at all."""
    if await project_refund(found, now=now):
        return True
    invoice_id = await invoice_of_intent(found.intent_id)
    if invoice_id is None:
        return False
    at = await differences.ours(invoice_id)
    if at is not None and found.state is not RefundState.FAILED:
        strange = Found(Kind.REFUNDED_THERE, 0, found.amount.cents, found.stripe_id)
        await differences.keep([strange], debtor_id=at.debtor_id, invoice_id=invoice_id, besides=tuple(Kind), now=now)
    return True


async def follow_dispute(found: StripeDispute, *, now: datetime) -> bool:
    """Project a dispute: money taken is a returned payment, money won back is received again. False when it isn't ours."""
    stripe_id = await gateway().invoice_of_payment(found.intent_id) if found.intent_id else None
    if stripe_id is None or not await refresh(stripe_id, now=now):
        return False
    invoice_id = await stripe_links.ours("invoice", stripe_id)
    if invoice_id is None:
        return False
    await project_dispute(invoice_id, found, now=now)
    return True


async def project_dispute(invoice_id: UUID, found: StripeDispute, *, now: datetime) -> None:
    """Bring a dispute about a payment of this invoice into the books, once; the payment itself is there before."""
    if found.state is DisputeState.ASKED:
        return
    if found.state is DisputeState.TAKEN:
        await _taken(invoice_id, found, now=now)
        return
    sql = "SELECT id, invoice_id, state, cents FROM refund WHERE source = 'dispute' AND external_id = $1"
    async with db.atomic():
        row = await db.row(_Row, sql, found.stripe_id)
        if row is not None:
            await _received_again(row, f"{found.stripe_id}:won", "dispute_won", now=now)


async def _taken(invoice_id: UUID, found: StripeDispute, *, now: datetime) -> None:
    try:
        if found.amount.currency != OURS:
            raise Invalid("other_currency", found.amount.currency)  # noqa: TRY301 - one road for what can't be booked
        await refunds.taken_back(
            invoice_id, source="dispute", external_id=found.stripe_id, cents=found.amount.cents, at=found.at, reason=found.reason, now=now
        )
    except Invalid:
        at = await differences.ours(invoice_id)
        if at is not None:
            wrong = Found(Kind.DISPUTE_NOT_BOOKED, 0, found.amount.cents, found.stripe_id)
            await differences.keep([wrong], debtor_id=at.debtor_id, invoice_id=invoice_id, besides=tuple(Kind), now=now)


async def invoice_of_intent(intent_id: str | None) -> UUID | None:
    """Return our invoice that a payment intent pays, or None."""
    stripe_id = await gateway().invoice_of_payment(intent_id) if intent_id else None
    return await stripe_links.ours("invoice", stripe_id) if stripe_id else None
