"""What billing and the Stripe side say to each other: frozen Structs, no ``stripe`` object and no row.

``billing.invoices`` hands over an ``InvoiceMirror`` when it issues; what comes back is a ``StripeInvoice`` that
``billing.inbox`` projects, forward only.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from marketplace.kit.money import Money, half_up

MAX_LINES = 250


class MirrorLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as Stripe shows it: net cents, and its part of the document's VAT in cents (the parts add up exactly)."""

    description: str
    net_cents: int
    vat_cents: int
    vat_category: str
    vat_rate: Decimal


class MirrorDebtor(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, as frozen on the invoice. ``country`` is an ISO code, ``language`` is ``nl`` or ``en``."""

    id: UUID
    name: str
    email: str
    street: str
    postcode: str
    city: str
    country: str
    language: str
    vat_id: str | None = None


class InvoiceMirror(msgspec.Struct, frozen=True, kw_only=True):
    """Our issued invoice, as it is copied to Stripe. Nothing in it changes afterwards, so a retry sends the same bytes."""

    invoice_id: UUID
    number: str
    currency: str
    lines: tuple[MirrorLine, ...]
    net_cents: int
    vat_cents: int
    total_cents: int
    due_days: int
    debtor: MirrorDebtor
    purchase_order: str | None = None


class StripeState(StrEnum):
    """Where an invoice stands at Stripe, in the order in which it moves."""

    DRAFT = "draft"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class StripePayment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that Stripe collected for an invoice; ``stripe_id`` is the invoice payment's, unique. Refunds name the intent."""

    stripe_id: str
    paid: Money
    method: str
    at: datetime
    intent_id: str | None = None


class StripeTax(msgspec.Struct, frozen=True, kw_only=True):
    """One tax of an invoice: the rate's id at Stripe, and cents."""

    rate_id: str
    net_cents: int
    vat_cents: int


class CreditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a credit note as Stripe gets it: cents without VAT, and its part of the document's VAT."""

    description: str
    net_cents: int
    vat_cents: int
    vat_category: str
    vat_rate: Decimal


class CreditMirror(msgspec.Struct, frozen=True, kw_only=True):
    """Our issued credit note, as it is copied to Stripe. Nothing in it changes afterwards."""

    note_id: UUID
    number: str
    invoice_id: UUID
    cause: str
    lines: tuple[CreditLine, ...]
    net_cents: int
    vat_cents: int
    total_cents: int


class StripeCredit(msgspec.Struct, frozen=True, kw_only=True):
    """A credit note as Stripe has it; ``our_id`` is None for one that somebody made there. Cents."""

    stripe_id: str
    invoice_id: str
    our_id: UUID | None
    net_cents: int
    vat_cents: int
    total: Money
    void: bool


class RefundState(StrEnum):
    """Where a refund stands at Stripe."""

    ON_ITS_WAY = "on_its_way"
    ARRIVED = "arrived"
    FAILED = "failed"


class StripeRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as Stripe has it; ``our_id`` is None for one that somebody made there."""

    stripe_id: str
    our_id: UUID | None
    intent_id: str | None
    amount: Money
    state: RefundState
    failure: str
    at: datetime


class DisputeState(StrEnum):
    """Where a dispute stands: only asked about (no money moved), money taken, or money back again."""

    ASKED = "asked"
    TAKEN = "taken"
    WON = "won"


class StripeDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that the payer's bank takes back."""

    stripe_id: str
    intent_id: str | None
    amount: Money
    state: DisputeState
    reason: str
    at: datetime


class StripeInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice as Stripe has it now. Amounts in cents; ``lines`` counts those that came along (ten at most).

    ``left`` is what it still wants, ``credited`` what its credit notes took back, ``paid_elsewhere`` what somebody noted as
    paid outside Stripe. ``held`` arrived by a transfer that was too small: Stripe keeps it until the rest is there.
    """

    stripe_id: str
    state: StripeState
    number: str | None
    our_id: UUID | None
    lines: int
    more_lines: bool
    net_cents: int
    vat_cents: int
    total: Money
    paid: Money
    hosted_url: str | None
    at: datetime
    payments: tuple[StripePayment, ...] = ()
    left: Money = Money(0)
    credited: Money = Money(0)
    paid_elsewhere: Money = Money(0)
    held: Money = Money(0)
    taxes: tuple[StripeTax, ...] = ()


class StripeEventRef(msgspec.Struct, frozen=True, kw_only=True):
    """An event of Stripe's: its id, type and time, what it is about, and the whole of it as JSON text."""

    id: str
    type: str
    created_at: datetime
    object_id: str
    object_kind: str
    invoice_id: str | None
    payload: str
    intent_id: str | None = None


def spread_vat(net_cents: list[int], vat_cents: int, rate: Decimal) -> list[int]:
    """Divide one rate's VAT over its lines, in cents, so that the parts add up to ``vat_cents`` exactly.

    VAT is rounded once a document; Stripe wants it by line. Each line gets the growth of the running total's rounded
    VAT, and the last line takes what is left.
    """
    parts: list[int] = []
    running = given = 0
    for net in net_cents:
        running += net
        part = half_up(Decimal(running) * rate / 100) - given
        parts.append(part)
        given += part
    if parts:
        parts[-1] += vat_cents - given
    return parts
