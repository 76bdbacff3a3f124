"""What a company spent this year: invoiced by the month of the invoice, and what is ordered or planned but not yet invoiced.

Everything is without VAT. Credit notes count as less. A scheduled enrolment counts in the month in which it will be
ordered, at the price of its dates or else its programme.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from catalog import words
from catalog.words import Category
from marketplace.kit import clock, db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.people import scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Amount(msgspec.Struct, frozen=True):
    """Cents of one category in one month (1 to 12): on invoices, and still to come."""

    month: int
    category: str
    invoiced_cents: int
    coming_cents: int


class Spending(msgspec.Struct, frozen=True):
    """A year's amounts."""

    year: int
    amounts: list[Amount]

    @property
    def invoiced(self) -> Money:
        """Return what was invoiced this year, credit notes off."""
        return Money(sum(one.invoiced_cents for one in self.amounts))

    @property
    def coming(self) -> Money:
        """Return what is ordered or planned this year and not invoiced yet."""
        return Money(sum(one.coming_cents for one in self.amounts))

    def by_month(self) -> list[tuple[date, Money, Money]]:
        """Return (first of the month, invoiced, still to come) for all twelve months."""
        return [(date(self.year, month, 1), *self._sums(lambda one, month=month: one.month == month)) for month in range(1, 13)]  # type: ignore[misc]

    def by_category(self) -> list[tuple[str, str, Money]]:
        """Return (category, its name, both amounts together), the largest first; categories without amounts are left out."""
        found = []
        for category in Category:
            invoiced, coming = self._sums(lambda one, category=category: one.category == category)  # type: ignore[misc]
            if (whole := invoiced + coming).cents:
                found.append((category.value, words.name(category), whole))
        return sorted(found, key=lambda row: -row[2].cents)

    def _sums(self, chosen: Callable[[Amount], bool]) -> tuple[Money, Money]:
        some: Iterable[Amount] = [one for one in self.amounts if chosen(one)]
        return Money(sum(one.invoiced_cents for one in some)), Money(sum(one.coming_cents for one in some))


def category_name(category: str) -> str:
    """Return what a category is called in the current language."""
    return words.name(Category(category))


_SQL = """
    WITH line AS (
        SELECT l.charge_id, l.fee_charge_id, l.state, coalesce(l.fee_cents, l.price_cents) AS price_cents, g.category, o.placed_at
          FROM order_line l JOIN placed_order o ON o.id = l.order_id
          JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id
         WHERE l.company_id = $1 AND l.state <> 'declined'),
    billed AS (
        SELECT line.category, b.id, b.net_cents, b.invoice_id FROM line JOIN invoice_line b ON b.charge_id IN (line.charge_id, line.fee_charge_id)),
    amount AS (
        SELECT i.dated_on AS on_day, b.category, b.net_cents AS invoiced, 0::bigint AS coming
          FROM billed b JOIN invoice i ON i.id = b.invoice_id WHERE i.state <> 'void'
        UNION ALL
        SELECT i.dated_on, b.category, -c.net_cents, 0
          FROM billed b JOIN invoice_line c ON c.credits_line_id = b.id JOIN invoice i ON i.id = c.invoice_id WHERE i.state <> 'void'
        UNION ALL
        SELECT $2::date, line.category, 0, line.price_cents
          FROM line WHERE NOT EXISTS (SELECT 1 FROM invoice_line b WHERE b.charge_id IN (line.charge_id, line.fee_charge_id))
        UNION ALL
        SELECT greatest((x.run_at AT TIME ZONE 'Europe/Amsterdam')::date, $2::date), g.category, 0, coalesce(s.price_cents, g.price_cents)
          FROM scheduled_enrolment x LEFT JOIN session s ON s.id = x.session_id
          JOIN programme g ON g.id = coalesce(x.programme_id, s.programme_id)
         WHERE x.company_id = $1 AND x.state = 'planned')
    SELECT extract(month FROM on_day)::int AS month, category, sum(invoiced)::bigint AS invoiced_cents, sum(coming)::bigint AS coming_cents
      FROM amount WHERE on_day >= $3 AND on_day < $4 GROUP BY 1, 2 ORDER BY 1, 2
"""


async def of_this_year(*, actor: Actor, now: datetime) -> Spending:
    """Return what the actor's company spent and will spend in the year that it is in Leiden."""
    require(actor, Permission.SEE_ORDERS)
    today = clock.today(now)
    first, after = date(today.year, 1, 1), date(today.year + 1, 1, 1)
    return Spending(today.year, await db.rows(Amount, _SQL, scope.company_of(actor), today, first, after))
