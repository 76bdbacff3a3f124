"""The basket: seats held for half an hour while a member chooses people. Nothing in it is ordered yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import seats
from catalog.seats import SeatWish
from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.people import scope, staff

if TYPE_CHECKING:
    from collections.abc import Sequence

HOLD = timedelta(minutes=30)
MAX_LINES = 200


class BasketLine(msgspec.Struct, frozen=True):
    """One person for one session, and the seat that is held for them."""

    id: UUID
    session_id: UUID
    person_id: UUID
    seat_id: UUID


class Basket(msgspec.Struct, frozen=True):
    """A member's basket. ``held_until`` is in UTC; past it the seats may be gone, the choice is not."""

    id: UUID
    company_id: UUID
    purchase_order: str | None
    cost_centre: str | None
    held_until: datetime
    lines: list[BasketLine]


_BASKET = "SELECT id, company_id, purchase_order, cost_centre, held_until FROM basket WHERE account_id = $1"


class _Head(msgspec.Struct, frozen=True):
    id: UUID
    company_id: UUID
    purchase_order: str | None
    cost_centre: str | None
    held_until: datetime


async def of(actor: Actor) -> Basket | None:
    """Return the member's basket, or None when it is empty."""
    return await _read(_BASKET, actor.account_id)


async def lock(basket_id: UUID, *, actor: Actor) -> Basket:
    """Return the member's own basket, locked until the transaction ends. Raises ``Conflict`` ``basket_gone``."""
    found = await _read(f"{_BASKET} AND id = $2 FOR UPDATE", actor.account_id, basket_id)
    if found is None:
        raise Conflict("basket_gone", _("There is nothing in your basket any more."), next_step=_("Choose the dates and people again."))
    return found


async def _read(sql: str, *args: object) -> Basket | None:
    head = await db.row(_Head, sql, *args)
    if head is None:
        return None
    lines = await db.rows(
        BasketLine, "SELECT id, session_id, person_id, seat_id FROM basket_line WHERE basket_id = $1 ORDER BY id", head.id
    )
    if not lines:
        return None
    return Basket(head.id, head.company_id, head.purchase_order, head.cost_centre, head.held_until, lines)


async def choose(
    session_id: UUID,
    person_ids: Sequence[UUID],
    *,
    purchase_order: str | None,
    cost_centre: str | None,
    actor: Actor,
    now: datetime,
) -> Basket:
    """Put exactly these people in the basket for a session, and hold all of its seats for another 30 minutes.

    People who were chosen for this session before and are no longer are given back. Raises ``Invalid`` without people,
    ``NotFound`` for a person who is not the company's, ``Conflict`` as ``catalog.seats.hold``; then nothing has changed.
    """
    require(actor, Permission.PLACE_ORDERS)
    company_id = scope.company_of(actor)
    if not person_ids:
        sentence = _("Tick at least one person.")
        raise Invalid("no_people", sentence, fields={"person_id": sentence})
    until = now + HOLD
    async with db.atomic():
        await staff.get_many(list(person_ids), company_id=company_id)
        basket_id = await _head(actor, company_id, purchase_order, cost_centre, until=until, now=now)
        lines = await db.rows(
            BasketLine, "SELECT id, session_id, person_id, seat_id FROM basket_line WHERE basket_id = $1 ORDER BY id", basket_id
        )
        await _let_go([line for line in lines if line.session_id == session_id], now=now)
        others = [line for line in lines if line.session_id != session_id]
        wishes = [SeatWish(session_id, person_id, company_id) for person_id in dict.fromkeys(person_ids)]
        check_size(len(others) + len(wishes))
        held = await seats.hold(wishes, until=until, now=now)
        sql = "INSERT INTO basket_line (id, basket_id, session_id, person_id, seat_id) VALUES ($1, $2, $3, $4, $5)"
        await db.execute_many(sql, [(ids.new_id(), basket_id, seat.session_id, seat.person_id, seat.id) for seat in held])
        await db.execute(
            "UPDATE seat SET held_until = $2 WHERE id = ANY($1) AND state = 'held' AND held_until > $3",
            [line.seat_id for line in others],
            until,
            now,
        )
    found = await of(actor)
    assert found is not None
    return found


def check_size(lines: int) -> None:
    """Raise ``Invalid`` when an order would have more lines than one order can have."""
    if lines > MAX_LINES:
        sentence = _("An order has at most {count} lines. Split it into several.", count=MAX_LINES)
        raise Invalid("too_many_lines", sentence, fields={"lines": sentence})


async def _head(
    actor: Actor, company_id: UUID, purchase_order: str | None, cost_centre: str | None, *, until: datetime, now: datetime
) -> UUID:
    sql = """
        INSERT INTO basket (id, company_id, account_id, purchase_order, cost_centre, held_until, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (account_id) DO UPDATE SET company_id = $2, purchase_order = $4, cost_centre = $5, held_until = $6, changed_at = $7
        RETURNING id
    """
    return UUID(str(await db.value(sql, ids.new_id(), company_id, actor.account_id, purchase_order, cost_centre, until, now)))


async def remove_session(session_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a session out of the basket and give its seats back."""
    async with db.atomic():
        found = await _read(f"{_BASKET} FOR UPDATE", actor.account_id)
        if found is None:
            return
        await _let_go([line for line in found.lines if line.session_id == session_id], now=now)
        if all(line.session_id == session_id for line in found.lines):
            await forget(found.id)


async def empty(*, actor: Actor, now: datetime) -> None:
    """Give every seat back and forget the choice. A basket that is being ordered meanwhile keeps its seats."""
    async with db.atomic():
        found = await _read(f"{_BASKET} FOR UPDATE", actor.account_id)
        if found is not None:
            await _let_go(found.lines, now=now)
            await forget(found.id)


async def _let_go(lines: Sequence[BasketLine], *, now: datetime) -> None:
    await db.execute("DELETE FROM basket_line WHERE id = ANY($1)", [line.id for line in lines])
    await seats.release([line.seat_id for line in lines], now=now)


async def forget(basket_id: UUID) -> None:
    """Delete a basket, not its seats: they have been taken or given back."""
    await db.execute("DELETE FROM basket WHERE id = $1", basket_id)
