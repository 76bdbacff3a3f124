"""ECL's pages of what isn't invoiced: invoices that are held, and what was delivered and must be invoiced by the 15th."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.acceptance import say, says
from billing.runs import holds, read, references, watch
from billing.runs.forms import AnywayForm, ReferencesForm
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render


@get("/invoice-runs/held", opt={"access": "ecl"})
async def show_held(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show the invoices of orders that would be sent back, and why."""
    require(actor, Permission.MANAGE_INVOICES)
    return render(
        request,
        "billing/runs/held_list.html",
        found=await holds.waiting(),
        says=says,
        tab="held",
        waits=await read.for_ecl(today=today(now)),
    )


@get("/invoice-runs/due", opt={"access": "ecl"})
async def show_due(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what was delivered before this month and has no invoice."""
    found = await watch.late(actor=actor, now=now)
    day = today(now)
    return render(
        request, "billing/runs/due_list.html", found=found, tab="due", day=day, waits=await read.for_ecl(today=day),
        net=Money(sum(one.net_cents for one in found)),
    )  # fmt: skip


@get("/invoice-runs/held/{hold_id:uuid}", opt={"access": "ecl", "noun": "invoice_hold"})
async def show_one(request: WebRequest, hold_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one held invoice: its lines, what is missing, and the two ways on."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _page(request, hold_id, forms.blank())


@post("/invoice-runs/held/{hold_id:uuid}/references", opt={"access": "ecl", "noun": "invoice_hold"}, status_code=303)
async def fill(
    request: WebRequest, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Fill in what the company gave, and ask for the invoice."""
    require(actor, Permission.MANAGE_INVOICES)
    hold = await holds.get(hold_id)
    form = await forms.read(request, ReferencesForm)
    if form.data is not None:
        try:
            await references.fill([line.id for line in await holds.lines_of(hold)], form.data.references, actor=actor, now=now)
            return await _ask(request, hold, actor, now)
        except DomainError as refusal:
            form = form.refuse(refusal)
    return await _page(request, hold_id, form, status_code=422)


@post("/invoice-runs/held/{hold_id:uuid}/again", opt={"access": "ecl", "noun": "invoice_hold"}, status_code=303)
async def ask_again(
    request: WebRequest, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Judge it again, and ask for the invoice when it fits."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _ask(request, await holds.get(hold_id), actor, now)


@post("/invoice-runs/held/{hold_id:uuid}/anyway", opt={"access": "ecl", "noun": "invoice_hold"}, status_code=303)
async def issue_anyway(
    request: WebRequest, hold_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Issue it as it is, with a reason."""
    require(actor, Permission.MANAGE_INVOICES)
    hold = await holds.get(hold_id)
    form = await forms.read(request, AnywayForm)
    if form.data is not None:
        try:
            await holds.issue_anyway(hold_id, reason=form.data.reason, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The invoice for {company} goes out as it is.", company=hold.debtor_name), _("Your reason is kept with it."))
            return redirect("/invoice-runs/held")
    return await _page(request, hold_id, form, status_code=422)


async def _ask(request: WebRequest, hold: holds.Hold, actor: Actor, now: datetime) -> Redirect:
    left = await holds.ask_again(hold.id, actor=actor, now=now)
    if left:
        flash(request, n_("One thing is still missing.", "{n} things are still missing.", len(left)), say(left[0]).mend, tone="warn")
        return redirect(f"/invoice-runs/held/{hold.id}")
    flash(request, _("The invoice for {company} is on its way.", company=hold.debtor_name))
    return redirect("/invoice-runs/held")


async def _page(request: WebRequest, hold_id: UUID, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    hold = await holds.get(hold_id)
    return render(
        request, "billing/runs/held_show.html", status_code=status_code, hold=hold, form=form, lines=await holds.lines_of(hold),
        findings=says(hold.findings), Money=Money,
    )  # fmt: skip


HANDLERS = [show_held, show_due, show_one, fill, ask_again, issue_anyway]
