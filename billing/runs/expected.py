"""When will this be invoiced? Said to HR before there is an invoice. The dates are pure; ``of_group`` reads what they need."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import clock, db

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

_INTO_NEXT_MONTH = timedelta(days=4)


class Expected(msgspec.Struct, frozen=True):
    """``on``: about when the invoice is made. ``month_on``: the first of the month that it is about, for debtors by the month."""

    on: date
    month_on: date | None
    held: bool = False


def expected(*, moment: str, rhythm: str, stands_on: date, from_on: date, to_on: date) -> Expected:
    """Return when a charge is invoiced whose order stands on a day and that is supplied from and to a day. Pure."""
    billable = {"start": max(from_on, stands_on), "delivery": max(to_on, stands_on)}.get(moment, stands_on)
    return billed(billable, rhythm=rhythm)


def billed(billable_on: date, *, rhythm: str) -> Expected:
    """Return when a charge that may be billed from a day is invoiced: that day, or on the first of the month after it. Pure."""
    if rhythm != "month":
        return Expected(billable_on, None)
    first = billable_on.replace(day=1)
    return Expected((first.replace(day=28) + _INTO_NEXT_MONTH).replace(day=1), first)


class _Open(msgspec.Struct, frozen=True):
    moment: str
    rhythm: str
    from_on: date
    to_on: date
    billable_on: date | None
    held: bool


async def of_group(group_key: str, *, now: datetime) -> Expected | None:
    """Return when the next invoice of a group of charges comes, None when nothing of it is left to bill."""
    sql = """
        SELECT d.billing_moment AS moment, d.rhythm, c.supply_from_on AS from_on, c.supply_to_on AS to_on, c.billable_on,
               EXISTS (SELECT FROM invoice_hold h WHERE h.group_key = c.group_key AND h.state = 'held') AS held
        FROM charge c JOIN debtor d ON d.id = c.debtor_id WHERE c.group_key = $1 AND c.state = 'open'
    """
    today = clock.today(now)
    found = [(_later(_of(row, today), today, rhythm=row.rhythm), row.held) for row in await db.rows(_Open, sql, group_key)]
    if not found:
        return None
    first = min((one for one, _held in found), key=lambda one: one.on)
    return msgspec.structs.replace(first, held=any(held for _one, held in found))


def _of(row: _Open, today: date) -> Expected:
    if row.billable_on is not None:
        return billed(row.billable_on, rhythm=row.rhythm)
    return expected(moment=row.moment, rhythm=row.rhythm, stands_on=today, from_on=row.from_on, to_on=row.to_on)


def _later(found: Expected, today: date, *, rhythm: str) -> Expected:
    """Return an expectation that isn't in the past: what was missed goes with the next run."""
    if found.on >= today:
        return found
    return msgspec.structs.replace(billed(today, rhythm=rhythm), month_on=found.month_on) if rhythm == "month" else Expected(today, None)


_FOLLOW = """
    UPDATE charge c SET billable_on = CASE d.billing_moment
        WHEN 'start' THEN greatest(c.supply_from_on, (c.ready_at AT TIME ZONE 'Europe/Amsterdam')::date)
        WHEN 'delivery' THEN greatest(c.supply_to_on, (c.ready_at AT TIME ZONE 'Europe/Amsterdam')::date)
        ELSE (c.ready_at AT TIME ZONE 'Europe/Amsterdam')::date END
    FROM debtor d WHERE d.id = $1 AND c.debtor_id = d.id AND c.state = 'open' AND c.ready_at IS NOT NULL
"""


async def follow_moment(debtor_id: UUID) -> int:
    """Date a debtor's open charges by its billing moment as it is now, in the caller's transaction; return how many there are."""
    await db.execute("SELECT FROM charge WHERE debtor_id = $1 AND state = 'open' ORDER BY id FOR UPDATE", debtor_id)
    return await db.execute(_FOLLOW, debtor_id)
