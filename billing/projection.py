"""What Stripe says of an invoice, brought into our books: payments once, the state forward only.

Stripe's "paid", "void" and "uncollectible" are not followed: what was paid follows from the payments, and withdrawing or giving
up is decided here. When somebody does so at Stripe, ``billing.comparison`` shows the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import payments, states
from billing.stripe_port import StripeInvoice, StripeState
from marketplace.kit import audit, db
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

OURS = "EUR"


async def project(invoice_id: UUID, copy: StripeInvoice, *, now: datetime, failed: bool = False) -> None:
    """Record the payments that we don't have yet, then follow the state. A draft changes nothing.

    ``failed`` says that a payment on its way is known not to have arrived, so that "processing" may become "open" again.
    A copy in another currency counts for nothing. Repeating it, or bringing an older copy later, changes nothing. Raises
    ``NotFound`` for an invoice that isn't ours.
    """
    if copy.state is StripeState.DRAFT:
        return
    async with db.atomic():
        if copy.total.currency != OURS:
            data = {"stripe_id": copy.stripe_id, "currency": copy.total.currency, "stripe_cents": copy.total.cents}
            await audit.record("invoice.differs", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
            return
        for payment in copy.payments:
            if payment.paid.cents > 0:
                await payments.record(
                    invoice_id,
                    source="stripe",
                    external_id=payment.stripe_id,
                    cents=payment.paid.cents,
                    method=payment.method,
                    received_at=payment.at,
                    now=now,
                )
        follow = copy.state if copy.state is StripeState.PROCESSING else StripeState.OPEN
        await states.project_stripe(invoice_id, follow.value, hosted_payment_url=copy.hosted_url, now=now)
        if failed and copy.state is not StripeState.PROCESSING:
            await states.payment_failed(invoice_id, now=now)
        await _note_held(invoice_id, copy, now=now)


async def _note_held(invoice_id: UUID, copy: StripeInvoice, *, now: datetime) -> None:
    """Keep in the trail what a transfer that was too small brought; once for each amount."""
    if not copy.held.cents:
        return
    sql = """
        SELECT data ->> 'cents' FROM audit_entry WHERE subject_kind = 'invoice' AND subject_id = $1 AND event = 'invoice.partly_arrived'
        ORDER BY at DESC, id DESC LIMIT 1
    """
    if await db.value(sql, str(invoice_id)) == str(copy.held.cents):
        return
    data = {"cents": copy.held.cents, "left_cents": copy.left.cents - copy.held.cents}
    await audit.record("invoice.partly_arrived", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
