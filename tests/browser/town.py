"""People, courses and orders for a browser to walk among, made by the product's own verbs in its running database.

``python -m tests.browser.town journey TAG`` makes one company with its own courses; ``… pages TAG`` adds one of every
noun, so that every page has something to show, ``… money TAG`` what the journeys of money begin with. Prints what was made as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import invoices
from catalog.words import Category, PriceUnit, VatBasis
from marketplace.commands.running import with_database
from marketplace.kit import clock, db, identity, ids
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.kit.money import Money
from marketplace.orders import place
from marketplace.orders.place import LineWish, PlaceOrder
from marketplace.people import invitations, members, passwords, staff, uploads
from marketplace.people.places import Place
from marketplace.scheduling import schedule
from tests.browser import money
from tests.builders.catalog import a_partner, a_programme, a_session
from tests.builders.people import a_company, a_person, a_relation

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings

PASSWORD = "canal-house-window-7"
STAFF = (
    ("Aditi", "Raman", "Research IT", "A0"),
    ("Mateus", "Ferreira", "Manufacturing", "A0"),
    ("Hana", "Novotná", "Quality", "A1"),
    ("Tomasz", "Wilk", "Research IT", None),
    ("Oluwaseun", "Adeyemi", "Discovery", "B1"),
)


class Town(msgspec.Struct):
    """What a test needs to know of the town. ``nouns`` are ids for the addresses, ``sessions`` the cookies by actor."""

    tag: str
    company: str
    group_code: str
    group_title: dict[str, str]
    private_code: str
    private_title: dict[str, str]
    accounts: dict[str, str] = {}
    cookies: dict[str, str] = {}
    token: str = ""
    people: list[str] = []
    nouns: dict[str, str] = {}


def main() -> None:
    """Make a town and print it."""
    kind, tag = sys.argv[1:3]

    async def run(_loaded: Settings) -> Town:
        return await {"pages": with_everything, "money": with_money}.get(kind, a_town)(tag)

    sys.stdout.write(msgspec.json.encode(with_database(run)).decode())


async def a_town(tag: str) -> Town:
    """Make one company with three colleagues, a partner with a group course and a private one, and ECL's desk."""
    now = clock.now()
    company = await a_company(f"Rijnvelde {tag}", legal_form="B.V.", invoice_email=f"invoices-{tag}@rijnvelde.example".lower())
    partner_id = await a_partner(name=f"Taalhuis {tag}", email=f"office-{tag}@taalhuis.example".lower())
    town = Town(
        tag=tag,
        company=company.name,
        group_code=f"NL-{tag}",
        group_title={"en": f"Dutch for newcomers {tag}", "nl": f"Nederlands voor nieuwkomers {tag}"},
        private_code=f"DUO-{tag}",
        private_title={"en": f"Dutch together {tag}", "nl": f"Nederlands samen {tag}"},
        nouns={"company_id": str(company.id), "partner_id": str(partner_id)},
    )
    group = await a_programme(title=town.group_title["en"], title_nl=town.group_title["nl"], code=town.group_code, partner_id=partner_id)
    private = await a_programme(
        title=town.private_title["en"], title_nl=town.private_title["nl"], code=town.private_code, partner_id=partner_id,
        published_capacity=False, price_cents=98_000, summary_en="Two people, one teacher, at a time you agree.",
        summary_nl="Twee mensen, één docent, op een tijd die u afspreekt.",
    )  # fmt: skip
    for weeks, seats in ((6, 10), (9, 12), (14, 12)):
        await a_session(programme_id=group, seats=seats, lessons=10, starts_at=_morning(now, weeks), minimum=4)
    await a_session(programme_id=private, seats=2, lessons=8, starts_at=_morning(now, 7))
    for given, family, department, level in STAFF:
        person = await a_person(
            company.id, given_name=given, family_name=family, department=department, level=level, cost_centre="3120",
            email=f"{given}-{tag}@rijnvelde.example".lower(),
        )  # fmt: skip
        town.people.append(str(person.id))
    await _accounts(town, Place(company.id, None), Place(None, partner_id), now=now)
    return town


def _morning(now: datetime, weeks: int) -> datetime:
    monday = clock.today(now) + timedelta(days=-clock.today(now).weekday(), weeks=weeks)
    return clock.instant(monday, time(9, 30))


async def _accounts(town: Town, company: Place, partner: Place, *, now: datetime) -> None:
    for who, name, where, role in (
        ("hr", "Fenna Wiersma", company, Role.OWNER),
        ("finance", "Ruben Kok", company, Role.FINANCE),
        ("partner", "Ilse Taal", partner, Role.PARTNER),
        ("ecl", "Marit Desk", Place(None, None), Role.ECL),
        ("second", "Joost Four-Eyes", Place(None, None), Role.ECL),
    ):
        address = f"{who}-{town.tag}@town.example".lower()
        account_id = await members.with_password(address, name=name, password=PASSWORD, place=where, roles=frozenset({role}), now=now)
        town.accounts[who] = address
        town.cookies[who] = await _session(account_id, now)
        if who == "hr":
            town.token = await identity.create_token(account_id, now=now)


async def _session(account_id: UUID, now: datetime) -> str:
    token = ids.secret_token()
    await db.execute(
        "INSERT INTO web_session (id, account_id, token_hash, created_at, seen_at, ends_at)"
        " VALUES ($1, $2, $3, $4, $4, $4::timestamptz + interval '12 hours')",
        ids.new_id(), account_id, identity.digest(token), now,
    )  # fmt: skip
    return token


async def _actor(town: Town, who: str) -> Actor:
    account_id = await db.value("SELECT id FROM account WHERE email = $1", town.accounts[who])
    found = await identity.actor_of(account_id)
    assert found is not None
    return found


