"""What an order that stands earns its partners: told to billing once, line by line, in the worker.

The seat's own facts go along (code of the programme, what it is for VAT, its days); a participant's name does not.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from billing.settlement import lines
from billing.settlement.lines import NewLine
from billing.settlement.payees import Owner
from marketplace.kit import clock, db, work


class _Sold(msgspec.Struct, frozen=True):
    charge_id: UUID
    order_number: int
    partner_id: UUID
    partner_name: str
    partner_code: str
    partner_email: str
    programme: str
    session: str
    title_nl: str
    title_en: str
    placed_at: datetime
    starts_at: datetime
    ends_at: datetime
    vat_basis: str
    teaching: str
    price_cents: int
    state: str
    fee_cents: int | None


_SOLD = """
    SELECT l.charge_id, o.number AS order_number, l.partner_id, t.name AS partner_name, t.code AS partner_code, t.email AS partner_email,
           p.code AS programme, s.code AS session, l.title_nl, l.title_en, o.placed_at, s.starts_at, s.ends_at, p.vat_basis,
           p.format AS teaching, l.price_cents, l.state, l.fee_cents
    FROM order_line l JOIN placed_order o ON o.id = l.order_id JOIN partner t ON t.id = l.partner_id JOIN session s ON s.id = l.session_id
        JOIN programme p ON p.id = s.programme_id
    WHERE l.order_id = $1 AND l.state IN ('accepted', 'cancelled') ORDER BY l.position
"""


@work.handler("orders.accrue")
async def accrue(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Tell billing what the lines of an order that stands earn; each once."""
    sold = await db.rows(_Sold, _SOLD, UUID(payload["order_id"]))
    await lines.accrue([_line(one) for one in sold], now=now)
    for one in sold:
        if one.state == "cancelled":
            await lines.cancel(one.charge_id, kept_cents=one.fee_cents or 0, now=now)


def _line(sold: _Sold) -> NewLine:
    return NewLine(
        charge_id=sold.charge_id,
        owner=Owner(id=sold.partner_id, name=sold.partner_name, code=sold.partner_code, email=sold.partner_email),
        order_number=str(sold.order_number),
        programme=sold.programme,
        session=sold.session,
        title_nl=sold.title_nl,
        title_en=sold.title_en,
        placed_on=_day(sold.placed_at),
        supply_from_on=_day(sold.starts_at),
        supply_to_on=_day(sold.ends_at),
        vat_basis=sold.vat_basis,
        teaching=sold.teaching,
        net_cents=sold.price_cents,
    )


def _day(instant: datetime) -> date:
    return clock.local(instant).date()
