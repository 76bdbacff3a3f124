"""Dates that move before the invoice: what an order's lines are to be billed for gets the session's new days."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import charges, redecide
from billing.settlement import lines as settlement
from marketplace.kit import clock, db, work

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Moved(msgspec.Struct, frozen=True):
    charge_id: UUID
    starts_at: datetime
    ends_at: datetime


_LINES = """
    SELECT l.charge_id, s.starts_at, s.ends_at FROM order_line l JOIN session s ON s.id = l.session_id
    WHERE l.session_id = $1 AND l.state IN ('awaiting_partner', 'accepted') ORDER BY l.charge_id
"""


@work.handler("orders.session_moved")
async def session_moved(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Give the open charges of a session its days as they are now."""
    await follow(UUID(payload["session_id"]), now=now)


async def follow(session_id: UUID, *, now: datetime) -> int:
    """Redate a session's open charges, decide their VAT again for the new days, and return how many moved.

    What is on an invoice stays as it was issued; the day on which the partner is paid moves either way.
    """
    async with db.atomic():
        found = await db.rows(_Moved, _LINES, session_id)
        locked = {charge.id: charge for charge in await charges.lock([line.charge_id for line in found])}
        moved = [line for line in found if line.charge_id in locked and _days(line) != _kept(locked[line.charge_id])]
        for line in moved:
            await charges.redate(line.charge_id, from_on=_days(line)[0], to_on=_days(line)[1])
        await _decide_again([line.charge_id for line in moved], now=now)
        for line in found:
            await settlement.redate(line.charge_id, from_on=_days(line)[0], to_on=_days(line)[1], now=now)
    return len(moved)


async def _decide_again(charge_ids: Sequence[UUID], *, now: datetime) -> None:
    if charge_ids:
        await redecide.of_charges(await charges.of(charge_ids), now=now)


def _days(line: _Moved) -> tuple[date, date]:
    return clock.today(line.starts_at), clock.today(line.ends_at)


def _kept(charge: charges.Charge) -> tuple[date, date]:
    return charge.supply_from_on, charge.supply_to_on
