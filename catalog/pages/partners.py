"""Partners, as ECL keeps them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from catalog import partners
from catalog.forms import PartnerForm, show_partner
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

_LABELS = {
    "name": N_("Name"),
    "code": N_("Code"),
    "email": N_("E-mail"),
    "address": N_("Address"),
    "city": N_("City"),
    "about_nl": N_("About, in Dutch"),
    "about_en": N_("About, in English"),
}


@get("/partners", opt={"access": "ecl"})
async def partner_list(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """List the partners."""
    require(actor, Permission.MANAGE_PARTNERS)
    return render(request, "catalog/partner_list.html", partners=await partners.listed())


@get("/partners/new", opt={"access": "ecl"})
async def new_partner(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show the form for a new partner."""
    require(actor, Permission.MANAGE_PARTNERS)
    return _form(request, forms.blank(), None)


@post("/partners/new", opt={"access": "ecl"}, status_code=303)
async def create_partner(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Add a partner."""
    form = await forms.read(request, PartnerForm)
    data = form.data
    if data is not None:
        try:
            await partners.create(data.facts(), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("{name} is a partner now.", name=data.name), _("You can give it programmes."))
            return redirect("/partners")
    return _form(request, form, None, status_code=422)


@get("/partners/{partner_id:uuid}/edit", opt={"access": "ecl", "noun": "partner"})
async def edit_partner(request: WebRequest, partner_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show a partner in its form."""
    require(actor, Permission.MANAGE_PARTNERS)
    return _form(request, forms.blank(**show_partner(await partners.get(partner_id))), partner_id)


@post("/partners/{partner_id:uuid}/edit", opt={"access": "ecl", "noun": "partner"}, status_code=303)
async def update_partner(
    request: WebRequest, partner_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Save a partner."""
    await partners.get(partner_id)
    form = await forms.read(request, PartnerForm)
    data = form.data
    if data is not None:
        try:
            await partners.update(partner_id, data.facts(), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("{name} is saved.", name=data.name))
            return redirect("/partners")
    return _form(request, form, partner_id, status_code=422)


def _form(request: WebRequest, form: forms.Form[PartnerForm], partner_id: UUID | None, *, status_code: int = 200) -> Html:
    labels = {name: _(label) for name, label in _LABELS.items()}
    return render(request, "catalog/partner_form.html", status_code=status_code, form=form, partner_id=partner_id, labels=labels)


HANDLERS = [partner_list, new_partner, create_partner, edit_partner, update_partner]
