"""Pages of dunning: what goes out, what was sent, what is held, who is late, and the rules. A company reads its own letters."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing import debtors
from billing.dunning import blocking, due, holds, interest, policy, sent
from billing.dunning.policy import Limits, Policy
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _, fmt_decimal
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

_TABS = ("next", "sent", "held", "late")


@get("/reminders", opt={"access": "ecl"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    show: FromQuery[str] = "next",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show what goes out on the next working day, what was sent, what is held back, or who is late."""
    return await _list(request, show if show in _TABS else "next", actor=actor, now=now, cursor=cursor)


async def _list(
    request: WebRequest, show: str, *, actor: Actor, now: datetime, cursor: str | None = None, form: forms.Form[Any] | None = None
) -> Html:
    require(actor, Permission.MANAGE_INVOICES)
    day, upcoming = await due.upcoming(actor=actor, today=today(now))
    page = await sent.page(paging.read(cursor, datetime, UUID), actor=actor) if show == "sent" else None
    return render(
        request, "billing/reminder_list.html", status_code=422 if form else 200, show=show, day=day, upcoming=upcoming, page=page,
        held=await holds.listed(actor=actor, today=today(now)), late=await blocking.listed(actor=actor, today=today(now)), today=today(now),
        rules=await policy.get(), levels=sent.LEVELS, form=form, Money=Money,
    )  # fmt: skip


