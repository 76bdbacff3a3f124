"""Scheduling an enrolment: make, edit, withdraw. The order itself is placed by ``run`` when its time has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from catalog import sessions
from catalog.words import ProgrammeState
from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.people import scope, staff
from marketplace.people.staff import PersonState

LATE = timedelta(days=1)
AHEAD = timedelta(days=3 * 366)


class PlanState(StrEnum):
    """``planned`` waits for its date; ``needs_attention`` waits for a person, who edits or withdraws it."""

    PLANNED = "planned"
    PLACED = "placed"
    WAITLISTED = "waitlisted"
    NEEDS_ATTENTION = "needs_attention"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[PlanState, frozenset[PlanState]] = {
    PlanState.PLANNED: frozenset({PlanState.PLACED, PlanState.WAITLISTED, PlanState.NEEDS_ATTENTION, PlanState.WITHDRAWN}),
    PlanState.WAITLISTED: frozenset({PlanState.PLACED, PlanState.NEEDS_ATTENTION, PlanState.WITHDRAWN}),
    PlanState.NEEDS_ATTENTION: frozenset({PlanState.PLANNED, PlanState.WITHDRAWN}),
    PlanState.PLACED: frozenset(),
    PlanState.WITHDRAWN: frozenset(),
}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Who, on what, when. Either a session, or a programme and the day on or after which its session must start.

    ``run_at`` is the instant at which we order. ``price_cap`` is per person without VAT; above it nothing is ordered.
    """

    person_id: UUID
    run_at: datetime
    session_id: UUID | None = None
    programme_id: UUID | None = None
    starts_after_on: date | None = None
    price_cap: Money | None = None
    purchase_order: str | None = None
    cost_centre: str | None = None


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled enrolment, locked until the transaction ends."""

    id: UUID
    company_id: UUID
    person_id: UUID
    session_id: UUID | None
    programme_id: UUID | None
    starts_after_on: date | None
    run_at: datetime
    price_cap_cents: int | None
    purchase_order: str | None
    cost_centre: str | None
    state: PlanState
    version: int
    created_by: UUID


async def schedule(wish: Wish, *, actor: Actor, now: datetime, company_id: UUID | None = None) -> UUID:
    """Keep an intention and return its id; the worker orders it at ``run_at``.

    Raises ``Forbidden``, ``NotFound`` (person, session or programme), ``Invalid``, and ``Conflict`` ``already_planned``.
    """
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    owner = scope.company_of(actor, company_id)
    if actor.account_id is None:
        raise scope.not_found()
    async with db.atomic():
        await _check(wish, company_id=owner, earliest=now - LATE, now=now)
        plan_id = ids.new_id()
        sql = (
            "INSERT INTO scheduled_enrolment (id, company_id, person_id, session_id, programme_id, starts_after_on, run_at, price_cap_cents,"
            " purchase_order, cost_centre, state, version, created_by, created_at, state_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'planned', 1, $11, $12, $12) ON CONFLICT DO NOTHING"
        )
        if await db.execute(sql, plan_id, owner, *_values(wish), actor.account_id, now) == 0:
            raise _already()
        await audit.record("scheduled_enrolment.planned", actor=actor, subject=("scheduled_enrolment", plan_id), data=_facts(wish), now=now)
        await _queue(plan_id, 1, wish.run_at, now=now)
    return plan_id


async def edit(plan_id: UUID, wish: Wish, *, actor: Actor, now: datetime) -> None:
    """Replace an intention that has not been ordered; one that needed attention is planned again. Raises as ``schedule``."""
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    async with db.atomic():
        before = await lock(plan_id, actor=actor)
        _refuse_final(before, PlanState.PLANNED)
        kept = before.run_at.replace(second=0, microsecond=0)  # as the form shows it
        await _check(wish, company_id=before.company_id, earliest=min(now - LATE, kept), now=now)
        sql = (
            "UPDATE scheduled_enrolment SET person_id = $2, session_id = $3, programme_id = $4, starts_after_on = $5, run_at = $6,"
            " price_cap_cents = $7, purchase_order = $8, cost_centre = $9, state = 'planned', code = NULL, version = version + 1, state_at = $10"
            " WHERE id = $1"
        )
        try:
            async with db.atomic():
                await db.execute(sql, plan_id, *_values(wish), now)
        except Exception as error:
            if (db.violated(error) or "").endswith("_once"):
                raise _already() from error
            raise
        await audit.record("scheduled_enrolment.edited", actor=actor, subject=("scheduled_enrolment", plan_id), data=_facts(wish), now=now)
        await work.withdraw(_key(plan_id, before.version))
        await _queue(plan_id, before.version + 1, wish.run_at, now=now)


async def withdraw(plan_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Give an intention up; doing it again is fine. Raises ``InvalidTransition`` when it was ordered already."""
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    async with db.atomic():
        before = await lock(plan_id, actor=actor)
        if before.state is PlanState.WITHDRAWN:
            return
        _refuse_final(before, PlanState.WITHDRAWN)
        await db.execute("UPDATE scheduled_enrolment SET state = 'withdrawn', code = NULL, state_at = $2 WHERE id = $1", plan_id, now)
        await audit.record("scheduled_enrolment.withdrawn", actor=actor, subject=("scheduled_enrolment", plan_id), now=now)
        await work.withdraw(_key(plan_id, before.version))


