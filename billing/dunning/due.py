"""Which reminder is due for which invoice on a day. One level at a time, and never the next before there was time for the last."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.dunning import policy as rules
from billing.dunning.holds import LATE, OPEN_CENTS
from marketplace.kit import db
from marketplace.kit.calendar import is_working_day
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.dunning.policy import Policy


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An overdue invoice and its last reminder; ``last_level`` 0 when it had none."""

    invoice_id: UUID
    number: str
    debtor_id: UUID
    company: str
    due_on: date
    open_cents: int
    last_level: int
    last_on: date | None

    @property
    def open(self) -> Money:
        """What is still to be paid on it."""
        return Money(self.open_cents)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One reminder that is due: a debtor, a level, and every invoice of theirs at that level."""

    debtor_id: UUID
    company: str
    level: int
    invoices: tuple[Candidate, ...]

    @property
    def open(self) -> Money:
        """What it asks for."""
        return Money(sum(one.open_cents for one in self.invoices))


def level_due(one: Candidate, policy: Policy, *, today: date) -> int | None:
    """Return the level that is due on a day, None when none is. Pure.

    The days after the due date are calendar days. A reminder that went late (it was held, we were down) pushes the next
    one back: between two of them lie at least the days that the rules put between them.
    """
    level = one.last_level + 1
    if level not in rules.LEVELS or today < one.due_on + timedelta(days=policy.days(level)):
        return None
    if one.last_on is not None and today < one.last_on + timedelta(days=policy.days(level) - policy.days(level - 1)):
        return None
    return level


def grouped(found: Sequence[Candidate], policy: Policy, *, today: date) -> list[Due]:
    """Return the reminders that are due, one a debtor and level. Pure."""
    levels = [(one.debtor_id, level, one) for one in found if (level := level_due(one, policy, today=today)) is not None]
    levels.sort(key=lambda each: (str(each[0]), each[1], each[2].due_on, each[2].number))
    made: list[Due] = []
    for (debtor_id, level), some in groupby(levels, key=lambda each: each[:2]):
        own = tuple(one for _debtor, _level, one in some)
        made.append(Due(debtor_id=debtor_id, company=own[0].company, level=level, invoices=own))
    return made


def next_working_day(after: date) -> date:
    """Return the first working day after a day. Pure."""
    on = after + timedelta(days=1)
    while not is_working_day(on):
        on += timedelta(days=1)
    return on


_CANDIDATES = f"""
    SELECT i.id AS invoice_id, i.number, i.debtor_id, d.name AS company, i.due_on, {OPEN_CENTS}::bigint AS open_cents,
           coalesce(l.level, 0) AS last_level, l.dated_on AS last_on
      FROM invoice i JOIN debtor d ON d.id = i.debtor_id
      LEFT JOIN LATERAL (SELECT t.level, r.dated_on FROM reminder_item t JOIN reminder r ON r.id = t.reminder_id
                          WHERE t.invoice_id = i.id ORDER BY t.level DESC LIMIT 1) l ON true
     WHERE {LATE} AND d.reminders AND coalesce(l.level, 0) < 3 AND ($2::uuid IS NULL OR i.debtor_id = $2)
     ORDER BY i.due_on, i.number
"""  # noqa: S608 - constants


async def on(day: date, *, debtor_id: UUID | None = None, policy: Policy | None = None) -> list[Due]:
    """Return the reminders that would go on a day (a working day, or not), as things stand now."""
    return grouped(await db.rows(Candidate, _CANDIDATES, day, debtor_id), policy or await rules.get(), today=day)


async def upcoming(*, actor: Actor, today: date) -> tuple[date, list[Due]]:
    """Return the next working day and what goes out then."""
    require(actor, Permission.MANAGE_INVOICES)
    day = next_working_day(today)
    return day, await on(day)
