"""The states of an order and of its lines, and which step leads where. Tests and the docs read these tables."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """``placed`` waits for a partner; ``confirmed`` is invoiced; ``declined`` means that no line was accepted."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class LineState(StrEnum):
    """What the partner said of one person in one session."""

    AWAITING_PARTNER = "awaiting_partner"
    ACCEPTED = "accepted"
    DECLINED = "declined"


ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.CONFIRMED, OrderState.DECLINED}),
    OrderState.CONFIRMED: frozenset(),
    OrderState.DECLINED: frozenset(),
}
LINE_TRANSITIONS: dict[LineState, frozenset[LineState]] = {
    LineState.AWAITING_PARTNER: frozenset({LineState.ACCEPTED, LineState.DECLINED}),
    LineState.ACCEPTED: frozenset(),
    LineState.DECLINED: frozenset(),
}
