"""Mails about orders, written by the worker right after the order was placed or a line was declined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.kit import db, identity, mail, work
from marketplace.kit.identity import Actor, Role
from marketplace.orders import read
from marketplace.people import members

if TYPE_CHECKING:
    from datetime import datetime

_ECL = Actor(kind="system", roles=frozenset({Role.ECL}))


async def _readers(order: read.Order) -> list[identity.AccountRow]:
    """Return the buyer, or the owners once the buyer is no longer a member."""
    placed_by = await db.value("SELECT placed_by FROM placed_order WHERE id = $1", order.id)
    return await members.to_tell(placed_by, company_id=order.company_id)


@work.handler("orders.tell_placed")
async def tell_placed(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Tell the buyer that the order is placed, and whether it is certain."""
    order = await read.by_id(UUID(payload["order_id"]), actor=_ECL)
    for reader in await _readers(order):
        await mail.send(
            template="orders/placed",
            to=reader.email,
            locale=await _language(reader, order),
            context={"order": order},
            now=now,
            dedupe_key=f"placed:{order.id}:{reader.id}",
        )


@work.handler("orders.tell_declined")
async def tell_declined(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Tell the buyer that a partner can't take somebody, and what next."""
    line_id = UUID(payload["line_id"])
    order = await read.by_id(await db.value("SELECT order_id FROM order_line WHERE id = $1", line_id), actor=_ECL)
    line = next(line for line in order.lines if line.id == line_id)
    for reader in await _readers(order):
        await mail.send(
            template="orders/declined",
            to=reader.email,
            locale=await _language(reader, order),
            context={"order": order, "line": line},
            now=now,
            dedupe_key=f"declined:{line.id}:{reader.id}",
        )


async def _language(buyer: identity.AccountRow, order: read.Order) -> str:
    return buyer.locale or str(await db.value("SELECT language FROM company WHERE id = $1", order.company_id))
