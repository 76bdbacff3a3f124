"""ECL's pages of statements: the list and making them, one of them, the lines behind them, and lines that are held back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from billing.settlement import incidents, issue, lines, overview, papers, rules, statements
from billing.settlement.pages import documents
from billing.settlement.statements import Statement, StatementState
from marketplace.kit import clock
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

_SHOWS = ("waiting", "accrued", "payable", "held", "stated", "paid", "cancelled")


class MonthForm(msgspec.Struct, frozen=True):
    """The month whose statements are made: its first day."""

    month: date


class InvoiceForm(msgspec.Struct, frozen=True):
    """The invoice that a partner sent."""

    invoice_number: Annotated[str, msgspec.Meta(max_length=60)]
    invoice_on: date
    total: Money


class ReasonForm(msgspec.Struct, frozen=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class OutcomeForm(msgspec.Struct, frozen=True):
    """What came of it."""

    outcome: Annotated[str, msgspec.Meta(max_length=1000)]


@get("/partner-statements", opt={"access": "ecl"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    shown: Annotated[str | None, QueryParameter(name="state")] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List the statements of all partners, newest first."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    state = shown if shown in set(StatementState) else None
    today = clock.today(now)
    return render(
        request,
        "settlement/statement_list.html",
        page=await statements.page(paging.read(cursor, date, str), actor=actor, state=state),
        sums=await overview.sums(actor=actor, today=today),
        state=state,
        names=statements.NAMES,
        month=rules.month_before(today),
    )


@post("/partner-statements/make", opt={"access": "ecl"}, status_code=303)
async def make(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Have the statements of a month made."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    form = await forms.read(request, MonthForm)
    month = form.data.month if form.data else rules.month_before(clock.today(now))
    try:
        asked = await issue.issue_all(month, actor=actor, now=now)
    except DomainError as refusal:
        flash(request, refusal.message, tone="stop")
        return redirect("/partner-statements")
    if asked:
        flash(request, _("The statements are being made."), _("They stand here in a moment, and go to the partners by mail."))
    else:
        flash(request, _("There is nothing to state for this month."), _("Every line is on a statement, or not payable yet."), tone="info")
    return redirect("/partner-statements")


@get("/partner-statements/lines", opt={"access": "ecl"})
async def show_lines(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    show: FromQuery[str | None] = None,
    payee: FromQuery[UUID | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List what partners earn, line by line."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    wanted = show if show in _SHOWS else None
    return render(
        request,
        "settlement/line_list.html",
        page=await overview.lines_page(paging.read(cursor, UUID), actor=actor, show=wanted, payee_id=payee),
        sums=await overview.sums(actor=actor, today=clock.today(now)),
        show=wanted,
        payee=payee,
        names=lines.NAMES,
    )


async def _line(line_id: UUID) -> overview.Shown:
    found = await overview.line(line_id)
    if found is None:
        raise NotFound("not_found", _("There is no such line."))
    return found


@get("/partner-statements/lines/{line_id:uuid}", opt={"access": "ecl", "noun": "settlement_line"})
async def show_line(request: WebRequest, line_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one line, with the form that holds it back."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    return render(request, "settlement/line_show.html", line=await _line(line_id), form=None, names=lines.NAMES)


@post("/partner-statements/lines/{line_id:uuid}", opt={"access": "ecl", "noun": "settlement_line"}, status_code=303)
async def hold_line(
    request: WebRequest, line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Hold a line back, with a reason."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    line = await _line(line_id)
    form = await forms.read(request, ReasonForm)
    if form.data is not None:
        try:
            await incidents.report(line_id, reason=form.data.reason, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The line is held back."), _("It isn't paid out until you close the problem."))
            return redirect("/partner-statements/incidents")
    return render(request, "settlement/line_show.html", status_code=422, line=line, form=form, names=lines.NAMES)


@get("/partner-statements/incidents", opt={"access": "ecl"})
async def show_incidents(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """List what is held back, and what was."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    sums = await overview.sums(actor=actor, today=clock.today(now))
    return render(request, "settlement/incident_list.html", incidents=await incidents.listed(), sums=sums)


@get("/partner-statements/incidents/{incident_id:uuid}", opt={"access": "ecl", "noun": "incident"})
async def show_incident(request: WebRequest, incident_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one problem, with the form that closes it."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    return render(request, "settlement/incident_show.html", incident=await incidents.get(incident_id), form=None)


@post("/partner-statements/incidents/{incident_id:uuid}", opt={"access": "ecl", "noun": "incident"}, status_code=303)
async def close_incident(
    request: WebRequest, incident_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Close a problem, with what came of it."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    incident = await incidents.get(incident_id)
    form = await forms.read(request, OutcomeForm)
    if form.data is not None:
        try:
            await incidents.close(incident_id, outcome=form.data.outcome, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The problem is closed."), _("The line goes on as its days say."))
            return redirect("/partner-statements/incidents")
    return render(request, "settlement/incident_show.html", status_code=422, incident=incident, form=form)


@get("/partner-statements/{name:str}", opt={"access": "ecl", "noun": "partner_statement"})
async def show(
    request: WebRequest, name: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[str] | Response[bytes]:
    """Show a statement by its number, or send one of its stored papers."""
    number, ending = documents.parted(name)
    statement = await statements.get(number, actor=actor)
    if ending:
        return await documents.answer(request, statement, ending, back=f"/partner-statements/{number}")
    due = Money(abs(statement.earned_cents + statement.vat_cents))
    form: forms.Form[InvoiceForm] = forms.blank(invoice_on=clock.today(now).isoformat(), total=f"{due.cents / 100:.2f}")
    return await show_page(request, statement, form=form, now=now)


@post("/partner-statements/{name:str}/invoice", opt={"access": "ecl", "noun": "partner_statement"}, status_code=303)
async def register_invoice(
    request: WebRequest, name: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Keep the invoice that the partner sent for a statement."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    statement = await statements.get(name, actor=actor)
    form = await forms.read(request, InvoiceForm)
    if form.data is not None:
        sent = form.data
        try:
            await statements.register_invoice(
                name, invoice_number=sent.invoice_number, invoice_on=sent.invoice_on, total=sent.total, actor=actor, now=now
            )
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The invoice is registered."), _("The statement goes into the next payout once the time to object is over."))
            return redirect(f"/partner-statements/{name}")
    return await show_page(request, statement, form=form, now=now, status_code=422)


async def show_page(
    request: WebRequest, statement: Statement, *, form: forms.Form[InvoiceForm], now: datetime, status_code: int = 200
) -> Html:
    """Render a statement for ECL."""
    return render(
        request,
        "settlement/statement_show.html",
        status_code=status_code,
        statement=statement,
        rows=await statements.rows(statement.id),
        shares=await statements.shares(statement.id),
        payments=await statements.payments(statement.id),
        ground=papers.ground,
        names=statements.NAMES,
        pay_on=papers.pay_on(statement),
        today=clock.today(now),
        form=form,
        Money=Money,
    )


HANDLERS = [
    show_list,
    make,
    show_lines,
    show_line,
    hold_line,
    show_incidents,
    show_incident,
    close_incident,
    show,
    register_invoice,
]
