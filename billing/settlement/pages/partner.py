"""The partner's own pages: what it has earned and what comes when, its statements, objecting, and its account."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing.settlement import accounts, objections, overview, papers, payees, statements
from billing.settlement.accounts import Proposal
from billing.settlement.pages import documents
from billing.settlement.pages.contracts import AccountForm, account_labels
from billing.settlement.pages.statements import ReasonForm
from marketplace.kit import clock
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

if TYPE_CHECKING:
    from billing.settlement.statements import Statement


@get("/statements", opt={"access": "partner"})
async def show_list(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], cursor: FromQuery[str | None] = None
) -> Html:
    """Show what the partner has earned, what comes when, and its statements."""
    require(actor, Permission.SEE_STATEMENTS)
    payee = await payees.of_partner(actor)
    return render(
        request,
        "settlement/my_statements.html",
        sums=await overview.sums(actor=actor, today=clock.today(now)),
        page=await statements.page(paging.read(cursor, date, str), actor=actor),
        coming=await overview.coming(actor=actor, today=clock.today(now)),
        account=None if payee is None else await accounts.approved(payee.id),
        names=statements.NAMES,
        today=clock.today(now),
    )


@get("/statements/account", opt={"access": "partner"})
async def show_account(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show the account that the partner is paid on, with the form that changes it."""
    return await _account_page(request, actor, None)


@post("/statements/account", opt={"access": "partner"}, status_code=303)
async def propose_account(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Propose another account; ECL approves it."""
    payee = await _own_payee(actor)
    form = await forms.read(request, AccountForm)
    if form.data is not None:
        try:
            await accounts.propose(payee.id, Proposal(**msgspec.structs.asdict(form.data)), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("We check your new account."), _("We may call you. Until then we pay on the old one."))
            return redirect("/statements/account")
    return await _account_page(request, actor, form, 422)


async def _own_payee(actor: Actor) -> payees.Payee:
    payee = await payees.of_partner(actor)
    if payee is None:
        raise NotFound("not_found", _("Your payment details are not there yet."), next_step=_("Write to Expat Centre Leiden."))
    return payee


async def _account_page(request: WebRequest, actor: Actor, form: forms.Form[AccountForm] | None, status_code: int = 200) -> Html:
    payee = await payees.of_partner(actor)
    known = [] if payee is None else await accounts.of(payee.id)
    return render(
        request,
        "settlement/my_account.html",
        status_code=status_code,
        payee=payee,
        current=next((one for one in known if one.state == "approved"), None),
        pending=next((one for one in known if one.state == "pending"), None),
        form=form,
        labels=account_labels(),
    )


@get("/statements/{name:str}", opt={"access": "partner", "noun": "partner_statement"})
async def show(
    request: WebRequest, name: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[str] | Response[bytes]:
    """Show a statement by its number, or send one of its stored papers."""
    number, ending = documents.parted(name)
    statement = await statements.get(number, actor=actor)
    if ending:
        return await documents.answer(request, statement, ending, back=f"/statements/{number}")
    return render(
        request,
        "settlement/my_statement.html",
        statement=statement,
        rows=await statements.rows(statement.id),
        shares=await statements.shares(statement.id),
        payments=await statements.payments(statement.id),
        ground=papers.ground,
        names=statements.NAMES,
        may_object=statement.may_object(clock.today(now)),
        pay_on=papers.pay_on(statement),
        Money=Money,
    )


@post("/statements/{name:str}/accept", opt={"access": "partner", "noun": "partner_statement"}, status_code=303)
async def accept(request: WebRequest, name: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Agree to a statement before the time to object is over."""
    await statements.accept(name, actor=actor, now=now)
    flash(request, _("You agree to statement {number}.", number=name), _("It goes into our next payout."))
    return redirect(f"/statements/{name}")


@get("/statements/{name:str}/lines/{line_id:uuid}", opt={"access": "partner", "noun": "statement_line"})
async def show_objection(request: WebRequest, name: FromPath[str], line_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show the form that objects to a line."""
    statement = await statements.get(name, actor=actor)
    return _objection_page(request, statement, await _row(statement, line_id), None)


@post("/statements/{name:str}/lines/{line_id:uuid}", opt={"access": "partner", "noun": "statement_line"}, status_code=303)
async def object_to(
    request: WebRequest, name: FromPath[str], line_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Object to a line, with a reason."""
    statement = await statements.get(name, actor=actor)
    row = await _row(statement, line_id)
    form = await forms.read(request, ReasonForm)
    if form.data is not None:
        try:
            await objections.make(name, line_id, reason=form.data.reason, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("We have your objection."), _("We answer by mail. The rest of the statement is paid meanwhile."))
            return redirect(f"/statements/{name}")
    return _objection_page(request, statement, row, form, 422)


async def _row(statement: Statement, line_id: UUID) -> statements.Row:
    found = next((row for row in await statements.rows(statement.id) if row.id == line_id), None)
    if found is None:
        raise statements.unknown()
    return found


def _objection_page(
    request: WebRequest, statement: Statement, row: statements.Row, form: forms.Form[ReasonForm] | None, status_code: int = 200
) -> Html:
    return render(request, "settlement/my_objection.html", status_code=status_code, statement=statement, row=row, form=form, Money=Money)


HANDLERS = [show_list, show_account, propose_account, show, accept, show_objection, object_to]
