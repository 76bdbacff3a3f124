"""Sessions at ECL's desk: list, plan with a preview of the lessons, edit, publish, withdraw, confirm, cancel."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from catalog import lessons, programmes, session_changes, sessions, shown
from catalog.forms import CancelForm, SessionForm, new_session, show_session
from catalog.words import Language, name
from marketplace.kit import i18n
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

_ECL = {"access": "ecl"}
_ONE = {"access": "ecl", "noun": "session"}
_LABELS = {
    "programme_id": N_("Programme"),
    "first_on": N_("First day"),
    "starts": N_("Starts at"),
    "minutes": N_("Minutes a lesson"),
    "lesson_count": N_("Number of lessons"),
    "weekdays": N_("On these days"),
    "skip_school_holidays": N_("Not in school holidays"),
    "capacity": N_("Seats"),
    "minimum": N_("Goes ahead from"),
    "language": N_("Taught in"),
    "code": N_("Code"),
    "place": N_("Address"),
    "room": N_("Room"),
    "online_url": N_("Link for online lessons"),
    "price": N_("Price without VAT"),
    "decision_at": N_("Decide by"),
    "order_until": N_("Orders until"),
}


@get("/catalogue/sessions", opt=_ECL)
async def session_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    view: FromQuery[str | None] = None,
    programme: FromQuery[UUID | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List sessions: those to come, or those that have begun."""
    require(actor, Permission.MANAGE_CATALOGUE)
    place, begun = paging.read(cursor, datetime, UUID), view == "begun"
    rows = await sessions.for_desk(place, now=now, programme_id=programme, begun=begun)
    page = paging.page(rows, place, key=lambda row: (row.starts_at, row.id))
    of = await programmes.get(programme) if programme else None
    return render(request, "catalog/desk_session_list.html", page=page, begun=begun, programme=of, shown=shown, name=name)


@get("/catalogue/sessions/new", opt=_ECL)
async def new(request: WebRequest, actor: NamedDependency[Actor], programme: FromQuery[UUID | None] = None) -> Html:
    """Show the form for new dates, filled from their programme."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await programmes.get(programme) if programme else None
    return await _form(request, forms.blank(**new_session(found)), None)


@post("/catalogue/sessions/new", opt=_ECL, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Show the lessons that a plan makes, or plan the session."""
    require(actor, Permission.MANAGE_CATALOGUE)
    form = await forms.read(request, SessionForm)
    timetable = None
    if form.data is not None:
        try:
            timetable = lessons.plan(form.data.plan())
            if form.data.verb == "preview":
                return await _form(request, form, None, timetable=timetable)
            public = form.data.verb == "publish"
            made = await session_changes.create(form.data.facts(), timetable=timetable.lessons, actor=actor, now=now, publish_now=public)
        except DomainError as refusal:
            form = form.refuse(_named(refusal))
        else:
            flash(
                request, _("The dates are planned."), _("Buyers see them now.") if public else _("Buyers see them once you publish them.")
            )
            return redirect(f"/catalogue/sessions/{made}")
    return await _form(request, form, None, timetable=timetable, status_code=422)


