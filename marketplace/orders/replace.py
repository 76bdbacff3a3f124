"""Somebody else in an ordered seat: free until the start (RULES §5). Same seat, same price, other person.

What was billed stays as it was ordered: the invoice keeps the name or number of whom it was ordered for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog import seats
from marketplace.enrolments import enrolments
from marketplace.kit import audit, db, work
from marketplace.kit.errors import Conflict, InvalidTransition
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require
from marketplace.orders import cancel
from marketplace.people import staff
from marketplace.people.staff import PersonState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor
    from marketplace.orders.cancel import Line


async def line_of(number: int, line_id: UUID, *, actor: Actor) -> Line:
    """Return the line of the actor's order that somebody else may take. Raises ``NotFound``."""
    require(actor, Permission.CANCEL_ORDERS)
    return await cancel.line_of(number, line_id, actor=actor)


async def replace(number: int, line_id: UUID, person_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Put another person of the same company in a line's seat; the same person again changes nothing.

    Both are told by mail if the seat is certain, and so is the partner. Raises ``NotFound``, ``Conflict`` ``begun`` once it
    has started, ``person_left``, ``already_enrolled``; ``InvalidTransition`` for a line that doesn't stand.
    """
    require(actor, Permission.CANCEL_ORDERS)
    seen = await cancel.line_of(number, line_id, actor=actor)
    async with db.atomic():
        await cancel.lock([seen.session_id], [seen.order_id])
        line = await cancel.line_of(number, line_id, actor=actor)
        if not line.state.stands:
            raise InvalidTransition("invalid_transition", _("This seat was cancelled or declined, so nobody else can take it."))
        if now >= line.starts_at:
            raise Conflict(
                "begun", _("The course has begun, so nobody else can take this seat."), next_step=_("Call us: we look what is possible.")
            )
        person = (await staff.get_many([person_id], company_id=line.company_id))[person_id]
        if person.state is PersonState.LEFT:
            raise Conflict("person_left", _("{name} no longer works here.", name=person.name), next_step=_("Choose somebody else."))
        if person_id == line.person_id:
            return
        await seats.hand_over(line.seat_id, person_id, now=now)
        await enrolments.hand_over(line.enrolment_id, person_id, now=now)
        await db.execute("UPDATE order_line SET person_id = $2 WHERE id = $1", line.id, person_id)
        data = {"line": line.id, "from": line.person_id, "to": person_id}
        await audit.record("order_line.replaced", actor=actor, subject=("order", line.order_id), data=data, now=now)
        payload = {"line_id": line.id, "from": line.person_id}
        await work.enqueue(
            "fulfilment.person_replaced", payload, run_at=now, dedupe_key=f"replaced:{line.id}:{person_id}:{now.isoformat()}"
        )
