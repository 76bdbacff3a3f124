"""Makes the companies, the partners, who can sign in, and the staff; all through the verbs of ``people``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import partners
from marketplace.demo.companies import FIRMS, PARTNERS, PASSWORD, SIGN_INS, Firm
from marketplace.demo.names import address
from marketplace.demo.names import people as people_named
from marketplace.kit import clock, db, identity
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.people import companies, members, staff
from marketplace.people.facts import PersonFacts
from marketplace.people.places import ECL, Place

if TYPE_CHECKING:
    from random import Random

_LEVELS = (("A0", 22), ("A1", 20), ("A2", 18), ("B1", 16), ("B2", 8), ("C1", 3), (None, 13))


class Body(msgspec.Struct, frozen=True):
    """Somebody who can be sent on a course."""

    id: UUID
    level: str | None
    cost_centre: str | None
    relation: bool


class House(msgspec.Struct, frozen=True):
    """A company that is there now: who orders for it, and its people."""

    firm: Firm
    company_id: UUID
    buyer: Actor
    people: list[Body]


class Cast(msgspec.Struct, frozen=True):
    """Everybody of the demo."""

    houses: dict[str, House]
    partners: dict[str, UUID]
    partner_actors: dict[str, Actor]
    ecl: Actor


async def make_companies(*, now: datetime) -> dict[str, UUID]:
    """Make the companies with their debtors."""
    return {firm.key: await companies.create(firm.facts, actor=SYSTEM, now=now) for firm in FIRMS}


async def make_partners(*, now: datetime) -> dict[str, UUID]:
    """Make the training providers."""
    return {key: await partners.create(facts, actor=SYSTEM, now=now) for key, facts in PARTNERS.items()}


async def make_members(company_ids: dict[str, UUID], partner_ids: dict[str, UUID], *, now: datetime) -> dict[str, Actor]:
    """Make who can sign in, and a buyer without password for each other company and partner; return the actors by place.

    The demo's password is hashed once: argon2 is meant to be slow.
    """
    actors: dict[str, Actor] = {}
    accounts: list[UUID] = []
    for one in SIGN_INS:
        place = Place(company_ids.get(one.place), partner_ids.get(one.place)) if one.place else ECL
        account = await identity.create_account(one.email, name=one.name, locale=one.locale, now=now)
        await members.attach(account, place=place, roles=one.roles, actor=SYSTEM, now=now)
        accounts.append(account)
        actors.setdefault(one.place, await _actor(account))
    await db.execute("UPDATE account SET password_hash = $2 WHERE id = ANY ($1)", accounts, await identity.hash_password(PASSWORD))
    for firm in FIRMS:
        if firm.key not in actors:
            actors[firm.key] = await _member(firm.buyer, f"hr@{firm.domain}", Place(company_id=company_ids[firm.key]), Role.OWNER, now=now)
    for key, partner_id in partner_ids.items():
        if key not in actors:
            actors[key] = await _member(PARTNERS[key].name, PARTNERS[key].email, Place(partner_id=partner_id), Role.PARTNER, now=now)
    return actors


async def _member(name: str, email: str, place: Place, role: Role, *, now: datetime) -> Actor:
    account = await identity.create_account(email, name=name, now=now)
    await members.attach(account, place=place, roles=frozenset({role}), actor=SYSTEM, now=now)
    return await _actor(account)


async def _actor(account: UUID) -> Actor:
    found = await identity.actor_of(account)
    if found is None:
        message = "an account that was just made acts for nobody"
        raise RuntimeError(message)
    return found


async def make_staff(firm: Firm, company_id: UUID, source: object, chance: Random, *, now: datetime) -> list[Body]:
    """Make the people of one company: mostly employees, some of them with a partner."""
    made: list[Body] = []
    relations = firm.people // 6
    for number in range(firm.people - relations):
        facts = _employee(firm, number, source, chance, now=now)
        person = await staff.create(facts, company_id=company_id, actor=SYSTEM, now=now)
        made.append(Body(person, facts.level, facts.cost_centre, relation=False))
    for number in range(relations):
        employee = made[number * 4]
        given, family, _dutch = next(source)  # type: ignore[call-overload]
        facts = PersonFacts(given_name=given, family_name=family, email=address(given, family, "home.example"), language="en", level="B1")
        person = await staff.add_relation(employee.id, facts, company_id=company_id, actor=SYSTEM, now=now)
        made.append(Body(person, "B1", employee.cost_centre, relation=True))
    return made


def _employee(firm: Firm, number: int, source: object, chance: Random, *, now: datetime) -> PersonFacts:
    given, family, dutch = next(source)  # type: ignore[call-overload]
    department = number % len(firm.departments)
    level = None if dutch else chance.choices([level for level, _ in _LEVELS], [weight for _, weight in _LEVELS])[0]
    started = clock.today(now) + timedelta(days=90 - int(chance.triangular(0, 1500, 200)))
    return PersonFacts(
        given_name=given,
        family_name=family,
        email=address(given, family, firm.domain),
        personnel_number=f"{firm.key[:2].upper()}-{1000 + number * 7}",
        department=firm.departments[department],
        cost_centre=firm.cost_centre.format(n=1100 + department * 130) if len(firm.cost_centre) < 12 else None,
        start_on=started,
        language="nl" if dutch or level in {"B2", "C1"} else "en",
        level=level,
    )


def new_source(chance: Random) -> object:
    """Return an endless supply of names."""
    return people_named(chance)