async def lock(plan_id: UUID, *, actor: Actor) -> Locked:
    """Return a scheduled enrolment of the actor's company, locked. Raises ``NotFound``."""
    owner = None if actor.kind == "system" else scope.company_of(actor)
    sql = f"SELECT {', '.join(Locked.__struct_fields__)} FROM scheduled_enrolment WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2) FOR UPDATE"  # noqa: S608
    found = await db.row(Locked, sql, plan_id, owner)
    if found is None:
        raise scope.not_found()
    return found


async def _check(wish: Wish, *, company_id: UUID, earliest: datetime, now: datetime) -> None:
    fields: dict[str, str] = {}
    if wish.run_at < earliest:
        fields["run_at"] = _("Choose a moment that is still to come.")
    if wish.run_at > now + AHEAD:
        fields["run_at"] = _("Choose a moment within three years.")
    if (wish.session_id is None) == (wish.programme_id is None):
        fields["session_id"] = _("Give either a session or a programme.")
    if wish.price_cap is not None and wish.price_cap.cents <= 0:
        fields["price_cap"] = _("Give a price above nothing, or leave it blank.")
    if fields:
        raise Invalid("invalid", " ".join(fields.values()), fields=fields)
    person = await staff.get(wish.person_id, company_id=company_id)
    if person.state is PersonState.LEFT:
        raise Conflict("person_left", _("{name} no longer works here.", name=person.name), next_step=_("Choose somebody else."))
    if wish.session_id is not None:
        await _check_session(wish.session_id, wish.run_at, now=now)
    elif wish.programme_id is not None:
        await _check_programme(wish.programme_id)


async def _check_session(session_id: UUID, run_at: datetime, *, now: datetime) -> None:
    found = await sessions.for_order([session_id], now=now)
    if not found:
        raise NotFound("not_found", _("There are no such dates."), next_step=_("Choose dates from the programmes."))
    if run_at > found[0].order_until:
        sentence = _("By then these dates can no longer be ordered. Choose an earlier moment.")
        raise Invalid("too_late", sentence, fields={"run_at": sentence})


async def _check_programme(programme_id: UUID) -> None:
    state = await db.value("SELECT state FROM programme WHERE id = $1", programme_id)
    if state != ProgrammeState.PUBLISHED:
        raise NotFound("not_found", _("There is no such programme."), next_step=_("Choose one from the programmes."))


def _values(wish: Wish) -> tuple[object, ...]:
    cap = wish.price_cap.cents if wish.price_cap else None
    return (
        wish.person_id,
        wish.session_id,
        wish.programme_id,
        wish.starts_after_on,
        wish.run_at,
        cap,
        wish.purchase_order,
        wish.cost_centre,
    )


def _facts(wish: Wish) -> dict[str, object]:
    return {"person": wish.person_id, "session": wish.session_id, "programme": wish.programme_id, "run_at": wish.run_at}


def _already() -> Conflict:
    return Conflict(
        "already_planned",
        _("This person is planned for this already."),
        next_step=_("Change the plan that is there, or withdraw it first."),
    )


def _refuse_final(before: Locked, to: PlanState) -> None:
    if to not in TRANSITIONS[before.state] and before.state is not to:
        raise InvalidTransition(
            "invalid_transition",
            _("This has been ordered or withdrawn already."),
            next_step=_("Look at the order, or make a new plan."),
        )


def _key(plan_id: UUID, version: int) -> str:
    return f"scheduled:{plan_id}:{version}"


async def _queue(plan_id: UUID, version: int, run_at: datetime, *, now: datetime) -> None:
    await work.enqueue(
        "scheduling.run", {"plan_id": plan_id, "version": version}, run_at=max(run_at, now), now=now, dedupe_key=_key(plan_id, version)
    )
