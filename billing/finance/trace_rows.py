"""What the trace of a euro is made of: each table's rows that belong to it, as ECL's finance reads them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.finance.ageing import OPEN
from marketplace.kit import db
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 60
"""Rows of a kind on the page: a partner's statement may have hundreds of lines."""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or credit note; ``open_cents`` below zero is money that the debtor has with us."""

    id: UUID
    number: str
    kind: str
    state: str
    dated_on: date
    due_on: date | None
    issued_at: datetime
    state_at: datetime
    net_cents: int
    vat_cents: int
    total_cents: int
    open_cents: int
    credits_id: UUID | None
    debtor_id: UUID
    owner_id: UUID
    buyer_name: str
    order_number: str | None
    reason: str | None

    @property
    def total(self) -> Money:
        """Return the total."""
        return Money(self.total_cents)


async def papers(invoice_ids: Sequence[UUID]) -> list[Paper]:
    """Return invoices, then their credit notes, in the order in which they were issued."""
    sql = f"""
        SELECT i.id, i.number, i.kind, i.state, i.dated_on, i.due_on, i.issued_at, i.state_at, i.net_cents, i.vat_cents, i.total_cents,
               CASE WHEN i.kind = 'credit_note' THEN 0 WHEN i.state = 'void' THEN i.refunded_cents - i.paid_cents ELSE {OPEN} END AS open_cents, i.credits_id,
               i.debtor_id, d.owner_id, i.buyer ->> 'legal_name' AS buyer_name, i.order_number, i.reason
          FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE i.id = ANY ($1) ORDER BY i.issued_at, i.number LIMIT {MOST}
    """  # noqa: S608 - constant
    return await db.rows(Paper, sql, list(invoice_ids))


async def family(invoice_id: UUID) -> list[UUID]:
    """Return an invoice with its credit notes and the invoices that it replaces or that replace it."""
    sql = """
        WITH root AS (SELECT coalesce(credits_id, id) AS id FROM invoice WHERE id = $1)
        SELECT i.id FROM invoice i, root WHERE i.id = root.id OR i.credits_id = root.id OR i.replaces_id = root.id
            OR i.id = (SELECT replaces_id FROM invoice WHERE id = root.id)
    """
    return [row["id"] for row in await db.records(sql, invoice_id)]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A charge with the line that it stands on (``number`` is None while it is not invoiced). ``trace`` says its VAT."""

    charge_id: UUID
    number: str | None
    position: int
    description: str
    detail: str
    net_cents: int
    vat_category: str
    vat_rate: Decimal
    exemption_code: str | None
    trace: tuple[str, ...]
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    supply_from_on: date
    supply_to_on: date
    created_at: datetime
    ready_at: datetime | None

    @property
    def net(self) -> Money:
        """Return the amount without VAT."""
        return Money(self.net_cents)


async def items(invoice_ids: Sequence[UUID], charge_ids: Sequence[UUID]) -> list[Item]:
    """Return the charges of these invoices' lines, and these charges."""
    sql = f"""
        SELECT c.id AS charge_id, i.number, coalesce(l.position, c.position) AS position, c.description, c.detail, c.net_cents, c.vat_category,
               c.vat_rate, c.exemption_code, c.trace, c.order_number, c.purchase_order, c.cost_centre, c.supply_from_on, c.supply_to_on,
               c.created_at, c.ready_at
          FROM charge c LEFT JOIN invoice_line l ON l.charge_id = c.id LEFT JOIN invoice i ON i.id = l.invoice_id
         WHERE c.id IN (SELECT charge_id FROM invoice_line WHERE invoice_id = ANY ($1) UNION SELECT unnest($2::uuid[]))
         ORDER BY i.issued_at, position LIMIT {MOST}
    """  # noqa: S608
    return await db.rows(Item, sql, list(invoice_ids), list(charge_ids))


class Bytes(msgspec.Struct, frozen=True, kw_only=True):
    """A stored document: its size and SHA-256."""

    number: str
    kind: str
    size: int
    sha256: str
    made_at: datetime

    @property
    def href(self) -> str:
        """Return where it can be read."""
        return f"/invoices/{self.number}.{ {'pdf': 'pdf', 'cii': 'xml'}.get(self.kind, 'ubl') }"


