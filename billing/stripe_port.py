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
    """Money that Stripe collected for an invoice; ``stripe_id`` is the invoice payment's, unique."""

    stripe_id: str
    paid: Money
    method: str
    at: datetime


class StripeInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice as Stripe has it now. Amounts in cents; ``lines`` counts those that came along (ten at most)."""

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


class StripeEventRef(msgspec.Struct, frozen=True, kw_only=True):
    """An event of Stripe's: its id, type and time, what it is about, and the whole of it as JSON text."""

    id: str
    type: str
    created_at: datetime
    object_id: str
    object_kind: str
    invoice_id: str | None
    payload: str


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
