"""Ordering what was scheduled, at its time, with every check again: seat, price, references, state of the dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog import sessions
from marketplace.kit import audit, clock, db, identity, work
from marketplace.kit.errors import Conflict, DomainError
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor
from marketplace.orders import place
from marketplace.orders.place import LineWish, PlacedOrder, PlaceOrder
from marketplace.scheduling import schedule
from marketplace.scheduling.schedule import Locked, PlanState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


async def run(plan_id: UUID, version: int, *, now: datetime) -> PlanState | None:
    """Order one scheduled enrolment, exactly once, in the caller's transaction; return what became of it.

    Returns None for a plan that was edited, withdrawn or ordered meanwhile. A refusal is kept as ``needs_attention`` with
    its code, and nothing is ordered; HR is told either way.
    """
    plan = await schedule.lock(plan_id, actor=SYSTEM)
    if plan.state is not PlanState.PLANNED or plan.version != version:
        return None
    try:
        async with db.atomic():
            placed = await _order(plan, now=now)
    except DomainError as refusal:
        await _needs_attention(plan, refusal.code, now=now)
        return PlanState.NEEDS_ATTENTION
    await _placed(plan, placed, now=now)
    return PlanState.PLACED


async def _order(plan: Locked, *, now: datetime) -> PlacedOrder:
    session_id = await _session_for(plan, now=now)
    offer = await sessions.offer(session_id, now=now)
    if plan.price_cap_cents is not None and offer.price_cents > plan.price_cap_cents:
        raise Conflict("price_above_cap", _("The price is above the limit that was set."))
    command = PlaceOrder(
        company_id=plan.company_id,
        lines=(LineWish(session_id, plan.person_id),),
        purchase_order=plan.purchase_order,
        cost_centre=plan.cost_centre,
        idempotency_key=f"scheduled:{plan.id}:{plan.version}",
    )
    return await place.place(command, actor=await _on_behalf(plan), now=now)


async def _session_for(plan: Locked, *, now: datetime) -> UUID:
    if plan.session_id is not None:
        return plan.session_id
    assert plan.programme_id is not None
    on = max(plan.starts_after_on or clock.today(now), clock.today(now))
    found = await sessions.first_after(plan.programme_id, on, now=now)
    if found is None:
        raise Conflict("no_session", _("No dates with a free seat are planned for then."))
    return found


async def _on_behalf(plan: Locked) -> Actor:
    """Return the system, acting for whoever made the plan: the mails and the invoice name them."""
    account = await identity.account(plan.created_by)
    return Actor(kind="system", account_id=plan.created_by, company_id=None, name=account.name if account else SYSTEM.name)


async def _placed(plan: Locked, placed: PlacedOrder, *, now: datetime) -> None:
    sql = "UPDATE scheduled_enrolment SET state = 'placed', order_id = $2, state_at = $3 WHERE id = $1"
    await db.execute(sql, plan.id, placed.id, now)
    await _told(plan, "placed", {"order": placed.id}, now=now)


async def _needs_attention(plan: Locked, code: str, *, now: datetime) -> None:
    sql = "UPDATE scheduled_enrolment SET state = 'needs_attention', code = $2, state_at = $3 WHERE id = $1"
    await db.execute(sql, plan.id, code, now)
    await _told(plan, "needs_attention", {"code": code}, now=now)


async def _told(plan: Locked, outcome: str, data: dict[str, object], *, now: datetime) -> None:
    await audit.record(f"scheduled_enrolment.{outcome}", actor=SYSTEM, subject=("scheduled_enrolment", plan.id), data=data, now=now)
    await work.enqueue("scheduling.tell", {"plan_id": plan.id}, run_at=now, dedupe_key=f"scheduled-told:{plan.id}:{plan.version}")
