"""The partner's pages: what to answer, and who comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from marketplace.fulfilment import acceptances, read
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render, spreadsheet

_STATES = ("awaiting_partner", "accepted", "declined", "cancelled")
_PAST = timedelta(days=30)


class DeclineForm(msgspec.Struct, frozen=True):
    """Why not."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/acceptances", opt={"access": "partner"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    shown: Annotated[str | None, QueryParameter(name="state")] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List the partner's order lines, those to answer first."""
    state = shown if shown in _STATES else None
    waiting = await read.lines(actor=actor, state="awaiting_partner", size=100)
    page = await read.lines(actor=actor, state=state, cursor=cursor)
    return render(request, "fulfilment/acceptance_list.html", page=page, waiting=waiting.items, state=state, form=None, refused=None)


@post("/acceptances/{acceptance_id:uuid}/accept", opt={"access": "partner", "noun": "acceptance"}, status_code=303)
async def accept(
    request: WebRequest, acceptance_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Take the person."""
    try:
        await acceptances.accept(acceptance_id, actor=actor, now=now)
    except NotFound:
        raise
    except DomainError as refusal:
        flash(request, refusal.message, refusal.next_step or "", tone="stop")
        return redirect("/acceptances")
    question = await read.one(acceptance_id, actor=actor)
    flash(request, _("{person} is on your roster.", person=question.person_name), _("HR and the participant are told."))
    return redirect("/acceptances")


@post("/acceptances/{acceptance_id:uuid}/decline", opt={"access": "partner", "noun": "acceptance"}, status_code=303)
async def decline(
    request: WebRequest, acceptance_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Don't take the person, and say why."""
    form = await forms.read(request, DeclineForm)
    try:
        await acceptances.decline(acceptance_id, reason=form.data.reason if form.data else "", actor=actor, now=now)
    except NotFound:
        raise
    except DomainError as refusal:
        page = await read.lines(actor=actor)
        waiting = await read.lines(actor=actor, state="awaiting_partner", size=100)
        form = form.refuse(refusal)
        return render(
            request,
            "fulfilment/acceptance_list.html",
            status_code=refusal.status,
            page=page,
            waiting=waiting.items,
            state=None,
            form=form,
            refused=acceptance_id,
        )
    flash(request, _("Declined."), _("HR is told why and can choose other dates. The seat is free again."))
    return redirect("/acceptances")


@get("/rosters", opt={"access": "partner"})
async def show_sessions(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """List the partner's sessions, soonest first."""
    return render(
        request, "fulfilment/roster_list.html", sessions=await read.own_sessions(actor=actor, now=now, since=now - _PAST), now=now
    )


@get("/rosters/{session_id:uuid}", opt={"access": "partner", "noun": "session"})
async def show_roster(
    request: WebRequest, session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Show who comes to one session, and when it meets."""
    return render(request, "fulfilment/roster_show.html", roster=await read.roster(session_id, actor=actor, now=now), now=now)


@get("/rosters/{session_id:uuid}/csv", opt={"access": "partner", "noun": "session"})
async def roster_csv(session_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[bytes]:
    """Give a roster as a CSV that Excel opens."""
    found = await read.roster(session_id, actor=actor, now=now)
    rows = ((person.name, person.email, person.company_name, person.level, person.language) for person in found.people)
    return spreadsheet.answer(f"{found.session.code}.csv", [_("Name"), _("E-mail"), _("Company"), _("Level"), _("Language")], rows)


HANDLERS = [show_list, accept, decline, show_sessions, show_roster, roster_csv]
