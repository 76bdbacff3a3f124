"""ECL's pages that change an issued invoice: credit, correct, withdraw, give up, pay back. And the company's own setting off.

Each says what it comes to before anything is done; nothing that was issued is ever rewritten.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing import credits as credit_notes
from billing import debtors, invoices, refunds
from billing.changes import closing, corrections
from billing.changes.corrections import Correction
from billing.credits import Credit
from billing.invoices import Invoice
from marketplace.kit import ids
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError, Forbidden, NotFound
from marketplace.kit.i18n import N_, _, fmt_money
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

if TYPE_CHECKING:
    from uuid import UUID

    from billing.credit_sums import Creditable
    from billing.vat import VatTotal

_ECL = {"access": "ecl", "noun": "invoice"}
_Reason = Annotated[str, msgspec.Meta(max_length=300)]
_Reference = Annotated[str, msgspec.Meta(max_length=60)]
_Key = Annotated[str, msgspec.Meta(max_length=64)]
CAUSES = {
    "goodwill": N_("Goodwill: something was not as it should be"),
    "cancellation": N_("A cancellation"),
    "correction": N_("A mistake on the invoice"),
}


class CloseForm(msgspec.Struct, frozen=True):
    """Why an invoice is withdrawn or given up."""

    reason: _Reason = ""


class RefundForm(msgspec.Struct, frozen=True):
    """How an amount goes back."""

    how: Literal["stripe", "bank", "setoff"]
    amount: Money | None = None
    on: date | None = None
    reference: _Reference = ""
    against: _Reference = ""
    key: _Key = ""


class SetOffForm(msgspec.Struct, frozen=True):
    """Which open invoice is paid by what the company has with us."""

    against: Annotated[str, msgspec.Meta(max_length=40)]


async def _invoice(number: str, actor: Actor, permission: Permission = Permission.MANAGE_INVOICES) -> Invoice:
    require(actor, permission)
    found = await invoices.get(number, actor=actor)
    if found.kind != "invoice":
        raise invoices.unknown()
    return found


def _back(invoice: Invoice) -> Redirect:
    return redirect(f"/invoices/{invoice.number}")


def _with_lines(name: str, lines: list[Creditable], *fields: tuple[str, Any, Any]) -> Any:  # noqa: ANN401 - a Struct made for this invoice
    """Return a form's Struct with these fields and an amount for each line."""
    amounts = [(line.field, Money | None, None) for line in lines]
    return msgspec.defstruct(name, [*fields, *amounts], frozen=True)


def _amounts(data: Any, lines: list[Creditable]) -> dict[UUID, int]:  # noqa: ANN401 - see above
    given = {line.id: getattr(data, line.field) for line in lines}
    return {line_id: amount.cents for line_id, amount in given.items() if amount is not None}


# Credit


@get("/invoices/{number:str}/credit", opt=_ECL)
async def credit_form(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor]) -> Html:
    """Show what can be credited of an invoice."""
    invoice = await _invoice(number, actor)
    form = forms.blank(what="all", cause="goodwill", reason="", key=str(ids.new_id()))
    return await _credit_page(request, invoice, form)


