"""What Stripe must learn after an invoice is open: a credit note, withdrawn, given up, paid elsewhere, money to send back.

One work item each, in their order per invoice: a step waits while an earlier one is not done. Each may be repeated
anywhere. What has an unknown outcome is looked up before it is done again (Stripe forgets keys after a day), and no
transaction is open during a call.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from billing import mirror, refunds, stripe_facts, stripe_links, stripe_waiting
from billing.stripe_gateway import Gateway, GatewayError, gateway
from billing.stripe_port import CreditMirror, StripeCredit, StripeInvoice, StripeRefund, StripeState
from marketplace.kit import db, work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

KEYS_COUNT_FOR = timedelta(hours=20)
_SOON, _BLOCKED = timedelta(seconds=2), timedelta(minutes=10)


async def _turn(invoice_id: UUID, *, item: work.WorkItem) -> str | None:
    """Return the id of the invoice's copy once every earlier step is done, None when Stripe has no copy; else raise ``Retry``."""
    for step in await stripe_waiting.steps(invoice_id):
        if step.id == item.id:
            break
        message = f"{step.kind} of this invoice comes first and is {step.state}."
        raise work.Retry(message, after=_BLOCKED if step.state == "dead" else _SOON)
    return await stripe_links.of("invoice", invoice_id)


def _unsure(item: work.WorkItem, now: datetime) -> bool:
    """Tell whether an earlier attempt may have been done after all: look before doing it again."""
    return item.attempts > 1 or now - item.created_at > KEYS_COUNT_FOR


async def _present(stripe: Gateway, stripe_id: str) -> StripeInvoice:
    found = await stripe.invoice(stripe_id)
    if found is None:
        message = f"Stripe no longer has {stripe_id}."
        raise work.GiveUp(message)
    return found


