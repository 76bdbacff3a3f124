"""What happens by itself: orders' invoices when their moment comes, the monthly run proposed, the watch on the 15th."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.runs import collect, holds, issue, read, watch
from marketplace.kit import clock, db, mail, periodic, work
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

__all__ = ["collect", "issue"]  # their work handlers

_DUE = """
    SELECT DISTINCT c.group_key FROM charge c JOIN debtor d ON d.id = c.debtor_id
    WHERE c.state = 'open' AND c.ready_at IS NOT NULL AND c.billable_on <= $1 AND d.rhythm = 'order'
      AND NOT EXISTS (SELECT FROM invoice_hold h WHERE h.group_key = c.group_key AND h.state = 'held')
"""


@periodic.periodic("runs.request_due", cron="30 22 * * *")
async def request_due(slot: datetime, *, now: datetime) -> None:
    """Ask for the invoices of orders whose moment has come, in the evening: what was delivered today is delivered by then."""
    today = clock.today(slot)
    for row in await db.records(_DUE, today):
        key = f"billing.issue:{row['group_key']}:{today.isoformat()}"
        await work.later("billing.issue", {"group": row["group_key"]}, run_at=now, dedupe_key=key)
    await holds.try_all(now=now)


@periodic.periodic("runs.propose", cron="30 5 1 * *")
async def propose_monthly(slot: datetime, *, now: datetime) -> None:
    """Put the monthly debtors' run of last month together; ECL looks it over and decides."""
    await propose(until_on=clock.today(slot).replace(day=1) - timedelta(days=1), now=now)


async def propose(*, until_on: date, now: datetime) -> UUID | None:
    """Propose the monthly run until a day and tell ECL; None when there is nothing to bill."""
    sql = """
        SELECT 1 FROM charge c JOIN debtor d ON d.id = c.debtor_id
        WHERE c.state = 'open' AND c.ready_at IS NOT NULL AND c.billable_on <= $1 AND d.rhythm = 'month' LIMIT 1
    """
    if await db.value(sql, until_on) is None:
        return None
    run_id = await collect.make(until_on, proposed=True, actor=SYSTEM, now=now)
    await collect.collect(run_id, now=now)
    figures = await read.figures(run_id)
    context = {"until_on": until_on, "figures": figures, "total": Money(figures.ready_cents), "path": f"/invoice-runs/{run_id}"}
    await _tell("billing/run_proposed", context, key=f"run_proposed:{run_id}", now=now)
    return run_id


@periodic.periodic("runs.watch", cron="0 8 * * mon-fri")
async def watch_late(slot: datetime, *, now: datetime) -> None:
    """Tell ECL, some working days before the 15th, what was delivered last month and has no invoice; once a month."""
    today = clock.today(slot)
    deadline = today.replace(day=watch.LAST_DAY)
    if not watch.warn_on(deadline) <= today <= deadline:
        return
    found = await watch.late(actor=SYSTEM, now=now)
    if found:
        context = {"deadline": deadline, "late": found, "net": Money(sum(one.net_cents for one in found))}
        await _tell("billing/late_invoices", context, key=f"late_invoices:{deadline.isoformat()}", now=now)


async def _tell(template: str, context: dict[str, object], *, key: str, now: datetime) -> None:
    await mail.send(template=template, to=settings().operator.email, locale="nl", context=context, now=now, dedupe_key=key)
