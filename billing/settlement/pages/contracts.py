"""ECL's pages of what was agreed with partners: details, contracts, and the account that they are paid on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.settlement import accounts, agreeing, contracts, overview, payees
from billing.settlement.accounts import Proposal
from billing.settlement.agreeing import NewContract
from billing.settlement.payees import Payee, PayeeDetails
from marketplace.kit import clock, identity
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

_LONG = Annotated[str, msgspec.Meta(max_length=200)]


class DetailsForm(msgspec.Struct, frozen=True):
    """What ECL fills in of a partner; ``PayeeDetails`` has the rules."""

    legal_name: forms.Name
    code: Annotated[str, msgspec.Meta(max_length=12)]
    email: forms.Email
    street: _LONG
    postcode: Annotated[str, msgspec.Meta(max_length=20)]
    city: forms.Name
    country: Annotated[str, msgspec.Meta(max_length=2)] = "NL"
    vat_id: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    kvk: Annotated[str, msgspec.Meta(max_length=12)] | None = None
    language: Literal["nl", "en"] = "nl"
    small_business: bool = False
    self_billing_from_on: date | None = None
    self_billing_until_on: date | None = None
    objection_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 14
    shares_fees: bool = False


class ContractForm(msgspec.Struct, frozen=True):
    """A contract: a percentage or a fixed amount."""

    from_on: date
    percent: Decimal | None = None
    fixed: Money | None = None
    programme: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    until_on: date | None = None
    hold_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 14


class EndForm(msgspec.Struct, frozen=True):
    """The last day of a contract."""

    until_on: date


class AccountForm(msgspec.Struct, frozen=True):
    """An account that is proposed."""

    iban: Annotated[str, msgspec.Meta(max_length=50)]
    bic: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    holder_name: Annotated[str, msgspec.Meta(max_length=70)] | None = None


def detail_labels() -> dict[str, str]:
    """Return the names of the fields."""
    return {
        "legal_name": _("Name on statements and invoices"), "code": _("Code in the numbers"), "email": _("E-mail for statements"),
        "street": _("Street and number"), "postcode": _("Postcode"), "city": _("City"), "country": _("Country"), "vat_id": _("VAT id"),
        "kvk": _("KvK number"), "language": _("Language"), "small_business": _("Small business without VAT (KOR)"),
        "self_billing_from_on": _("Agreed from"), "self_billing_until_on": _("Ended on"), "objection_days": _("Days to object"),
        "shares_fees": _("Shares in cancellation fees"),
    }  # fmt: skip


def contract_labels() -> dict[str, str]:
    """Return the names of the fields."""
    return {
        "from_on": _("From"), "until_on": _("Up to and including"), "percent": _("Percentage of the price"), "fixed": _("Or a fixed amount a seat"),
        "programme": _("Programme code"), "hold_days": _("Days held after the course"),
    }  # fmt: skip


def account_labels() -> dict[str, str]:
    """Return the names of the fields."""
    return {"iban": _("IBAN"), "bic": _("BIC"), "holder_name": _("In the name of")}


@get("/partner-contracts", opt={"access": "ecl"})
async def show_list(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """List the partners with what was agreed, and what is missing to pay them."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    found = await overview.payee_rows(today=clock.today(now))
    return render(request, "settlement/payee_list.html", payees=found)


