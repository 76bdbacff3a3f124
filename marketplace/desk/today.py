"""What needs ECL today, by subject: partners who don't answer, sessions with too few people, invoices past their date.

Stuck work is in ``operations``. Every list is bounded and soonest first; the conditions are those of ``waiting``.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from billing.finance.ageing import OPEN
from billing.runs import read as invoicing
from marketplace.desk import waiting
from marketplace.desk.waiting import ForEcl
from marketplace.kit import clock, db
from marketplace.kit.i18n import current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

SHOWN = 10


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a partner has not answered; ``late`` when 80 % of its time is over."""

    partner_name: str
    partner_email: str
    title: str
    category: str
    order_number: int
    company_name: str
    asked_at: datetime
    decide_by_at: datetime
    late: bool


class Thin(msgspec.Struct, frozen=True, kw_only=True):
    """A session that starts soon with fewer people than its minimum."""

    id: UUID
    code: str
    title: str
    category: str
    partner_name: str
    place: str
    starts_at: datetime
    capacity: int
    minimum: int
    taken: int
    held: int


class Owing(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice past its due date."""

    number: str
    company_name: str
    due_on: date
    to_pay_cents: int
    days: int

    @property
    def to_pay(self) -> Money:
        """Return what is still to be paid."""
        return Money(self.to_pay_cents)


class Today(msgspec.Struct, frozen=True):
    """Everything on the page; ``counts`` are the whole numbers behind the bounded lists."""

    counts: ForEcl
    asked: list[Asked]
    thin: list[Thin]
    owing: list[Owing]
    overdue_cents: int
    invoicing: invoicing.ForEcl

    @property
    def overdue_more(self) -> bool:
        """Tell whether more may be overdue than was counted."""
        return self.counts.overdue >= waiting.BOUND

    @property
    def overdue(self) -> Money:
        """Return what all overdue invoices come to."""
        return Money(self.overdue_cents)


_ASKED = f"""
    SELECT t.name AS partner_name, t.email AS partner_email, CASE WHEN $2 = 'nl' THEN l.title_nl ELSE l.title_en END AS title, g.category,
           o.number AS order_number, c.name AS company_name, a.asked_at, a.decide_by_at, ({waiting.LATE.format(now="$1::timestamptz")}) AS late
      FROM acceptance a JOIN order_line l ON l.id = a.order_line_id JOIN placed_order o ON o.id = l.order_id
      JOIN company c ON c.id = o.company_id JOIN partner t ON t.id = a.partner_id
      JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id
     WHERE a.state = 'waiting' ORDER BY a.decide_by_at, a.id LIMIT {SHOWN}
"""  # noqa: S608 - constants
_THIN = f"""
    SELECT s.id, s.code, CASE WHEN $3 = 'nl' THEN g.title_nl ELSE g.title_en END AS title, g.category, t.name AS partner_name, coalesce(nullif(s.place, ''), g.venue) AS place, s.starts_at,
           s.capacity, s.minimum, (SELECT count(*)::int FROM seat WHERE session_id = s.id AND state = 'taken') AS taken,
           (SELECT count(*)::int FROM seat WHERE session_id = s.id AND state = 'held' AND held_until > $1) AS held
      FROM session s JOIN programme g ON g.id = s.programme_id JOIN partner t ON t.id = g.partner_id
     WHERE {waiting.THIN.format(now="$1::timestamptz", until="$2::timestamptz")} ORDER BY s.starts_at, s.id LIMIT {SHOWN}
"""  # noqa: S608
_OWING = f"""
    SELECT i.number, coalesce(c.name, d.name) AS company_name, i.due_on, greatest({OPEN}, 0)::bigint AS to_pay_cents,
           ($1::date - i.due_on) AS days
      FROM invoice i JOIN debtor d ON d.id = i.debtor_id LEFT JOIN company c ON c.id = d.owner_id
     WHERE {waiting.OVERDUE.format(today="$1::date")} ORDER BY i.due_on, i.number LIMIT {SHOWN}
"""  # noqa: S608
_OVERDUE_SUM = f"""
    SELECT coalesce(sum(greatest(open_cents, 0)), 0)::bigint
      FROM (SELECT {OPEN} AS open_cents FROM invoice i WHERE {waiting.OVERDUE.format(today="$1::date")} ORDER BY due_on LIMIT {waiting.BOUND}) few
"""  # noqa: S608


async def read(*, actor: Actor, now: datetime) -> Today:
    """Return what needs ECL now."""
    require(actor, Permission.SEE_DESK)
    locale, day = current_locale(), clock.today(now)
    return Today(
        counts=await waiting.for_ecl(now),
        asked=await db.rows(Asked, _ASKED, now, locale),
        thin=await db.rows(Thin, _THIN, now, now + waiting.SOON, locale),
        owing=await db.rows(Owing, _OWING, day),
        overdue_cents=int(await db.value(_OVERDUE_SUM, day)),
        invoicing=await invoicing.for_ecl(today=day),
    )
