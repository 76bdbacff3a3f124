"""What the kit's pages show but other packages know: the basket's held seats, the counts in the rail. Registered at import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from marketplace.kit.identity import Actor
    from marketplace.kit.web.nav import Count
    from marketplace.kit.web.visitor import Held

_basket: list[Callable[[Actor, datetime], Awaitable[Held | None]]] = []
_rail: list[Callable[[Actor, datetime], Awaitable[Mapping[str, Count]]]] = []


def set_basket_hook(find: Callable[[Actor, datetime], Awaitable[Held | None]]) -> None:
    """Register the function that knows which seats an actor's basket holds now (one query at most)."""
    _basket[:] = [find]


async def basket_of(actor: Actor, now: datetime) -> Held | None:
    """Return the held seats of a company's member, or None."""
    return await _basket[0](actor, now) if _basket and actor.is_company else None


def set_rail_hook(find: Callable[[Actor, datetime], Awaitable[Mapping[str, Count]]]) -> None:
    """Register the function that knows what waits behind each entry of the rail, by address (one query at most)."""
    _rail[:] = [find]


async def counts_of(actor: Actor, now: datetime) -> Mapping[str, Count]:
    """Return what waits for ECL's desk or a partner, by address; nothing for anybody else."""
    return await _rail[0](actor, now) if _rail and (actor.is_ecl or actor.is_partner) else {}
