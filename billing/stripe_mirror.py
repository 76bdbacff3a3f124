"""Our issued invoice, copied to Stripe: customer → draft → lines → compare → finalise → open, in this order per invoice.

One work item walks the chain and may be repeated anywhere: what Stripe already has is looked up, each creating call has
a key that follows from our ids, and its parameters come from frozen rows. No transaction is open during a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from billing import mirror as frozen
from billing import stripe_links
from billing.projection import project
from billing.stripe_gateway import Gateway, GatewayError, gateway
from billing.stripe_port import MAX_LINES, InvoiceMirror, MirrorDebtor, StripeInvoice, StripeState
from marketplace.kit import audit, db, work
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime


@work.handler("billing.stripe_mirror", outside=True)
async def copy_to_stripe(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Bring the invoice's copy at Stripe to "open", from wherever it stands, and store its payment link.

    Trouble of Stripe's or the network's is retried later; a refusal or a difference in the sums waits for a person.
    """
    mirror = await frozen.of(UUID(payload["invoice"]))
    if len(mirror.lines) > MAX_LINES:
        message = f"Invoice {mirror.number} has {len(mirror.lines)} lines; Stripe takes {MAX_LINES}."
        raise work.GiveUp(message)
    if item.attempts == 1 and await _needs_no_copy(mirror.invoice_id):
        return
    try:
        copy = await _walk(gateway(), mirror, item=item, now=now)
    except GatewayError as error:
        if error.again:
            raise
        message = f"Stripe refuses invoice {mirror.number}: {error}"
        raise work.GiveUp(message) from error
    await project(mirror.invoice_id, copy, now=now)


async def _needs_no_copy(invoice_id: UUID) -> bool:
    """Tell whether nothing is left to collect of an invoice that Stripe has never seen: paid by bank, credited or withdrawn at once."""
    sql = """
        SELECT 1 FROM invoice i WHERE id = $1 AND state IN ('paid', 'credited', 'void')
            AND NOT EXISTS (SELECT FROM stripe_link l WHERE l.kind = 'invoice' AND l.our_id = i.id)
    """
    return await db.value(sql, invoice_id) is not None


async def _walk(stripe: Gateway, mirror: InvoiceMirror, *, item: work.WorkItem, now: datetime) -> StripeInvoice:
    copy = await _draft(stripe, mirror, item=item, now=now)
    if copy.state is not StripeState.DRAFT:
        return copy
    if copy.lines == 0:
        copy = await _filled(stripe, mirror, copy, item=item)
    await _compare(mirror, copy, lines=await stripe.line_count(copy), now=now)
    try:
        return await stripe.finalise(copy.stripe_id, key=_key(mirror, "finalise"))
    except GatewayError as error:
        if not error.replayed:
            raise
    fresh = await _present(stripe, copy.stripe_id, mirror)
    if fresh.state is not StripeState.DRAFT:
        return fresh
    return await stripe.finalise(copy.stripe_id, key=_key(mirror, "finalise", item))


async def _draft(stripe: Gateway, mirror: InvoiceMirror, *, item: work.WorkItem, now: datetime) -> StripeInvoice:
    """Return Stripe's copy: the one that is linked, the one that an unknown outcome left, or a new draft."""
    linked = await stripe_links.of("invoice", mirror.invoice_id)
    if linked is not None:
        return await _present(stripe, linked, mirror)
    customer_id = await _customer(stripe, mirror.debtor, item=item, now=now)
    copy = await stripe.find_invoice(mirror, customer_id=customer_id) if item.attempts > 1 else None
    if copy is None:
        copy = await _created(stripe, mirror, customer_id, item=item)
    await stripe_links.tie("invoice", mirror.invoice_id, copy.stripe_id, now=now)
    return copy


async def _created(stripe: Gateway, mirror: InvoiceMirror, customer_id: str, *, item: work.WorkItem) -> StripeInvoice:
    try:
        return await stripe.create_invoice(mirror, customer_id=customer_id, key=_key(mirror, "create"))
    except GatewayError as error:
        if not error.replayed:
            raise
    # The key only brings its stored failure back: look whether the draft is there in spite of it, else use a new key.
    found = await stripe.find_invoice(mirror, customer_id=customer_id)
    return found or await stripe.create_invoice(mirror, customer_id=customer_id, key=_key(mirror, "create", item))


async def _filled(stripe: Gateway, mirror: InvoiceMirror, copy: StripeInvoice, *, item: work.WorkItem) -> StripeInvoice:
    try:
        return await stripe.add_lines(copy.stripe_id, mirror.lines, key=_key(mirror, "lines"))
    except GatewayError as error:
        if not error.replayed:
            raise
    fresh = await _present(stripe, copy.stripe_id, mirror)
    if fresh.lines:
        return fresh
    return await stripe.add_lines(copy.stripe_id, mirror.lines, key=_key(mirror, "lines", item))


async def _present(stripe: Gateway, stripe_id: str, mirror: InvoiceMirror) -> StripeInvoice:
    found = await stripe.invoice(stripe_id)
    if found is None:
        message = f"Stripe no longer has {stripe_id}, the copy of invoice {mirror.number}."
        raise work.GiveUp(message)
    return found


async def _compare(mirror: InvoiceMirror, copy: StripeInvoice, *, lines: int, now: datetime) -> None:
    """Hold that the draft says what our invoice says, to the cent; otherwise leave it a draft and call for a person."""
    ours = (mirror.number, len(mirror.lines), mirror.net_cents, mirror.vat_cents, mirror.total_cents)
    theirs = (copy.number, lines, copy.net_cents, copy.vat_cents, copy.total.cents)
    if ours == theirs:
        return
    async with db.atomic():
        data = {"stripe_id": copy.stripe_id, "total_cents": mirror.total_cents, "stripe_cents": copy.total.cents}
        await audit.record("invoice.differs", actor=SYSTEM, subject=("invoice", mirror.invoice_id), data=data, now=now)
    message = f"Stripe's draft {copy.stripe_id} differs from invoice {mirror.number}: {theirs} instead of {ours}. It stays a draft."
    raise work.GiveUp(message)


async def _customer(stripe: Gateway, debtor: MirrorDebtor, *, item: work.WorkItem, now: datetime) -> str:
    """Return the debtor's customer at Stripe, brought up to date; made when there is none, or none any more."""
    linked = await stripe_links.of("customer", debtor.id)
    if linked is not None:
        try:
            await stripe.update_customer(linked, debtor)
        except GatewayError as error:
            if error.code != "resource_missing":
                raise
            await db.execute("DELETE FROM stripe_link WHERE kind = 'customer' AND stripe_id = $1", linked)
        else:
            return linked
    key = f"mp-customer-{debtor.id}-{linked or 'first'}"
    try:
        made = await stripe.create_customer(debtor, key=key)
    except GatewayError as error:
        if not error.replayed:
            raise
        made = await stripe.create_customer(debtor, key=f"{key}-{item.id}-{item.attempts}")  # at worst an empty customer is left over
    customer_id = await stripe_links.tie("customer", debtor.id, made, now=now)
    await stripe.update_customer(customer_id, debtor)
    return customer_id


def _key(mirror: InvoiceMirror, step: str, item: work.WorkItem | None = None) -> str:
    """Return the idempotency key of a step: the same for ever, or (after a stored failure) one for this attempt."""
    return f"mp-invoice-{mirror.invoice_id}-{step}" + (f"-{item.attempts}" if item else "")
