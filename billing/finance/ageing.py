"""Ageing: what is owed, by how long it is past its due date, and by whom.

Days are calendar days since the due date; an invoice is late from the day after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.i18n import N_, _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import date

SHOWN = 12
BUCKETS: tuple[tuple[int | None, str], ...] = (
    (0, N_("Not due yet")),
    (30, N_("1–30 days")),
    (60, N_("31–60 days")),
    (90, N_("61–90 days")),
    (None, N_("Over 90 days")),
)
"""(up to how many days late, name), in order."""
OPEN = "i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents"
OWED = "i.state IN ('issued', 'open', 'processing')"
_LIMITS = tuple(limit for limit, _name in BUCKETS[:-1] if limit is not None)


def bucket(due_on: date, today: date) -> int:
    """Return the place in ``BUCKETS`` of something that is or was due on a day. Pure; the SQL below says the same."""
    late = (today - due_on).days
    return next((place for place, limit in enumerate(_LIMITS) if late <= limit), len(_LIMITS))


def short_names() -> list[str]:
    """Return the names for under the columns of a chart."""
    return [_("Not due"), "1–30", "31–60", "61–90", "90+"]


def names() -> list[str]:
    """Return what the buckets are called."""
    return [_(name) for _limit, name in BUCKETS]


class Owed(msgspec.Struct, frozen=True):
    """What one debtor (or, without an id, everybody) owes, in cents by bucket."""

    debtor_id: UUID | None
    owner_id: UUID | None
    name: str
    invoices: int
    by_bucket: tuple[int, int, int, int, int]

    @property
    def total(self) -> Money:
        """Return all that is owed."""
        return Money(sum(self.by_bucket))

    @property
    def late(self) -> Money:
        """Return what is past its due date."""
        return Money(sum(self.by_bucket[1:]))


class Ageing(msgspec.Struct, frozen=True):
    """All that is owed, and who is late with the most; ``late_debtors`` is how many are late in all."""

    whole: Owed
    debtors: list[Owed]
    late_debtors: int


_SUMS = ", ".join(f"coalesce(sum(cents) FILTER (WHERE place = {place}), 0)::bigint" for place in range(len(BUCKETS)))
_PLACE = f"width_bucket($1::date - i.due_on, ARRAY[{', '.join(str(limit + 1) for limit in _LIMITS)}])"
_ROWS = f"SELECT i.debtor_id, {_PLACE} AS place, {OPEN} AS cents FROM invoice i WHERE {OWED}"  # noqa: S608
_WHOLE = f"SELECT count(*) AS invoices, ARRAY[{_SUMS}] AS by_bucket FROM ({_ROWS}) x WHERE cents <> 0"  # noqa: S608
_DEBTORS = f"""
    WITH late AS (SELECT DISTINCT i.debtor_id FROM invoice i WHERE {OWED} AND i.due_on < $1::date),
         owed AS (SELECT debtor_id, count(*) AS invoices, ARRAY[{_SUMS}] AS by_bucket, sum(cents) FILTER (WHERE place > 0) AS late
                    FROM ({_ROWS} AND i.debtor_id IN (SELECT debtor_id FROM late)) x WHERE cents <> 0 GROUP BY debtor_id)
    SELECT o.debtor_id, d.owner_id, d.name, o.invoices, o.by_bucket, count(*) OVER () AS all_late
      FROM owed o JOIN debtor d ON d.id = o.debtor_id WHERE o.late > 0 ORDER BY o.late DESC, d.name LIMIT {SHOWN}
"""  # noqa: S608


async def read(today: date) -> Ageing:
    """Return what is owed on a day, with the debtors who are late with most first."""
    whole = (await db.records(_WHOLE, today))[0]
    found = await db.records(_DEBTORS, today)
    late = int(found[0]["all_late"]) if found else 0
    everybody = Owed(None, None, "", whole["invoices"], tuple(whole["by_bucket"]))
    rows = [Owed(row["debtor_id"], row["owner_id"], row["name"], row["invoices"], tuple(row["by_bucket"])) for row in found]
    return Ageing(everybody, rows, late)
