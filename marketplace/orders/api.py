"""Orders over JSON: place, list, read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from marketplace.kit.identity import Actor
from marketplace.kit.money import Money
from marketplace.kit.web import api
from marketplace.orders import cancel, place, read

_Reference = Annotated[str, msgspec.Meta(max_length=60)]


class OrderLineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person for one session."""

    session_id: UUID
    person_id: UUID


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order to place. Every seat is taken, or none."""

    lines: Annotated[list[OrderLineBody], msgspec.Meta(min_length=1, max_length=place.MAX_LINES)]
    purchase_order: _Reference | None = None
    cost_centre: _Reference | None = None


class OrderLineAnswer(msgspec.Struct, frozen=True):
    """One person in one session; ``state`` is awaiting_partner, accepted, declined or cancelled. ``fee`` stays due of a cancelled one."""

    id: UUID
    session_id: UUID
    person_id: UUID
    state: str
    title: str
    starts_at: datetime
    price: Money
    fee: Money | None


class OrderAnswer(msgspec.Struct, frozen=True):
    """An order; ``state`` is placed (a partner must answer), confirmed, declined or cancelled. The sums are what is owed for it."""

    id: UUID
    number: str
    state: str
    placed_at: datetime
    purchase_order: str | None
    cost_centre: str | None
    net: Money
    vat: Money
    total: Money
    lines: list[OrderLineAnswer]
    invoice_numbers: list[str]


class OrderListed(msgspec.Struct, frozen=True):
    """An order in a list."""

    id: UUID
    number: str
    state: str
    placed_at: datetime
    purchase_order: str | None
    total: Money
    invoice_numbers: list[str]


def _line(line: read.LineRow) -> OrderLineAnswer:
    return OrderLineAnswer(
        line.id,
        line.session_id,
        line.person_id,
        line.state.value,
        line.title,
        line.starts_at,
        line.price,
        None if line.fee_cents is None else line.fee,
    )


def _answer(order: read.Order) -> OrderAnswer:
    return OrderAnswer(
        id=order.id,
        number=str(order.number),
        state=order.state.value,
        placed_at=order.placed_at,
        purchase_order=order.purchase_order,
        cost_centre=order.cost_centre,
        net=order.net,
        vat=order.vat,
        total=order.total,
        lines=[_line(line) for line in order.lines],
        invoice_numbers=[invoice.number for invoice in order.invoices],
    )


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None


@post("/orders", opt={"access": "api-company"}, tags=["orders"])
async def place_order(
    data: JSONBody[OrderBody],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    key: api.IdempotencyKey = None,
) -> Response[OrderAnswer]:
    """Place an order: all seats or none. With an Idempotency-Key it is one order however often it is sent."""
    command = place.PlaceOrder(
        lines=tuple(place.LineWish(line.session_id, line.person_id) for line in data.lines),
        purchase_order=_text(data.purchase_order),
        cost_centre=_text(data.cost_centre),
        idempotency_key=_text(key),
    )
    placed = await place.place(command, actor=actor, now=now)
    order = await read.by_id(placed.id, actor=actor, new=not placed.replayed)
    return api.created(_answer(order), f"/api/v1/orders/{placed.id}")


@get("/orders", opt={"access": "api-company+ecl"}, tags=["orders"])
async def list_orders(actor: NamedDependency[Actor], cursor: api.Cursor = None) -> api.ListAnswer[OrderListed]:
    """List orders, newest first: your company's; with an ECL token, everybody's."""
    page = await read.listed(actor=actor, cursor=cursor, size=50)
    numbers = await read.invoice_numbers([row.id for row in page.items])
    return api.page_answer(
        page,
        lambda row: OrderListed(row.id, str(row.number), row.state.value, row.placed_at, row.purchase_order, row.total, numbers[row.id]),
    )


@get("/orders/{order_id:uuid}", opt={"access": "api-company+ecl", "noun": "order"}, tags=["orders"])
async def get_order(order_id: FromPath[UUID], actor: NamedDependency[Actor]) -> OrderAnswer:
    """Read one order with its lines and invoice numbers."""
    return _answer(await read.by_id(order_id, actor=actor))


class CostAnswer(msgspec.Struct, frozen=True):
    """What cancelling costs, without VAT: ``fee`` now and up to ``until``, ``next_fee`` after that."""

    line_id: UUID
    state: str
    price: Money
    fee: Money
    until: datetime | None
    next_fee: Money | None


class CancelledAnswer(msgspec.Struct, frozen=True):
    """A cancelled line and the fee that stays due, without VAT."""

    line_id: UUID
    state: str
    fee: Money


@get("/orders/{number:int}/lines/{line_id:uuid}/cancel", opt={"access": "api-company+ecl", "noun": "order_line"}, tags=["orders"])
async def cost_of_cancelling(
    number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> CostAnswer:
    """Read what cancelling one line of an order costs now, and from when it costs more."""
    found = await cancel.cost(number, line_id, actor=actor, now=now)
    return CostAnswer(line_id, found.line.state.value, found.line.price, found.fee.amount, found.fee.until, found.fee.next_amount)


@post("/orders/{number:int}/lines/{line_id:uuid}/cancel", opt={"access": "api-company+ecl", "noun": "order_line"}, tags=["orders"])
async def cancel_line(
    number: FromPath[int],
    line_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    fee_cents: FromQuery[int] = 0,
) -> CancelledAnswer:
    """Cancel one line of an order; sent again it changes nothing. It needs no body.

    `fee_cents` is the most that it may cost, without VAT, as it was read before: without it only a free line is cancelled.
    Where it would cost more, nothing happens (409 `fee_changed`).
    """
    done = await cancel.cancel(number, line_id, cancel.CancelLine(shown_cents=fee_cents), actor=actor, now=now)
    return CancelledAnswer(done.line_id, "cancelled", done.fee)


HANDLERS = [place_order, list_orders, get_order, cost_of_cancelling, cancel_line]
