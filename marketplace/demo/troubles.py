"""What doesn't go as planned in the demo: cancellations, credit notes, money back, an invoice withdrawn and one given up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from billing import credits as credit_notes
from billing import refunds
from billing.changes import closing
from billing.credits import Credit
from marketplace.kit import clock, db
from marketplace.kit.errors import DomainError
from marketplace.orders import cancel
from marketplace.orders.cancel import CancelLine

if TYPE_CHECKING:
    from marketplace.demo.people import Cast, House

Step = Callable[[datetime], Awaitable[None]]
_LINE = """
    SELECT l.id, o.number FROM order_line l JOIN placed_order o ON o.id = l.order_id JOIN charge c ON c.id = l.charge_id
    WHERE l.company_id = $1 AND l.state = 'accepted' AND c.state = $2 AND l.starts_at BETWEEN $3 AND $4 ORDER BY l.starts_at, o.number, l.position LIMIT 1
"""
_INVOICE = """
    SELECT i.id, i.number, i.total_cents, i.paid_cents, (SELECT id FROM invoice_line WHERE invoice_id = i.id ORDER BY position LIMIT 1) AS line_id,
           (SELECT net_cents FROM invoice_line WHERE invoice_id = i.id ORDER BY position LIMIT 1) AS net_cents
    FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE d.owner_id = $1 AND i.kind = 'invoice' AND i.credited_cents = 0 AND {where}
    ORDER BY i.number {way} LIMIT 1
"""


def steps(cast: Cast, *, until: datetime) -> Iterator[tuple[datetime, Step]]:
    """Give each trouble with its time, counted back from the end."""
    houses = cast.houses
    troubles: list[tuple[float, Step]] = [
        (40, _cancelled(houses["demo"], days=(15, 90))),
        (26, _cancelled(houses["other"], days=(15, 90))),
        (23, _cancelled(houses["demo"], days=(7, 14))),
        (21, _cancelled(houses["instituut"], days=(7, 14))),
        (18, _cancelled(houses["zijldijk"], days=(7, 14))),
        (10, _cancelled(houses["demo"], days=(7, 14))),
        (6, _cancelled(houses["vlietland"], days=(7, 60), charge="open")),
        (4, _cancelled(houses["demo"], days=(15, 90))),
        (16, _goodwill(cast, houses["demo"])),
        (13, _set_off(cast, houses["demo"])),
        (11, _goodwill(cast, houses["schelde"])),
        (2, _goodwill(cast, houses["zoeterbrug"])),
        (9, _goodwill(cast, houses["other"])),
        (8, _paid_back(cast, houses["other"])),
        (7, _withdrawn(cast, houses["zijldijk"])),
        (5, _given_up(cast, houses["neckar"])),
    ]
    for days, step in troubles:
        yield until - timedelta(days=days, hours=3), step


def _cancelled(house: House, *, days: tuple[int, int], charge: str = "invoiced") -> Step:
    async def step(now: datetime) -> None:
        first, last = (now + timedelta(days=count) for count in days)
        for row in await db.records(_LINE, house.company_id, charge, first, last):
            await cancel.cancel(row["number"], row["id"], CancelLine(), actor=house.buyer, now=now)

    return step


def _goodwill(cast: Cast, house: House) -> Step:
    """Take a tenth off a line that was paid."""

    async def step(now: datetime) -> None:
        for row in await db.records(_INVOICE.format(where="i.state = 'paid'", way="DESC"), house.company_id):
            lines = [(row["line_id"], row["net_cents"] // 10)]
            wanted = Credit(
                invoice_id=row["id"], lines=lines, reason="Two lessons fell out", cause="goodwill", key=f"demo:goodwill:{row['id']}"
            )
            await credit_notes.credit(wanted, actor=cast.ecl, now=now)

    return step


async def _owed(house: House) -> list[dict[str, Any]]:
    sql = """
        SELECT i.id FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE d.owner_id = $1 AND i.kind = 'invoice'
            AND i.paid_cents - i.refunded_cents > i.total_cents - i.credited_cents - i.written_off_cents ORDER BY i.number
    """
    return await db.records(sql, house.company_id)


def _set_off(cast: Cast, house: House) -> Step:
    """Use what the company has with us towards its newest invoice."""

    async def step(now: datetime) -> None:
        for row in (await _owed(house))[:1]:
            for target in (await refunds.targets(row["id"]))[:1]:
                await refunds.set_off(row["id"], target.number, actor=cast.ecl, now=now)

    return step


def _paid_back(cast: Cast, house: House) -> Step:
    async def step(now: datetime) -> None:
        for row in await _owed(house):
            can = await refunds.available(row["id"])
            if can:
                await refunds.by_bank(row["id"], cents=can, on=clock.today(now), actor=cast.ecl, now=now)

    return step


def _withdrawn(cast: Cast, house: House) -> Step:
    async def step(now: datetime) -> None:
        for row in await db.records(_INVOICE.format(where="i.paid_cents = 0 AND i.state = 'issued'", way="DESC"), house.company_id):
            await closing.withdraw(row["id"], reason="Ordered twice by mistake", actor=cast.ecl, now=now)

    return step


def _given_up(cast: Cast, house: House) -> Step:
    async def step(now: datetime) -> None:
        for row in await db.records(
            _INVOICE.format(where="i.paid_cents = 0 AND i.state IN ('issued', 'open')", way="ASC"), house.company_id
        ):
            try:
                await closing.give_up(row["id"], reason="silent", actor=cast.ecl, now=now)
            except DomainError:
                return

    return step
