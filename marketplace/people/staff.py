"""Staff: a company's employees and their relations. Everything here works within one company.

HR sees of a relation only whose partner it is; their name and address are for their own mails (``contact``).
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - msgspec reads the annotations
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.people import names, scope
from marketplace.people.facts import FIELDS, PersonFacts, checked, search_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence


class PersonKind(StrEnum):
    """An employee, or somebody who comes along with one."""

    EMPLOYEE = "employee"
    RELATION = "relation"


class PersonState(StrEnum):
    """Whether somebody still works there."""

    ACTIVE = "active"
    LEFT = "left"


TRANSITIONS = {PersonState.ACTIVE: (PersonState.LEFT,), PersonState.LEFT: (PersonState.ACTIVE,)}


class Person(PersonFacts, frozen=True, kw_only=True):
    """Somebody as their company sees them; a relation's own name and e-mail address are empty here."""

    id: UUID
    company_id: UUID
    kind: PersonKind
    relation_of: UUID | None
    employee_name: str
    sort_name: str
    state: PersonState
    left_on: date | None
    changed_at: datetime

    @property
    def is_relation(self) -> bool:
        """Tell whether this is the partner of an employee."""
        return self.kind is PersonKind.RELATION

    @property
    def name(self) -> str:
        """Return the name to show to the company: for a relation ``Partner of <employee>``."""
        if self.is_relation:
            return _("Partner of {name}", name=self.employee_name)
        return names.full(self.given_name, self.infix, self.family_name)


class Contact(msgspec.Struct, frozen=True):
    """How to write to somebody, with their own name. Never shown to a company for a relation."""

    person_id: UUID
    given_name: str
    name: str
    email: str | None
    language: str


_PRIVATE = ("given_name", "infix", "family_name", "email")
_SHOWN = ", ".join(
    f"CASE WHEN p.kind = 'relation' THEN {'NULL' if name == 'email' else repr('')} ELSE p.{name} END AS {name}"
    if name in _PRIVATE
    else f"p.{name}"
    for name in FIELDS
)
SELECT = f"""
    SELECT p.id, p.company_id, p.kind, p.relation_of, p.sort_name, p.state, p.left_on, p.changed_at, {_SHOWN},
           coalesce(concat_ws(' ', e.given_name, nullif(e.infix, ''), nullif(e.family_name, '')), '') AS employee_name
      FROM person p LEFT JOIN person e ON e.id = p.relation_of
     WHERE p.company_id = $1
"""  # noqa: S608 - our own names


async def get(person_id: UUID, *, company_id: UUID) -> Person:
    """Return somebody of this company; raise ``NotFound`` for anybody else."""
    found = await db.row(Person, f"{SELECT} AND p.id = $2", company_id, person_id)
    if found is None:
        raise scope.not_found()
    return found


async def get_many(person_ids: Sequence[UUID], *, company_id: UUID) -> dict[UUID, Person]:
    """Return these people of this company by id; raise ``NotFound`` when one of them is not theirs."""
    found = {person.id: person for person in await db.rows(Person, f"{SELECT} AND p.id = ANY($2)", company_id, list(person_ids))}
    if not set(person_ids) <= set(found):
        raise scope.not_found()
    return found


async def contact(person_id: UUID) -> Contact:
    """Return somebody's own name, address and language, for a mail to them. For verbs that already know the person."""
    found = await db.row(
        Contact,
        "SELECT p.id AS person_id, p.given_name, concat_ws(' ', p.given_name, nullif(p.infix, ''), nullif(p.family_name, '')) AS name,"
        " p.email, coalesce(p.language, c.language) AS language FROM person p JOIN company c ON c.id = p.company_id WHERE p.id = $1",
        person_id,
    )
    if found is None:
        raise scope.not_found()
    return found


async def create(facts: PersonFacts, *, company_id: UUID, actor: Actor, now: datetime) -> UUID:
    """Add an employee and return their id. Raises ``Invalid`` per field; an e-mail address or number in use counts as one."""
    company_id = _allowed(actor, company_id)
    facts = checked(facts)
    person_id = ids.new_id()
    async with db.atomic():
        await _refuse_taken(facts, company_id, except_id=person_id)
        await _insert(person_id, facts, company_id=company_id, kind=PersonKind.EMPLOYEE, relation_of=None, now=now)
        await audit.record("person.created", actor=actor, subject=("person", person_id), now=now)
    return person_id


async def update(person_id: UUID, facts: PersonFacts, *, company_id: UUID, actor: Actor, now: datetime) -> list[str]:
    """Replace what is kept of an employee and return the names of the fields that changed. Raises as ``create``."""
    company_id = _allowed(actor, company_id)
    facts = checked(facts)
    async with db.atomic():
        await db.execute("SELECT 1 FROM person WHERE company_id = $1 AND id = $2 FOR UPDATE", company_id, person_id)
        before = await get(person_id, company_id=company_id)
        if before.is_relation:
            raise Conflict(
                "relation",
                _("The details of a partner are their own."),
                next_step=_("They can change them through the link in their mails."),
            )
        changed = [name for name in FIELDS if getattr(before, name) != getattr(facts, name)]
        if changed:
            await _refuse_taken(facts, company_id, except_id=person_id)
            kept = _kept(facts)
            settings = ", ".join(f"{name} = ${at}" for at, name in enumerate(kept, 4))
            sql = f"UPDATE person SET changed_at = $3, {settings} WHERE company_id = $1 AND id = $2"  # noqa: S608 - our own names
            await _once(db.execute(sql, company_id, person_id, now, *kept.values()))
            await db.execute("UPDATE person SET sort_name = $2 || ' ~' WHERE relation_of = $1", person_id, kept["sort_name"])
            await audit.record("person.changed", actor=actor, subject=("person", person_id), data={"fields": changed}, now=now)
    return changed


