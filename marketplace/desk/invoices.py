"""Every company's invoices and credit notes for ECL: by standing, or by a text: a number, a PO number or a company."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from billing import amounts
from billing.finance.ageing import OPEN
from billing.invoices import OVERPAID
from billing.states import InvoiceState
from marketplace.desk.branches import Each, Values, key, newest
from marketplace.desk.orders import company_ids
from marketplace.desk.waiting import BOUND, OVERDUE
from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

STANDINGS = {
    "unpaid": "i.due_on IS NOT NULL AND i.state IN ('issued', 'open', 'processing')",
    "overdue": OVERDUE.format(today="$1::date"),
    "paid": "i.kind = 'invoice' AND i.state = 'paid'",
    "credit": "i.credits_id IS NOT NULL",
    "overpaid": f"i.kind = 'invoice' AND {OVERPAID}",
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
    open_cents: int
    overdue: bool

    @property
    def total(self) -> Money:
        """Return what is owed."""
        return Money(self.total_cents)

    @property
    def to_pay(self) -> Money:
        """Return what is still to be paid."""
        waiting = self.kind == "invoice" and self.state in {InvoiceState.ISSUED, InvoiceState.OPEN, InvoiceState.PROCESSING}
        return Money(max(0, self.open_cents) if waiting else 0)

    @property
    def to_pay_back(self) -> Money:
        """Return what the company has with us by this invoice."""
        return Money(max(0, -self.open_cents) if self.kind == "invoice" else 0)


class Sums(msgspec.Struct, frozen=True):
    """What is still to come in, and how much of it is late."""

    unpaid: int
    unpaid_cents: int
    overdue: int
    overdue_cents: int

    @property
    def unpaid_more(self) -> bool:
        """Tell whether there may be more than was counted."""
        return self.unpaid >= BOUND

    @property
    def overdue_more(self) -> bool:
        """Tell whether more may be overdue than was counted."""
        return self.overdue >= BOUND


_ROWS = """
    SELECT i.id, i.number, i.kind, i.state, c.id AS company_id, coalesce(c.name, i.buyer ->> 'legal_name') AS company_name, i.dated_on, i.due_on,
           i.purchase_order, i.order_number, i.total_cents, {open} AS open_cents, coalesce({overdue}, false) AS overdue
      FROM ({some}) i JOIN debtor d ON d.id = i.debtor_id LEFT JOIN company c ON c.id = d.owner_id
     ORDER BY {order}
"""


async def listed(
    standing: str | None, text: str, *, actor: Actor, today: date, cursor: str | None = None, size: int = 25
) -> paging.Page[InvoiceRow]:
    """Return a page of all invoices, newest first; overdue ones the longest overdue first. An unknown standing shows all."""
    require(actor, Permission.MANAGE_INVOICES)
    place, values = paging.read(cursor, date, str, size=size), Values([today])
    overdue = standing == "overdue"
    day, comparison, way = ("due_on", place.after, place.ascending) if overdue else ("dated_on", place.before, place.descending)
    fixed = ["$1::date IS NOT NULL", *key((f"i.{day}", "i.number"), ("date", "text"), place, comparison, values)]
    if condition := STANDINGS.get(standing or ""):
        fixed.append(condition)
    order = f"i.{day} {way}, i.number {way}"
    some = newest("invoice i", fixed, await _meant(text, values), order=order, limit=values(place.fetch))
    sql = _ROWS.format(some=some, order=order, overdue=OVERDUE.format(today="$1::date"), open=OPEN)
    return paging.page(
        await db.rows(InvoiceRow, sql, *values), place, key=lambda row: (row.due_on if overdue else row.dated_on, row.number)
    )


async def _meant(text: str, values: Values) -> list[str | Each]:
    text = text.replace("\0", "").strip()
    if not text:
        return []
    found: list[str | Each] = [f"i.number = {values(text.upper())}", f"lower(i.purchase_order) = {values(text.lower())}"]
    if (amount := amounts.cents(text)) is not None:
        found.append(f"i.total_cents = {values(amount)}::bigint")
    if companies := await company_ids(text):
        debtors = await db.records("SELECT id FROM debtor WHERE owner_id = ANY ($1)", companies)
        found.append(Each("i.debtor_id", values([row["id"] for row in debtors])))
    return found


async def sums(*, actor: Actor, today: date) -> Sums:
    """Return what is still to come in, of at most ``BOUND`` invoices, the earliest due first."""
    require(actor, Permission.MANAGE_INVOICES)
    sql = f"""
        SELECT count(*) AS unpaid, coalesce(sum(greatest(open_cents, 0)), 0)::bigint AS unpaid_cents,
               count(*) FILTER (WHERE due_on < $1) AS overdue,
               coalesce(sum(greatest(open_cents, 0)) FILTER (WHERE due_on < $1), 0)::bigint AS overdue_cents
          FROM (SELECT {OPEN} AS open_cents, due_on FROM invoice i WHERE {STANDINGS["unpaid"]} ORDER BY due_on LIMIT {BOUND}) few
    """  # noqa: S608 - constants
    found = await db.row(Sums, sql, today)
    assert found is not None
    return found