def _refusals(what: str) -> Callable[[Callable[..., Awaitable[None]]], work.Handler]:
    """Let trouble be tried again and a refusal wait for a person, with a sentence that says what was refused."""

    def wrap(step: Callable[..., Awaitable[None]]) -> work.Handler:
        async def run(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
            try:
                await step(payload, item=item, now=now)
            except GatewayError as error:
                if error.again:
                    raise
                message = f"Stripe refuses {what}: {error}"
                raise work.GiveUp(message) from error

        return run

    return wrap


# Credit notes


@work.handler("billing.stripe_credit", outside=True)
@_refusals("a credit note")
async def credit(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Copy an issued credit note: compare what it would be, then make it; once, whatever happens on the way."""
    note = await mirror.credit(UUID(payload["credit_note"]))
    stripe_id = await _turn(note.invoice_id, item=item)
    if stripe_id is None or note.total_cents == 0 or await stripe_links.of("credit_note", note.note_id) is not None:
        return
    stripe = gateway()
    made = await _existing(stripe, note, stripe_id) if _unsure(item, now) else None
    if made is None:
        copy = await _present(stripe, stripe_id)
        if copy.state is StripeState.DRAFT:  # it needed no collecting before it was final, and never will
            return
        made = await _credited(stripe, note, copy, item=item)
    await stripe_links.tie("credit_note", note.note_id, made.stripe_id, now=now)
    await stripe_facts.refresh(stripe_id, now=now)


async def _existing(stripe: Gateway, note: CreditMirror, stripe_id: str) -> StripeCredit | None:
    return next((one for one in await stripe.credits_of(stripe_id) if one.our_id == note.note_id and not one.void), None)


async def _credited(stripe: Gateway, note: CreditMirror, copy: StripeInvoice, *, item: work.WorkItem) -> StripeCredit:
    stripe_id = copy.stripe_id
    if copy.state is StripeState.VOID:
        message = f"Credit note {note.number} can't go to Stripe: {stripe_id} is void there."
        raise work.GiveUp(message)
    rates = await stripe.tax_rates(copy) if note.vat_cents else {}
    after = max(note.total_cents - copy.left.cents, 0)
    _compare(note, await stripe.preview_credit(note, stripe_id, rates, after_cents=after))
    key = f"mp-credit-{note.note_id}-{after}"
    try:
        return await stripe.create_credit(note, stripe_id, rates, after_cents=after, key=key)
    except GatewayError as error:
        if not error.replayed:
            raise
    found = await _existing(stripe, note, stripe_id)
    return found or await stripe.create_credit(note, stripe_id, rates, after_cents=after, key=f"{key}-{item.attempts}")


def _compare(note: CreditMirror, made: StripeCredit) -> None:
    ours = (note.net_cents, note.vat_cents, note.total_cents)
    theirs = (made.net_cents, made.vat_cents, made.total.cents)
    if ours != theirs:
        message = f"Stripe would make credit note {note.number} {theirs} instead of {ours}. It was not made."
        raise work.GiveUp(message)


# The ends of collecting


@work.handler("billing.stripe_void", outside=True)
@_refusals("to void an invoice")
async def void(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Void the copy of a withdrawn invoice. When somebody paid it meanwhile, the payment counts and a person decides."""

    async def end(stripe: Gateway, copy: StripeInvoice, key: str) -> None:
        if copy.state is StripeState.DRAFT:
            await stripe.delete_draft(copy.stripe_id)
        elif copy.state is not StripeState.VOID:
            await stripe.void(copy.stripe_id, key=key)

    await _end(payload, end, "void", item=item, now=now)


@work.handler("billing.stripe_uncollectible", outside=True)
@_refusals("to give up an invoice")
async def give_up(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Mark the copy of a written-off invoice as uncollectible; one that is paid by now stays paid."""

    async def end(stripe: Gateway, copy: StripeInvoice, key: str) -> None:
        if copy.state in {StripeState.OPEN, StripeState.PROCESSING}:
            await stripe.give_up(copy.stripe_id, key=key)

    await _end(payload, end, "uncollectible", item=item, now=now)


@work.handler("billing.stripe_settled", outside=True)
@_refusals("that an invoice was paid elsewhere")
async def settled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Close the copy of an invoice that was paid outside Stripe, so that nobody can pay it twice.

    Only when nothing is owed any more by our books: when the item runs, not when it was queued.
    """

    async def end(stripe: Gateway, copy: StripeInvoice, key: str) -> None:
        owed = await db.value(_OWED, UUID(payload["invoice"]))
        if owed <= 0 and copy.state is StripeState.PROCESSING:
            message = "A payment is on its way at Stripe too."
            raise work.Retry(message, after=_BLOCKED)
        if owed <= 0 and copy.state in {StripeState.OPEN, StripeState.UNCOLLECTIBLE}:
            await stripe.paid_elsewhere(copy.stripe_id, key=key)

    await _end(payload, end, "settled", item=item, now=now)


_OWED = """
    SELECT CASE state WHEN 'paid' THEN 0 WHEN 'credited' THEN 0 ELSE total_cents - credited_cents - paid_cents + refunded_cents END
    FROM invoice WHERE id = $1
"""


async def _end(
    payload: dict[str, Any], end: Callable[[Gateway, StripeInvoice, str], Awaitable[None]], what: str, *, item: work.WorkItem, now: datetime
) -> None:
    invoice_id = UUID(payload["invoice"])
    stripe_id = await _turn(invoice_id, item=item)
    if stripe_id is None:
        return
    stripe = gateway()
    key = f"mp-invoice-{invoice_id}-{what}"
    try:
        await end(stripe, await _present(stripe, stripe_id), key)
    except GatewayError as error:
        if not error.replayed:
            raise
        await end(stripe, await _present(stripe, stripe_id), f"{key}-{item.attempts}")
    await stripe_facts.refresh(stripe_id, now=now)


# Refunds


@work.handler("billing.stripe_refund", outside=True)
@_refusals("a refund")
async def refund(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Send money back by the payment that it came by; a refusal that trying again can't mend fails the refund, with why."""
    wanted = await refunds.get(UUID(payload["refund"]))
    if wanted.state in {"done", "failed"}:
        return
    await _turn(wanted.invoice_id, item=item)
    stripe = gateway()
    if wanted.external_id is not None:
        await stripe_facts.project_refund(await stripe.refund(wanted.external_id), now=now)
        return
    intent_id = await _intent(stripe, wanted)
    if intent_id is None:
        await refunds.failed(wanted.id, failure="Stripe did not collect this payment, so it can't send it back.", now=now)
        return
    made = await _sent_before(stripe, wanted, intent_id) if _unsure(item, now) else None
    try:
        made = made or await _send(stripe, wanted, intent_id, item=item)
    except GatewayError as error:
        if error.again or error.replayed:
            raise
        await refunds.failed(wanted.id, failure=str(error), now=now)
        return
    await stripe_facts.project_refund(made, now=now)


async def _intent(stripe: Gateway, wanted: refunds.Refund) -> str | None:
    """Return the intent of the payment that is refunded: its own, or that of the dispute or refund that brought it back."""
    payment_id = await db.value("SELECT external_id FROM payment WHERE id = $1 AND source = 'stripe'", wanted.payment_id)
    origin = str(payment_id).partition(":")[0]
    if origin.startswith("inpay_"):
        return await stripe.intent_of(origin)
    if origin.startswith("re_"):
        return (await stripe.refund(origin)).intent_id
    return (await stripe.dispute(origin)).intent_id if origin.startswith(("dp_", "du_")) else None


async def _sent_before(stripe: Gateway, wanted: refunds.Refund, intent_id: str) -> StripeRefund | None:
    return next((one for one in await stripe.refunds_of(intent_id) if one.our_id == wanted.id), None)


async def _send(stripe: Gateway, wanted: refunds.Refund, intent_id: str, *, item: work.WorkItem) -> StripeRefund:
    key = f"mp-refund-{wanted.id}"
    try:
        return await stripe.create_refund(wanted.id, intent_id=intent_id, cents=wanted.cents, key=key)
    except GatewayError as error:
        if not error.replayed:
            raise
    found = await _sent_before(stripe, wanted, intent_id)
    return found or await stripe.create_refund(wanted.id, intent_id=intent_id, cents=wanted.cents, key=f"{key}-{item.attempts}")
