"""Invoices and credit notes as they are read, and the request to issue one. Issuing itself is in ``issuing``.

Who may read which: a company's member those of the company that owns the debtor, ECL and the system all of them. The
filter is in ``_owner``, and every query here goes through it.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec

from billing import amounts
from billing.archive import stored_document
from billing.states import InvoiceState
from marketplace.kit import db, work
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.web.paging import Page, Place

__all__ = ["for_groups", "get", "page", "request", "stored_document", "sums", "vat_shares"]

Standing = Literal["unpaid", "overdue", "paid", "credit", "overpaid"]
OVERPAID = "i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents < 0"
"""The condition that a debtor has money with us by an invoice ``i``."""

_NUMBER = re.compile(r"C?[0-9]{4}-[0-9]{6,}")
_UNPAID = (InvoiceState.ISSUED, InvoiceState.OPEN, InvoiceState.PROCESSING)


async def request(group_key: str, *, now: datetime) -> None:
    """Ask for the invoice of a group's open charges, in the caller's transaction; asking again changes nothing.

    After the commit the worker gives the number and freezes the rows (``billing.issue``), then makes PDF and e-invoice,
    the copy at Stripe and the mail, each as work of its own.
    """
    await work.later("billing.issue", {"group": group_key}, run_at=now, dedupe_key=f"billing.issue:{group_key}")


class InvoiceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice in a list."""

    id: UUID
    number: str
    kind: str
    state: InvoiceState
    dated_on: date
    due_on: date | None
    currency: str
    net_cents: int
    vat_cents: int
    total_cents: int
    paid_cents: int
    credited_cents: int
    refunded_cents: int
    written_off_cents: int
    hosted_payment_url: str | None
    group_key: str | None
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    debtor_id: UUID
    buyer_name: str

    @property
    def net(self) -> Money:
        """The sum without VAT."""
        return Money(self.net_cents, self.currency)

    @property
    def vat(self) -> Money:
        """The VAT."""
        return Money(self.vat_cents, self.currency)

    @property
    def total(self) -> Money:
        """What is owed."""
        return Money(self.total_cents, self.currency)

    @property
    def paid(self) -> Money:
        """What was received, also when it is more than the total."""
        return Money(self.paid_cents, self.currency)

    @property
    def credited(self) -> Money:
        """What credit notes took back, VAT included."""
        return Money(self.credited_cents, self.currency)

    @property
    def refunded(self) -> Money:
        """What went back of what was received."""
        return Money(self.refunded_cents, self.currency)

    @property
    def to_pay(self) -> Money:
        """What is still to be paid: nothing once it is paid, credited, given up or void, or for a credit note."""
        if self.kind == "credit_note" or self.state not in _UNPAID:
            return Money(0, self.currency)
        return Money(max(0, self._open_cents), self.currency)

    @property
    def overpaid(self) -> Money:
        """What the debtor has with us by this invoice: paid above what is left of it after credits and refunds."""
        return Money(max(0, -self._open_cents) if self.kind == "invoice" else 0, self.currency)

    @property
    def _open_cents(self) -> int:
        owed = 0 if self.state is InvoiceState.VOID else self.total_cents - self.credited_cents - self.written_off_cents
        return owed - self.paid_cents + self.refunded_cents

    def is_overdue(self, today: date) -> bool:
        """Tell whether the due date has passed without full payment."""
        return self.state in _UNPAID and self.due_on is not None and self.due_on < today


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as issued; ``trace`` is said by ``vat.explain``."""

    id: UUID
    position: int
    charge_id: UUID | None
    description: str
    detail: str
    quantity: Decimal
    unit_price_cents: int
    net_cents: int
    vat_category: str
    vat_rate: Decimal
    exemption_code: str | None
    exemption_text: str | None
    trace: tuple[str, ...]
    supply_from_on: date
    supply_to_on: date
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    person_label: str | None

    @property
    def net(self) -> Money:
        """The line's amount without VAT."""
        return Money(self.net_cents)

    @property
    def unit_price(self) -> Money:
        """The price of one."""
        return Money(self.unit_price_cents)


class VatShare(msgspec.Struct, frozen=True, kw_only=True):
    """The VAT of one (category, rate), rounded once."""

    vat_category: str
    vat_rate: Decimal
    net_cents: int
    vat_cents: int
    exemption_code: str | None
    exemption_text: str | None

    @property
    def net(self) -> Money:
        """The taxed sum."""
        return Money(self.net_cents)

    @property
    def vat(self) -> Money:
        """The VAT over it."""
        return Money(self.vat_cents)


class Invoice(InvoiceSummary, frozen=True, kw_only=True):
    """An invoice in full, as it was frozen. ``seller`` and ``buyer`` are the parties' details of that day."""

    language: str
    seller: dict[str, Any]
    buyer: dict[str, Any]
    ordered_by: str | None
    issued_at: datetime
    state_at: datetime
    credits_id: UUID | None
    credits_number: str | None
    lines: list[InvoiceLine]
    vat_shares: list[VatShare]


