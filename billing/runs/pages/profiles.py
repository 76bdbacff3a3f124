"""ECL's pages of acceptance profiles: what each kind of debtor asks of an invoice, as data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from billing.acceptance import SCHEMES, Profile
from billing.runs import profiles
from billing.runs.forms import PROFILE_LABELS, ProfileForm
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render


@get("/acceptance-profiles", opt={"access": "ecl"})
async def show_list(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show every profile with what it asks."""
    require(actor, Permission.MANAGE_INVOICES)
    return render(
        request, "billing/runs/profile_list.html", found=await profiles.every(), used=await profiles.used(), name=profiles.name,
        about=profiles.about, asks=profiles.asks,
    )  # fmt: skip


@get("/acceptance-profiles/new", opt={"access": "ecl"})
async def show_new(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show an empty form."""
    require(actor, Permission.MANAGE_INVOICES)
    return _form(request, forms.blank(wants="nothing", schemes=[], terms_days=""), None)


@post("/acceptance-profiles/new", opt={"access": "ecl"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Add a profile."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, ProfileForm)
    if form.data is not None:
        made = form.data.profile((form.data.code or "").strip())
        try:
            await profiles.add(made, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("{name} is a profile now.", name=profiles.name(made)), _("Give it to a company on its billing page."))
            return redirect("/acceptance-profiles")
    return _form(request, form, None, status_code=422)


@get("/acceptance-profiles/{code:str}", opt={"access": "ecl", "noun": "acceptance_profile"})
async def show(request: WebRequest, code: FromPath[str], actor: NamedDependency[Actor]) -> Html:
    """Show a profile's form."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await profiles.get(code)
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    return _form(request, forms.blank(**values | {"schemes": list(found.schemes), "terms_days": str(found.terms_days or "")}), found)


@post("/acceptance-profiles/{code:str}", opt={"access": "ecl", "noun": "acceptance_profile"}, status_code=303)
async def change(request: WebRequest, code: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Save a profile; it holds for the invoices from now on."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await profiles.get(code)
    form = await forms.read(request, ProfileForm)
    if form.data is not None:
        try:
            changed = await profiles.change(form.data.profile(code), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            labels = ", ".join(_(PROFILE_LABELS[name]) for name in changed)
            flash(request, _("Saved."), _("Changed: {fields}.", fields=labels)) if changed else flash(request, _("Nothing was changed."))
            return redirect("/acceptance-profiles")
    return _form(request, form, found, status_code=422)


def _form(request: WebRequest, form: forms.Form[Any], profile: Profile | None, *, status_code: int = 200) -> Html:
    labels = {name: _(word) for name, word in PROFILE_LABELS.items()}
    schemes = [(code, f"{_(word)} ({code})") for code, word in SCHEMES.items()]
    return render(
        request, "billing/runs/profile_form.html", status_code=status_code, form=form, labels=labels, profile=profile, schemes=schemes,
        name=profiles.name,
    )  # fmt: skip


HANDLERS = [show_list, show_new, create, show, change]
