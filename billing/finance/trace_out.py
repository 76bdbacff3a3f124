"""The other side of a euro: the bank's entries, what a partner earns of it, the partner's statement, and the payout."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.finance.trace_rows import MOST
from marketplace.kit import db
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence


class AtBank(msgspec.Struct, frozen=True, kw_only=True):
    """An entry on our bank account, and the part of it (``part_cents``) that belongs to this trace.

    ``moved_ids`` are the payments and refunds that it was given to.
    """

    id: UUID
    allocation_ids: tuple[UUID, ...]
    moved_ids: tuple[UUID, ...]
    booked_on: date
    name: str
    iban: str
    text: str
    cents: int
    part_cents: int
    state: str

    @property
    def amount(self) -> Money:
        """Return the whole entry."""
        return Money(self.cents)

    @property
    def part(self) -> Money:
        """Return the part that belongs here."""
        return Money(self.part_cents)


async def bank_entries(invoice_ids: Sequence[UUID], refund_ids: Sequence[UUID], entry_ids: Sequence[UUID]) -> list[AtBank]:
    """Return the bank's entries that were given to these invoices or refunds, and these entries."""
    sql = f"""
        SELECT b.id, array_remove(array_agg(a.id), NULL) AS allocation_ids,
               array_remove(array_agg(coalesce(a.payment_id, a.refund_id)), NULL) AS moved_ids, b.booked_on, b.name, b.iban, b.text, b.cents,
               coalesce(sum(a.cents), 0)::bigint AS part_cents, b.state
          FROM bank_entry b LEFT JOIN bank_allocation a ON a.entry_id = b.id
               AND (a.invoice_id = ANY ($1) OR a.refund_id = ANY ($2) OR b.id = ANY ($3))
         WHERE b.id IN (SELECT entry_id FROM bank_allocation WHERE invoice_id = ANY ($1) OR refund_id = ANY ($2)) OR b.id = ANY ($3)
         GROUP BY b.id ORDER BY b.booked_on, b.id LIMIT {MOST}
    """  # noqa: S608 - constant
    return await db.rows(AtBank, sql, list(invoice_ids), list(refund_ids), list(entry_ids))


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement line: what a billed seat earns a partner."""

    id: UUID
    charge_id: UUID
    payee_id: UUID
    payee_name: str
    key: str
    programme: str
    percent: Decimal | None
    fixed_cents: int | None
    net_cents: int
    commission_cents: int
    earned_cents: int
    payable_on: date | None
    state: str
    statement_id: UUID | None
    created_at: datetime

    @property
    def net(self) -> Money:
        """Return the seat's price without VAT."""
        return Money(self.net_cents)

    @property
    def commission(self) -> Money:
        """Return what ECL keeps."""
        return Money(self.commission_cents)

    @property
    def earned(self) -> Money:
        """Return what the partner earns."""
        return Money(self.earned_cents)


async def partner_lines(charge_ids: Sequence[UUID], statement_ids: Sequence[UUID], line_ids: Sequence[UUID]) -> list[Earned]:
    """Return the settlement lines of charges, of statements, and these lines."""
    sql = f"""
        SELECT s.id, s.charge_id, s.payee_id, y.legal_name AS payee_name, s.key, s.programme, s.percent, s.fixed_cents, s.net_cents,
               s.commission_cents, s.earned_cents, s.payable_on, s.state, s.statement_id, s.created_at
          FROM settlement_line s JOIN payee y ON y.id = s.payee_id
         WHERE s.charge_id = ANY ($1) OR s.statement_id = ANY ($2) OR s.id = ANY ($3) ORDER BY s.created_at, s.id LIMIT {MOST}
    """  # noqa: S608
    return await db.rows(Earned, sql, list(charge_ids), list(statement_ids), list(line_ids))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's statement, with the number of its self-billed invoice."""

    id: UUID
    number: str
    invoice_number: str | None
    payee_name: str
    period_from_on: date
    period_to_on: date
    dated_on: date
    issued_at: datetime
    total_cents: int
    paid_out_cents: int
    state: str

    @property
    def total(self) -> Money:
        """Return what it comes to."""
        return Money(self.total_cents)


async def statements(statement_ids: Sequence[UUID]) -> list[Told]:
    """Return partners' statements."""
    sql = """
        SELECT id, number, invoice_number, payee ->> 'legal_name' AS payee_name, period_from_on, period_to_on, dated_on, issued_at, total_cents,
               paid_out_cents, state
          FROM partner_statement WHERE id = ANY ($1) ORDER BY issued_at, number
    """
    return await db.rows(Told, sql, list(statement_ids))


class PaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of a payout batch."""

    id: UUID
    batch_id: UUID
    batch_number: str
    batch_state: str
    statement_id: UUID
    payee_name: str
    cents: int
    end_to_end: str
    state: str
    pay_on: date
    paid_on: date | None
    drafted_at: datetime

    @property
    def amount(self) -> Money:
        """Return the amount."""
        return Money(self.cents)


async def payouts(statement_ids: Sequence[UUID], batch_ids: Sequence[UUID]) -> list[PaidOut]:
    """Return the payments for these statements, and those of these batches."""
    sql = f"""
        SELECT t.id, t.batch_id, b.number AS batch_number, b.state AS batch_state, t.statement_id, y.legal_name AS payee_name, t.cents, t.end_to_end,
               t.state, b.pay_on, t.paid_on, b.drafted_at
          FROM payout_item t JOIN payout_batch b ON b.id = t.batch_id JOIN payee y ON y.id = t.payee_id
         WHERE t.statement_id = ANY ($1) OR t.batch_id = ANY ($2) ORDER BY b.drafted_at, t.position LIMIT {MOST}
    """  # noqa: S608
    return await db.rows(PaidOut, sql, list(statement_ids), list(batch_ids))
