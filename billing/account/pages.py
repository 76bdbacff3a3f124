"""The statement of account: a company's own page, and what ECL's page of a company shares with it. CSV at once, PDF by the worker."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.account import paper, statement
from billing.account.statement import Account
from billing.debtors import Debtor
from billing.documents.account import EntryKind, ageing
from marketplace.kit.clock import today
from marketplace.kit.errors import Invalid, NotFound
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render, spreadsheet


class Period(msgspec.Struct, frozen=True):
    """From when to when."""

    from_on: date | None = None
    to_on: date | None = None


class Asked(msgspec.Struct, frozen=True):
    """A period, and who gets the PDF by mail (nobody: it stands here)."""

    from_on: date | None = None
    to_on: date | None = None
    to: Literal["me", "finance"] | None = None


async def read(debtor: Debtor, texts: dict[str, list[str]], now: datetime) -> tuple[Account, forms.Form[Period]]:
    """Return the account over what was asked for, or over this year with the errors beside their fields."""
    form = forms.convert(texts, Period)
    first, last = statement.default_period(today(now))
    if form.data is not None:
        first, last = form.data.from_on or first, form.data.to_on or last
        try:
            found = await statement.of(debtor.id, from_on=first, to_on=last, today=today(now))
        except Invalid as refusal:
            form = form.refuse(refusal)
        else:
            return found, forms.blank(from_on=first.isoformat(), to_on=last.isoformat())
    first, last = statement.default_period(today(now))
    return await statement.of(debtor.id, from_on=first, to_on=last, today=today(now)), form


async def page(request: WebRequest, debtor: Debtor, base: str, *, actor: Actor, now: datetime) -> Html:
    """Show an account; ``base`` is the page's own address."""
    texts = {name: request.query_params.getall(name, []) for name in ("from_on", "to_on")}
    found, form = await read(debtor, texts, now)
    made = await paper.stored(found, current_locale())
    return render(
        request, "billing/account_statement.html", status_code=422 if form.errors else 200, account=found, form=form, base=base, Kind=EntryKind,
        paper=paper.subject(found, current_locale())[1] if made else None, Money=Money,
        ages=ageing(found.open_items, on=found.to_on) if found.open_items is not None else None, may_mail=actor.account_id is not None,
        sum_of=found.total,
    )  # fmt: skip


async def file(debtor: Debtor, request: WebRequest, now: datetime) -> Response[bytes]:
    """Send an account as CSV."""
    texts = {name: request.query_params.getall(name, []) for name in ("from_on", "to_on")}
    found, _form = await read(debtor, texts, now)
    name = f"account-{found.from_on.isoformat()}-{found.to_on.isoformat()}.csv"
    return spreadsheet.answer(name, statement.csv_header(), statement.csv_rows(found))


async def ask(request: WebRequest, debtor: Debtor, base: str, *, actor: Actor, now: datetime) -> Redirect:
    """Let the PDF be made, and mailed where that was asked."""
    form = await forms.read(request, Asked)
    given = form.data or Asked()
    found, _form = await read(debtor, {name: [form.values.get(name) or ""] for name in ("from_on", "to_on")}, now)
    language = current_locale() if given.to != "finance" else debtor.language
    to = {"me": actor.email, "finance": debtor.email}.get(given.to or "") or None
    await paper.ask(found, language=language, mail_to=to, actor=actor, now=now)
    if to:
        flash(request, _("On its way to {address}.", address=to), _("That takes less than a minute."))
    else:
        flash(request, _("The PDF is being made."), _("Load this page again in a moment; it then stands here."))
    return redirect(f"{base}?from_on={found.from_on.isoformat()}&to_on={found.to_on.isoformat()}")


def answer(content: bytes, name: str) -> Response[bytes]:
    """Return a stored PDF."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, max-age=0, must-revalidate"}
    return Response(content, media_type="application/pdf", headers=headers)


async def _own(actor: Actor) -> Debtor:
    require(actor, Permission.SEE_INVOICES)
    found = await statement.debtor_of(actor.company_id)
    if found is None:
        raise NotFound("not_found", _("Your company has no account with us yet."))
    return found


@get("/account-statement", opt={"access": "company"})
async def show(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show the company's account over a period: invoices, payments, credits, and what is open."""
    return await page(request, await _own(actor), "/account-statement", actor=actor, now=now)


@get("/account-statement.csv", opt={"access": "company"})
async def show_file(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[bytes]:
    """Send the same as a file."""
    return await file(await _own(actor), request, now)


@post("/account-statement", opt={"access": "company"}, status_code=303)
async def ask_own(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Let the company's PDF be made, and mailed."""
    return await ask(request, await _own(actor), "/account-statement", actor=actor, now=now)


@get("/account-statement/{paper_id:uuid}", opt={"access": "company", "noun": "account_statement"})
async def own_pdf(paper_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send a stored PDF of the company's own account."""
    found = await paper.of((await _own(actor)).id, paper_id)
    return answer(found.content, found.name)


HANDLERS = [show, show_file, ask_own, own_pdf]
