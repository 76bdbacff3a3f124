"""What stands where: sums and lists of lines, for ECL over all partners and for a partner over its own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from billing.settlement import statements
from billing.settlement.lines import LineState
from marketplace.kit import db
from marketplace.kit.i18n import fmt_number
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from marketplace.kit.web.paging import Page, Place

Show = Literal["waiting", "accrued", "payable", "held", "stated", "paid", "cancelled"]


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in cents without VAT, but for what is to be paid and was paid: with VAT. ``waiting`` counts lines without contract."""

    accrued_cents: int
    payable_cents: int
    to_pay_cents: int
    paid_cents: int
    waiting: int
    held: int
    objections: int
    without_account: int

    @property
    def accrued(self) -> Money:
        """What later statements bring, after delivery."""
        return Money(self.accrued_cents)

    @property
    def payable(self) -> Money:
        """What the next statements bring."""
        return Money(self.payable_cents)

    @property
    def to_pay(self) -> Money:
        """What stands on statements and isn't paid out."""
        return Money(self.to_pay_cents)

    @property
    def paid(self) -> Money:
        """What was paid out this year."""
        return Money(self.paid_cents)


def _next_statement_on(today: date) -> date:
    """Return the 1st on which the next statements are made."""
    return (today.replace(day=1) + timedelta(days=31)).replace(day=1)


async def sums(*, actor: Actor, today: date) -> Sums:
    """Return the sums that the actor may read."""
    sql = """
        WITH mine AS (SELECT id FROM payee WHERE $1::uuid IS NULL OR owner_id = $1)
        SELECT coalesce(sum(earned_cents) FILTER (WHERE state = 'accrued' AND payable_on >= $3), 0)::bigint AS accrued_cents,
               coalesce(sum(earned_cents) FILTER (WHERE state = 'payable' OR state = 'accrued' AND payable_on < $3), 0)::bigint
                   AS payable_cents,
               count(*) FILTER (WHERE state = 'waiting') AS waiting,
               (SELECT count(*) FROM settlement_incident x JOIN settlement_line y ON y.id = x.line_id WHERE x.closed_at IS NULL
                    AND y.payee_id IN (SELECT id FROM mine)) AS held,
               (SELECT coalesce(sum(greatest(total_cents - paid_out_cents, 0)), 0)::bigint FROM partner_statement
                    WHERE state IN ('issued', 'agreed', 'in_batch') AND payee_id IN (SELECT id FROM mine)) AS to_pay_cents,
               (SELECT coalesce(sum(i.cents), 0)::bigint FROM payout_item i JOIN payout_batch b ON b.id = i.batch_id
                    WHERE i.state IN ('sent', 'paid') AND b.pay_on >= $2 AND i.payee_id IN (SELECT id FROM mine)) AS paid_cents,
               (SELECT count(*) FROM statement_objection o JOIN partner_statement s ON s.id = o.statement_id
                    WHERE o.state = 'open' AND s.payee_id IN (SELECT id FROM mine)) AS objections,
               (SELECT count(*) FROM mine m WHERE EXISTS (SELECT 1 FROM partner_statement s WHERE s.payee_id = m.id AND s.state = 'agreed'
                    AND s.total_cents > s.paid_out_cents)
                    AND NOT EXISTS (SELECT 1 FROM payee_account a WHERE a.payee_id = m.id AND a.state = 'approved')) AS without_account
        FROM settlement_line WHERE state IN ('waiting', 'accrued', 'payable') AND payee_id IN (SELECT id FROM mine)
    """
    found = await db.row(Sums, sql, statements.whose(actor), today.replace(month=1, day=1), _next_statement_on(today))
    assert found is not None
    return found


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A line in a list; cents, signed. ``held`` is why it isn't paid for now."""

    id: UUID
    payee_id: UUID
    payee_name: str
    key: str
    order_number: str
    programme: str
    session: str
    title_nl: str
    title_en: str
    supply_from_on: date
    supply_to_on: date
    net_cents: int
    commission_cents: int
    earned_cents: int
    payable_on: date | None
    state: LineState
    held: str | None
    statement_number: str | None

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en

    @property
    def net(self) -> Money:
        """The buyer's price."""
        return Money(self.net_cents)

    @property
    def commission(self) -> Money:
        """ECL's part."""
        return Money(self.commission_cents)

    @property
    def earned(self) -> Money:
        """The partner's part."""
        return Money(self.earned_cents)


_SHOWN = """
    SELECT l.id, l.payee_id, p.legal_name AS payee_name, l.key, l.order_number, l.programme, l.session, l.title_nl, l.title_en, l.supply_from_on,
           l.supply_to_on, l.net_cents, l.commission_cents, l.earned_cents, l.payable_on, l.state, x.reason AS held, s.number AS statement_number
    FROM settlement_line l JOIN payee p ON p.id = l.payee_id LEFT JOIN partner_statement s ON s.id = l.statement_id
        LEFT JOIN settlement_incident x ON x.line_id = l.id AND x.closed_at IS NULL
"""