@get("/catalogue/sessions/{session_id:uuid}", opt=_ONE)
async def show(request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show a session with its lessons, seats and the next step."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await sessions.get(session_id, now=now)
    planned = (await sessions.lessons_of([session_id]))[session_id]
    return render(
        request, "catalog/desk_session_show.html", session=found, planned=planned, shown=shown, name=name, begun=found.starts_at <= now
    )


@get("/catalogue/sessions/{session_id:uuid}/edit", opt=_ONE)
async def edit(request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show a session in its form."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await sessions.get(session_id, now=now)
    planned = (await sessions.lessons_of([session_id]))[session_id]
    return await _form(request, forms.blank(**show_session(found, planned)), found)


@post("/catalogue/sessions/{session_id:uuid}/edit", opt=_ONE, status_code=303)
async def update(
    request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Show the lessons that a changed plan makes, or save the session."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await sessions.get(session_id, now=now)
    planned = (await sessions.lessons_of([session_id]))[session_id]
    form = await forms.read(request, SessionForm)
    timetable = None
    if form.data is not None:
        try:
            same = form.data.same_lessons(planned)
            timetable = None if same else lessons.plan(form.data.plan())
            if form.data.verb == "preview":
                return await _form(request, form, found, timetable=timetable or lessons.plan(form.data.plan()))
            await session_changes.edit(
                session_id,
                form.data.facts(),
                timetable=timetable.lessons if timetable else None,
                actor=actor,
                now=now,
                version=form.data.version,
            )
        except DomainError as refusal:
            form = form.refuse(_named(refusal))
        else:
            flash(request, _("The dates are saved."))
            return redirect(f"/catalogue/sessions/{session_id}")
    return await _form(request, form, found, timetable=timetable, status_code=422)


@get("/catalogue/sessions/{session_id:uuid}/cancel", opt=_ONE)
async def ask_cancel(
    request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Ask before dates are called off: who is told, and what is paid back."""
    require(actor, Permission.MANAGE_CATALOGUE)
    return render(request, "catalog/desk_session_cancel.html", session=await sessions.get(session_id, now=now), form=forms.blank(reason=""))


@post("/catalogue/sessions/{session_id:uuid}/cancel", opt=_ONE, status_code=303)
async def cancel(
    request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Call dates off; whoever has a seat is told with the reason and gets everything back."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await sessions.get(session_id, now=now)
    form = await forms.read(request, CancelForm)
    if form.data is not None:
        try:
            await session_changes.cancel(session_id, reason=form.data.reason, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            told = n_(
                "One person and their company are told, and get everything back.",
                "{n} people and their companies are told, and get everything back.",
                found.taken,
            )
            flash(request, _("The dates are cancelled."), told if found.taken else _("Nobody had a seat."))
            return redirect(f"/catalogue/sessions/{session_id}")
    return render(request, "catalog/desk_session_cancel.html", status_code=422, session=found, form=form)


@post("/catalogue/sessions/{session_id:uuid}/{verb:str}", opt=_ONE, status_code=303)
async def change(
    request: WebRequest, session_id: FromPath[UUID], verb: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Publish, withdraw or confirm a session."""
    require(actor, Permission.MANAGE_CATALOGUE)
    await sessions.get(session_id, now=now)
    match verb:
        case "publish":
            await session_changes.publish(session_id, actor=actor, now=now)
            said = _("The dates are on sale."), _("Buyers can choose them at once.")
        case "withdraw":
            await session_changes.withdraw(session_id, actor=actor, now=now)
            said = _("The dates are off sale."), _("Nobody had a seat.")
        case "confirm":
            await session_changes.confirm(session_id, actor=actor, now=now)
            said = _("The course goes ahead."), _("Buyers see that on its page.")
        case _:
            raise sessions.unknown()
    flash(request, *said)
    return redirect(f"/catalogue/sessions/{session_id}")


def _named(refusal: DomainError) -> DomainError:
    """Return a refusal with the verb's field names turned into the form's; one that names no field goes on top."""
    fields = {
        "price" if field == "price_cents" else field: sentence
        for field, sentence in refusal.fields.items()
        if field in _LABELS or field == "price_cents"
    }
    return type(refusal)(refusal.code, refusal.message, next_step=refusal.next_step, fields=fields)


async def _form(
    request: WebRequest,
    form: forms.Form[Any],
    session: sessions.Session | None,
    *,
    timetable: lessons.Timetable | None = None,
    status_code: int = 200,
) -> Html:
    dutch = i18n.current_locale() == "nl"
    chosen = await programmes.choices()
    return render(
        request,
        "catalog/desk_session_form.html",
        status_code=status_code,
        form=form,
        session=session,
        timetable=timetable,
        labels={field: _(label) for field, label in _LABELS.items()},
        programmes=[(each.id, f"{each.code} · {each.title_nl if dutch else each.title_en}") for each in chosen],
        languages=[(each.value, name(each)) for each in Language],
        weekdays=[(str(day), shown.day_name(day)) for day in range(7)],
    )


HANDLERS = [session_list, new, create, show, edit, update, ask_cancel, cancel, change]
