"""Orders as their readers see them: a company its own, ECL all. One place filters whose rows they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import credit_lines, invoices
from billing.invoices import InvoiceSummary
from catalog.policies import PolicyTerms
from marketplace.kit import audit, db
from marketplace.kit.i18n import current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging
from marketplace.orders.pricing import fee_group, group_key
from marketplace.orders.states import LineState, OrderState
from marketplace.people import scope

if TYPE_CHECKING:
    from collections.abc import Sequence


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list; ``people`` and ``programmes`` count, ``first_title`` names one of them."""

    id: UUID
    number: int
    company_id: UUID
    company_name: str
    state: OrderState
    ordered_by: str
    purchase_order: str | None
    total_cents: int
    placed_at: datetime
    people: int
    programmes: int
    first_title: str
    first_starts_at: datetime

    @property
    def total(self) -> Money:
        """Return what the order comes to, VAT included."""
        return Money(self.total_cents)


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line with what its page shows. Names of relations are never given to a company."""

    id: UUID
    position: int
    session_id: UUID
    session_code: str
    programme_code: str
    category: str
    person_id: UUID
    person_name: str
    personnel_number: str | None
    state: LineState
    decline_reason: str | None
    title_nl: str
    title_en: str
    starts_at: datetime
    ends_at: datetime
    place: str
    partner_name: str
    price_cents: int
    vat_category: str
    vat_rate: Decimal
    policy: PolicyTerms
    charge_id: UUID
    fee_charge_id: UUID | None
    state_at: datetime
    cancelled_for: str | None
    cancel_reason: str | None
    fee_cents: int | None
    credit_notes: list[str] = []

    @property
    def fee(self) -> Money:
        """Return what stays due of a cancelled line."""
        return Money(self.fee_cents or 0)

    @property
    def title(self) -> str:
        """Return the title as it was sold, in the reader's language."""
        return self.title_nl if current_locale() == "nl" else self.title_en

    @property
    def price(self) -> Money:
        """Return the price without VAT."""
        return Money(self.price_cents)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything on its page."""

    id: UUID
    number: int
    company_id: UUID
    company_name: str
    state: OrderState
    ordered_by: str
    purchase_order: str | None
    cost_centre: str | None
    net_cents: int
    vat_cents: int
    total_cents: int
    placed_at: datetime
    decided_at: datetime | None
    lines: list[LineRow] = []
    invoices: list[InvoiceSummary] = []
    events: list[audit.Entry] = []

    @property
    def net(self) -> Money:
        """Return the sum without VAT."""
        return Money(self.net_cents)

    @property
    def vat(self) -> Money:
        """Return the VAT, rounded once per rate."""
        return Money(self.vat_cents)

    @property
    def total(self) -> Money:
        """Return what is to be paid."""
        return Money(self.total_cents)


_ROWS = """
    SELECT o.id, o.number, o.company_id, c.name AS company_name, o.state, o.ordered_by, o.purchase_order, o.total_cents, o.placed_at,
           l.people, l.programmes, l.first_title, l.first_starts_at
      FROM (SELECT * FROM placed_order o
             WHERE ($1::uuid IS NULL OR o.company_id = $1) AND ($2::text IS NULL OR o.state = $2)
               AND ($3::bigint IS NULL OR o.number = $3)
               AND ($4::timestamptz IS NULL OR (o.placed_at, o.id) {comparison} ($4, $5::uuid))
             ORDER BY o.placed_at {order}, o.id {order} LIMIT $6) o
      JOIN company c ON c.id = o.company_id
      JOIN LATERAL (SELECT count(DISTINCT person_id)::int AS people, count(DISTINCT session_id)::int AS programmes,
                           (array_agg(CASE WHEN $7 = 'nl' THEN title_nl ELSE title_en END ORDER BY position))[1] AS first_title,
                           min(starts_at) AS first_starts_at
                      FROM order_line WHERE order_id = o.id) l ON true
     ORDER BY o.placed_at {order}, o.id {order}
"""


async def listed(
    *, actor: Actor, state: OrderState | None = None, number: int | None = None, cursor: str | None = None, size: int = 25
) -> paging.Page[OrderRow]:
    """Return a page of the orders that the actor may see, newest first."""
    require(actor, Permission.SEE_ORDERS)
    place = paging.read(cursor, datetime, UUID, size=size)
    sql = _ROWS.format(comparison=place.before, order=place.descending)
    company_id = None if actor.is_ecl else scope.company_of(actor)
    found = await db.rows(OrderRow, sql, company_id, state and state.value, number, *place.key, place.fetch, current_locale())
    return paging.page(found, place, key=lambda row: (row.placed_at, row.id))


_HEAD = """
    SELECT o.id, o.number, o.company_id, c.name AS company_name, o.state, o.ordered_by, o.purchase_order, o.cost_centre,
           o.net_cents, o.vat_cents, o.total_cents, o.placed_at, o.decided_at
      FROM placed_order o JOIN company c ON c.id = o.company_id
     WHERE ($1::uuid IS NULL OR o.company_id = $1)
