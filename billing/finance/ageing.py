"""Ageing: what is owed, by how long it is past its due date, and by whom.

Days are calendar days since the due date; an invoice is late from the day after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
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
OWED = "i.kind = 'invoice' AND i.state IN ('issued', 'open', 'processing')"
_LIMITS = tuple(limit for limit, _name in BUCKETS[:-1] if limit is not None)


def bucket(due_on: date, today: date) -> int:
    """Return the place in ``BUCKETS`` of something that is or was due on a day. Pure; the SQL below says the same."""
    late = (today - due_on).days
    return next((place for place, limit in enumerate(_LIMITS) if late <= limit), len(_LIMITS))


def short_names() -> list[str]:
    """Return the names for under the columns of a chart."""
    return [_("Not yet"), "1–30", "31–60", "61–90", "90+"]


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
_TOGETHER = ", ".join(f"coalesce(sum(by_bucket[{place + 1}]), 0)::bigint" for place in range(len(BUCKETS)))
_PLACE = f"width_bucket($1::date - i.due_on, ARRAY[{', '.join(str(limit + 1) for limit in _LIMITS)}])"
# One walk through the index of what is owed (``invoice_owed``); the first row is everybody, then who is late with most.
_OWED = f"""
    WITH owed AS MATERIALIZED (
        SELECT debtor_id, count(*) AS invoices, ARRAY[{_SUMS}] AS by_bucket, coalesce(sum(cents) FILTER (WHERE place > 0), 0)::bigint AS late
          FROM (SELECT i.debtor_id, {_PLACE} AS place, {OPEN} AS cents FROM invoice i WHERE {OWED}) x WHERE cents <> 0 GROUP BY debtor_id),
    latest AS (SELECT * FROM owed WHERE late > 0 ORDER BY late DESC, debtor_id LIMIT {SHOWN})
    SELECT NULL::uuid AS debtor_id, NULL::uuid AS owner_id, '' AS name, coalesce(sum(invoices), 0)::bigint AS invoices, ARRAY[{_TOGETHER}] AS by_bucket,
           count(*) FILTER (WHERE late > 0) AS late FROM owed
    UNION ALL
    SELECT l.debtor_id, d.owner_id, d.name, l.invoices, l.by_bucket, l.late FROM latest l JOIN debtor d ON d.id = l.debtor_id
"""  # noqa: S608 - constants


async def read(today: date) -> Ageing:
    """Return what is owed on a day, with the debtors who are late with most first."""
    found = await db.records(_OWED, today)
    whole = next(row for row in found if row["debtor_id"] is None)
    late = sorted((row for row in found if row["debtor_id"] is not None), key=lambda row: (-row["late"], row["name"]))
    return Ageing(_owed(whole), [_owed(row) for row in late], int(whole["late"]))


def _owed(row: dict[str, Any]) -> Owed:
    first, *rest = (int(cents) for cents in row["by_bucket"])
    return Owed(row["debtor_id"], row["owner_id"], row["name"], int(row["invoices"]), (first, rest[0], rest[1], rest[2], rest[3]))
