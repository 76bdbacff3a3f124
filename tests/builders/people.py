"""Companies, members and staff for tests, made through the same verbs as everything else."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from marketplace.kit import clock, identity
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.people import companies, members, staff
from marketplace.people.companies import CompanyFacts
from marketplace.people.facts import PersonFacts
from marketplace.people.places import Place

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.people.companies import Company
    from marketplace.people.staff import Person

_numbers = itertools.count(1)


async def a_company(name: str | None = None, **facts: object) -> Company:
    """Make a company in Leiden with a whole address, and its debtor."""
    number = next(_numbers)
    given = {
        "name": name or f"Company {number}", "street": f"Breestraat {number}", "postcode": "2311 CS", "city": "Leiden",
        "kvk": f"{10_000_000 + number}", "invoice_email": f"invoices{number}@company.example", "language": "en", **facts,
    }  # fmt: skip
    company_id = await companies.create(CompanyFacts(**given), actor=SYSTEM, now=clock.now())
    return await companies.get(company_id)


async def a_member(
    *,
    company_id: UUID | None = None,
    partner_id: UUID | None = None,
    roles: set[Role] | None = None,
    email: str | None = None,
    name: str = "Fenna Wiersma",
    locale: str | None = "en",
    password: str | None = None,
) -> Actor:
    """Make an account with a place (at ECL when neither id is given) and return who it acts as.

    Without a password nobody can sign in with it, which is quicker; ``as_actor`` needs none.
    """
    place = Place(company_id, partner_id)
    wanted = frozenset(roles or {Role.OWNER if company_id else place.roles()[0]})
    address = email or f"member{next(_numbers)}@people.example"
    account_id = await identity.create_account(address, name=name, locale=locale, now=clock.now())
    if password:
        await identity.set_password(account_id, password)
    await members.attach(account_id, place=place, roles=wanted, actor=SYSTEM, now=clock.now())
    actor = await identity.actor_of(account_id)
    assert actor is not None
    return actor


async def a_person(company_id: UUID, **facts: object) -> Person:
    """Make an employee of a company."""
    number = next(_numbers)
    given = {
        "given_name": "Aditi", "family_name": "Raman", "email": f"person{number}@staff.example",
        "personnel_number": f"RB-{number}", "department": "Research IT", **facts,
    }  # fmt: skip
    person_id = await staff.create(PersonFacts(**given), company_id=company_id, actor=SYSTEM, now=clock.now())
    return await staff.get(person_id, company_id=company_id)


async def a_relation(employee: Person, **facts: object) -> Person:
    """Make the partner of an employee."""
    given = {"given_name": "Lucía", "family_name": "Ortega", "email": f"relation{next(_numbers)}@home.example", **facts}
    person_id = await staff.add_relation(employee.id, PersonFacts(**given), company_id=employee.company_id, actor=SYSTEM, now=clock.now())
    return await staff.get(person_id, company_id=employee.company_id)
