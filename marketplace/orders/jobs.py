"""Mails about orders, written by the worker right after something happened to them; and taking back what ECL called off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.kit import db, identity, mail, work
from marketplace.kit.identity import Actor, Role
from marketplace.kit.money import Money, sum_money
from marketplace.orders import cancel, read
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


@work.handler("orders.tell_cancelled")
async def tell_cancelled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Tell the buyer what was cancelled, what it costs and what follows; also when ECL lets them off the fee."""
    order = await read.by_id(UUID(payload["order_id"]), actor=_ECL)
    lines = [line for line in order.lines if str(line.id) in payload["line_ids"]]
    fee = sum_money(Money(line.fee_cents or 0) for line in lines)
    for reader in await _readers(order):
        await mail.send(
            template="orders/cancelled",
            to=reader.email,
            locale=await _language(reader, order),
            context={"order": order, "lines": lines, "first": lines[0], "fee": fee, "excused": payload["key"].startswith("excused:")},
            now=now,
            dedupe_key=f"{payload['key']}:{reader.id}",
        )


@work.handler("orders.session_cancelled")
async def session_cancelled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Take back every order line of dates that ECL called off."""
    by = payload.get("by")
    await cancel.session_cancelled(UUID(payload["session_id"]), reason=payload["reason"], by=UUID(by) if by else None, now=now)


@work.handler("orders.take_back")
async def take_back(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Take back one order's lines of dates that ECL called off."""
    by = payload.get("by")
    actor = Actor(kind="system", account_id=UUID(by) if by else None, roles=frozenset({Role.ECL}))
    await cancel.take_back(UUID(payload["session_id"]), UUID(payload["order_id"]), reason=payload["reason"], actor=actor, now=now)


async def _language(buyer: identity.AccountRow, order: read.Order) -> str:
    return buyer.locale or str(await db.value("SELECT language FROM company WHERE id = $1", order.company_id))