async def add_relation(employee_id: UUID, facts: PersonFacts, *, company_id: UUID, actor: Actor, now: datetime) -> UUID:
    """Add the partner of an employee, with an address of their own, and return the id. HR won't see the name again."""
    company_id = _allowed(actor, company_id)
    facts = checked(facts)
    person_id = ids.new_id()
    async with db.atomic():
        employee = await get(employee_id, company_id=company_id)
        if employee.is_relation:
            raise Conflict("relation", _("This is a partner already; choose the employee."))
        await _refuse_taken(facts, company_id, except_id=person_id)
        own = msgspec.structs.replace(
            facts, personnel_number=None, department=employee.department, cost_centre=employee.cost_centre, start_on=None
        )
        await _insert(person_id, own, company_id=company_id, kind=PersonKind.RELATION, relation_of=employee_id, now=now)
        await audit.record("person.created", actor=actor, subject=("person", person_id), data={"relation_of": employee_id}, now=now)
    return person_id


async def mark_left(person_id: UUID, *, left_on: date, company_id: UUID, actor: Actor, now: datetime) -> None:
    """Note that somebody leaves (or left) on a date. What they are enrolled in is for the packages on the right."""
    await _move(person_id, PersonState.LEFT, left_on, company_id=company_id, actor=actor, now=now)


async def mark_back(person_id: UUID, *, company_id: UUID, actor: Actor, now: datetime) -> None:
    """Undo ``mark_left``."""
    await _move(person_id, PersonState.ACTIVE, None, company_id=company_id, actor=actor, now=now)


async def _move(person_id: UUID, to: PersonState, left_on: date | None, *, company_id: UUID, actor: Actor, now: datetime) -> None:
    company_id = _allowed(actor, company_id)
    sql = (
        "UPDATE person SET state = $3, left_on = $4, changed_at = $5"
        " WHERE company_id = $1 AND id = $2 AND (state, left_on) IS DISTINCT FROM ($3, $4::date)"
    )
    async with db.atomic():
        if not await db.execute(sql, company_id, person_id, to.value, left_on, now):
            await get(person_id, company_id=company_id)
            return
        await audit.record(f"person.{to}", actor=actor, subject=("person", person_id), data={"fields": ["state", "left_on"]}, now=now)


def _allowed(actor: Actor, company_id: UUID) -> UUID:
    require(actor, Permission.EDIT_PEOPLE)
    return scope.company_of(actor, company_id)


async def _insert(
    person_id: UUID, facts: PersonFacts, *, company_id: UUID, kind: PersonKind, relation_of: UUID | None, now: datetime
) -> None:
    kept = {
        "id": person_id, "company_id": company_id, "kind": kind.value, "relation_of": relation_of,
        "state": "active", "created_at": now, "changed_at": now, **_kept(facts),
    }  # fmt: skip
    if relation_of is not None:
        kept["search_text"] = ""  # nobody at the company finds a relation by name
        kept["sort_name"] = await db.value("SELECT sort_name || ' ~' FROM person WHERE id = $1", relation_of)
    holes = ", ".join(f"${at}" for at in range(1, len(kept) + 1))
    await _once(db.execute(f"INSERT INTO person ({', '.join(kept)}) VALUES ({holes})", *kept.values()))  # noqa: S608 - our own names


def _kept(facts: PersonFacts) -> dict[str, object]:
    kept: dict[str, object] = {name: getattr(facts, name) for name in FIELDS}
    return kept | {"sort_name": names.sort_key(facts.given_name, facts.infix, facts.family_name), "search_text": search_text(facts)}


async def _refuse_taken(facts: PersonFacts, company_id: UUID, *, except_id: UUID) -> None:
    """Raise ``Invalid`` when somebody else of this company has the address or the number."""
    sql = f"{SELECT} AND p.id <> $2 AND (p.email = $3 OR p.personnel_number = $4)"
    found = {}
    for other in await db.rows(Person, sql, company_id, except_id, facts.email, facts.personnel_number):
        if facts.personnel_number and other.personnel_number == facts.personnel_number:
            found["personnel_number"] = _("{name} has this personnel number already.", name=other.name)
        else:
            found["email"] = _("{name} has this e-mail address already.", name=other.name)
    if found:
        raise Invalid("person_in_use", _("Somebody in your staff list has this already."), fields=found)


async def _once(write: Awaitable[int]) -> None:
    """Await a write; a race that only the database could see becomes the same kind of refusal."""
    try:
        await write
    except asyncpg.UniqueViolationError as clash:
        name = {"person_company_email": "email", "person_company_number": "personnel_number"}.get(db.violated(clash) or "", "")
        sentence = _("Somebody in your staff list has this already.")
        raise Invalid("person_in_use", sentence, fields={name: sentence}) from clash


async def relations_of(employee_id: UUID, *, company_id: UUID) -> list[Person]:
    """Return the partners of an employee, as their company sees them."""
    return await db.rows(Person, f"{SELECT} AND p.relation_of = $2 ORDER BY p.id", company_id, employee_id)
