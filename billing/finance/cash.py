"""Expected cash: what should come in and what must go out, by week, as far as the papers say.

Late invoices are shown before the weeks, for nobody knows when they come; a payment on its way counts this week.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing.finance.ageing import OPEN, OWED
from marketplace.kit import db
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable

WEEKS = 8


class Flow(msgspec.Struct, frozen=True):
    """Cents on a day: ``due`` by an invoice, ``processing`` at the payment provider, ``out`` to partners or back to debtors."""

    kind: str
    on: date
    cents: int


class Week(msgspec.Struct, frozen=True):
    """A week from its Monday; the first holds today. Amounts in cents, ``out`` as a positive figure."""

    monday: date
    due: int
    processing: int
    out: int

    @property
    def balance(self) -> Money:
        """Return what the week adds (or takes)."""
        return Money(self.due + self.processing - self.out)


class Expected(msgspec.Struct, frozen=True):
    """What is late, the coming weeks, and what lies beyond them; cents."""

    late: int
    weeks: list[Week]
    later: int

    @property
    def month(self) -> int:
        """Return what should come in within four weeks, this one included."""
        return sum(week.due + week.processing for week in self.weeks[:4])


def monday(on: date) -> date:
    """Return the Monday of a day's week."""
    return on - timedelta(days=on.weekday())


def by_week(flows: Iterable[Flow], today: date) -> Expected:
    """Return the flows week by week from today's. Pure."""
    first = monday(today)
    sums = {first + timedelta(weeks=place): {"due": 0, "processing": 0, "out": 0} for place in range(WEEKS)}
    late = later = 0
    for flow in flows:
        if flow.kind == "due" and flow.on < today:
            late += flow.cents
            continue
        week = first if flow.kind == "processing" else max(monday(flow.on), first)
        if week in sums:
            sums[week][flow.kind] += flow.cents
        else:
            later += flow.cents if flow.kind != "out" else -flow.cents
    return Expected(late, [Week(start, **one) for start, one in sums.items()], later)


_FLOWS = f"""
    SELECT CASE WHEN i.state = 'processing' THEN 'processing' ELSE 'due' END AS kind, i.due_on AS "on", sum({OPEN})::bigint AS cents
      FROM invoice i WHERE {OWED} GROUP BY 1, 2
    UNION ALL
    SELECT 'out', b.pay_on, sum(t.cents)::bigint FROM payout_batch b JOIN payout_item t ON t.batch_id = b.id
     WHERE b.state IN ('draft', 'approved', 'exported', 'sent') AND t.state IN ('planned', 'sent') GROUP BY b.pay_on
    UNION ALL
    SELECT 'out', s.objection_until_on + 1, sum(s.total_cents - s.paid_out_cents)::bigint FROM partner_statement s
     WHERE s.state IN ('issued', 'agreed') AND s.total_cents > 0 GROUP BY 2
    UNION ALL
    SELECT 'out', $1::date, sum(cents)::bigint FROM refund WHERE state IN ('requested', 'sent') AND source IN ('stripe', 'bank') HAVING sum(cents) > 0
"""  # noqa: S608


async def expected(today: date) -> Expected:
    """Return what is expected from a day on."""
    return by_week(await db.rows(Flow, _FLOWS, today), today)
