"""Debtors: one per owner, in a normal form, refused field by field."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from billing import debtors, seller
from billing.debtors import DebtorProfile
from billing.vat import Period
from marketplace.kit import audit
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.ids import new_id
from tests.builders.billing import a_debtor

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_profile_is_kept_in_its_normal_form(db: None, now: datetime) -> None:
    owner = new_id()
    made = await a_debtor(owner, name="  Rijnburg ", vat_id="nl 1234.56782.b90", kvk=" ", attention="")
    found = await debtors.get(made)
    assert (found.name, found.legal_name, found.kvk, found.attention) == ("Rijnburg", "Rijnburg", None, None)
    assert (found.vat_id, found.vat_id_valid) == ("NL123456782B90", True)
    assert await debtors.of_owner(owner) == found
    assert await debtors.of_owner(new_id()) is None


async def test_one_debtor_an_owner(db: None, now: datetime) -> None:
    owner = new_id()
    await a_debtor(owner)
    with pytest.raises(Conflict, match="debtor_exists"):
        await a_debtor(owner)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("street", ""),
        ("postcode", ""),
        ("city", ""),
        ("email", "nobody"),
        ("country", "Netherlands"),
        ("kvk", "1234"),
        ("oin", "12"),
        ("vat_id", "NL123456789B90"),
        ("vat_id", "NL1"),
    ],
)
async def test_wrong_details_are_refused_by_field(db: None, now: datetime, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await a_debtor(**{field: value})
    assert set(refusal.value.fields) == {field}


async def test_change_is_audited_by_field_names_only(db: None, now: datetime) -> None:
    made = await a_debtor(name="Old")
    profile = DebtorProfile(name="New", street="Rapenburg 1", postcode="2311 EZ", city="Leiden", email="x@y.example", language="en")
    await debtors.update(made, profile, actor=SYSTEM, now=now)
    await debtors.update(made, profile, actor=SYSTEM, now=now)
    entries = await audit.of("debtor", made)
    [changed] = [entry for entry in entries if entry.event != "debtor.created"]
    assert changed.event == "debtor.changed"
    assert "name" in changed.data["fields"]
    assert "New" not in str(changed.data)
    with pytest.raises(NotFound):
        await debtors.get(new_id())


async def test_buyer_facts_follow_the_profile(db: None, now: datetime) -> None:
    facts = await debtors.buyer_facts(await a_debtor(country="DE", vat_id="DE136695976", kvk=None))
    assert (facts.country, facts.vat_id, facts.vat_id_valid) == ("DE", "DE136695976", True)
    assert not (await debtors.buyer_facts(await a_debtor(country="US", vat_id="12", kvk=None))).vat_id_valid


async def test_crkbo_periods_of_the_seller(db: None, now: datetime) -> None:
    before = (await seller.facts()).crkbo
    await seller.enter_crkbo(date(2031, 1, 1), actor=SYSTEM, now=now)
    await seller.enter_crkbo(date(2031, 1, 1), actor=SYSTEM, now=now)
    await seller.leave_crkbo(date(2032, 7, 1), actor=SYSTEM, now=now)
    assert (await seller.facts()).crkbo == (*before, Period(date(2031, 1, 1), date(2032, 6, 30)))