@get("/reminders/{reminder_id:uuid}/pdf", opt={"access": "company+ecl", "noun": "reminder"})
async def pdf(reminder_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send a reminder's stored PDF."""
    found = await sent.paper(reminder_id, actor=actor)
    headers = {"Content-Disposition": f'inline; filename="{found.name}"', "Cache-Control": "private, max-age=0, must-revalidate"}
    return Response(found.content, media_type=found.media_type, headers=headers)


class HoldForm(msgspec.Struct, frozen=True):
    """Which invoice is held back, why, and until when."""

    number: Annotated[str, msgspec.Meta(max_length=40)]
    reason: forms.Line
    until_on: date | None = None


@post("/reminders/hold", opt={"access": "ecl"}, status_code=303)
async def hold(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Hold an invoice back."""
    form = await forms.read(request, HoldForm)
    if form.data is not None:
        try:
            await holds.hold(form.data.number, reason=form.data.reason, until_on=form.data.until_on, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The invoice is held back."), _("Nobody is reminded of it, and it blocks nobody."))
            return redirect("/reminders?show=held")
    return await _list(request, "held", actor=actor, now=now, form=form)


@post("/reminders/holds/{hold_id:uuid}/lift", opt={"access": "ecl", "noun": "reminder_hold"}, status_code=303)
async def lift(request: WebRequest, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """End a hold."""
    await holds.lift(hold_id, actor=actor, now=now)
    flash(request, _("No longer held back."), _("The next reminder goes when it is due."))
    return redirect("/reminders?show=held")


class RulesForm(msgspec.Struct, frozen=True):
    """The rules for all debtors."""

    first_days: policy.Days
    second_days: policy.Days
    third_days: policy.Days
    block_after_days: Annotated[int, msgspec.Meta(ge=1, le=730)] | None = None
    block_over: Money | None = None
    interest: bool = False
    costs: bool = False


@get("/reminders/settings", opt={"access": "ecl"})
async def show_rules(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show the rules and the interest rates."""
    return await _rules(request, actor=actor)


async def _rules(request: WebRequest, *, actor: Actor, form: forms.Form[Any] | None = None, rate: forms.Form[Any] | None = None) -> Html:
    require(actor, Permission.MANAGE_INVOICES)
    rules = await policy.get()
    if form is None:
        values = msgspec.structs.asdict(rules)
        over = rules.block_over_cents
        form = forms.blank(**values, block_over="" if over is None else f"{over // 100},{over % 100:02d}")
    return render(
        request, "billing/reminder_settings.html", status_code=422 if form.errors or rate else 200, form=form, rules=rules, rate=rate,
        rates=[*reversed(await interest.rates())], decimal=fmt_decimal,
    )  # fmt: skip


@post("/reminders/settings", opt={"access": "ecl"}, status_code=303)
async def save_rules(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Set the rules."""
    form = await forms.read(request, RulesForm)
    if form.data is not None:
        given = form.data
        try:
            await policy.change(
                Policy(
                    first_days=given.first_days, second_days=given.second_days, third_days=given.third_days, interest=given.interest, costs=given.costs,
                    block_after_days=given.block_after_days, block_over_cents=_limit(given.block_over),
                ),
                actor=actor, now=now,
            )  # fmt: skip
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The rules are set."), _("They hold from the next reminder on."))
            return redirect("/reminders/settings")
    return await _rules(request, actor=actor, form=form)


def _limit(amount: Money | None) -> int | None:
    return None if amount is None else max(0, amount.cents)


class RateForm(msgspec.Struct, frozen=True):
    """A rate and the day from which it holds."""

    from_on: date
    percent: Decimal


@post("/reminders/rates", opt={"access": "ecl"}, status_code=303)
async def add_rate(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Keep a new interest rate."""
    form = await forms.read(request, RateForm)
    if form.data is not None:
        try:
            await interest.set_rate("commercial", form.data.from_on, form.data.percent, actor=actor, now=now)
        except DomainError as refusal:
            form = forms.Form(None, {**form.errors, **(refusal.fields or {"": refusal.message})}, form.values)
        else:
            flash(request, _("The rate is kept."))
            return redirect("/reminders/settings")
    return await _rules(request, actor=actor, rate=form)


@get("/reminders/debtors/{debtor_id:uuid}", opt={"access": "ecl", "noun": "debtor"})
async def show_debtor(
    request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Show a debtor: what is late, whether it may order, its own limits, and its reminders."""
    return await _debtor(request, debtor_id, actor=actor, now=now)


async def _debtor(
    request: WebRequest,
    debtor_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    form: forms.Form[Any] | None = None,
    own: forms.Form[Any] | None = None,
) -> Html:
    require(actor, Permission.MANAGE_INVOICES)
    debtor = await debtors.get(debtor_id)
    late = next((one for one in await blocking.listed(actor=actor, today=today(now)) if one.debtor_id == debtor_id), None)
    limits = await policy.limits_of(debtor_id)
    if own is None and limits is not None:
        over = limits.block_over_cents
        own = forms.blank(
            limits="never" if limits.never_blocks else "own", block_after_days=limits.block_after_days,
            block_over="" if over is None else f"{over // 100},{over % 100:02d}",
        )  # fmt: skip
    return render(
        request, "billing/reminder_debtor.html", status_code=422 if form or (own and own.errors) else 200, debtor=debtor, late=late,
        block=await blocking.blocked(debtor_id, today=today(now)), limits=limits, form=form, own=own, rules=await policy.get(),
        sent=await sent.of_debtor(debtor_id, actor=actor), levels=sent.LEVELS, today=today(now),
    )  # fmt: skip


class LimitsForm(msgspec.Struct, frozen=True):
    """Whether a debtor has limits of its own."""

    limits: Literal["policy", "own", "never"]
    block_after_days: Annotated[int, msgspec.Meta(ge=1, le=730)] | None = None
    block_over: Money | None = None


@post("/reminders/debtors/{debtor_id:uuid}/limits", opt={"access": "ecl", "noun": "debtor"}, status_code=303)
async def save_limits(
    request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Give a debtor limits of its own, or the policy's again."""
    form = await forms.read(request, LimitsForm)
    if form.data is None:
        return await _debtor(request, debtor_id, actor=actor, now=now, own=form)
    given = form.data
    limits = Limits(
        never_blocks=given.limits == "never", block_after_days=given.block_after_days, block_over_cents=_limit(given.block_over)
    )  # fmt: skip
    await policy.set_limits(debtor_id, None if given.limits == "policy" else limits, actor=actor, now=now)
    flash(request, _("The limits are set."), _("They hold at once."))
    return redirect(f"/reminders/debtors/{debtor_id}")


class PassForm(msgspec.Struct, frozen=True):
    """Until when a blocked debtor may order, and why."""

    until_on: date
    reason: forms.Line


@post("/reminders/debtors/{debtor_id:uuid}/pass", opt={"access": "ecl", "noun": "debtor"}, status_code=303)
async def give_pass(
    request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Let a blocked debtor order until a day."""
    form = await forms.read(request, PassForm)
    if form.data is not None:
        try:
            await blocking.give_pass(debtor_id, until_on=form.data.until_on, reason=form.data.reason, actor=actor, now=now)
        except DomainError as refusal:
            if refusal.status == 404:
                raise
            form = form.refuse(refusal)
        else:
            flash(request, _("They may order again."), _("Until and including the day you chose."))
            return redirect(f"/reminders/debtors/{debtor_id}")
    return await _debtor(request, debtor_id, actor=actor, now=now, form=form)


@post("/reminders/debtors/{debtor_id:uuid}/end-pass", opt={"access": "ecl", "noun": "debtor"}, status_code=303)
async def end_pass(
    request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """End a debtor's pass."""
    await debtors.get(debtor_id)
    await blocking.end_pass(debtor_id, actor=actor, now=now)
    flash(request, _("The exception is over."), _("The limits hold again."))
    return redirect(f"/reminders/debtors/{debtor_id}")


HANDLERS = [show_list, pdf, hold, lift, show_rules, save_rules, add_rate, show_debtor, save_limits, give_pass, end_pass]