async def with_everything(tag: str) -> Town:
    """Make a town in which every page has something to show; the worker issues the invoice meanwhile."""
    town = await a_town(tag)
    now, hr, ecl = clock.now(), await _actor(town, "hr"), await _actor(town, "ecl")
    await _street(UUID(town.nouns["partner_id"]))
    group, private = await _first_session(town.group_code), await _first_session(town.private_code)
    first, second, third = (UUID(person) for person in town.people[:3])
    sure = await place.place(
        PlaceOrder(lines=(LineWish(group, first), LineWish(group, second)), purchase_order="4500128834"), actor=hr, now=now
    )
    asked = await place.place(PlaceOrder(lines=(LineWish(private, third),), cost_centre="3120"), actor=hr, now=now)
    fourth = UUID(town.people[3])
    plan = await schedule.schedule(
        schedule.Wish(person_id=fourth, run_at=now + timedelta(days=20), session_id=group, price_cap=Money(70_000)), actor=hr, now=now
    )
    company_id = UUID(town.nouns["company_id"])
    await a_relation(await staff.get(first, company_id=company_id))
    upload = await uploads.keep("staff.csv", _CSV, actor=hr, now=now)
    await invitations.create(
        f"new-{tag}@town.example".lower(), place=Place(company_id, None), roles=frozenset({Role.BUYER}), actor=hr, now=now
    )
    await passwords.ask_reset(town.accounts["finance"], now=now)
    town.nouns |= {
        "session": str(group), "session_id": str(group), "number": str(sure.number), "waiting_number": str(asked.number),
        "plan_id": str(plan), "upload_id": str(upload), "person_id": str(first), "code": town.group_code,
        "programme_id": str(await db.value("SELECT id FROM programme WHERE code = $1", town.group_code)),
        "invoice": await _invoice_of(sure.id), "order_line": str(await db.value("SELECT id FROM order_line WHERE order_id = $1 LIMIT 1", sure.id)),
        **await money.everything(await _street_of_money(town, now=now)),
        "company_member": str(await _member(hr)), "ecl_member": str(await _member(ecl)), "partner_member": str(await _member(await _actor(town, "partner"))),
    }  # fmt: skip
    return town


async def _street_of_money(town: Town, *, now: datetime) -> money.Street:
    debtor_id = await db.value("SELECT debtor_id FROM company WHERE id = $1", UUID(town.nouns["company_id"]))
    ecl, second, partner = [await _actor(town, who) for who in ("ecl", "second", "partner")]
    return money.Street(town.tag, debtor_id, UUID(town.nouns["partner_id"]), ecl, second, partner, now)


async def with_money(tag: str) -> Town:
    """Make a town for the journeys of money: invoices, a month to bill, a partner's statement, and an order to cancel."""
    town, now = await a_town(tag), clock.now()
    town.nouns |= await money.for_journeys(await _street_of_money(town, now=now))
    session = await _first_session(town.group_code)
    placed = await place.place(
        PlaceOrder(lines=tuple(LineWish(session, UUID(person)) for person in town.people[:2])), actor=await _actor(town, "hr"), now=now
    )
    town.nouns["number"] = str(placed.number)
    return town


_CSV = (
    b"Personeelsnummer;Voornaam;Achternaam;E-mail;Afdeling\nRB-9001;Yuki;Tanabe;yuki@rijnvelde.example;Discovery\nRB-9002;Sanne;;kapot;\n"
)


async def _member(actor: Actor) -> UUID:
    return UUID(str(await db.value("SELECT id FROM member WHERE account_id = $1", actor.account_id)))


async def _first_session(code: str) -> UUID:
    sql = """
        SELECT session.id FROM session JOIN programme ON programme.id = session.programme_id WHERE programme.code = $1
        ORDER BY session.starts_at LIMIT 1
    """
    return UUID(str(await db.value(sql, code)))


async def _invoice_of(order_id: UUID) -> str:
    for _attempt in range(200):  # the worker is another process: this asks it, as a page that polls would
        found = (await invoices.for_groups([f"order:{order_id}"])).get(f"order:{order_id}")
        if found and found[0].hosted_payment_url:
            return found[0].number
        await asyncio.sleep(0.1)
    raise TimeoutError("no invoice within 20 s")


async def _street(partner_id: UUID) -> None:
    """Add one programme of every category, so that the catalogue shows each house."""
    for number, (category, unit, basis, cents, en, nl) in enumerate(
        (
            (Category.CULTURE, PriceUnit.PERSON, VatBasis.PROFESSIONAL_COURSE, 29_500, "Working with the Dutch", "Werken met Nederlanders"),
            (
                Category.DUAL_CAREER,
                PriceUnit.HOUR,
                VatBasis.COACHING,
                11_500,
                "One-to-one career coaching",
                "Loopbaanbegeleiding, een op een",
            ),
            (Category.WELCOME, PriceUnit.PERSON, VatBasis.SERVICE, 9_500, "First week in Leiden", "Eerste week in Leiden"),
            (Category.COMPANY, PriceUnit.PERSON, VatBasis.PROFESSIONAL_COURSE, 49_000, "International teams", "Internationale teams"),
            (Category.PACKAGE, PriceUnit.FAMILY, VatBasis.SERVICE, 148_000, "Settling in, complete", "Compleet van start"),
        )
    ):
        made = await a_programme(
            title=en, title_nl=nl, category=category, price_unit=unit, vat_basis=basis, price_cents=cents, partner_id=partner_id,
            level_from=None, level_to=None, lesson_count=1, actor=SYSTEM,
        )  # fmt: skip
        await a_session(programme_id=made, seats=8 + number, starts_at=_morning(clock.now(), 5 + number))


if __name__ == "__main__":
    main()
