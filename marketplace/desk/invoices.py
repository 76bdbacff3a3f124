"""Every company's invoices and credit notes for ECL: by standing, or by a text: a number, a PO number or a company."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from billing.states import InvoiceState
from marketplace.desk.branches import newest
from marketplace.desk.waiting import OVERDUE
from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

STANDINGS = {
    "unpaid": "i.kind = 'invoice' AND i.state IN ('issued', 'open', 'processing')",
    "overdue": OVERDUE.format(today="$1::date"),
    "paid": "i.kind = 'invoice' AND i.state = 'paid'",
    "credit": "i.credits_id IS NOT NULL",
}


class InvoiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice in ECL's list."""

    id: UUID
    number: str
    kind: str
    state: InvoiceState
    company_id: UUID | None
    company_name: str
    dated_on: date
    due_on: date | None
    purchase_order: str | None
    order_number: str | None
    total_cents: int
    paid_cents: int
    overdue: bool

    @property
    def total(self) -> Money:
        """Return what is owed."""
        return Money(self.total_cents)

    @property
    def to_pay(self) -> Money:
        """Return what is still to be paid."""
        settled = self.kind == "credit_note" or self.state in {InvoiceState.PAID, InvoiceState.VOID}
        return Money(0 if settled else max(0, self.total_cents - self.paid_cents))


class Sums(msgspec.Struct, frozen=True):
    """What is still to come in, and how much of it is late."""

    unpaid: int
    unpaid_cents: int
    overdue: int
    overdue_cents: int


_ROWS = """
    SELECT i.id, i.number, i.kind, i.state, c.id AS company_id, coalesce(c.name, i.buyer ->> 'legal_name') AS company_name, i.dated_on, i.due_on,
           i.purchase_order, i.order_number, i.total_cents, i.paid_cents, coalesce({overdue}, false) AS overdue
      FROM ({some}) i JOIN debtor d ON d.id = i.debtor_id LEFT JOIN company c ON c.id = d.owner_id
     ORDER BY i.dated_on {order}, i.number {order}
"""


async def listed(standing: str | None, text: str, *, actor: Actor, today: date, cursor: str | None = None, size: int = 25) -> paging.Page[InvoiceRow]:
    """Return a page of all invoices, newest first. An unknown standing shows all."""
    require(actor, Permission.MANAGE_INVOICES)
    place = paging.read(cursor, date, str, size=size)
    args: list[object] = [today, *place.key, place.fetch]
    fixed = ["$1::date IS NOT NULL", f"($2::date IS NULL OR (i.dated_on, i.number) {place.before} ($2, $3::text))"]
    if condition := STANDINGS.get(standing or ""):
        fixed.append(condition)
    order = f"i.dated_on {place.descending}, i.number {place.descending}"
    some = newest("invoice i", "i.*", fixed, await _meant(text, args), order=order, limit="$4")
    sql = _ROWS.format(some=some, order=place.descending, overdue=OVERDUE.format(today="$1::date"))
    return paging.page(await db.rows(InvoiceRow, sql, *args), place, key=lambda row: (row.dated_on, row.number))


async def _meant(text: str, args: list[object]) -> list[str]:
    text = text.replace("\0", "").strip()
    if not text:
        return []
    args += [text.upper(), text.lower()]
    found = [f"i.number = ${len(args) - 1}", f"lower(i.purchase_order) = ${len(args)}"]
    sql = "SELECT id FROM debtor WHERE strpos(lower(name), $1) > 0 OR strpos(lower(legal_name), $1) > 0 LIMIT 200"
    if debtors := [row["id"] for row in await db.records(sql, text.lower())]:
        args.append(debtors)
        found.append(f"i.debtor_id = ANY (${len(args)}::uuid[])")
    return found


async def sums(*, actor: Actor, today: date) -> Sums:
    """Return what is still to come in; only unpaid invoices are read for it."""
    require(actor, Permission.MANAGE_INVOICES)
    sql = f"""
        SELECT count(*) AS unpaid, coalesce(sum(greatest(total_cents - paid_cents, 0)), 0)::bigint AS unpaid_cents,
               count(*) FILTER (WHERE due_on < $1) AS overdue,
               coalesce(sum(greatest(total_cents - paid_cents, 0)) FILTER (WHERE due_on < $1), 0)::bigint AS overdue_cents
          FROM invoice i WHERE {STANDINGS["unpaid"]}
    """  # noqa: S608 - a constant
    found = await db.row(Sums, sql, today)
    assert found is not None
    return found
