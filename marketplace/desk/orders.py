"""Every company's orders for ECL: by state, by company, or by a text that names an order, a PO number or a company.

A text is looked up branch by branch, each by an index and bounded, so that a search stays quick however many there are.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from marketplace.desk.branches import Each, Values, key, newest
from marketplace.kit import db
from marketplace.kit.i18n import current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging
from marketplace.orders.states import OrderState
from marketplace.people import names

_DIGITS, _LETTERS, _COMPANIES, _MATCHES = 12, 3, 100, 200
_LAST = "\uffff"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What the list shows."""

    state: OrderState | None = None
    company_id: UUID | None = None
    text: str = ""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in ECL's list. ``waiting`` counts lines that a partner must still accept."""

    id: UUID
    number: int
    company_id: UUID
    company_name: str
    state: str
    ordered_by: str
    purchase_order: str | None
    net_cents: int
    total_cents: int
    placed_at: datetime
    people: int
    programmes: int
    waiting: int
    first_title: str
    first_category: str
    first_starts_at: datetime
    partners: str
    invoice_numbers: list[str]

    @property
    def total(self) -> Money:
        """Return what the order comes to, VAT included."""
        return Money(self.total_cents)


_ROWS = """
    SELECT o.id, o.number, o.company_id, c.name AS company_name, o.state, o.ordered_by, o.purchase_order, o.net_cents, o.total_cents, o.placed_at,
           l.*, coalesce(i.numbers, '{{}}') AS invoice_numbers
      FROM ({some}) o JOIN company c ON c.id = o.company_id
      JOIN LATERAL (SELECT count(DISTINCT l.person_id)::int AS people, count(DISTINCT l.session_id)::int AS programmes,
                           count(*) FILTER (WHERE l.state = 'awaiting_partner')::int AS waiting,
                           (array_agg(CASE WHEN $1 = 'nl' THEN l.title_nl ELSE l.title_en END ORDER BY l.position))[1] AS first_title,
                           (array_agg(g.category ORDER BY l.position))[1] AS first_category,
                           min(l.starts_at) AS first_starts_at, string_agg(DISTINCT t.name, ', ') AS partners
                      FROM order_line l JOIN partner t ON t.id = l.partner_id JOIN session s ON s.id = l.session_id
                      JOIN programme g ON g.id = s.programme_id WHERE l.order_id = o.id) l ON true
      LEFT JOIN LATERAL (SELECT array_agg(number ORDER BY number) AS numbers FROM invoice WHERE group_key = 'order:' || o.id) i ON true
     ORDER BY o.placed_at {order}, o.id {order}
"""


async def listed(wanted: Filter, *, actor: Actor, cursor: str | None = None, size: int = 25) -> paging.Page[OrderRow]:
    """Return a page of all orders, newest first."""
    require(actor, Permission.SEE_DESK)
    place, values = paging.read(cursor, datetime, UUID, size=size), Values([current_locale()])
    fixed = key(("o.placed_at", "o.id"), ("timestamptz", "uuid"), place, place.before, values)
    if wanted.state is not None:
        fixed.append(f"o.state = {values(wanted.state.value)}")
    if wanted.company_id is not None:
        fixed.append(f"o.company_id = {values(wanted.company_id)}")
    order = f"o.placed_at {place.descending}, o.id {place.descending}"
    some = newest("placed_order o", fixed, await _meant(wanted.text, values), order=order, limit=values(place.fetch))
    found = await db.rows(OrderRow, _ROWS.format(some=some, order=place.descending), *values)
    return paging.page(found, place, key=lambda row: (row.placed_at, row.id))


async def _meant(text: str, values: Values) -> list[str | Each]:
    """Return what a text may mean: PO numbers that begin with it, an order's number, companies; none without a text."""
    text = text.replace("\0", "").strip()
    if not text:
        return []
    low = text.lower()
    sql = (
        "SELECT id FROM placed_order WHERE purchase_order IS NOT NULL AND lower(purchase_order) ~>=~ $1 AND lower(purchase_order) ~<~ $2"
        " ORDER BY lower(purchase_order) USING ~<~ LIMIT $3"
    )
    by_po = [row["id"] for row in await db.records(sql, low, low + _LAST, _MATCHES)]
    found: list[str | Each] = [f"o.id = ANY ({values(by_po)}::uuid[])"]
    if text.isdecimal() and len(text) <= _DIGITS:
        found.append(f"o.number = {values(int(text))}")
    if companies := await company_ids(text):
        found.append(Each("o.company_id", values(companies)))
    return found


async def company_ids(text: str) -> list[UUID]:
    """Return the companies whose name holds a text (under three letters: begins with it), at most a hundred."""
    plain = names.fold(text)
    like = plain.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    if len(plain) < _LETTERS:
        sql = "SELECT id FROM company WHERE sort_name >= $1 AND sort_name < $2 ORDER BY sort_name, id LIMIT $3"
        return [row["id"] for row in await db.records(sql, plain, plain + _LAST, _COMPANIES)]
    sql = "SELECT id FROM (SELECT id FROM company WHERE sort_name LIKE '%' || $1::text || '%' OFFSET 0) found LIMIT $2"  # the fence keeps to the index
    return [row["id"] for row in await db.records(sql, like, _COMPANIES)]


async def company_name(company_id: UUID | None) -> str:
    """Return a company's name, or nothing for none and for an unknown one."""
    return str(await db.value("SELECT name FROM company WHERE id = $1", company_id) or "") if company_id else ""
