"""The states of an order and of its lines, and which step leads where. Tests and the docs read these tables."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """``placed`` waits for a partner; ``confirmed`` is invoiced; ``declined``: no line was accepted; ``cancelled``: no line is left."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class LineState(StrEnum):
    """What the partner said of one person in one session, and whether it was called off afterwards."""

    AWAITING_PARTNER = "awaiting_partner"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"

    @property
    def stands(self) -> bool:
        """Tell whether the person takes part, or will as soon as the partner says yes."""
        return self in {LineState.AWAITING_PARTNER, LineState.ACCEPTED}


ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.CONFIRMED, OrderState.DECLINED, OrderState.CANCELLED}),
    OrderState.CONFIRMED: frozenset({OrderState.CANCELLED}),
    OrderState.DECLINED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}
LINE_TRANSITIONS: dict[LineState, frozenset[LineState]] = {
    LineState.AWAITING_PARTNER: frozenset({LineState.ACCEPTED, LineState.DECLINED, LineState.CANCELLED}),
    LineState.ACCEPTED: frozenset({LineState.CANCELLED}),
    LineState.DECLINED: frozenset(),
    LineState.CANCELLED: frozenset(),
}
