"""What differs between an invoice in our books and its copy at Stripe, and in what words. Pure: no row, no request."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.states import InvoiceState
from billing.stripe_port import RefundState, StripeInvoice, StripeRefund, StripeState
from marketplace.kit.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PAYABLE = (StripeState.OPEN, StripeState.PROCESSING)


class Kind(StrEnum):
    """What may differ."""

    NOT_THERE = "not_there"
    GONE = "gone"
    TOTAL = "total"
    VOIDED_THERE = "voided_there"
    NOT_VOIDED = "not_voided"
    GIVEN_UP_THERE = "given_up_there"
    NOT_GIVEN_UP = "not_given_up"
    CREDITED_THERE = "credited_there"
    CREDIT_MISSING = "credit_missing"
    PAYMENT_MISSING = "payment_missing"
    PAYMENT_GONE = "payment_gone"
    PAID_OUTSIDE = "paid_outside"
    NOT_SETTLED = "not_settled"
    REFUNDED_THERE = "refunded_there"
    REFUND_MISSING = "refund_missing"
    DISPUTE_NOT_BOOKED = "dispute_not_booked"
    UNUSED_CASH = "unused_cash"


_K = Kind
WORDS: dict[Kind, tuple[str, str]] = {
    _K.NOT_THERE: (N_("It did not reach Stripe."), N_("Look under Jobs why, mend that and let it try again.")),
    _K.GONE: (N_("Stripe no longer has it."), N_("Somebody deleted it there. Credit it here and correct it, or collect by bank.")),
    _K.TOTAL: (N_("The amounts are not the same."), N_("Ours was sent to the debtor. Void the one at Stripe and collect by bank.")),
    _K.VOIDED_THERE: (
        N_("Somebody voided it at Stripe; here it is still to be paid."),
        N_("Withdraw it here too, or collect it by bank: at Stripe it can't be paid any more."),
    ),
    _K.NOT_VOIDED: (
        N_("It was withdrawn here, and not at Stripe."),
        N_("Void it at Stripe. When somebody paid it meanwhile, pay that back."),
    ),
    _K.GIVEN_UP_THERE: (
        N_("Somebody marked it as uncollectible at Stripe; here it is still to be paid."),
        N_("Give it up here too, or go on collecting: its payment page still works."),
    ),
    _K.NOT_GIVEN_UP: (N_("It was given up here, and not at Stripe."), N_("Mark it as uncollectible at Stripe.")),
    _K.CREDITED_THERE: (
        N_("Stripe credits more than we do: somebody made a credit note there."),
        N_("Credit the same amount here, or void the credit note at Stripe."),
    ),
    _K.CREDIT_MISSING: (N_("Our credit note is not at Stripe."), N_("Look under Jobs why, mend that and let it try again.")),
    _K.PAYMENT_MISSING: (N_("Stripe received more than our books say."), N_("Compare again. When it stays, call for technical help.")),
    _K.PAYMENT_GONE: (N_("Our books have a payment that Stripe doesn't know."), N_("Call for technical help: a payment never disappears.")),
    _K.PAID_OUTSIDE: (
        N_("Somebody noted at Stripe that it was paid in another way; our books have no such payment."),
        N_("Look for the money at the bank and allocate it. Until then it is to be paid here."),
    ),
    _K.NOT_SETTLED: (
        N_("It is paid here by another way, and can still be paid at Stripe."),
        N_("Look under Jobs why Stripe was not told, mend that and let it try again."),
    ),
    _K.REFUNDED_THERE: (
        N_("Somebody sent money back at Stripe; our books don't have it."),
        N_("Take it over into the books; credit the invoice if it need not be paid any more."),
    ),
    _K.REFUND_MISSING: (
        N_("Our books say that money went back; Stripe doesn't."),
        N_("Compare again. When it stays, call for technical help."),
    ),
    _K.DISPUTE_NOT_BOOKED: (
        N_("The payer's bank took back more than we received for it."),
        N_("Look at the dispute at Stripe, and at the payments here."),
    ),
    _K.UNUSED_CASH: (
        N_("A transfer brought more than its invoice: the rest stands with Stripe for this debtor."),
        N_("Send it back at Stripe, or let Stripe use it for the next invoice."),
    ),
}
"""What a difference is, and how to mend it."""


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice by our books, cents. ``by_stripe_cents`` is what Stripe collected, ``back_cents`` what it sent back."""

    id: UUID
    number: str
    debtor_id: UUID
    state: InvoiceState
    total_cents: int
    credited_cents: int
    written_off_cents: int
    paid_cents: int
    refunded_cents: int
    by_stripe_cents: int
    back_cents: int

    @property
    def owed_cents(self) -> int:
        """What the debtor still owes, written off or not."""
        if self.state is InvoiceState.VOID:
            return 0
        return self.total_cents - self.credited_cents - self.paid_cents + self.refunded_cents


