"""The staff list of a company, and one person of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from marketplace.kit import clock
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _, fmt_date
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render
from marketplace.people import scope, staff, staff_csv, staff_list
from marketplace.people.facts import FIELDS, LEVELS, PersonFacts
from marketplace.people.staff_list import Filter

if TYPE_CHECKING:
    from marketplace.people.staff import Person

_STATES = ("active", "left", "all")
LABELS = {
    "given_name": N_("First name"), "infix": N_("Infix"), "family_name": N_("Family name"), "email": N_("E-mail address"),
    "personnel_number": N_("Personnel number"), "department": N_("Department"), "cost_centre": N_("Cost centre"),
    "start_on": N_("First day of work"), "language": N_("Language of mails"), "level": N_("Level of Dutch"), "left_on": N_("Last day of work"),
}  # fmt: skip


class PersonForm(msgspec.Struct, frozen=True):
    """The form of an employee."""

    given_name: forms.Name
    family_name: forms.Name
    email: forms.Email
    infix: Annotated[str, msgspec.Meta(max_length=40)] = ""
    personnel_number: Annotated[str | None, msgspec.Meta(max_length=40)] = None
    department: Annotated[str | None, msgspec.Meta(max_length=120)] = None
    cost_centre: Annotated[str | None, msgspec.Meta(max_length=60)] = None
    start_on: date | None = None
    language: Literal["en", "nl"] | None = None
    level: Literal["A0", "A1", "A2", "B1", "B2", "C1", "C2"] | None = None

    @property
    def facts(self) -> PersonFacts:
        """Return what the form says, for the verbs."""
        return PersonFacts(**msgspec.structs.asdict(self))


class RelationForm(msgspec.Struct, frozen=True):
    """The form of an employee's partner."""

    given_name: forms.Name
    family_name: forms.Name
    email: forms.Email
    language: Literal["en", "nl"] | None = None


class LeaveForm(msgspec.Struct, frozen=True):
    """The form of a leaver."""

    left_on: date


def _filter(q: str | None, department: str | None, standing: str | None) -> Filter:
    return Filter(search=(q or "")[:200], department=department or None, state=standing if standing in _STATES else "active")


