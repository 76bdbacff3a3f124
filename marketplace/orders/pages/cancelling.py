"""Cancelling a line: its own page, which says what it costs before anybody confirms. For the buyer, and for ECL on their behalf."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from marketplace.kit.errors import DomainError, Forbidden, NotFound
from marketplace.kit.i18n import _, fmt_money
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render
from marketplace.orders import cancel, candidates, replace
from marketplace.orders.cancel import CancelLine, Cost

_LINE = {"access": "company+ecl", "noun": "order_line"}


class CancelForm(msgspec.Struct, frozen=True):
    """The fee that was shown (a form without one has shown none), and for ECL whether it is free and why."""

    shown_cents: int = 0
    how: str = "terms"
    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class ExcuseForm(msgspec.Struct, frozen=True):
    """Why the fee falls away."""

    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


@get("/orders/{number:int}/lines/{line_id:uuid}/cancel", opt=_LINE)
async def ask(
    request: WebRequest, number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Show what cancelling costs now and later, or how it was cancelled."""
    found = await cancel.cost(number, line_id, actor=actor, now=now)
    return _page(request, found, forms.blank(how="terms", reason=""))


@post("/orders/{number:int}/lines/{line_id:uuid}/cancel", opt=_LINE, status_code=303)
async def confirm(
    request: WebRequest, number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Cancel the line at the fee that was shown; where it has risen meanwhile, show it again."""
    require(actor, Permission.CANCEL_ORDERS)
    form = await forms.read(request, CancelForm)
    if form.data is None:
        return _page(request, await cancel.cost(number, line_id, actor=actor, now=now), form, status_code=422)
    wanted = CancelLine(shown_cents=form.data.shown_cents, reason=form.data.reason, free=actor.is_ecl and form.data.how == "free")
    try:
        done = await cancel.cancel(number, line_id, wanted, actor=actor, now=now)
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        found = await cancel.cost(number, line_id, actor=actor, now=now)
        return _page(request, found, form.refuse(refusal), status_code=refusal.status)
    if not done.replayed:
        said = _("It costs you nothing.") if done.fee.is_zero else _("It costs {amount} without VAT.", amount=fmt_money(done.fee))
        flash(request, _("Cancelled."), said + " " + _("The participant and the partner are told."))
    return redirect(f"/orders/{number}")


def _page(request: WebRequest, found: Cost, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    return render(request, "orders/line_cancel.html", status_code=status_code, cost=found, line=found.line, form=form)


@post("/orders/{number:int}/lines/{line_id:uuid}/excuse", opt={"access": "ecl", "noun": "order_line"}, status_code=303)
async def excuse(
    request: WebRequest, number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Let the company off the fee, with a reason."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, ExcuseForm)
    try:
        await cancel.excuse(number, line_id, reason=form.data.reason if form.data else "", actor=actor, now=now)
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        found = await cancel.cost(number, line_id, actor=actor, now=now)
        return _page(request, found, form.refuse(refusal), status_code=refusal.status)
    flash(request, _("The fee is gone."), _("What was billed of it is credited. HR is told why."))
    return redirect(f"/orders/{number}")


class ReplaceForm(msgspec.Struct, frozen=True):
    """Who comes instead; or a search."""

    person_id: UUID | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    verb: str = "replace"


@get("/orders/{number:int}/lines/{line_id:uuid}/replace", opt=_LINE)
async def choose_other(
    request: WebRequest, number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], q: FromQuery[str] = ""
) -> Html:
    """Show who could take this seat instead."""
    return await _others(request, await replace.line_of(number, line_id, actor=actor), forms.blank(q=q[:100], person_id=""))


@post("/orders/{number:int}/lines/{line_id:uuid}/replace", opt=_LINE, status_code=303)
async def put_other(
    request: WebRequest, number: FromPath[int], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Put somebody else in the seat."""
    line = await replace.line_of(number, line_id, actor=actor)
    form = await forms.read(request, ReplaceForm)
    if form.data is None or form.data.person_id is None:
        if form.data is not None and form.data.verb == "replace":
            form = form.with_error("person_id", _("Choose who comes instead."))
        return await _others(request, line, form, status_code=422)
    try:
        await replace.replace(number, line_id, form.data.person_id, actor=actor, now=now)
    except Forbidden:
        raise
    except DomainError as refusal:
        return await _others(request, line, form.refuse(refusal), status_code=refusal.status)
    flash(request, _("Somebody else has the seat now."), _("It costs nothing. Both are told, and the partner."))
    return redirect(f"/orders/{number}")


async def _others(request: WebRequest, line: cancel.Line, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    found = await candidates.of(line.company_id, line.session_id, search=str(form.values.get("q", "")))
    return render(request, "orders/line_replace.html", status_code=status_code, line=line, found=found, form=form)


HANDLERS = [ask, confirm, excuse, choose_other, put_other]