class Found(msgspec.Struct, frozen=True):
    """One difference: what it is, by our books and by Stripe in cents, and the object at Stripe when it is one."""

    kind: Kind
    ours_cents: int
    theirs_cents: int
    external_id: str = ""


def of_invoice(ours: Ours, copy: StripeInvoice | None) -> list[Found]:
    """Return what differs between an invoice and its copy as Stripe has it; None for a copy that is gone."""
    if copy is None:
        return [Found(_K.GONE, ours.owed_cents, 0)] if ours.owed_cents > 0 else []
    if (copy.total.cents, copy.total.currency, copy.number) != (ours.total_cents, "EUR", ours.number):
        return [Found(_K.TOTAL, ours.total_cents, copy.total.cents, copy.stripe_id)]
    return [*_ends(ours, copy), *_credits(ours, copy), *_money(ours, copy)]


def _ends(ours: Ours, copy: StripeInvoice) -> Iterator[Found]:
    void_here, void_there = ours.state is InvoiceState.VOID, copy.state is StripeState.VOID
    if void_there and not void_here and ours.owed_cents > 0:
        yield Found(_K.VOIDED_THERE, ours.owed_cents, 0)
    if void_here and not void_there:
        yield Found(_K.NOT_VOIDED, 0, copy.left.cents or copy.paid.cents)
    if copy.state is StripeState.UNCOLLECTIBLE and not ours.written_off_cents and ours.owed_cents > 0:
        yield Found(_K.GIVEN_UP_THERE, ours.owed_cents, 0)
    if ours.state is InvoiceState.UNCOLLECTIBLE and copy.state in _PAYABLE:
        yield Found(_K.NOT_GIVEN_UP, 0, copy.left.cents)
    if copy.state in _PAYABLE and not void_here and ours.owed_cents <= 0 and copy.left.cents > 0 and _credits_agree(ours, copy):
        yield Found(_K.NOT_SETTLED, 0, copy.left.cents)


def _credits_agree(ours: Ours, copy: StripeInvoice) -> bool:
    return copy.credited.cents == ours.credited_cents


def _credits(ours: Ours, copy: StripeInvoice) -> Iterator[Found]:
    if ours.state is InvoiceState.VOID or copy.state is StripeState.VOID or _credits_agree(ours, copy):
        return
    kind = _K.CREDITED_THERE if copy.credited.cents > ours.credited_cents else _K.CREDIT_MISSING
    yield Found(kind, ours.credited_cents, copy.credited.cents)


def _money(ours: Ours, copy: StripeInvoice) -> Iterator[Found]:
    theirs = copy.paid.cents - copy.paid_elsewhere.cents
    if theirs != ours.by_stripe_cents:
        yield Found(_K.PAYMENT_MISSING if theirs > ours.by_stripe_cents else _K.PAYMENT_GONE, ours.by_stripe_cents, theirs)
    elsewhere = ours.paid_cents - ours.by_stripe_cents
    if copy.paid_elsewhere.cents > elsewhere and ours.owed_cents > 0 and not ours.refunded_cents:
        yield Found(_K.PAID_OUTSIDE, elsewhere, copy.paid_elsewhere.cents)


def of_refunds(ours: Ours, known: set[str], theirs: Sequence[StripeRefund], *, disputed_cents: int) -> list[Found]:
    """Return what differs in the money that Stripe sent back; ``known`` are the ids that our books have."""
    strange = [one for one in theirs if one.stripe_id not in known and one.state is not RefundState.FAILED]
    found = [Found(_K.REFUNDED_THERE, 0, one.amount.cents, one.stripe_id) for one in strange]
    arrived = disputed_cents + sum(one.amount.cents for one in theirs if one.stripe_id in known and one.state is RefundState.ARRIVED)
    if arrived < ours.back_cents:
        found.append(Found(_K.REFUND_MISSING, ours.back_cents, arrived))
    return found
