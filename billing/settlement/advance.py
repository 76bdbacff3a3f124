"""What time does to settlement lines: they come into the books, and are payable once delivered, unblocked and held long enough.

A line is booked with the invoice for its seat, on that day, or at delivery when that comes first. Whether the buyer has paid
plays no part: that is ECL's risk.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - a Struct reads them
from typing import TYPE_CHECKING, Any

from billing.settlement import lines
from billing.settlement.lines import Line
from marketplace.kit import clock, db, periodic, work

if TYPE_CHECKING:
    from uuid import UUID

AT_ONCE = 1_000


class _Due(Line, frozen=True, kw_only=True):
    on: date


_DUE = f"""
    SELECT {", ".join(f"l.{name}" for name in Line.__struct_fields__)},
           coalesce(i.dated_on, l.supply_to_on) AS on
    FROM settlement_line l LEFT JOIN invoice_line il ON il.charge_id = l.charge_id LEFT JOIN invoice i ON i.id = il.invoice_id
    WHERE l.booked_on IS NULL AND l.state IN ('accrued', 'payable') AND (i.id IS NOT NULL OR l.supply_to_on < $1)
    ORDER BY l.id LIMIT $2 FOR UPDATE OF l
"""  # noqa: S608 - field names
_PAYABLE = """
    UPDATE settlement_line l SET state = 'payable', state_at = $2
    WHERE l.state = 'accrued' AND l.booked_on IS NOT NULL AND l.payable_on <= $1 AND ($3::uuid IS NULL OR l.id = $3)
        AND NOT EXISTS (SELECT 1 FROM settlement_incident x WHERE x.line_id = l.id AND x.closed_at IS NULL)
"""


async def advance(*, now: datetime) -> int:
    """Book what is due and make payable what is ready, as of today; return how many lines were booked. Safe to repeat."""
    today = clock.today(now)
    async with db.atomic():
        for payee in await db.records("SELECT DISTINCT payee_id FROM settlement_line WHERE state = 'waiting' ORDER BY payee_id"):
            await lines.give_contracts(payee["payee_id"], now=now)
        due = await db.rows(_Due, _DUE, today, AT_ONCE)
        for line in due:
            await lines.book(line, on=line.on, now=now)
        await make_payable(now=now)
        if len(due) == AT_ONCE:
            await work.enqueue("settlement.advance", {}, run_at=now)
    return len(due)


async def make_payable(line_id: UUID | None = None, *, now: datetime) -> int:
    """Make lines payable whose day has come and that nothing blocks: all, or this one. In the caller's transaction."""
    return await db.execute(_PAYABLE, clock.today(now), now, line_id)


@work.handler("settlement.advance")
async def go_on(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Go on where the last round stopped."""
    await advance(now=now)


@periodic.periodic("settlement.advance", cron="10 4 * * *")
async def every_night(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Do it each night."""
    await advance(now=now)
