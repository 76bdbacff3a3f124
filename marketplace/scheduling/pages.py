"""HR's pages for what will be ordered later: the list, a new plan, one plan to change or withdraw."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from catalog import sessions
from marketplace.kit import clock, db
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _, current_locale, fmt_datetime
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render
from marketplace.orders import candidates
from marketplace.scheduling import read, schedule
from marketplace.scheduling.schedule import PlanState, Wish

MORNING = time(9)
_Reference = Annotated[str, msgspec.Meta(max_length=60)]


class PlanForm(msgspec.Struct, frozen=True):
    """The form of a plan. ``session`` and ``programme`` come with the address; the time is Leiden's."""

    person_id: UUID
    run_on: date
    run_time: time = MORNING
    session: UUID | None = None
    programme: UUID | None = None
    starts_after_on: date | None = None
    price_cap: Money | None = None
    purchase_order: _Reference | None = None
    cost_centre: _Reference | None = None

    def wish(self) -> Wish:
        """Return what the form asks for."""
        return Wish(
            person_id=self.person_id,
            run_at=clock.instant(self.run_on, self.run_time),
            session_id=self.session,
            programme_id=None if self.session else self.programme,
            starts_after_on=self.starts_after_on,
            price_cap=self.price_cap,
            purchase_order=self.purchase_order,
            cost_centre=self.cost_centre,
        )


class Choice(msgspec.Struct, frozen=True):
    """A programme to choose."""

    id: UUID
    title: str
    code: str


@get("/scheduled-enrolments", opt={"access": "company"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    shown: Annotated[str | None, QueryParameter(name="state")] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List what the company has planned."""
    state = PlanState(shown) if shown in set(PlanState) else None
    page = await read.listed(actor=actor, state=state, cursor=cursor)
    return render(request, "scheduling/plan_list.html", page=page, state=state, counts=await read.counts(actor=actor))


@get("/scheduled-enrolments/new", opt={"access": "company"})
async def show_form(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    session: FromQuery[UUID | None] = None,
    programme: FromQuery[str | None] = None,
    person: FromQuery[UUID | None] = None,
) -> Html:
    """Show an empty plan, with the session, programme (id or code) or person that the address names."""
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    chosen = await _programme_id(programme)
    form = forms.blank(session=session or "", programme=chosen or "", person_id=person or "", run_time="09:00", **_BLANK)
    return await _form(request, actor, form, now=now)


_BLANK = {"run_on": "", "starts_after_on": "", "price_cap": "", "purchase_order": "", "cost_centre": ""}


@post("/scheduled-enrolments/new", opt={"access": "company"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Keep the plan."""
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    form = await forms.read(request, PlanForm)
    if form.data is not None:
        try:
            plan_id = await schedule.schedule(form.data.wish(), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            await _say_planned(request, plan_id, actor)
            return redirect("/scheduled-enrolments")
    return await _form(request, actor, form, now=now, status_code=422)


async def _say_planned(request: WebRequest, plan_id: UUID, actor: Actor) -> None:
    plan = await read.get(plan_id, actor=actor)
    fact = _("{person} is planned for {title}.", person=plan.person_name, title=plan.title)
    flash(request, fact, _("We order on {when} and mail you the result. Nothing is ordered yet.", when=fmt_datetime(plan.run_at)))


@get("/scheduled-enrolments/{plan_id:uuid}", opt={"access": "company", "noun": "scheduled_enrolment"})
async def show(request: WebRequest, plan_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show one plan, to change or withdraw while it is open."""
    plan = await read.get(plan_id, actor=actor)
    local = clock.local(plan.run_at)
    cap = f"{plan.price_cap_cents / 100:.2f}" if plan.price_cap_cents is not None else ""
    form = forms.blank(
        session=plan.session_id or "",
        programme="" if plan.wants_session else plan.programme_id,
        person_id=plan.person_id,
        run_on=local.date().isoformat(),
        run_time=f"{local:%H:%M}",
        starts_after_on=plan.starts_after_on.isoformat() if plan.starts_after_on else "",
        price_cap=cap,
        purchase_order=plan.purchase_order or "",
        cost_centre=plan.cost_centre or "",
    )
    return await _form(request, actor, form, plan=plan, now=now)


@post("/scheduled-enrolments/{plan_id:uuid}", opt={"access": "company", "noun": "scheduled_enrolment"}, status_code=303)
async def change(
    request: WebRequest, plan_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Replace the plan."""
    require(actor, Permission.SCHEDULE_ENROLMENTS)
    plan = await read.get(plan_id, actor=actor)
    form = await forms.read(request, PlanForm)
    if form.data is not None:
        try:
            await schedule.edit(plan_id, form.data.wish(), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            await _say_planned(request, plan_id, actor)
            return redirect("/scheduled-enrolments")
    return await _form(request, actor, form, plan=plan, now=now, status_code=422)


@post("/scheduled-enrolments/{plan_id:uuid}/withdraw", opt={"access": "company", "noun": "scheduled_enrolment"}, status_code=303)
async def withdraw(request: WebRequest, plan_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Give the plan up."""
    await schedule.withdraw(plan_id, actor=actor, now=now)
    flash(request, _("The plan is withdrawn."), _("Nothing will be ordered for it."))
    return redirect("/scheduled-enrolments")


async def _programme_id(text: str | None) -> UUID | None:
    if not text:
        return None
    found = await db.value("SELECT id FROM programme WHERE (code = $1 OR slug = $1 OR id::text = $1) AND state = 'published'", text)
    return None if found is None else UUID(str(found))


async def _form(
    request: WebRequest, actor: Actor, form: forms.Form[PlanForm], *, now: datetime, plan: read.Plan | None = None, status_code: int = 200
) -> Html:
    session = await _offer(str(form.values.get("session") or ""), now=now)
    people = await _people(actor) if plan is None or plan.open else []
    title = "title_nl" if current_locale() == "nl" else "title_en"
    choices = await db.rows(Choice, f"SELECT id, {title} AS title, code FROM programme WHERE state = 'published' ORDER BY 2 LIMIT 500")  # noqa: S608 - one of two constants
    return render(
        request,
        "scheduling/plan_form.html",
        status_code=status_code,
        form=form,
        plan=plan,
        session=session,
        people=people,
        programmes=choices,
        today=clock.today(now),
    )


async def _people(actor: Actor) -> list[candidates.Candidate]:
    return [] if actor.company_id is None else await candidates.everyone(actor.company_id)


async def _offer(text: str, *, now: datetime) -> sessions.SessionOffer | None:
    try:
        found = await sessions.for_order([UUID(text)], now=now)
    except ValueError:
        return None
    return found[0] if found else None


HANDLERS = [show_list, show_form, create, show, change, withdraw]
