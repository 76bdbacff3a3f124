"""Programmes at ECL's desk: list, make, edit, preview, publish, withdraw."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from catalog import partners, policies, programmes, sessions, shown
from catalog.forms import NEW_PROGRAMME, ProgrammeForm, show_programme
from catalog.pages.public import programme_page
from catalog.words import Category, Format, Language, Level, Place, PriceUnit, ProgrammeState, Stage, VatBasis, name
from marketplace.kit import i18n
from marketplace.kit.errors import DomainError, Invalid
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

_ECL = {"access": "ecl"}
_ONE = {"access": "ecl", "noun": "programme"}
_LABELS = {
    "code": N_("Code"),
    "partner_id": N_("Partner"),
    "category": N_("What for"),
    "title_en": N_("Title in English"),
    "title_nl": N_("Title in Dutch"),
    "summary_en": N_("In one sentence, English"),
    "summary_nl": N_("In one sentence, Dutch"),
    "description_en": N_("Description in English"),
    "description_nl": N_("Description in Dutch"),
    "outcomes_en": N_("Afterwards people can, English"),
    "outcomes_nl": N_("Afterwards people can, Dutch"),
    "included_en": N_("Included, English"),
    "included_nl": N_("Included, Dutch"),
    "homework_en": N_("Homework, English"),
    "homework_nl": N_("Homework, Dutch"),
    "level_from": N_("Level at the start"),
    "level_to": N_("Level at the end"),
    "stages": N_("Stage of life here"),
    "taught_in": N_("Taught in"),
    "format": N_("How people meet"),
    "place": N_("Municipality"),
    "venue": N_("Address"),
    "lesson_count": N_("Number of lessons"),
    "lesson_minutes": N_("Minutes a lesson"),
    "group_min": N_("Smallest group"),
    "group_max": N_("Largest group"),
    "price": N_("Price without VAT"),
    "price_unit": N_("Price for"),
    "vat_basis": N_("For the VAT, this is"),
    "policy_id": N_("Cancellation terms"),
    "published_capacity": N_("Orders are accepted at once"),
}


@get("/catalogue/programmes", opt=_ECL)
async def programme_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List programmes, last changed first."""
    require(actor, Permission.MANAGE_CATALOGUE)
    state = request.query_params.get("state", "")
    chosen = ProgrammeState(state) if state in set(ProgrammeState) else None
    place = paging.read(cursor, datetime, UUID)
    words = (q or "").replace("\0", "")[:100]
    rows = await programmes.for_desk(place, now=now, state=chosen, q=words)
    page = paging.page(rows, place, key=lambda row: (row.updated_at, row.id))
    return render(
        request, "catalog/desk_programme_list.html", page=page, state=chosen, q=words, states=[(each.value, name(each)) for each in ProgrammeState],
        said=programmes.said, name=name,
    )  # fmt: skip


