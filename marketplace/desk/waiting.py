"""What counts as waiting for ECL, said once: the conditions and the counts that the rail and today's page share.

Each condition is a partial index away and each count stops at ``BOUND``, so that they stay quick however much there is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing.finance import waiting as finance
from billing.runs import read as invoicing
from billing.vies import read as vat
from marketplace.kit import clock, db
from marketplace.kit.web import Count

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor

SOON = timedelta(days=14)
"""How long before its start a session without enough people becomes ECL's worry."""

BOUND = 1_000
"""Where counting stops; a page then says "more than"."""

LATE = "a.state = 'waiting' AND a.decide_by_at < {now} + interval '3 days' AND {now} >= a.asked_at + (a.decide_by_at - a.asked_at) * 0.8"
OVERDUE = "i.state IN ('issued', 'open', 'processing') AND i.due_on < {today}"  # only invoices have a due date
THIN = "s.published AND s.state IN ('planned', 'confirmed') AND s.starts_at > {now} AND s.starts_at <= {until} AND s.live < s.minimum"


class ForEcl(msgspec.Struct, frozen=True):
    """How many things wait for ECL: dead work, partners who are late, invoices past their date, sessions with too few people."""

    dead: int
    late: int
    overdue: int
    thin: int

    @property
    def total(self) -> int:
        """Return how many there are in all."""
        return self.dead + self.late + self.overdue + self.thin


async def for_ecl(now: datetime) -> ForEcl:
    """Return what waits for ECL, in one query."""
    sql = f"""
        SELECT (SELECT count(*) FROM (SELECT FROM due_work WHERE state = 'dead' LIMIT {BOUND}) few) AS dead,
               (SELECT count(*) FROM (SELECT FROM acceptance a WHERE {LATE.format(now="$1::timestamptz")} LIMIT {BOUND}) few) AS late,
               (SELECT count(*) FROM (SELECT FROM invoice i WHERE {OVERDUE.format(today="$3::date")} ORDER BY i.due_on LIMIT {BOUND}) few) AS overdue,
               (SELECT count(*) FROM (SELECT FROM session s WHERE {THIN.format(now="$1::timestamptz", until="$2::timestamptz")} LIMIT {BOUND}) few) AS thin
    """  # noqa: S608 - constants of this module
    found = await db.row(ForEcl, sql, now, now + SOON, clock.today(now))
    assert found is not None
    return found


async def for_partner(partner_id: UUID) -> int:
    """Return how many questions wait for a partner's answer."""
    return int(await db.value("SELECT count(*) FROM acceptance WHERE partner_id = $1 AND state = 'waiting'", partner_id))


async def rail_counts(actor: Actor, now: datetime) -> dict[str, Count]:
    """Return the numbers in the rail, by address; amber where somebody is needed."""
    if actor.partner_id is not None:
        return {"/acceptances": Count(await for_partner(actor.partner_id), urgent=True)}
    found = await for_ecl(now)
    return {
        "/desk": Count(found.total, urgent=True),
        "/desk/invoices": Count(found.overdue),
        "/desk/jobs": Count(found.dead, urgent=True),
        "/desk/partners": Count(found.late),
        "/vat-checks": Count(len(await vat.matters(now=now)), urgent=True),
        "/invoice-runs": Count((await invoicing.for_ecl(today=clock.today(now))).total, urgent=True),
        **{href: Count(number, urgent=True) for href, number in (await finance.in_rail()).items()},
    }