async def documents(invoice_ids: Sequence[UUID]) -> list[Bytes]:
    """Return the stored documents of invoices."""
    sql = """
        SELECT i.number, m.kind, octet_length(m.content) AS size, encode(m.sha256, 'hex') AS sha256, m.made_at
          FROM document m JOIN invoice i ON i.id = m.invoice_id WHERE m.invoice_id = ANY ($1) ORDER BY i.issued_at, m.kind
    """
    return await db.rows(Bytes, sql, list(invoice_ids))


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery of a document, with how often it was tried."""

    number: str
    channel: str
    address: str
    state: str
    message: str
    reference: str | None
    tries: int
    made_at: datetime
    state_at: datetime


async def deliveries(invoice_ids: Sequence[UUID]) -> list[Sent]:
    """Return how invoices went out."""
    sql = """
        SELECT i.number, v.channel, v.address, v.state, v.message, v.reference, v.made_at, v.state_at,
               (SELECT count(*) FROM delivery_try t WHERE t.delivery_id = v.id) AS tries
          FROM delivery v JOIN invoice i ON i.id = v.invoice_id WHERE v.invoice_id = ANY ($1) ORDER BY v.made_at, v.id
    """
    return await db.rows(Sent, sql, list(invoice_ids))


class Link(msgspec.Struct, frozen=True):
    """Which object at Stripe stands for which row of ours."""

    kind: str
    our_id: UUID
    stripe_id: str
    created_at: datetime


async def links(our_ids: Sequence[UUID]) -> list[Link]:
    """Return the objects at Stripe that stand for rows of ours."""
    sql = "SELECT kind, our_id, stripe_id, created_at FROM stripe_link WHERE our_id = ANY ($1) ORDER BY created_at, kind"
    return await db.rows(Link, sql, list(our_ids))


class Heard(msgspec.Struct, frozen=True):
    """An event from Stripe."""

    id: str
    type: str
    created_at: datetime
    state: str


async def events(stripe_ids: Sequence[str], from_at: datetime, until_at: datetime) -> list[Heard]:
    """Return the events of a stretch of time that name one of these objects."""
    sql = f"""
        SELECT id, type, created_at, state FROM stripe_event
         WHERE created_at BETWEEN $2 AND $3
           AND (payload #>> '{{data,object,id}}' = ANY ($1) OR payload #>> '{{data,object,invoice}}' = ANY ($1)
                OR payload #>> '{{data,object,payment_intent}}' = ANY ($1))
         ORDER BY created_at, id LIMIT {MOST}
    """  # noqa: S608
    return await db.rows(Heard, sql, list(stripe_ids), from_at, until_at) if stripe_ids else []


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A payment."""

    id: UUID
    number: str
    source: str
    external_id: str
    cents: int
    method: str
    received_at: datetime
    recorded_at: datetime

    @property
    def amount(self) -> Money:
        """Return the amount."""
        return Money(self.cents)


async def payments(invoice_ids: Sequence[UUID]) -> list[Received]:
    """Return the payments of invoices."""
    sql = """
        SELECT p.id, i.number, p.source, p.external_id, p.cents, p.method, p.received_at, p.recorded_at
          FROM payment p JOIN invoice i ON i.id = p.invoice_id WHERE p.invoice_id = ANY ($1) ORDER BY p.received_at, p.id
    """
    return await db.rows(Received, sql, list(invoice_ids))


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """Money that goes back, or went."""

    id: UUID
    number: str
    source: str
    external_id: str | None
    cents: int
    state: str
    reason: str
    requested_at: datetime
    done_at: datetime | None

    @property
    def amount(self) -> Money:
        """Return the amount."""
        return Money(self.cents)


async def refunds(invoice_ids: Sequence[UUID]) -> list[Returned]:
    """Return what went back of invoices."""
    sql = """
        SELECT r.id, i.number, r.source, r.external_id, r.cents, r.state, r.reason, r.requested_at, r.done_at
          FROM refund r JOIN invoice i ON i.id = r.invoice_id WHERE r.invoice_id = ANY ($1) ORDER BY r.requested_at, r.id
    """
    return await db.rows(Returned, sql, list(invoice_ids))