async def lines_page(place: Place, *, actor: Actor, show: str | None = None, payee_id: UUID | None = None) -> Page[Shown]:
    """Return a page of lines, newest first: of one state (``held``: those with an open problem), of one payee, or all."""
    sql = f"""
        {_SHOWN} WHERE ($1::uuid IS NULL OR p.owner_id = $1) AND ($2::uuid IS NULL OR l.payee_id = $2)
            AND ($3::text IS NULL OR l.state = $3 OR $3 = 'held' AND x.id IS NOT NULL)
            AND ($4::uuid IS NULL OR l.id {place.before} $4) ORDER BY l.id {place.descending} LIMIT $5
    """
    rows = await db.rows(Shown, sql, statements.whose(actor), payee_id, show, *place.key, place.fetch)
    return paging.page(rows, place, key=lambda row: (row.id,))


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """What one session brings on one statement: so many seats, cents signed. ``held`` is why it isn't paid for now."""

    title_nl: str
    title_en: str
    session: str
    supply_from_on: date
    supply_to_on: date
    seats: int
    net_cents: int
    commission_cents: int
    earned_cents: int
    statement_on: date | None
    held: str | None

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en

    @property
    def net(self) -> Money:
        """The buyers' prices."""
        return Money(self.net_cents)

    @property
    def commission(self) -> Money:
        """ECL's part."""
        return Money(self.commission_cents)

    @property
    def earned(self) -> Money:
        """The partner's part."""
        return Money(self.earned_cents)


async def coming(*, actor: Actor, today: date, limit: int = 200) -> list[Coming]:
    """Return what a partner has earned or will, and that is on no statement yet: by session, and the statement that brings it."""
    require(actor, Permission.SEE_STATEMENTS)
    sql = """
        SELECT l.title_nl, l.title_en, l.session, l.supply_from_on, l.supply_to_on, count(*) FILTER (WHERE l.key = 'seat') AS seats,
               sum(l.net_cents)::bigint AS net_cents, sum(l.commission_cents)::bigint AS commission_cents, sum(l.earned_cents)::bigint AS earned_cents,
               greatest((date_trunc('month', l.payable_on) + interval '1 month')::date, $3) AS statement_on, x.reason AS held
        FROM settlement_line l JOIN payee p ON p.id = l.payee_id LEFT JOIN settlement_incident x ON x.line_id = l.id AND x.closed_at IS NULL
        WHERE p.owner_id = $1 AND l.state IN ('waiting', 'accrued', 'payable') GROUP BY 1, 2, 3, 4, 5, 10, 11
        ORDER BY 10 NULLS LAST, l.supply_to_on, l.session, 11 LIMIT $2
    """
    return await db.rows(Coming, sql, actor.partner_id, limit, _next_statement_on(today))


async def line(line_id: UUID) -> Shown | None:
    """Return one line as it is shown."""
    return await db.row(Shown, f"{_SHOWN} WHERE l.id = $1", line_id)


class PayeeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payee in ECL's list, with what is missing to pay it."""

    id: UUID
    legal_name: str
    code: str
    complete: bool
    self_billing: bool
    contracts: int
    percent: Decimal | None
    fixed: bool
    account: str | None
    pending: bool
    waiting: int

    @property
    def percent_words(self) -> str:
        """The percentage as people write it; empty for a fixed amount."""
        return "" if self.percent is None else f"{fmt_number(self.percent.normalize())}%"


async def payee_rows(*, today: date) -> list[PayeeRow]:
    """Return every payee by name: whether details, a contract and an approved account are there, and what waits for them."""
    sql = """
        SELECT p.id, p.legal_name, p.code, p.street <> '' AND p.postcode <> '' AND p.city <> '' AND p.email <> '' AS complete,
               p.self_billing_from_on <= $1 AND coalesce(p.self_billing_until_on >= $1, true) IS TRUE AS self_billing,
               (SELECT count(*) FROM partner_contract c WHERE c.payee_id = p.id AND c.from_on <= $1 AND coalesce(c.until_on >= $1, true)) AS contracts,
               g.percent, g.fixed_cents IS NOT NULL AS fixed,
               (SELECT a.iban FROM payee_account a WHERE a.payee_id = p.id AND a.state = 'approved') AS account,
               EXISTS (SELECT 1 FROM payee_account a WHERE a.payee_id = p.id AND a.state = 'pending') AS pending,
               (SELECT count(*) FROM settlement_line l WHERE l.payee_id = p.id AND l.state = 'waiting') AS waiting
        FROM payee p LEFT JOIN LATERAL (SELECT c.percent, c.fixed_cents FROM partner_contract c WHERE c.payee_id = p.id AND c.programme IS NULL
            AND c.from_on <= $1 AND coalesce(c.until_on >= $1, true) LIMIT 1) g ON true
        ORDER BY p.legal_name, p.id
    """
    return [msgspec.convert(row | {"self_billing": bool(row["self_billing"])}, PayeeRow) for row in await db.records(sql, today)]
