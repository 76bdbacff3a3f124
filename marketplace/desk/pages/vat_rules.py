"""ECL's page of the VAT rules: the dated table, the CRKBO register, and what holds for one programme."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from billing import seller
from billing.vat_rules import Treatment
from billing.vies import certificates
from marketplace.desk import vat_rules
from marketplace.desk.vat_rules import BASES, TREATMENTS
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _, fmt_date
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

LABELS = {
    "holder": N_("Who"), "entry": N_("What happened"), "on": N_("From which day"), "subject_id": N_("Programme"),
    "treatment": N_("Its VAT"), "reason": N_("Why"), "from_on": N_("From which day"), "last_on": N_("Last day"),
}  # fmt: skip


class RegisterForm(msgspec.Struct, frozen=True):
    """A change of the register."""

    holder: Annotated[str, msgspec.Meta(max_length=40)]
    entry: Literal["entered", "left"]
    on: date


class ProgrammeForm(msgspec.Struct, frozen=True):
    """What holds for one programme."""

    subject_id: UUID
    treatment: Literal["exempt", "exempt_if_registered", "taxed", "reduced"]
    reason: Annotated[str, msgspec.Meta(max_length=300)]
    from_on: date


class EndForm(msgspec.Struct, frozen=True):
    """The last day of what holds for one programme."""

    last_on: date


@get("/vat-rules", opt={"access": "ecl"})
async def show(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what decides VAT."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _page(request, _blank(), actor, now)


def _blank() -> forms.Form[Any]:
    return forms.blank(holder=seller.OPERATOR, entry="entered", treatment="exempt")


@post("/vat-rules/register", opt={"access": "ecl"}, status_code=303)
async def register(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Keep that somebody entered or left the register."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, RegisterForm)
    if form.data is not None:
        sent = form.data
        try:
            verb = vat_rules.enter if sent.entry == "entered" else vat_rules.leave
            name = await verb(sent.holder, sent.on, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            day = fmt_date(sent.on, "long")
            if sent.entry == "entered":
                said = _("{name} is in the register from {day}.", name=name, day=day)
            else:
                said = _("{name} is out of the register from {day}.", name=name, day=day)
            flash(request, said, _("It counts for what is supplied from that day and not invoiced yet."))
            return redirect("/vat-rules#register")
    return await _page(request, form, actor, now, status_code=422)


@post("/vat-rules/programmes", opt={"access": "ecl"}, status_code=303)
async def decide(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Keep what was decided for one programme."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, ProgrammeForm)
    if form.data is not None:
        sent = form.data
        try:
            title = await vat_rules.decide(
                sent.subject_id, Treatment(sent.treatment), reason=sent.reason, from_on=sent.from_on, actor=actor, now=now
            )
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("{title} has a rule of its own now.", title=title), _("It counts for what is not invoiced yet."))
            return redirect("/vat-rules#programmes")
    return await _page(request, form, actor, now, status_code=422)


@post("/vat-rules/programmes/{rule_id:uuid}/end", opt={"access": "ecl", "noun": "vat_rule"}, status_code=303)
async def end(request: WebRequest, rule_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Let what was decided for a programme end."""
    require(actor, Permission.MANAGE_INVOICES)
    await seller.programme_rule(rule_id)
    form = await forms.read(request, EndForm)
    if form.data is not None:
        last_on = form.data.last_on
        try:
            await seller.end_programme_rule(rule_id, last_on=last_on, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The rule holds until {day}.", day=fmt_date(last_on, "long")))
            return redirect("/vat-rules#programmes")
    return await _page(request, form, actor, now, status_code=422)


async def _page(request: WebRequest, form: forms.Form[Any], actor: Actor, now: datetime, *, status_code: int = 200) -> Html:
    return render(
        request, "desk/vat_rules.html", status_code=status_code, form=form, rules=await vat_rules.read(actor=actor, now=now), today=today(now),
        bases={key: _(word) for key, word in BASES.items()}, treatments={key: _(word) for key, word in TREATMENTS.items()},
        labels={name: _(word) for name, word in LABELS.items()}, ending=await certificates.ending(now=now),
    )  # fmt: skip


HANDLERS = [show, register, decide, end]