"""
_LINES = """
    SELECT l.id, l.position, l.session_id, s.code AS session_code, g.code AS programme_code, g.category, l.person_id,
           CASE WHEN p.kind = 'relation' THEN '' ELSE concat_ws(' ', p.given_name, nullif(p.infix, ''), nullif(p.family_name, '')) END AS person_name,
           p.personnel_number, l.state, l.decline_reason, l.title_nl, l.title_en, l.starts_at, l.ends_at,
           coalesce(nullif(s.place, ''), nullif(g.venue, ''), initcap(g.place), '') AS place, t.name AS partner_name,
           l.price_cents, l.vat_category, l.vat_rate, l.policy, l.charge_id, l.fee_charge_id, l.state_at, l.cancelled_for, l.cancel_reason, l.fee_cents
      FROM order_line l JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id
      JOIN person p ON p.id = l.person_id JOIN partner t ON t.id = l.partner_id
     WHERE l.order_id = $1 ORDER BY l.position
"""


async def by_number(number: int, *, actor: Actor) -> Order:
    """Return an order with lines, invoices and events. Raises ``NotFound`` for a missing or foreign one."""
    require(actor, Permission.SEE_ORDERS)
    return await _whole(f"{_HEAD} AND o.number = $2", number, actor=actor)


async def by_id(order_id: UUID, *, actor: Actor, new: bool = False) -> Order:
    """Return an order by its id, as ``by_number`` but without events; one placed just now (``new``) has no invoice yet."""
    require(actor, Permission.SEE_ORDERS)
    return await _whole(f"{_HEAD} AND o.id = $2", order_id, actor=actor, events=False, billed=not new)


async def _whole(sql: str, key: object, *, actor: Actor, events: bool = True, billed: bool = True) -> Order:
    company_id = None if actor.is_ecl else scope.company_of(actor)
    found = await db.row(Order, sql, company_id, key)
    if found is None:
        raise scope.not_found()
    lines = await db.rows(LineRow, _LINES, found.id)
    issued = await _issued(found.id, lines) if billed else []
    told = await audit.of("order", found.id) if events else []
    return msgspec.structs.replace(found, lines=await _with_credit_notes(lines), invoices=issued, events=told)


async def _issued(order_id: UUID, lines: Sequence[LineRow]) -> list[InvoiceSummary]:
    """Return the invoices of an order and of the fees on it, and the credit notes on those, each once, in order of time."""
    groups = [group_key(order_id), *(fee_group(line.id) for line in lines if line.fee_charge_id)]
    found = {one.id: one for billed in (await invoices.for_groups(groups)).values() for one in billed}
    return sorted(found.values(), key=lambda one: (one.dated_on, one.kind == "credit_note", one.number))


async def _with_credit_notes(lines: list[LineRow]) -> list[LineRow]:
    """Return the lines, those that were cancelled with the numbers of the credit notes on them."""
    cancelled = [line.charge_id for line in lines if line.state is LineState.CANCELLED]
    numbers = await credit_lines.numbers_for(cancelled) if cancelled else {}
    return [msgspec.structs.replace(line, credit_notes=numbers[line.charge_id]) if line.charge_id in numbers else line for line in lines]


async def invoice_numbers(order_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the invoice numbers of orders that the caller may see."""
    billed = await invoices.for_groups([group_key(order_id) for order_id in order_ids])
    return {order_id: [one.number for one in billed.get(group_key(order_id), [])] for order_id in order_ids}


class CsvLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order line for a spreadsheet."""

    number: int
    placed_at: datetime
    purchase_order: str | None
    cost_centre: str | None
    title: str
    starts_at: datetime
    person_name: str
    state: str
    price_cents: int


async def lines_for_csv(*, actor: Actor, limit: int = 20_000) -> list[CsvLine]:
    """Return every order line of the actor's company, newest order first."""
    require(actor, Permission.SEE_ORDERS)
    sql = """
        SELECT o.number, o.placed_at, o.purchase_order, coalesce(o.cost_centre, p.cost_centre) AS cost_centre,
               CASE WHEN $2 = 'nl' THEN l.title_nl ELSE l.title_en END AS title, l.starts_at,
               CASE WHEN p.kind = 'relation' THEN '' ELSE concat_ws(' ', p.given_name, nullif(p.infix, ''), nullif(p.family_name, '')) END AS person_name,
               l.state, l.price_cents
          FROM placed_order o JOIN order_line l ON l.order_id = o.id JOIN person p ON p.id = l.person_id
         WHERE o.company_id = $1 ORDER BY o.placed_at DESC, o.id, l.position LIMIT $3
    """
    return await db.rows(CsvLine, sql, scope.company_of(actor), current_locale(), limit)


def by_session(order: Order) -> list[list[LineRow]]:
    """Return an order's lines with those of one session together, in the order in which they were ordered."""
    groups: dict[UUID, list[LineRow]] = {}
    for line in order.lines:
        groups.setdefault(line.session_id, []).append(line)
    return list(groups.values())
