"""Staff: one company's people, their relations, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from marketplace.kit import audit
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.identity import SYSTEM, Role
from marketplace.people import staff, staff_list
from marketplace.people.facts import FIELDS, PersonFacts
from marketplace.people.staff_list import Filter
from tests.builders.people import a_company, a_member, a_person, a_relation

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.people.staff import Person

pytestmark = pytest.mark.usefixtures("db")


def facts_of(person: Person, **changes: object) -> PersonFacts:
    return PersonFacts(**{name: getattr(person, name) for name in FIELDS} | changes)


async def test_infix_leaves_the_family_name_and_the_address_becomes_lower_case(now: datetime) -> None:
    company = await a_company()
    person = await a_person(company.id, given_name=" Søren ", family_name="in 't  Veld", email="Soren@Staff.Example")
    assert (person.given_name, person.infix, person.family_name) == ("Søren", "in 't", "Veld")
    assert person.name == "Søren in 't Veld"
    assert person.email == "soren@staff.example"


async def test_another_companys_person_is_as_missing_as_no_person(now: datetime) -> None:
    ours, theirs = await a_company(), await a_company()
    person = await a_person(theirs.id)
    owner = await a_member(company_id=ours.id)
    with pytest.raises(NotFound) as foreign:
        await staff.get(person.id, company_id=ours.id)
    with pytest.raises(NotFound) as missing:
        await staff.get(company_id=ours.id, person_id=ours.id)
    assert (foreign.value.code, foreign.value.message) == (missing.value.code, missing.value.message)
    with pytest.raises(NotFound):
        await staff.update(person.id, facts_of(person, given_name="X"), company_id=ours.id, actor=owner, now=now)
    with pytest.raises(NotFound):
        await staff.update(person.id, facts_of(person, given_name="X"), company_id=theirs.id, actor=owner, now=now)
    with pytest.raises(NotFound):
        await staff.get_many([person.id], company_id=ours.id)


async def test_a_viewer_may_look_and_not_write(now: datetime) -> None:
    company = await a_company()
    viewer = await a_member(company_id=company.id, roles={Role.VIEWER})
    with pytest.raises(Forbidden):
        await staff.create(PersonFacts(given_name="A", family_name="B"), company_id=company.id, actor=viewer, now=now)


async def test_address_and_number_are_unique_within_a_company_only(now: datetime) -> None:
    ours, theirs = await a_company(), await a_company()
    await a_person(ours.id, given_name="Hana", family_name="Novotná", email="hana@staff.example", personnel_number="7")
    await a_person(theirs.id, email="hana@staff.example", personnel_number="7")
    with pytest.raises(Invalid) as refused:
        await a_person(ours.id, email="HANA@staff.example", personnel_number="8")
    assert refused.value.fields == {"email": "Hana Novotná has this e-mail address already."}
    with pytest.raises(Invalid) as refused:
        await a_person(ours.id, email="other@staff.example", personnel_number="7")
    assert set(refused.value.fields) == {"personnel_number"}


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("hana", "“hana” has no @."),
        ("hana@", "The part after @ is missing."),
        ("@staff.example", "The part before @ is missing."),
        ("hana@staff", "“staff” is not a whole address: the part after the dot is missing."),
        ("ha na@staff.example", "“ha na@staff.example” has a character that an address can't have."),
    ],
)
async def test_an_address_that_is_none_is_refused_with_what_is_wrong(email: str, sentence: str, now: datetime) -> None:
    company = await a_company()
    with pytest.raises(Invalid) as refused:
        await a_person(company.id, email=email)
    assert refused.value.fields == {"email": sentence}


async def test_update_names_the_changed_fields_and_audits_no_values(now: datetime) -> None:
    company = await a_company()
    person = await a_person(company.id)
    assert await staff.update(person.id, facts_of(person), company_id=company.id, actor=SYSTEM, now=now) == []
    changed = await staff.update(
        person.id, facts_of(person, department="Quality", language="nl"), company_id=company.id, actor=SYSTEM, now=now
    )
    assert sorted(changed) == ["department", "language"]
    entries = await audit.of("person", person.id)
    assert [entry.event for entry in entries] == ["person.created", "person.changed"]
    assert b"Quality" not in msgspec.json.encode(entries)


async def test_hr_sees_a_relation_without_name_and_the_mail_knows_it(now: datetime) -> None:
    company = await a_company()
    employee = await a_person(company.id, given_name="Mateus", family_name="Ferreira")
    relation = await a_relation(employee, given_name="Lucía", family_name="Ortega", email="lucia@home.example")
    assert relation.name == "Partner of Mateus Ferreira"
    assert (relation.given_name, relation.family_name, relation.email) == ("", "", None)
    assert relation.department == employee.department
    contact = await staff.contact(relation.id)
    assert (contact.name, contact.email) == ("Lucía Ortega", "lucia@home.example")
    with pytest.raises(Conflict):
        await staff.update(relation.id, facts_of(relation, given_name="X", family_name="Y"), company_id=company.id, actor=SYSTEM, now=now)
    found = await staff_list.page(company.id, Filter(search="ortega"))
    assert found.items == []
    found = await staff_list.page(company.id, Filter(search="ferreira"))
    assert [person.name for person in found.items] == ["Mateus Ferreira", "Partner of Mateus Ferreira"]


async def test_a_leaver_leaves_the_list_and_comes_back(now: datetime) -> None:
    company = await a_company()
    person = await a_person(company.id)
    await staff.mark_left(person.id, left_on=date(2026, 12, 1), company_id=company.id, actor=SYSTEM, now=now)
    await staff.mark_left(person.id, left_on=date(2026, 12, 1), company_id=company.id, actor=SYSTEM, now=now)
    assert (await staff_list.page(company.id, Filter())).items == []
    assert [p.left_on for p in (await staff_list.page(company.id, Filter(state="left"))).items] == [date(2026, 12, 1)]
    await staff.mark_back(person.id, company_id=company.id, actor=SYSTEM, now=now)
    assert len((await staff_list.page(company.id, Filter())).items) == 1
    assert [entry.event for entry in await audit.of("person", person.id)] == ["person.created", "person.left", "person.active"]


async def test_the_list_is_sorted_as_in_dutch_and_searched_without_accents(now: datetime) -> None:
    company, other = await a_company(), await a_company()
    for given, family in (("Zoë", "van der Meer"), ("Łucja", "Abel"), ("Bram", "Öztürk"), ("Anna", "Meer")):
        await a_person(company.id, given_name=given, family_name=family)
    await a_person(other.id, given_name="Outsider", family_name="Meer")
    page = await staff_list.page(company.id, Filter())
    assert [person.name for person in page.items] == ["Łucja Abel", "Anna Meer", "Zoë van der Meer", "Bram Öztürk"]
    for words, expected in (("ozturk", "Bram Öztürk"), ("zoe meer", "Zoë van der Meer"), ("LUCJA", "Łucja Abel")):
        assert [p.name for p in (await staff_list.page(company.id, Filter(search=words))).items] == [expected]
    assert (await staff_list.page(company.id, Filter(search="outsider"))).items == []