@get("/catalogue/programmes/new", opt=_ECL)
async def new_programme(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show the form for a new programme."""
    require(actor, Permission.MANAGE_CATALOGUE)
    return await _form(request, forms.blank(**NEW_PROGRAMME), None)


@post("/catalogue/programmes/new", opt=_ECL, status_code=303)
async def create_programme(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Make a draft."""
    form = await forms.read(request, ProgrammeForm)
    data = form.data
    if data is not None:
        try:
            made = await programmes.create(data.facts(), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(_named(refusal))
        else:
            flash(request, _("{code} is a draft.", code=data.code), _("Look at the preview, then publish it."))
            return redirect(f"/catalogue/programmes/{made}")
    return await _form(request, form, None, status_code=422)


@get("/catalogue/programmes/{programme_id:uuid}", opt=_ONE)
async def show(request: WebRequest, programme_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show a programme with its dates and the next step."""
    require(actor, Permission.MANAGE_CATALOGUE)
    return await _show(request, programme_id, now=now)


@get("/catalogue/programmes/{programme_id:uuid}/edit", opt=_ONE)
async def edit(request: WebRequest, programme_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show a programme in its form."""
    require(actor, Permission.MANAGE_CATALOGUE)
    return await _form(request, forms.blank(**show_programme(await programmes.get(programme_id))), programme_id)


@post("/catalogue/programmes/{programme_id:uuid}/edit", opt=_ONE, status_code=303)
async def update(
    request: WebRequest, programme_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Save a programme."""
    await programmes.get(programme_id)
    form = await forms.read(request, ProgrammeForm)
    data = form.data
    if data is not None:
        try:
            await programmes.update(programme_id, data.facts(), actor=actor, now=now, version=data.version)
        except DomainError as refusal:
            form = form.refuse(_named(refusal))
        else:
            flash(request, _("{code} is saved.", code=data.code), _("Orders placed before keep what they agreed to."))
            return redirect(f"/catalogue/programmes/{programme_id}")
    return await _form(request, form, programme_id, status_code=422)


@get("/catalogue/programmes/{programme_id:uuid}/preview", opt=_ONE)
async def preview(
    request: WebRequest,
    programme_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    session: FromQuery[str | None] = None,
    month: FromQuery[str | None] = None,
) -> Html:
    """Show a programme as buyers will see it, in any state and with unpublished dates."""
    require(actor, Permission.MANAGE_CATALOGUE)
    found = await programmes.get(programme_id)
    coming = await sessions.upcoming(programme_id, now=now, drafts=True)
    return await programme_page(request, found, coming, actor=actor, now=now, session=session, month=month, preview=True)


@post("/catalogue/programmes/{programme_id:uuid}/publish", opt=_ONE, status_code=303)
async def publish(
    request: WebRequest, programme_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Put a programme on sale, or say what is missing."""
    found = await programmes.get(programme_id)
    try:
        await programmes.publish(programme_id, actor=actor, now=now)
    except Invalid as refusal:
        return await _show(request, programme_id, now=now, missing=refusal.fields, status_code=422)
    flash(request, _("{title} is on sale.", title=found.title), _("Buyers find it in the catalogue at once."))
    return redirect(f"/catalogue/programmes/{programme_id}")


@post("/catalogue/programmes/{programme_id:uuid}/withdraw", opt=_ONE, status_code=303)
async def withdraw(
    request: WebRequest, programme_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Take a programme off sale."""
    found = await programmes.get(programme_id)
    await programmes.withdraw(programme_id, actor=actor, now=now)
    flash(request, _("{title} is off sale.", title=found.title), _("Who has a seat keeps it."))
    return redirect(f"/catalogue/programmes/{programme_id}")


async def _show(
    request: WebRequest, programme_id: UUID, *, now: datetime, missing: dict[str, str] | None = None, status_code: int = 200
) -> Html:
    found = await programmes.get(programme_id)
    coming = await sessions.upcoming(programme_id, now=now, drafts=True)
    return render(
        request, "catalog/desk_programme_show.html", status_code=status_code, programme=found, coming=coming, shown=shown, name=name,
        missing={_(_LABELS[field]): sentence for field, sentence in (missing or programmes.missing(found)).items()}, refused=missing is not None,
    )  # fmt: skip


def _named(refusal: DomainError) -> DomainError:
    """Return a refusal with the verb's field names turned into the form's."""
    fields = {"price" if field == "price_cents" else field: sentence for field, sentence in refusal.fields.items()}
    return type(refusal)(refusal.code, refusal.message, next_step=refusal.next_step, fields=fields)


async def _form(request: WebRequest, form: forms.Form[Any], programme_id: UUID | None, *, status_code: int = 200) -> Html:
    dutch = i18n.current_locale() == "nl"
    return render(
        request,
        "catalog/desk_programme_form.html",
        status_code=status_code,
        form=form,
        programme_id=programme_id,
        labels={field: _(label) for field, label in _LABELS.items()},
        partners=[(partner.id, partner.name) for partner in await partners.listed()],
        policies=[(policy.id, policy.name_nl if dutch else policy.name_en) for policy in await policies.choices()],
        options={
            kind.__name__: [(each.value, name(each)) for each in kind]
            for kind in (Category, Format, Language, Level, Place, PriceUnit, Stage, VatBasis)
        },
    )


HANDLERS = [programme_list, new_programme, create_programme, show, edit, update, preview, publish, withdraw]
