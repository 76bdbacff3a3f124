"""Companies with their debtor, ordering rules; members with roles, and who an account acts as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from billing import debtors
from marketplace.kit import identity
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.identity import SYSTEM, Role
from marketplace.people import companies, members, ordering_rules
from marketplace.people.companies import FIELDS, Company, CompanyFacts
from marketplace.people.ordering_rules import OrderingRules, Reference, Rule
from marketplace.people.places import ECL, Place
from tests.builders.people import a_company, a_member

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.usefixtures("db")


def facts_of(company: Company, **changes: object) -> CompanyFacts:
    return CompanyFacts(**{name: getattr(company, name) for name in FIELDS} | changes)


async def test_a_company_comes_with_its_debtor_and_changes_with_it(now: datetime) -> None:
    company = await a_company("Rijnvelde Biosciences", legal_form="B.V.")
    assert company.debtor_id is not None
    debtor = await debtors.get(company.debtor_id)
    assert (debtor.owner_id, debtor.name, debtor.legal_name) == (company.id, "Rijnvelde Biosciences", "Rijnvelde Biosciences B.V.")
    changed = await companies.update(company.id, facts_of(company, city="Oegstgeest", wants_names=True), actor=SYSTEM, now=now)
    assert sorted(changed) == ["city", "wants_names"]
    debtor = await debtors.get(company.debtor_id)
    assert (debtor.city, debtor.wants_names) == ("Oegstgeest", True)


async def test_every_field_that_is_wrong_is_named_at_once(now: datetime) -> None:
    wrong = CompanyFacts(name="", kvk="123", purchase_order_pattern="45[0-9", invoice_email="no")
    with pytest.raises(Invalid) as refused:
        await companies.create(wrong, actor=SYSTEM, now=now)
    assert {"name", "kvk", "purchase_order_pattern", "invoice_email", "street"} <= set(refused.value.fields)


async def test_only_ecl_makes_companies(now: datetime) -> None:
    company = await a_company()
    owner = await a_member(company_id=company.id)
    with pytest.raises(Forbidden):
        await companies.create(facts_of(company), actor=owner, now=now)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "Give the PO number. Your company asks for one with each order."),
        ("45001288", "Starts with 45, ten digits. You gave “45001288”."),
        ("4500128834", None),
        (" 4500128834 ", None),
    ],
)
def test_a_po_number_is_judged_by_the_companys_pattern(given: str | None, expected: str | None) -> None:
    rules = OrderingRules(purchase_order=Reference(Rule.REQUIRED, "45[0-9]{8}", "Starts with 45, ten digits."))
    assert ordering_rules.check(rules, purchase_order=given, cost_centre=None).get("purchase_order") == expected


async def test_an_account_acts_with_the_roles_of_its_place(now: datetime) -> None:
    company = await a_company("Rijnvelde")
    actor = await a_member(company_id=company.id, roles={Role.BUYER, Role.FINANCE})
    assert (actor.company_id, actor.roles, actor.acts_for) == (company.id, {Role.BUYER, Role.FINANCE}, "Rijnvelde")
    ecl = await a_member()
    assert ecl.is_ecl
    assert ecl.company_id is None


async def test_members_of_a_closed_company_no_longer_act(now: datetime) -> None:
    company = await a_company()
    actor = await a_member(company_id=company.id)
    assert actor.account_id is not None
    await companies.close(company.id, actor=SYSTEM, now=now)
    assert await identity.actor_of(actor.account_id) is None
    await companies.reopen(company.id, actor=SYSTEM, now=now)
    assert await identity.actor_of(actor.account_id) is not None


async def test_the_last_owner_stays(now: datetime) -> None:
    company = await a_company()
    place = Place(company.id)
    owner = await a_member(company_id=company.id)
    other = await a_member(company_id=company.id, roles={Role.BUYER})
    assert owner.member_id
    assert other.member_id
    with pytest.raises(Conflict) as refused:
        await members.remove(owner.member_id, place=place, actor=owner, now=now)
    assert refused.value.code == "last_owner"
    with pytest.raises(Conflict):
        await members.change_roles(owner.member_id, frozenset({Role.BUYER}), place=place, actor=owner, now=now)
    await members.change_roles(other.member_id, frozenset({Role.OWNER}), place=place, actor=owner, now=now)
    await members.remove(owner.member_id, place=place, actor=owner, now=now)
    assert owner.account_id
    assert await identity.actor_of(owner.account_id) is None


async def test_an_owner_manages_only_their_own_company(now: datetime) -> None:
    ours, theirs = await a_company(), await a_company()
    owner = await a_member(company_id=ours.id)
    foreign = await a_member(company_id=theirs.id, roles={Role.BUYER})
    assert foreign.member_id
    for place in (Place(theirs.id), ECL, Place(partner_id=theirs.id)):
        with pytest.raises(NotFound):
            await members.remove(foreign.member_id, place=place, actor=owner, now=now)
    with pytest.raises(NotFound):
        await members.remove(foreign.member_id, place=Place(ours.id), actor=owner, now=now)


async def test_an_account_has_one_active_place(now: datetime) -> None:
    ours, theirs = await a_company(), await a_company()
    actor = await a_member(company_id=ours.id)
    assert actor.account_id
    with pytest.raises(Conflict) as refused:
        await members.attach(actor.account_id, place=Place(theirs.id), roles=frozenset({Role.BUYER}), actor=SYSTEM, now=now)
    assert refused.value.code == "already_member"


async def test_create_admin_makes_a_member_of_ecl_who_can_sign_in(clock: object) -> None:
    account_id = await members.create_admin("Desk@ECL.example", "Sanne Vroom", "a long enough password")
    actor = await identity.actor_of(account_id)
    assert actor is not None
    assert actor.is_ecl
    assert await identity.check_password("desk@ecl.example", "a long enough password") == account_id
    assert msgspec.structs.asdict(actor)["email"] == "desk@ecl.example"


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "([A-Z]+)*[0-9]", "(a|a)*b", "a*a*a*a*b", r"(\d+-?)+x", "(?=a)b", "((a?)){9}", "[", "a?" * 30]
)
async def test_a_pattern_that_could_hang_the_shop_is_refused(pattern: str) -> None:
    assert not ordering_rules.usable_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["45[0-9]{8}", r"\d{4}-\d{2,6}", "(PO|INK)-[A-Z0-9]+", r"[)(*+]{3}", r"(?:NL)?[0-9]{10}", "[0-9]+(/[0-9]+)?", r"P\(\d+\)"]
)
async def test_patterns_as_companies_have_them_can_be_used(pattern: str) -> None:
    assert ordering_rules.usable_pattern(pattern)
