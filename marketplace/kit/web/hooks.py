"""What the kit's pages show but other packages know: the basket's held seats. Registered at import, by name of a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from marketplace.kit.identity import Actor
    from marketplace.kit.web.visitor import Held

_basket: list[Callable[[Actor, datetime], Awaitable[Held | None]]] = []


def set_basket_hook(find: Callable[[Actor, datetime], Awaitable[Held | None]]) -> None:
    """Register the function that knows which seats an actor's basket holds now (one query at most)."""
    _basket[:] = [find]


async def basket_of(actor: Actor, now: datetime) -> Held | None:
    """Return the held seats of a company's member, or None."""
    return await _basket[0](actor, now) if _basket and actor.is_company else None
