"""The watch on late invoices: what was delivered must be invoiced by the 15th of the month after (art. 34g Wet OB 1968)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import calendar, clock, db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import datetime

LAST_DAY = 15
WARN_WORKING_DAYS = -4
BOUND = 1_000


def invoice_by(delivered_on: date) -> date:
    """Return the last day on which something delivered on a day may be invoiced. Pure."""
    after = (delivered_on.replace(day=28) + timedelta(days=4)).replace(day=1)
    return after.replace(day=LAST_DAY)


def warn_on(deadline: date) -> date:
    """Return the working day on which ECL is told about what is left, four before the deadline. Pure."""
    return calendar.add_working_days(deadline, WARN_WORKING_DAYS)


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """One debtor's deliveries of one month that are not invoiced. ``unsure``: lines of orders that nobody confirmed."""

    debtor_id: UUID
    owner_id: UUID
    debtor_name: str
    rhythm: str
    month_on: date
    lines: int
    net_cents: int
    unsure: int
    held: int

    @property
    def net(self) -> Money:
        """Return the amount without VAT."""
        return Money(self.net_cents)

    @property
    def by(self) -> date:
        """Return the day by which it must be invoiced."""
        return invoice_by(self.month_on)


_LATE = """
    SELECT c.debtor_id, d.owner_id, d.legal_name AS debtor_name, d.rhythm, date_trunc('month', c.supply_to_on)::date AS month_on,
           count(*)::int AS lines, sum(c.net_cents)::bigint AS net_cents, count(*) FILTER (WHERE c.ready_at IS NULL)::int AS unsure,
           count(*) FILTER (WHERE h.id IS NOT NULL)::int AS held
    FROM charge c JOIN debtor d ON d.id = c.debtor_id LEFT JOIN invoice_hold h ON h.group_key = c.group_key AND h.state = 'held'
    WHERE c.state = 'open' AND c.supply_to_on < $1
    GROUP BY c.debtor_id, d.owner_id, d.legal_name, d.rhythm, month_on ORDER BY month_on, d.legal_name, c.debtor_id LIMIT $2
"""


async def late(*, actor: Actor, now: datetime) -> list[Late]:
    """Return what was delivered before this month and isn't invoiced, by month and debtor, the oldest first."""
    require(actor, Permission.MANAGE_INVOICES)
    return await db.rows(Late, _LATE, clock.today(now).replace(day=1), BOUND)


async def count(now: datetime) -> int:
    """Return how many lines were delivered before this month and aren't invoiced, counted up to a bound: for the rail."""
    sql = f"SELECT count(*) FROM (SELECT FROM charge WHERE state = 'open' AND supply_to_on < $1 LIMIT {BOUND}) few"  # noqa: S608
    return int(await db.value(sql, clock.today(now).replace(day=1)))