_SUMMARY = """
    i.id, i.number, i.kind, i.state, i.dated_on, i.due_on, i.currency, i.net_cents, i.vat_cents, i.total_cents, i.paid_cents,
    i.credited_cents, i.refunded_cents, i.written_off_cents, i.hosted_payment_url, i.order_number, i.purchase_order, i.cost_centre, i.debtor_id, i.buyer ->> 'legal_name' AS buyer_name
"""
_LINE = ", ".join(InvoiceLine.__struct_fields__)
_SHARE = ", ".join(VatShare.__struct_fields__)


def unknown() -> NotFound:
    """Return the one answer for an invoice that isn't there and for another company's."""
    return NotFound("not_found", _("There is no such invoice."))


def _owner(actor: Actor) -> UUID | None:
    """Return whose invoices an actor may see, None for everybody's. Raises ``Unauthenticated`` or ``Forbidden``."""
    require(actor, Permission.SEE_INVOICES)
    if actor.is_ecl or actor.kind == "system":
        return None
    if actor.company_id is None:
        raise unknown()
    return actor.company_id


async def for_groups(group_keys: Sequence[str]) -> dict[str, list[InvoiceSummary]]:
    """Return the invoices of groups of charges, and the credit notes on them; a group without has an empty list.

    The caller knows that its reader may see those groups.
    """
    sql = f"""
        WITH billed AS (SELECT DISTINCT c.group_key, l.invoice_id FROM charge c JOIN invoice_line l ON l.charge_id = c.id WHERE c.group_key = ANY($1))
        SELECT {_SUMMARY}, b.group_key, i.issued_at FROM billed b JOIN invoice i ON i.id = b.invoice_id
        UNION ALL
        SELECT {_SUMMARY}, b.group_key, i.issued_at FROM billed b JOIN invoice i ON i.credits_id = b.invoice_id
        ORDER BY issued_at, number
    """  # noqa: S608 - constant
    found: dict[str, list[InvoiceSummary]] = {key: [] for key in group_keys}
    for summary in await db.rows(InvoiceSummary, sql, list(group_keys)):
        found.setdefault(summary.group_key or "", []).append(summary)
    return found


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows: a standing, and text that a number starts with or that a PO or order number holds (for ECL: is)."""

    standing: Standing | None = None
    text: str = ""
    debtor_id: UUID | None = None


async def page(wanted: Filter, place: Place, *, actor: Actor, today: date) -> Page[InvoiceSummary]:
    """Return a page of the invoices that the actor may see, newest first; ``place`` is of ``paging.read(cursor, date, str)``."""
    where, args = _where(wanted, _owner(actor), today)
    if place.started:
        args += place.key
        where.append(f"(i.dated_on, i.number) {place.before} (${len(args) - 1}, ${len(args)})")
    sql = f"""
        SELECT {_SUMMARY}, i.group_key FROM invoice i WHERE {" AND ".join(where)}
        ORDER BY i.dated_on {place.descending}, i.number {place.descending} LIMIT {place.fetch:d}
    """  # noqa: S608
    return paging.page(await db.rows(InvoiceSummary, sql, *args), place, key=lambda row: (row.dated_on, row.number))


# Within one company a part of a PO or order number will do; over all companies only what an index finds.
_SEARCH_OWN = (
    "(lower(i.number) LIKE $? || '%' OR lower(i.purchase_order) LIKE '%' || $? || '%' OR lower(i.order_number) LIKE '%' || $? || '%')"
)
_SEARCH_ALL = """i.id = ANY(ARRAY(SELECT id FROM invoice WHERE number BETWEEN upper($?) AND upper($?) || '~'
    UNION SELECT id FROM invoice WHERE lower(purchase_order) = $? UNION SELECT id FROM invoice WHERE lower(order_number) = $?))"""


_WAITING = "i.kind = 'invoice' AND i.state IN ('issued', 'open', 'processing')"
_OPEN = "i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents"
_STANDINGS: dict[Standing, str] = {
    "unpaid": _WAITING,
    "overdue": _WAITING,
    "paid": "i.kind = 'invoice' AND i.state = 'paid'",
    "credit": "i.kind = 'credit_note'",
    "overpaid": f"i.kind = 'invoice' AND {OVERPAID}",
}


def _where(wanted: Filter, owner: UUID | None, today: date) -> tuple[list[str], list[object]]:
    where, args = ["true"], list[object]()

    def add(condition: str, value: object) -> None:
        args.append(value)
        where.append(condition.replace("$?", f"${len(args)}"))

    if owner is not None:
        add("i.debtor_id = (SELECT id FROM debtor WHERE owner_id = $?)", owner)
    if wanted.debtor_id is not None:
        add("i.debtor_id = $?", wanted.debtor_id)
    if wanted.standing is not None:
        where.append(_STANDINGS[wanted.standing])
    if wanted.standing == "overdue":
        add("i.due_on < $?", today)
    if text := wanted.text.replace("\0", "").strip().lower():
        add(_SEARCH_OWN if owner else _SEARCH_ALL, text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") if owner else text)
        if (amount := amounts.cents(text)) is not None:
            args.append(amount)
            where[-1] = f"({where[-1]} OR i.id = ANY (ARRAY(SELECT id FROM invoice WHERE total_cents = ${len(args)}::bigint"  # noqa: S608
            where[-1] += f" UNION SELECT i.id FROM invoice i WHERE {_WAITING} AND {_OPEN} = ${len(args)}::bigint)))"  # noqa: S608
    return where, args


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """How many invoices there are of each standing, and their amounts in cents."""

    invoices: int
    unpaid: int
    unpaid_cents: int
    overdue: int
    overdue_cents: int
    paid: int
    paid_this_year_cents: int
    credit: int
    overpaid: int
    overpaid_cents: int


async def sums(*, actor: Actor, today: date) -> Sums:
    """Return the figures above the actor's list."""
    sql = """
        SELECT count(*) AS invoices,
               count(*) FILTER (WHERE unpaid) AS unpaid,
               coalesce(sum(open_cents) FILTER (WHERE unpaid), 0)::bigint AS unpaid_cents,
               count(*) FILTER (WHERE unpaid AND due_on < $2) AS overdue,
               coalesce(sum(open_cents) FILTER (WHERE unpaid AND due_on < $2), 0)::bigint AS overdue_cents,
               count(*) FILTER (WHERE kind = 'invoice' AND state = 'paid') AS paid,
               coalesce(sum(total_cents - credited_cents) FILTER (WHERE state = 'paid' AND kind = 'invoice' AND dated_on >= $3), 0)::bigint AS paid_this_year_cents,
               count(*) FILTER (WHERE kind = 'credit_note') AS credit,
               count(*) FILTER (WHERE kind = 'invoice' AND open_cents < 0) AS overpaid,
               coalesce(-sum(open_cents) FILTER (WHERE kind = 'invoice' AND open_cents < 0), 0)::bigint AS overpaid_cents
        FROM (SELECT i.*, i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents AS open_cents,
                     i.kind = 'invoice' AND i.state IN ('issued', 'open', 'processing') AS unpaid
              FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE $1::uuid IS NULL OR d.owner_id = $1) AS own
    """
    found = await db.row(Sums, sql, _owner(actor), today, today.replace(month=1, day=1))
    assert found is not None
    return found


