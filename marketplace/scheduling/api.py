"""Scheduled enrolments over JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from marketplace.kit.identity import Actor
from marketplace.kit.money import Money
from marketplace.kit.web import api
from marketplace.scheduling import read, schedule

_Reference = Annotated[str, msgspec.Meta(max_length=60)]
_Cap = Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class PriceCapBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be paid per person, without VAT."""

    cents: _Cap
    currency: Annotated[str, msgspec.Meta(pattern="^EUR$")] = "EUR"


class ScheduledEnrolmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Put a person on a session, or on the first session of a programme that starts on or after a day, at ``run_at``."""

    person_id: UUID
    run_at: _Instant
    session_id: UUID | None = None
    programme_id: UUID | None = None
    starts_after: date | None = None
    price_cap: PriceCapBody | None = None
    purchase_order: _Reference | None = None
    cost_centre: _Reference | None = None


class ScheduledEnrolmentAnswer(msgspec.Struct, frozen=True):
    """``state`` is planned, placed, waitlisted, needs_attention or withdrawn; ``code`` says why it needs attention."""

    id: UUID
    person_id: UUID
    session_id: UUID | None
    programme_id: UUID | None
    starts_after: date | None
    run_at: datetime
    state: str
    code: str | None
    order_id: UUID | None
    price_cap: Money | None
    purchase_order: str | None
    cost_centre: str | None


def _answer(plan: read.Plan) -> ScheduledEnrolmentAnswer:
    return ScheduledEnrolmentAnswer(
        id=plan.id,
        person_id=plan.person_id,
        session_id=plan.session_id,
        programme_id=None if plan.wants_session else plan.programme_id,
        starts_after=plan.starts_after_on,
        run_at=plan.run_at,
        state=plan.state.value,
        code=plan.code,
        order_id=plan.order_id,
        price_cap=plan.price_cap,
        purchase_order=plan.purchase_order,
        cost_centre=plan.cost_centre,
    )


@post("/scheduled-enrolments", opt={"access": "api-company"}, tags=["scheduled enrolments"])
async def schedule_enrolment(
    data: JSONBody[ScheduledEnrolmentBody], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[ScheduledEnrolmentAnswer]:
    """Plan an enrolment. At its time every check is done again, and you are told by mail what became of it."""
    wish = schedule.Wish(
        person_id=data.person_id,
        run_at=data.run_at,
        session_id=data.session_id,
        programme_id=data.programme_id,
        starts_after_on=data.starts_after,
        price_cap=Money(data.price_cap.cents) if data.price_cap else None,
        purchase_order=(data.purchase_order or "").strip() or None,
        cost_centre=(data.cost_centre or "").strip() or None,
    )
    plan_id = await schedule.schedule(wish, actor=actor, now=now)
    return api.created(_answer(await read.get(plan_id, actor=actor)), f"/api/v1/scheduled-enrolments/{plan_id}")


@get("/scheduled-enrolments", opt={"access": "api-company+ecl"}, tags=["scheduled enrolments"])
async def list_scheduled_enrolments(actor: NamedDependency[Actor], cursor: api.Cursor = None) -> api.ListAnswer[ScheduledEnrolmentAnswer]:
    """List scheduled enrolments, the latest ``run_at`` first."""
    return api.page_answer(await read.listed(actor=actor, cursor=cursor, size=50), _answer)


@get(
    "/scheduled-enrolments/{plan_id:uuid}", opt={"access": "api-company+ecl", "noun": "scheduled_enrolment"}, tags=["scheduled enrolments"]
)
async def get_scheduled_enrolment(plan_id: FromPath[UUID], actor: NamedDependency[Actor]) -> ScheduledEnrolmentAnswer:
    """Read one scheduled enrolment."""
    return _answer(await read.get(plan_id, actor=actor))


@delete("/scheduled-enrolments/{plan_id:uuid}", opt={"access": "api-company", "noun": "scheduled_enrolment"}, tags=["scheduled enrolments"])
async def withdraw_scheduled_enrolment(plan_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> None:
    """Withdraw a scheduled enrolment that has not been ordered; again is fine."""
    await schedule.withdraw(plan_id, actor=actor, now=now)


HANDLERS = [schedule_enrolment, list_scheduled_enrolments, get_scheduled_enrolment, withdraw_scheduled_enrolment]
