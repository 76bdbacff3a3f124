"""ECL's companies: the list, a new one, one company with its rules and members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render
from marketplace.people import companies, members, role_words, staff_list
from marketplace.people.companies import FIELDS, CompanyFacts
from marketplace.people.ordering_rules import Rule
from marketplace.people.places import Place

Short = Annotated[str | None, msgspec.Meta(max_length=120)]
LABELS = {
    "name": N_("Name"), "legal_form": N_("Legal form"), "kvk": N_("KvK number"), "vat_id": N_("VAT id"), "sector": N_("Sector"),
    "street": N_("Street and number"), "postcode": N_("Postcode"), "city": N_("City"), "country": N_("Country"),
    "language": N_("Language of invoices and mails"), "invoice_email": N_("Invoices go to"), "purchase_order_rule": N_("PO number"),
    "purchase_order_pattern": N_("Pattern of PO numbers"), "purchase_order_hint": N_("The pattern in words"), "cost_centre_rule": N_("Cost centre"),
    "cost_centre_pattern": N_("Pattern of cost centres"), "cost_centre_hint": N_("That pattern in words"), "wants_names": N_("Participants' names on invoices"),
}  # fmt: skip


class CompanyForm(msgspec.Struct, frozen=True):
    """The form of a company."""

    name: forms.Name
    street: forms.Name
    postcode: Annotated[str, msgspec.Meta(max_length=20)]
    city: forms.Name
    invoice_email: forms.Email
    legal_form: Short = None
    kvk: Annotated[str | None, msgspec.Meta(max_length=20)] = None
    vat_id: Annotated[str | None, msgspec.Meta(max_length=20)] = None
    sector: Short = None
    country: Annotated[
        str, msgspec.Meta(pattern="^[A-Za-z]{2}$", extra={"sentence": N_("Give the country in two letters, for example NL.")})
    ] = "NL"
    language: Literal["nl", "en"] = "nl"
    purchase_order_rule: Rule = Rule.OPTIONAL
    purchase_order_pattern: Short = None
    purchase_order_hint: Short = None
    cost_centre_rule: Rule = Rule.OPTIONAL
    cost_centre_pattern: Short = None
    cost_centre_hint: Short = None
    wants_names: bool = False

    @property
    def facts(self) -> CompanyFacts:
        """Return what the form says, for the verbs."""
        return CompanyFacts(**msgspec.structs.asdict(self) | {"country": self.country.upper()})


@get("/companies", opt={"access": "ecl"})
async def show_list(
    request: WebRequest, actor: NamedDependency[Actor], q: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None
) -> Html:
    """Show a page of the companies, by name."""
    require(actor, Permission.MANAGE_COMPANIES)
    search = (q or "")[:200]
    page = await companies.page(paging.read(cursor, str, UUID), search=search, actor=actor)
    return render(
        request, "people/company_list.html", page=page, search=search,
        link=lambda **changes: "/companies?" + urlencode({key: value for key, value in ({"q": search} | changes).items() if value}),
    )  # fmt: skip


@get("/companies/new", opt={"access": "ecl"})
async def show_new(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show an empty form."""
    require(actor, Permission.MANAGE_COMPANIES)
    return _form(request, forms.blank(country="NL", language="nl", purchase_order_rule="optional", cost_centre_rule="optional"))


@post("/companies/new", opt={"access": "ecl"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Make a company with its debtor."""
    require(actor, Permission.MANAGE_COMPANIES)
    form = await forms.read(request, CompanyForm)
    sent = form.data
    if sent is not None:
        try:
            company_id = await companies.create(sent.facts, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("{name} is a company now.", name=sent.name), _("Invite its first owner below."))
            return redirect(f"/companies/{company_id}/members")
    return _form(request, form, status_code=422)


@get("/companies/{company_id:uuid}", opt={"access": "ecl", "noun": "company"})
async def show_company(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show a company: its rules, its members, how many staff it has."""
    require(actor, Permission.MANAGE_COMPANIES)
    company = await companies.get(company_id)
    return render(
        request, "people/company_show.html", company=company, members=await members.of(Place(company_id)), word=role_words.word,
        employees=await staff_list.count(company_id, staff_list.Filter()),
    )  # fmt: skip


@get("/companies/{company_id:uuid}/edit", opt={"access": "ecl", "noun": "company"})
async def show_edit(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show the form with what is kept."""
    require(actor, Permission.MANAGE_COMPANIES)
    company = await companies.get(company_id)
    return _form(request, forms.blank(**{name: getattr(company, name) for name in FIELDS}), company_id=company_id)


@post("/companies/{company_id:uuid}/edit", opt={"access": "ecl", "noun": "company"}, status_code=303)
async def change(
    request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Save what was changed."""
    require(actor, Permission.MANAGE_COMPANIES)
    await companies.get(company_id)
    form = await forms.read(request, CompanyForm)
    if form.data is not None:
        try:
            changed = await companies.update(company_id, form.data.facts, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            if changed:
                flash(request, _("Saved."), _("Changed: {fields}.", fields=", ".join(_(LABELS[name]) for name in changed)))
            else:
                flash(request, _("Nothing was changed."))
            return redirect(f"/companies/{company_id}")
    return _form(request, form, company_id=company_id, status_code=422)


@post("/companies/{company_id:uuid}/close", opt={"access": "ecl", "noun": "company"}, status_code=303)
async def close(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Close a company."""
    company = await companies.get(company_id)
    await companies.close(company_id, actor=actor, now=now)
    flash(request, _("{name} is closed.", name=company.name), _("Its members can't sign in. Orders and invoices stay."))
    return redirect(f"/companies/{company_id}")


@post("/companies/{company_id:uuid}/reopen", opt={"access": "ecl", "noun": "company"}, status_code=303)
async def reopen(
    request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Open a closed company again."""
    company = await companies.get(company_id)
    await companies.reopen(company_id, actor=actor, now=now)
    flash(request, _("{name} is open again.", name=company.name))
    return redirect(f"/companies/{company_id}")


def _form(request: WebRequest, form: forms.Form[Any], *, company_id: UUID | None = None, status_code: int = 200) -> Html:
    labels = {name: _(word) for name, word in LABELS.items()}
    return render(request, "people/company_form.html", status_code=status_code, form=form, labels=labels, company_id=company_id)


HANDLERS = [show_list, show_new, create, show_company, show_edit, change, close, reopen]
