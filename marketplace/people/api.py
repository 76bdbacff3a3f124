"""The JSON API of staff: list, add, show, import. A viewer may look; only who keeps the staff list may write."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import api, paging
from marketplace.people import scope, staff, staff_columns, staff_files, staff_import, staff_list
from marketplace.people.facts import PersonFacts
from marketplace.people.staff import Person
from marketplace.people.staff_files import StaffTable
from marketplace.people.staff_list import Filter
from marketplace.people.staff_plan import LinePlan, Plan

_MAX_REQUEST = staff_files.MAX_BYTES + 200_000
Text120 = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class PersonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An employee to add. `level` is the CEFR level of Dutch, `language` that of their mails."""

    given_name: Text120
    family_name: Text120
    email: api.EmailText
    infix: Annotated[str, msgspec.Meta(max_length=40)] = ""
    personnel_number: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    department: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    cost_centre: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    start_date: date | None = None
    language: Literal["en", "nl"] | None = None
    level: Literal["A0", "A1", "A2", "B1", "B2", "C1", "C2"] | None = None


class PersonAnswer(msgspec.Struct, frozen=True):
    """A person. Of an employee's partner (`kind` relation) the own name and e-mail address are not given."""

    id: UUID
    kind: str
    name: str
    given_name: str | None
    infix: str | None
    family_name: str | None
    email: str | None
    personnel_number: str | None
    department: str | None
    cost_centre: str | None
    start_date: date | None
    language: str | None
    level: str | None
    state: str
    left_date: date | None
    relation_of: UUID | None

    @classmethod
    def of(cls, person: Person) -> PersonAnswer:
        """Return a person as the API shows them."""
        return cls(
            id=person.id, kind=person.kind.value, name=person.name, given_name=person.given_name or None, infix=person.infix or None,
            family_name=person.family_name or None, email=person.email, personnel_number=person.personnel_number,
            department=person.department, cost_centre=person.cost_centre, start_date=person.start_on, language=person.language,
            level=person.level, state=person.state.value, left_date=person.left_on, relation_of=person.relation_of,
        )  # fmt: skip


class ImportBody(msgspec.Struct):
    """A staff export: CSV or text, as the HR system writes it."""

    file: UploadFile


class ImportedColumn(msgspec.Struct, frozen=True):
    """A column of the file and the field it was read as; null when it is not used."""

    header: str
    field: str | None


class ImportedLine(msgspec.Struct, frozen=True):
    """What a line does. `person_id` is null for a new person in a dry run and for a line that is left out."""

    line: int
    action: Literal["new", "changed", "unchanged", "problem"]
    name: str
    person_id: UUID | None
    changed: list[str]
    problems: list[str]
    warnings: list[str]


class ImportCounts(msgspec.Struct, frozen=True):
    """How many lines do what; `warnings` are lines that are imported but need a look."""

    new: int
    changed: int
    unchanged: int
    problem: int
    warnings: int


class ImportAnswer(msgspec.Struct, frozen=True):
    """What the import did, or would do. `missing` says what no column tells; then no line is read."""

    dry_run: bool
    encoding: str
    counts: ImportCounts
    columns: list[ImportedColumn]
    missing: list[str]
    ambiguous_dates: bool
    lines: list[ImportedLine]


@get("/people", opt={"access": "api-company"}, tags=["people"])
async def list_people(
    actor: NamedDependency[Actor], q: FromQuery[str | None] = None, department: FromQuery[str | None] = None, cursor: api.Cursor = None
) -> api.ListAnswer[PersonAnswer]:
    """List the people of your company who still work there, by family name."""
    require(actor, Permission.SEE_PEOPLE)
    shown = Filter(search=(q or "")[:200].replace("\0", ""), department=(department or "").replace("\0", "") or None)
    return api.page_answer(await staff_list.page(scope.company_of(actor), shown, paging.read(cursor, str, UUID)), PersonAnswer.of)


@post("/people", opt={"access": "api-company"}, tags=["people"])
async def create_person(data: JSONBody[PersonBody], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> PersonAnswer:
    """Add an employee. An e-mail address or personnel number that somebody of your company has is 422 `person_in_use`."""
    require(actor, Permission.EDIT_PEOPLE)
    given = msgspec.structs.asdict(data)
    facts = PersonFacts(start_on=given.pop("start_date"), **given)
    company_id = scope.company_of(actor)
    person_id = await staff.create(facts, company_id=company_id, actor=actor, now=now)
    return PersonAnswer.of(await staff.get(person_id, company_id=company_id))


@get("/people/{person_id:uuid}", opt={"access": "api-company", "noun": "person"}, tags=["people"])
async def show_person(person_id: FromPath[UUID], actor: NamedDependency[Actor]) -> PersonAnswer:
    """Show one person of your company."""
    require(actor, Permission.SEE_PEOPLE)
    return PersonAnswer.of(await staff.get(person_id, company_id=scope.company_of(actor)))


@post("/people/import", opt={"access": "api-company"}, status_code=200, request_max_body_size=_MAX_REQUEST, tags=["people"])
async def import_people(
    data: MultipartBody[ImportBody],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    dry_run: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter
) -> Response[ImportAnswer]:
    """Import a staff export, or with `dry_run=1` only say what each line would do.

    Somebody is the same person by personnel number, else by e-mail address. A blank cell erases nothing; lines with
    problems are left out and listed.
    """
    require(actor, Permission.EDIT_PEOPLE)
    table = staff_files.read(await data.file.read())
    company_id = scope.company_of(actor)
    if dry_run:
        plan = await staff_import.preview(table, company_id=company_id, actor=actor)
    else:
        plan = await staff_import.write(table, company_id=company_id, actor=actor, now=now)
    return Response(_answer(table, plan, dry_run=dry_run))


def _answer(table: StaffTable, plan: Plan, *, dry_run: bool) -> ImportAnswer:
    columns = [
        ImportedColumn(header, _outside(field) or None) for header, field in zip(staff_columns.headers(table), plan.fields, strict=True)
    ]
    return ImportAnswer(
        dry_run=dry_run, encoding=table.encoding, counts=ImportCounts(**plan.counts), columns=columns, missing=list(plan.missing),
        ambiguous_dates=plan.dates.ambiguous, lines=[_line(line, plan) for line in plan.lines],
    )  # fmt: skip


def _line(line: LinePlan, plan: Plan) -> ImportedLine:
    return ImportedLine(
        line=line.line, action=line.action.value, name=line.name, person_id=line.person_id or plan.created.get(line.line),
        changed=[_outside(name) for name in line.changed], problems=list(line.problems), warnings=list(line.warnings),
    )  # fmt: skip


def _outside(field: str) -> str:
    return "start_date" if field == "start_on" else field


HANDLERS = [list_people, create_person, show_person, import_people]