@get("/people", opt={"access": "company"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    q: FromQuery[str | None] = None,
    department: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show a page of the staff."""
    require(actor, Permission.SEE_PEOPLE)
    company_id = scope.company_of(actor)
    shown = _filter(q, department, show)
    page = await staff_list.page(company_id, shown, paging.read(cursor, str, UUID))
    kept = {
        key: value
        for key, value in (("q", shown.search), ("department", shown.department), ("show", shown.state))
        if value and value != "active"
    }
    return render(
        request, "people/person_list.html", page=page, shown=shown, departments=await staff_list.departments(company_id),
        total=await staff_list.count(company_id, shown), everybody=await staff_list.count(company_id, Filter(state="all")),
        may_edit=actor.may(Permission.EDIT_PEOPLE), link=lambda **changes: _link(kept, changes), csv_link="/people.csv" + _link(kept, {})[len("/people") :],
    )  # fmt: skip


def _link(kept: dict[str, Any], changes: dict[str, Any]) -> str:
    query = {key: value for key, value in {**kept, **changes}.items() if value}
    return f"/people?{urlencode(query)}" if query else "/people"


@get("/people.csv", opt={"access": "company"})
async def download(
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    q: FromQuery[str | None] = None,
    department: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Send the filtered list as CSV."""
    require(actor, Permission.SEE_PEOPLE)
    people = await staff_list.every(scope.company_of(actor), _filter(q, department, show))
    name = f"staff-{clock.today(now).isoformat()}.csv"
    return Response(
        staff_csv.write(people), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@get("/people/new", opt={"access": "company"})
async def show_new(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show an empty form."""
    require(actor, Permission.EDIT_PEOPLE)
    return await _new_form(request, actor, forms.blank(language="en"))


@post("/people/new", opt={"access": "company"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Add an employee."""
    require(actor, Permission.EDIT_PEOPLE)
    form = await forms.read(request, PersonForm)
    sent = form.data
    if sent is not None:
        try:
            person_id = await staff.create(sent.facts, company_id=scope.company_of(actor), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(
                request,
                _("{name} is on your staff list.", name=f"{sent.given_name} {sent.family_name}"),
                _("You can put them on a course now."),
            )
            return redirect(f"/people/{person_id}")
    return await _new_form(request, actor, form, status_code=422)


async def _new_form(request: WebRequest, actor: Actor, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    return render(
        request, "people/person_new.html", status_code=status_code, form=form, levels=LEVELS, labels=_labels(),
        departments=await staff_list.departments(scope.company_of(actor)),
    )  # fmt: skip


@get("/people/{person_id:uuid}", opt={"access": "company", "noun": "person"})
async def show_person(
    request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html:
    """Show one person; who may edit gets the form."""
    require(actor, Permission.SEE_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    return await _person(request, actor, person, now=now)


@post("/people/{person_id:uuid}", opt={"access": "company", "noun": "person"}, status_code=303)
async def change(
    request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Save what was changed."""
    require(actor, Permission.EDIT_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    form = await forms.read(request, PersonForm)
    if form.data is not None:
        try:
            changed = await staff.update(person_id, form.data.facts, company_id=person.company_id, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            if changed:
                flash(request, _("Saved."), _("Changed: {fields}.", fields=", ".join(_(LABELS[name]) for name in changed)))
            else:
                flash(request, _("Nothing was changed."))
            return redirect(f"/people/{person_id}")
    return await _person(request, actor, person, now=now, form=form, status_code=422)


@post("/people/{person_id:uuid}/leave", opt={"access": "company", "noun": "person"}, status_code=303)
async def leave(
    request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Note that somebody leaves."""
    require(actor, Permission.EDIT_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    form = await forms.read(request, LeaveForm)
    if form.data is None:
        return await _person(request, actor, person, now=now, leave_form=form, status_code=422)
    await staff.mark_left(person_id, left_on=form.data.left_on, company_id=person.company_id, actor=actor, now=now)
    day = fmt_date(form.data.left_on, "long")
    flash(request, _("{name} leaves on {day}.", name=person.name, day=day), _("Courses that are booked stay booked; look at their orders."))
    return redirect(f"/people/{person_id}")


@post("/people/{person_id:uuid}/back", opt={"access": "company", "noun": "person"}, status_code=303)
async def back(request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Undo a leaver."""
    require(actor, Permission.EDIT_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    await staff.mark_back(person_id, company_id=person.company_id, actor=actor, now=now)
    flash(request, _("{name} is back on your staff list.", name=person.name))
    return redirect(f"/people/{person_id}")


@get("/people/{person_id:uuid}/partner", opt={"access": "company", "noun": "person"})
async def show_relation_form(request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show the form for the partner of an employee."""
    require(actor, Permission.EDIT_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    return _relation_form(request, person, forms.blank(language="en"))


@post("/people/{person_id:uuid}/partner", opt={"access": "company", "noun": "person"}, status_code=303)
async def add_relation(
    request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Add the partner of an employee."""
    require(actor, Permission.EDIT_PEOPLE)
    person = await staff.get(person_id, company_id=scope.company_of(actor))
    form = await forms.read(request, RelationForm)
    if form.data is not None:
        try:
            facts = PersonFacts(**msgspec.structs.asdict(form.data))
            await staff.add_relation(person_id, facts, company_id=person.company_id, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The partner of {name} can take part now.", name=person.name), _("You won't see their name here again."))
            return redirect(f"/people/{person_id}")
    return _relation_form(request, person, form, status_code=422)


def _relation_form(request: WebRequest, person: Person, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    return render(request, "people/relation_form.html", status_code=status_code, person=person, form=form, labels=_labels())


async def _person(
    request: WebRequest,
    actor: Actor,
    person: Person,
    *,
    now: datetime,
    form: forms.Form[Any] | None = None,
    leave_form: forms.Form[Any] | None = None,
    status_code: int = 200,
) -> Html:
    values = {name: getattr(person, name) for name in FIELDS}
    company_id = scope.company_of(actor)
    return render(
        request, "people/person_show.html", status_code=status_code, person=person, form=form or forms.blank(**values), labels=_labels(),
        leave_form=leave_form, wrong=form or leave_form,
        relations=await staff.relations_of(person.id, company_id=company_id), departments=await staff_list.departments(company_id),
        levels=LEVELS, may_edit=actor.may(Permission.EDIT_PEOPLE), may_order=actor.may(Permission.PLACE_ORDERS),
        employee=await staff.get(person.relation_of, company_id=company_id) if person.relation_of else None, today=clock.today(now),
    )  # fmt: skip


def _labels() -> dict[str, str]:
    return {name: _(word) for name, word in LABELS.items()}


HANDLERS = [show_list, download, show_new, create, show_person, change, leave, back, show_relation_form, add_relation]