async def lines_of(invoice_id: UUID) -> list[InvoiceLine]:
    """Return the lines of an invoice that the caller may see, in their order."""
    return await db.rows(InvoiceLine, f"SELECT {_LINE} FROM invoice_line WHERE invoice_id = $1 ORDER BY position", invoice_id)  # noqa: S608


async def vat_shares(invoice_ids: Sequence[UUID]) -> dict[UUID, list[VatShare]]:
    """Return the VAT of invoices that the caller may see, highest rate first."""
    sql = f"SELECT invoice_id, {_SHARE} FROM invoice_vat WHERE invoice_id = ANY($1) ORDER BY vat_rate DESC, vat_category"  # noqa: S608
    found: dict[UUID, list[VatShare]] = {invoice_id: [] for invoice_id in invoice_ids}
    for row in await db.records(sql, list(invoice_ids)):
        found[row.pop("invoice_id")].append(msgspec.convert(row, VatShare, strict=False))
    return found


async def credited_numbers(credit_note_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the number of the invoice that each credit note credits."""
    sql = "SELECT c.id, o.number FROM invoice c JOIN invoice o ON o.id = c.credits_id WHERE c.id = ANY($1)"
    return {row["id"]: row["number"] for row in await db.records(sql, list(credit_note_ids))}


async def get(number: str, *, actor: Actor) -> Invoice:
    """Return an invoice or credit note in full. Raises ``NotFound`` for an unknown one and for another company's alike."""
    owner = _owner(actor)
    if not _NUMBER.fullmatch(number):
        raise unknown()
    sql = f"""
        SELECT {_SUMMARY}, i.group_key, i.language, i.seller, i.buyer, i.ordered_by, i.issued_at, i.state_at, i.credits_id, o.number AS credits_number
        FROM invoice i JOIN debtor d ON d.id = i.debtor_id LEFT JOIN invoice o ON o.id = i.credits_id
        WHERE i.number = $1 AND ($2::uuid IS NULL OR d.owner_id = $2)
    """  # noqa: S608
    found = next(iter(await db.records(sql, number, owner)), None)
    if found is None:
        raise unknown()
    lines = await lines_of(found["id"])
    shares = await vat_shares([found["id"]])
    return msgspec.convert({**found, "lines": lines, "vat_shares": shares[found["id"]]}, Invoice, strict=False)