@post("/invoices/{number:str}/credit", opt=_ECL, status_code=303)
async def credit(
    request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Show what a credit note comes to, or issue it."""
    invoice = await _invoice(number, actor)
    lines = await credit_notes.creditable(invoice.id)
    struct = _with_lines(
        "CreditForm",
        lines,
        ("what", Literal["all", "part"], "all"),
        ("cause", Literal["goodwill", "cancellation", "correction"], "goodwill"),
        ("reason", _Reason, ""),
        ("key", _Key, ""),
        ("verb", str, "preview"),
    )
    form: forms.Form[Any] = await forms.read(request, struct)
    if form.data is None:
        return await _credit_page(request, invoice, form, status_code=422)
    data = form.data
    wanted: list[tuple[UUID, int | None]] = (
        [(line.id, None) for line in lines]
        if data.what == "all"
        else [(line_id, cents) for line_id, cents in _amounts(data, lines).items()]
    )
    try:
        if data.verb != "issue":
            return await _credit_page(request, invoice, form, sums=await credit_notes.preview(invoice.id, wanted))
        asked = Credit(invoice_id=invoice.id, lines=wanted, reason=data.reason, cause=data.cause, key=f"hand:{invoice.id}:{data.key}")
        note = await credit_notes.credit(asked, actor=actor, now=now)
    except DomainError as refusal:
        return await _credit_page(request, invoice, form.refuse(refusal), status_code=refusal.status)
    made = next(one for one in await credit_notes.of(invoice.id) if one.id == note)
    flash(request, _("Credit note {number} is issued.", number=made.number), _("The company gets it by mail in a moment."))
    return _back(invoice)


async def _credit_page(
    request: WebRequest, invoice: Invoice, form: forms.Form[Any], *, sums: list[VatTotal] | None = None, status_code: int = 200
) -> Html:
    return render(
        request,
        "billing/credit_form.html",
        status_code=status_code,
        invoice=invoice,
        lines=await credit_notes.creditable(invoice.id),
        causes=[(cause, _(words)) for cause, words in CAUSES.items()],
        form=form,
        sums=sums,
        Money=Money,
    )


# Correct


@get("/invoices/{number:str}/correct", opt=_ECL)
async def correct_form(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor]) -> Html:
    """Show what can be different on a new invoice."""
    invoice = await _invoice(number, actor)
    values = {
        "purchase_order": invoice.purchase_order or "",
        "cost_centre": invoice.cost_centre or "",
        "reason": "",
        "key": str(ids.new_id()),
    }
    return await _correct_page(request, invoice, forms.blank(**values))


@post("/invoices/{number:str}/correct", opt=_ECL, status_code=303)
async def correct(
    request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Credit the invoice whole and issue it anew."""
    invoice = await _invoice(number, actor)
    lines = await credit_notes.creditable(invoice.id)
    struct = _with_lines(
        "CorrectForm",
        lines,
        ("purchase_order", _Reference, ""),
        ("cost_centre", _Reference, ""),
        ("reason", _Reason, ""),
        ("key", _Key, ""),
    )
    form: forms.Form[Any] = await forms.read(request, struct)
    if form.data is None:
        return await _correct_page(request, invoice, form, status_code=422)
    wanted = Correction(
        invoice_id=invoice.id,
        reason=form.data.reason,
        key=f"{invoice.id}:{form.data.key}",
        purchase_order=_changed(invoice.purchase_order, form.data.purchase_order),
        cost_centre=_changed(invoice.cost_centre, form.data.cost_centre),
        amounts=_amounts(form.data, lines),
    )
    try:
        made = await corrections.correct(wanted, actor=actor, now=now)
    except DomainError as refusal:
        return await _correct_page(request, invoice, form.refuse(refusal), status_code=refusal.status)
    flash(
        request, _("Invoice {number} replaces it.", number=made.number), _("The company gets the credit note and the new invoice by mail.")
    )
    return redirect(f"/invoices/{made.number}")


def _changed(before: str | None, after: str) -> str | None:
    """Return None where nothing was changed: lines that differ among themselves then stay as they are."""
    return None if (before or "") == after.strip() else after


async def _correct_page(request: WebRequest, invoice: Invoice, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    lines = await credit_notes.creditable(invoice.id)
    debtor = await debtors.get(invoice.debtor_id)
    return render(request, "billing/invoice_correct.html", status_code=status_code, invoice=invoice, lines=lines, debtor=debtor, form=form)


# Withdraw and give up


@get(["/invoices/{number:str}/withdraw", "/invoices/{number:str}/give-up"], opt=_ECL)
async def close_form(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor]) -> Html:
    """Ask before an invoice is withdrawn or given up."""
    return _close_page(request, await _invoice(number, actor), forms.blank(reason=""))


@post("/invoices/{number:str}/withdraw", opt=_ECL, status_code=303)
async def withdraw(
    request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Withdraw an invoice that nobody paid."""
    invoice = await _invoice(number, actor)
    form = await forms.read(request, CloseForm)
    try:
        await closing.withdraw(invoice.id, reason=form.data.reason if form.data else "", actor=actor, now=now)
    except DomainError as refusal:
        return _close_page(request, invoice, form.refuse(refusal), status_code=refusal.status)
    flash(request, _("Invoice {number} is withdrawn.", number=invoice.number), _("The company gets a credit note over all of it."))
    return _back(invoice)


@post("/invoices/{number:str}/give-up", opt=_ECL, status_code=303)
async def give_up(
    request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Write off what is still owed."""
    invoice = await _invoice(number, actor)
    form = await forms.read(request, CloseForm)
    try:
        cents = await closing.give_up(invoice.id, reason=form.data.reason if form.data else "", actor=actor, now=now)
    except DomainError as refusal:
        return _close_page(request, invoice, form.refuse(refusal), status_code=refusal.status)
    flash(
        request, _("{amount} is written off.", amount=fmt_money(Money(cents))), _("If it is paid after all, the payment counts as always.")
    )
    return _back(invoice)


def _close_page(request: WebRequest, invoice: Invoice, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    return render(
        request,
        "billing/invoice_close.html",
        status_code=status_code,
        invoice=invoice,
        giving_up=request.url.path.endswith("/give-up"),
        reasons=[(code, _(words)) for code, words in closing.GIVE_UP_REASONS.items()],
        form=form,
    )


# Pay back


@get("/invoices/{number:str}/refund", opt=_ECL)
async def refund_form(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what the debtor has with us by an invoice, and the ways back."""
    invoice = await _invoice(number, actor)
    return await _refund_page(
        request, invoice, forms.blank(how="", amount="", on=today(now).isoformat(), reference="", against="", key=str(ids.new_id()))
    )


@post("/invoices/{number:str}/refund", opt=_ECL, status_code=303)
async def refund(
    request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Pay back by Stripe, note what was paid back by bank, or set off."""
    invoice = await _invoice(number, actor)
    form = await forms.read(request, RefundForm)
    if form.data is None:
        return await _refund_page(request, invoice, form, status_code=422)
    try:
        said = await _give_back(invoice, form.data, actor, now)
    except DomainError as refusal:
        return await _refund_page(request, invoice, form.refuse(refusal), status_code=refusal.status)
    flash(request, *said)
    return _back(invoice)


async def _give_back(invoice: Invoice, data: RefundForm, actor: Actor, now: datetime) -> tuple[str, str]:
    cents = data.amount.cents if data.amount is not None else None
    match data.how:
        case "stripe":
            await refunds.by_stripe(invoice.id, cents=cents, reason=data.reference, actor=actor, now=now, key=data.key)
            return _("Stripe is asked to pay it back."), _("The company sees it on its account within a few days.")
        case "bank":
            amount = await refunds.available(invoice.id) if cents is None else cents
            on = data.on or today(now)
            await refunds.by_bank(invoice.id, cents=amount, on=on, reference=data.reference, actor=actor, now=now, key=data.key)
            return _("{amount} is noted as paid back.", amount=fmt_money(Money(amount))), ""
        case "setoff":
            await refunds.set_off(invoice.id, data.against, cents=cents, actor=actor, now=now, key=data.key)
            return _("It is set off against invoice {number}.", number=data.against), _("Nothing leaves the bank.")


async def _refund_page(request: WebRequest, invoice: Invoice, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    return render(
        request,
        "billing/invoice_refund.html",
        status_code=status_code,
        invoice=invoice,
        available=Money(await refunds.available(invoice.id)),
        by_stripe=Money(await refunds.by_stripe_at_most(invoice.id)),
        targets=await refunds.targets(invoice.id),
        form=form,
    )


@post("/invoices/{number:str}/set-off", opt={"access": "company", "noun": "invoice"}, status_code=303)
async def set_off(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Let a company use what it has with us by one invoice to pay another of its own."""
    invoice = await _invoice(number, actor, Permission.PAY_INVOICES)
    form = await forms.read(request, SetOffForm)
    try:
        await refunds.set_off(invoice.id, form.data.against if form.data else "", actor=actor, now=now)
    except Forbidden:
        raise
    except (NotFound, DomainError) as refusal:
        flash(request, refusal.message, refusal.next_step or "", tone="stop")
    else:
        against = form.data.against if form.data else ""
        flash(request, _("It is set off against invoice {number}.", number=against), _("Nothing leaves the bank."))
    return _back(invoice)


HANDLERS = [
    credit_form, credit, correct_form, correct, close_form, withdraw, give_up, refund_form, refund, set_off,
]  # fmt: skip
