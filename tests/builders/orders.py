"""Orders for tests, placed through the one verb that places orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.kit import clock
from marketplace.orders import place, read
from marketplace.orders.place import LineWish, PlaceOrder

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor


async def an_order(session_id: UUID, *person_ids: UUID, actor: Actor, **facts: object) -> read.Order:
    """Place an order for people in one session and return it."""
    lines = tuple(LineWish(session_id, person_id) for person_id in person_ids)
    placed = await place.place(PlaceOrder(lines=lines, **facts), actor=actor, now=clock.now())  # type: ignore[arg-type]
    return await read.by_id(placed.id, actor=actor)
