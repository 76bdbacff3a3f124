"""What happens to a placed order: partners accept or decline its lines; decided, it is confirmed and invoiced, or declined."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import charges, invoices, vat
from billing.vat import VatCategory, VatLine
from catalog import seats
from marketplace.enrolments import enrolments
from marketplace.kit import audit, db, work
from marketplace.kit.errors import InvalidTransition, NotFound
from marketplace.kit.i18n import _
from marketplace.orders.pricing import group_key
from marketplace.orders.states import LineState, OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.kit.identity import Actor


class _Line(msgspec.Struct, frozen=True):
    id: UUID
    order_id: UUID
    enrolment_id: UUID
    charge_id: UUID
    seat_id: UUID
    state: LineState


async def accept_line(line_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Say that the partner takes this person. The caller has checked that the line is the actor's; raises ``InvalidTransition``."""
    async with db.atomic():
        line = await _locked(line_id)
        if line.state is LineState.ACCEPTED:
            return
        await _move(line, LineState.ACCEPTED, reason=None, now=now)
        await enrolments.confirm(line.enrolment_id, now=now)
        await audit.record("order_line.accepted", actor=actor, subject=("order", line.order_id), data={"line": line.id}, now=now)
        await settle(line.order_id, actor=actor, now=now)


async def decline_line(line_id: UUID, *, reason: str, actor: Actor, now: datetime) -> None:
    """Say that the partner does not take this person: the seat is free again and nothing is billed. Raises ``InvalidTransition``."""
    async with db.atomic():
        line = await _locked(line_id)
        if line.state is LineState.DECLINED:
            return
        await _move(line, LineState.DECLINED, reason=reason, now=now)
        await enrolments.decline(line.enrolment_id, now=now)
        await seats.release([line.seat_id], now=now)
        await charges.drop([line.charge_id], now=now)
        await total_what_stands(line.order_id)
        await audit.record("order_line.declined", actor=actor, subject=("order", line.order_id), data={"line": line.id}, now=now)
        await work.enqueue("orders.tell_declined", {"line_id": line.id}, run_at=now, dedupe_key=f"declined:{line.id}")
        await settle(line.order_id, actor=actor, now=now)


async def confirm(order_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Every line is accepted or declined and one at least is accepted: the order stands, its invoice is requested."""
    sql = "UPDATE placed_order SET state = 'confirmed', decided_at = $2 WHERE id = $1 AND state = 'placed'"
    if await db.execute(sql, order_id, now) == 0:
        raise InvalidTransition("invalid_transition", _("This order has been decided already."))
    await follow_confirmed(order_id, actor=actor, now=now)


async def follow_confirmed(order_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Write down that the order stands: what it earns the partners, and its invoice; for ``confirm``, and for orders that stand from the start."""
    await audit.record("order.confirmed", actor=actor, subject=("order", order_id), now=now)
    await work.later("orders.accrue", {"order_id": order_id}, run_at=now, dedupe_key=f"accrue:{order_id}")
    await invoices.request(group_key(order_id), now=now)


async def _locked(line_id: UUID) -> _Line:
    """Lock the line's order, then read the line with its seat. Raises ``NotFound``."""
    sql = (
        "SELECT l.id, l.order_id, l.enrolment_id, l.charge_id, e.seat_id, l.state FROM order_line l"
        " JOIN enrolment e ON e.id = l.enrolment_id WHERE l.id = $1"
    )
    seen = await db.row(_Line, sql, line_id)
    if seen is None:
        raise NotFound("not_found", _("There is no such order line."))
    await db.execute("SELECT FROM session WHERE id = (SELECT session_id FROM seat WHERE id = $1) FOR NO KEY UPDATE", seen.seat_id)
    await db.execute("SELECT FROM placed_order WHERE id = $1 FOR UPDATE", seen.order_id)
    locked = await db.row(_Line, sql, line_id)
    assert locked is not None
    return locked


async def _move(line: _Line, to: LineState, *, reason: str | None, now: datetime) -> None:
    sql = "UPDATE order_line SET state = $2, decline_reason = $3, state_at = $4 WHERE id = $1 AND state = 'awaiting_partner'"
    if await db.execute(sql, line.id, to.value, reason, now) == 0:
        raise InvalidTransition(
            "already_decided",
            _("This line has been decided already."),
            next_step=_("Call Expat Centre Leiden if plans have changed."),
        )


class _Price(msgspec.Struct, frozen=True):
    price_cents: int
    vat_category: VatCategory
    vat_rate: Decimal


async def total_what_stands(order_id: UUID) -> None:
    """Bring the order's sums to what is owed: nothing for declined lines, the fee for cancelled ones, VAT once per rate."""
    sql = "SELECT coalesce(fee_cents, price_cents) AS price_cents, vat_category, vat_rate FROM order_line WHERE order_id = $1 AND state <> 'declined'"
    lines = [
        VatLine(net_cents=line.price_cents, vat_category=line.vat_category, vat_rate=line.vat_rate)
        for line in await db.rows(_Price, sql, order_id)
    ]
    sums = vat.totals(lines)
    net, tax = sum(one.net_cents for one in sums), sum(one.vat_cents for one in sums)
    await db.execute(
        "UPDATE placed_order SET net_cents = $2, vat_cents = $3, total_cents = $4 WHERE id = $1", order_id, net, tax, net + tax
    )


async def settle(order_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Move a locked order on by the states of its lines: confirmed, declined, cancelled, or as it is."""
    states = set(await db.value("SELECT array_agg(DISTINCT state) FROM order_line WHERE order_id = $1", order_id))
    if LineState.AWAITING_PARTNER in states:
        return
    if LineState.ACCEPTED in states:
        if await db.value("SELECT state FROM placed_order WHERE id = $1", order_id) == OrderState.PLACED:
            await confirm(order_id, actor=actor, now=now)
        return
    ended = OrderState.CANCELLED if LineState.CANCELLED in states else OrderState.DECLINED
    sql = "UPDATE placed_order SET state = $2, decided_at = coalesce(decided_at, $3) WHERE id = $1 AND state IN ('placed', 'confirmed')"
    if await db.execute(sql, order_id, ended.value, now):
        await audit.record(f"order.{ended}", actor=actor, subject=("order", order_id), now=now)
