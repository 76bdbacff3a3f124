"""The rows behind HR's inbox, one query a kind, each bounded and by an index of the company. ``total`` counts them all."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.i18n import _, current_locale
from marketplace.people import names


class Basket(msgspec.Struct, frozen=True):
    """Seats that are held for the reader now."""

    seats: int
    title: str
    held_until: datetime


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled enrolment; ``starts_soon``: the dates it is for begin within a week after its run."""

    id: UUID
    kind: str
    given_name: str
    infix: str
    family_name: str
    employee_name: str
    title: str
    code: str | None
    run_at: datetime
    state_at: datetime
    order_number: int | None
    starts_soon: bool
    total: int

    @property
    def person_name(self) -> str:
        """Return the name as the company may see it."""
        if self.kind == "relation":
            return _("Partner of {name}", name=self.employee_name)
        return names.full(self.given_name, self.infix, self.family_name)


class Bill(msgspec.Struct, frozen=True):
    """An invoice that is to be paid soon, or should have been."""

    number: str
    due_on: date
    to_pay_cents: int
    total: int


class Declined(msgspec.Struct, frozen=True):
    """An order line that its partner declined."""

    order_number: int
    title: str
    programme_code: str
    starts_at: datetime
    partner_name: str
    reason: str | None
    total: int


class Waiting(msgspec.Struct, frozen=True):
    """An order of which a partner must still accept a line."""

    number: int
    title: str
    partner_name: str
    decide_by_at: datetime | None
    total: int


async def basket(account_id: UUID | None, *, now: datetime) -> Basket | None:
    """Return the seats that an account holds now, or None."""
    sql = """
        SELECT count(*)::int AS seats, min(CASE WHEN $3 = 'nl' THEN g.title_nl ELSE g.title_en END) AS title, max(b.held_until) AS held_until
          FROM basket b JOIN basket_line l ON l.basket_id = b.id JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id
         WHERE b.account_id = $1 AND b.held_until > $2 HAVING count(*) > 0
    """
    return await db.row(Basket, sql, account_id, now, current_locale())


async def plans(company_id: UUID, state: str, *, limit: int, since: datetime | None, until: datetime | None) -> list[Plan]:
    """Return scheduled enrolments in a state that changed ``since`` and run ``until``, the earliest run first."""
    sql = """
        SELECT x.id, p.kind, p.given_name, p.infix, p.family_name,
               coalesce(concat_ws(' ', e.given_name, nullif(e.infix, ''), nullif(e.family_name, '')), '') AS employee_name,
               CASE WHEN $5 = 'nl' THEN g.title_nl ELSE g.title_en END AS title, x.code, x.run_at, x.state_at, o.number AS order_number,
               coalesce(s.starts_at < x.state_at + interval '7 days', false) AS starts_soon, count(*) OVER ()::int AS total
          FROM scheduled_enrolment x JOIN person p ON p.id = x.person_id LEFT JOIN person e ON e.id = p.relation_of
          LEFT JOIN session s ON s.id = x.session_id JOIN programme g ON g.id = coalesce(x.programme_id, s.programme_id)
          LEFT JOIN placed_order o ON o.id = x.order_id
         WHERE x.company_id = $1 AND x.state = $2 AND ($3::timestamptz IS NULL OR x.state_at >= $3) AND ($4::timestamptz IS NULL OR x.run_at < $4)
         ORDER BY x.run_at, x.id LIMIT $6
    """
    return await db.rows(Plan, sql, company_id, state, since, until, current_locale(), limit)


async def bills(company_id: UUID, *, until: date, limit: int) -> list[Bill]:
    """Return the company's unpaid invoices that are due until a day, the oldest first."""
    sql = """
        SELECT i.number, i.due_on, greatest(i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents, 0)::bigint AS to_pay_cents, count(*) OVER ()::int AS total
          FROM debtor d JOIN invoice i ON i.debtor_id = d.id
         WHERE d.owner_id = $1 AND i.kind = 'invoice' AND i.state IN ('issued', 'open') AND i.due_on <= $2
         ORDER BY i.due_on, i.number LIMIT $3
    """
    return await db.rows(Bill, sql, company_id, until, limit)


async def declined(company_id: UUID, *, since: datetime, limit: int) -> list[Declined]:
    """Return lines that were declined since an instant, the latest first."""
    sql = """
        SELECT o.number AS order_number, CASE WHEN $3 = 'nl' THEN l.title_nl ELSE l.title_en END AS title, g.code AS programme_code, l.starts_at,
               t.name AS partner_name, l.decline_reason AS reason, count(*) OVER ()::int AS total
          FROM order_line l JOIN placed_order o ON o.id = l.order_id JOIN partner t ON t.id = l.partner_id
          JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id
         WHERE l.company_id = $1 AND l.state = 'declined' AND l.state_at >= $2 ORDER BY l.state_at DESC, l.id LIMIT $4
    """
    return await db.rows(Declined, sql, company_id, since, current_locale(), limit)


async def waiting(company_id: UUID, *, limit: int) -> list[Waiting]:
    """Return orders that wait for a partner, the nearest deadline first."""
    sql = """
        SELECT o.number, min(CASE WHEN $2 = 'nl' THEN l.title_nl ELSE l.title_en END) AS title, min(t.name) AS partner_name,
               min(a.decide_by_at) AS decide_by_at, count(*) OVER ()::int AS total
          FROM placed_order o JOIN order_line l ON l.order_id = o.id AND l.state = 'awaiting_partner' JOIN partner t ON t.id = l.partner_id
          LEFT JOIN acceptance a ON a.order_line_id = l.id AND a.state = 'waiting'
         WHERE o.company_id = $1 AND o.state = 'placed' GROUP BY o.id ORDER BY decide_by_at NULLS LAST, o.number LIMIT $3
    """
    return await db.rows(Waiting, sql, company_id, current_locale(), limit)
