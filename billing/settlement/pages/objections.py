"""ECL's pages of objections: what partners find wrong, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.settlement import objections, overview
from marketplace.kit import clock
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render


class AnswerForm(msgspec.Struct, frozen=True):
    """The answer: the line stands, or the partner gets an amount more or less."""

    answer: Annotated[str, msgspec.Meta(max_length=1000)]
    outcome: Literal["stands", "more", "less"] = "stands"
    amount: Money | None = None


@get("/partner-statements/objections", opt={"access": "ecl"})
async def show_list(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """List the objections that wait for an answer."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    sums = await overview.sums(actor=actor, today=clock.today(now))
    return render(request, "settlement/objection_list.html", objections=await objections.waiting(), sums=sums, Money=Money)


@get("/partner-statements/objections/{objection_id:uuid}", opt={"access": "ecl", "noun": "objection"})
async def show(request: WebRequest, objection_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one objection, with the form that answers it."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    return _page(request, await objections.get(objection_id), forms.blank(outcome="stands"))


@post("/partner-statements/objections/{objection_id:uuid}", opt={"access": "ecl", "noun": "objection"}, status_code=303)
async def answer(
    request: WebRequest, objection_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Answer an objection."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    objection = await objections.get(objection_id)
    form = await forms.read(request, AnswerForm)
    if form.data is not None and form.data.outcome != "stands" and not form.data.amount:
        form = form.with_error("amount", _("Say how much."))
    if form.data is not None:
        sign = {"stands": 0, "more": 1, "less": -1}[form.data.outcome]
        cents = sign * (form.data.amount.cents if form.data.amount else 0)
        try:
            await objections.answer(objection_id, text=form.data.answer, correction_cents=cents, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(
                request,
                _("The answer went to the partner."),
                _("The line is paid out with the next payout.") if not cents else _("The next statement brings the difference."),
            )
            return redirect("/partner-statements/objections")
    return _page(request, objection, form, 422)


def _page(request: WebRequest, objection: objections.Objection, form: forms.Form[AnswerForm], status_code: int = 200) -> Html:
    return render(request, "settlement/objection_show.html", status_code=status_code, objection=objection, form=form, Money=Money)


HANDLERS = [show_list, show, answer]
