"""How a company is billed, and whether it will accept it: ECL's page for each company, and the company's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from billing import acceptance
from billing.acceptance import SCHEMES
from billing.runs import profiles
from billing.vies import certificates, checks, words
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render
from marketplace.people import billing_details, companies, scope
from marketplace.people.billing_details import Agreement, Choices

Short = Annotated[str | None, msgspec.Meta(max_length=60)]
LABELS = {
    "language": N_("Language of invoices and mails"), "wants_names": N_("Participants' names on invoices"), "split_by": N_("One invoice for each"),
    "wants_ubl": N_("E-invoice (UBL) with the PDF"), "ubl_profile": N_("Kind of e-invoice"), "buyer_reference": N_("Your reference on every invoice"),
    "acceptance_profile": N_("What kind of debtor it is"), "rhythm": N_("How often"), "billing_moment": N_("From when"), "terms_days": N_("Term of payment"),
    "channel": N_("How invoices go"), "peppol_scheme": N_("What the Peppol address is"), "peppol_id": N_("Peppol address"), "oin": N_("OIN"),
    "attention": N_("For the attention of"), "reminders": N_("Send reminders"),
}  # fmt: skip
RHYTHMS = {"order": N_("One invoice for each order"), "month": N_("One invoice a month")}
MOMENTS = {
    "confirmation": N_("As soon as the order stands"),
    "start": N_("At the start of the course"),
    "delivery": N_("After the last lesson"),
}
SPLITS = {"none": N_("No split"), "cost_centre": N_("Cost centre"), "purchase_order": N_("PO number"), "department": N_("Department")}


class ChoicesForm(msgspec.Struct, frozen=True):
    """What a company's finance fills in; ``check``: only look whether it would be accepted."""

    language: Literal["nl", "en"]
    split_by: Literal["none", "cost_centre", "purchase_order", "department"]
    ubl_profile: Literal["peppol", "nlcius"] = "peppol"
    wants_names: bool = False
    wants_ubl: bool = False
    buyer_reference: Short = None
    check: bool = False

    @property
    def wanted(self) -> Choices:
        """Return what was chosen, for the verb."""
        return Choices(**_without_check(self))


class AgreementForm(msgspec.Struct, frozen=True):
    """What ECL fills in."""

    language: Literal["nl", "en"]
    split_by: Literal["none", "cost_centre", "purchase_order", "department"]
    acceptance_profile: Annotated[str, msgspec.Meta(max_length=40)]
    rhythm: Literal["order", "month"]
    billing_moment: Literal["confirmation", "start", "delivery"]
    terms_days: Literal["14", "30"]
    channel: Literal["mail", "peppol"]
    ubl_profile: Literal["peppol", "nlcius"] = "peppol"
    wants_names: bool = False
    wants_ubl: bool = False
    buyer_reference: Short = None
    peppol_scheme: Literal["0106", "0190", "9944"] | None = None
    peppol_id: Short = None
    oin: Annotated[str | None, msgspec.Meta(max_length=20)] = None
    attention: Annotated[str | None, msgspec.Meta(max_length=120)] = None
    reminders: bool = False
    check: bool = False

    @property
    def wanted(self) -> Agreement:
        """Return what was agreed, for the verb."""
        return Agreement(**_without_check(self) | {"terms_days": 14 if self.terms_days == "14" else 30})


def _without_check(form: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(form).items() if name != "check"}


@get("/companies/{company_id:uuid}/billing", opt={"access": "company+ecl", "noun": "billing_details"})
async def show(request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show how a company is billed, and whether its invoices will be accepted."""
    require(actor, Permission.SEE_INVOICES)
    own = scope.company_of(actor, company_id)
    debtor = await billing_details.debtor_of(own)
    values = {name: getattr(debtor, name) for name in Agreement.__struct_fields__} | {"terms_days": str(debtor.terms_days)}
    return await _page(request, own, forms.blank(**values), None, actor, now)


@post("/companies/{company_id:uuid}/billing", opt={"access": "company+ecl", "noun": "billing_details"}, status_code=303)
async def save(
    request: WebRequest, company_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Save how a company is billed, or look first whether it would be accepted."""
    require(actor, Permission.EDIT_BILLING)
    own = scope.company_of(actor, company_id)
    await companies.get(own)
    form: forms.Form[Any] = await forms.read(request, AgreementForm if actor.is_ecl else ChoicesForm)
    if form.data is not None and form.data.check:
        return await _page(request, own, form, form.data.wanted, actor, now)
    if form.data is not None:
        try:
            changed = await billing_details.change(own, form.data.wanted, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            if changed:
                flash(request, _("Saved."), _("It holds for every invoice from now on."))
            else:
                flash(request, _("Nothing was changed."))
            return redirect(f"/companies/{own}/billing")
    return await _page(request, own, form, None, actor, now, status_code=422)


async def _page(
    request: WebRequest,
    company_id: UUID,
    form: forms.Form[Any],
    wanted: Choices | None,
    actor: Actor,
    now: datetime,
    *,
    status_code: int = 200,
) -> Html:
    every = await profiles.every()
    debtor = await billing_details.debtor_of(company_id)
    kind = next((profile for profile in every if profile.code == debtor.acceptance_profile), acceptance.COMPANY)
    findings = await billing_details.pre_flight(company_id, wanted, now=now)
    return render(
        request, "people/company_billing.html", status_code=status_code, form=form, company=await companies.get(company_id), debtor=debtor,
        vat_id=words.sentence(await checks.standing(debtor.id, now=now)), certificates=await certificates.of_debtor(debtor.id),
        labels={name: _(word) for name, word in LABELS.items()}, kind=kind, kind_name=profiles.name(kind), about=profiles.about(kind),
        findings=[(finding, acceptance.say(finding)) for finding in findings], checked=wanted is not None,
        profiles=[(profile.code, profiles.name(profile), profiles.about(profile)) for profile in every],
        rhythms=_options(RHYTHMS), moments=_options(MOMENTS), splits=_options(SPLITS), schemes=[(code, f"{_(word)} ({code})") for code, word in SCHEMES.items()],
        may_edit=actor.may(Permission.EDIT_BILLING),
    )  # fmt: skip


def _options(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(value, _(word)) for value, word in words.items()]


HANDLERS = [show, save]