@get("/partner-contracts/{payee_id:uuid}", opt={"access": "ecl", "noun": "payee"})
async def show(request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what was agreed with one partner, its contracts and accounts."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    known = await accounts.of(payee_id)
    people = {one for account in known for one in (account.proposed_by, account.decided_by) if one}
    names = {one: found.name for one in people if (found := await identity.account(one))}
    return render(
        request,
        "settlement/payee_show.html",
        payee=payee,
        contracts=await contracts.of(payee_id),
        accounts=known,
        names=names,
        today=clock.today(now),
    )


@get("/partner-contracts/{payee_id:uuid}/details", opt={"access": "ecl", "noun": "payee"})
async def show_details(request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show the form with a partner's details."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    values = {name: _typed(getattr(payee, name)) for name in PayeeDetails.__struct_fields__}
    return _details_page(request, payee, forms.blank(**values))


@post("/partner-contracts/{payee_id:uuid}/details", opt={"access": "ecl", "noun": "payee"}, status_code=303)
async def save_details(
    request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Keep a partner's details."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    form = await forms.read(request, DetailsForm)
    if form.data is not None:
        try:
            await payees.save(payee_id, msgspec.convert(msgspec.structs.asdict(form.data), PayeeDetails), actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The details of {name} are kept.", name=payee.legal_name))
            return redirect(f"/partner-contracts/{payee_id}")
    return _details_page(request, payee, form, 422)


def _details_page(request: WebRequest, payee: Payee, form: forms.Form[DetailsForm], status_code: int = 200) -> Html:
    return render(request, "settlement/payee_form.html", status_code=status_code, payee=payee, form=form, labels=detail_labels())


def _typed(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


@get("/partner-contracts/{payee_id:uuid}/new", opt={"access": "ecl", "noun": "payee"})
async def show_contract_form(
    request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Show the form for a new contract."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    form: forms.Form[ContractForm] = forms.blank(from_on=clock.today(now).isoformat(), hold_days=14)
    return render(request, "settlement/contract_form.html", payee=payee, form=form, labels=contract_labels())


@post("/partner-contracts/{payee_id:uuid}/new", opt={"access": "ecl", "noun": "payee"}, status_code=303)
async def agree(
    request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Agree a contract."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    form = await forms.read(request, ContractForm)
    if form.data is not None:
        given = NewContract(**msgspec.structs.asdict(form.data))
        try:
            await agreeing.agree(payee_id, given, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The contract is kept."), _("Lines that waited for it are earned now."))
            return redirect(f"/partner-contracts/{payee_id}")
    return render(request, "settlement/contract_form.html", status_code=422, payee=payee, form=form, labels=contract_labels())


@get("/partner-contracts/contracts/{contract_id:uuid}", opt={"access": "ecl", "noun": "partner_contract"})
async def show_end(request: WebRequest, contract_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show one contract, and the form that ends it."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    contract = await contracts.get(contract_id)
    form: forms.Form[EndForm] = forms.blank(until_on=clock.today(now).isoformat())
    return await _end_page(request, contract, form)


@post("/partner-contracts/contracts/{contract_id:uuid}", opt={"access": "ecl", "noun": "partner_contract"}, status_code=303)
async def end(
    request: WebRequest, contract_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Let a contract end on a day."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    contract = await contracts.get(contract_id)
    form = await forms.read(request, EndForm)
    if form.data is not None:
        try:
            payee_id = await agreeing.end(contract_id, until_on=form.data.until_on, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The contract ends."), _("What was ordered until then keeps its terms."))
            return redirect(f"/partner-contracts/{payee_id}")
    return await _end_page(request, contract, form, 422)


async def _end_page(request: WebRequest, contract: contracts.Contract, form: forms.Form[EndForm], status_code: int = 200) -> Html:
    payee = await payees.get(contract.payee_id)
    return render(
        request,
        "settlement/contract_end.html",
        status_code=status_code,
        contract=contract,
        payee=payee,
        form=form,
        labels=contract_labels(),
    )


@get("/partner-contracts/{payee_id:uuid}/account", opt={"access": "ecl", "noun": "payee"})
async def show_account_form(request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show the form that proposes an account."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    return render(request, "settlement/account_form.html", payee=await payees.get(payee_id), form=None, labels=account_labels())


@post("/partner-contracts/{payee_id:uuid}/account", opt={"access": "ecl", "noun": "payee"}, status_code=303)
async def propose_account(
    request: WebRequest, payee_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Propose an account; somebody else approves it."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    payee = await payees.get(payee_id)
    form = await forms.read(request, AccountForm)
    if form.data is not None:
        try:
            await accounts.propose(payee_id, Proposal(**msgspec.structs.asdict(form.data)), actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The account waits for a colleague."), _("Until it is approved, payouts go on as before."))
            return redirect(f"/partner-contracts/{payee_id}")
    return render(request, "settlement/account_form.html", status_code=422, payee=payee, form=form, labels=account_labels())


@post("/partner-contracts/accounts/{account_id:uuid}/approve", opt={"access": "ecl", "noun": "payee_account"}, status_code=303)
async def approve_account(
    request: WebRequest, account_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Approve an account that somebody else proposed."""
    return await _decide(request, account_id, approve=True, actor=actor, now=now)


@post("/partner-contracts/accounts/{account_id:uuid}/refuse", opt={"access": "ecl", "noun": "payee_account"}, status_code=303)
async def refuse_account(
    request: WebRequest, account_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Refuse an account that was proposed."""
    return await _decide(request, account_id, approve=False, actor=actor, now=now)


async def _decide(request: WebRequest, account_id: UUID, *, approve: bool, actor: Actor, now: datetime) -> Redirect:
    require(actor, Permission.MANAGE_SETTLEMENT)
    account = await accounts.get(account_id)
    try:
        await (accounts.approve if approve else accounts.refuse)(account_id, actor=actor, now=now)
    except NotFound:
        raise
    except DomainError as refusal:
        flash(request, refusal.message, refusal.next_step or "", tone="stop")
    else:
        words = _("The account is approved."), _("From now on payouts go there. Payouts that were approved before need that again.")
        flash(request, *(words if approve else (_("The account is refused."), _("Nothing changes for the payouts."))))
    return redirect(f"/partner-contracts/{account.payee_id}")


HANDLERS = [
    show_list,
    show,
    show_details,
    save_details,
    show_contract_form,
    agree,
    show_end,
    end,
    show_account_form,
    propose_account,
    approve_account,
    refuse_account,
]
