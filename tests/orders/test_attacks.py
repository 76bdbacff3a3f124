"""Attempts to be charged for what was not shown, to lose a seat that is paid for, and to order where nothing may be ordered."""

from __future__ import annotations

import asyncio
import contextvars
import re
from datetime import datetime, timedelta

import httpx
import pytest

from catalog import programmes, session_changes, sessions
from marketplace.kit import clock, db
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM
from marketplace.orders import baskets, place, review
from marketplace.orders.place import PlaceOrder
from marketplace.people import companies
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_company, a_member, a_person
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_price_that_rose_since_the_review_is_shown_before_it_is_owed(cast: Cast, client: httpx.AsyncClient) -> None:
    session = await a_session(seats=5)
    person = await a_person(cast.company_a.id)
    browser = await signed_in(client, cast.hr_a)
    chosen = {"session": str(session.id), "person_id": str(person.id), "verb": "review"}
    await browser.post("/orders/new", chosen, form=f"/orders/new?session={session.id}")

    def hidden(page: str) -> dict[str, str]:
        return {name: value for name in ("basket_id", "reviewed") for value in re.findall(f'name="{name}" value="([^"]+)"', page)}

    seen = hidden((await browser.get("/basket")).text)
    facts = session_changes.facts_of(await sessions.get(session.id, now=clock.now()))
    await session_changes.edit(session.id, _priced(facts, 99_900), actor=cast.ecl, now=clock.now())
    refused = await browser.post("/orders", seen, form="/basket")
    assert refused.status_code == 409
    assert "999" in refused.text
    assert await db.value("SELECT count(*) FROM placed_order") == 0
    placed = await browser.post("/orders", hidden(refused.text), form="/basket")
    assert placed.status_code == 303
    assert await db.value("SELECT net_cents FROM placed_order") == 99_900


def _priced(facts: session_changes.SessionFacts, cents: int) -> session_changes.SessionFacts:
    return session_changes.SessionFacts(**{name: getattr(facts, name) for name in facts.__struct_fields__} | {"price_cents": cents})


async def test_another_tab_that_adds_people_does_not_order_them_from_the_first(cast: Cast, now: datetime) -> None:
    one, two = await a_session(seats=5), await a_session(seats=5)
    person = (await a_person(cast.company_a.id)).id
    basket = await baskets.choose(one.id, [person], purchase_order=None, cost_centre=None, actor=cast.hr_a, now=now)
    seen = await review.of(cast.hr_a, now=now)
    assert seen is not None
    await baskets.choose(two.id, [person], purchase_order=None, cost_centre=None, actor=cast.hr_a, now=now)
    command = PlaceOrder(basket_id=basket.id, reviewed=seen.fingerprint)
    with pytest.raises(Conflict) as refused:
        await place.place(command, actor=cast.hr_a, now=now)
    assert refused.value.code == "changed_meanwhile"


async def test_the_same_review_is_the_same_in_both_languages_and_after_the_half_hour(cast: Cast, now: datetime) -> None:
    session = await a_session(seats=5)
    people = [(await a_person(cast.company_a.id)).id for _n in range(3)]
    basket = await baskets.choose(session.id, people, purchase_order="45", cost_centre=None, actor=cast.hr_a, now=now)
    seen = await review.of(cast.hr_a, now=now)
    assert seen is not None
    command = PlaceOrder(basket_id=basket.id, purchase_order="45", reviewed=seen.fingerprint)
    placed = await place.place(command, actor=cast.hr_a, now=now + timedelta(hours=1))
    again = await place.place(command, actor=cast.hr_a, now=now + timedelta(hours=2))
    assert (again.id, again.replayed) == (placed.id, True)


async def test_a_refused_order_leaves_its_key_free(cast: Cast, now: datetime) -> None:
    session = await a_session(seats=1)
    first = await an_order(session.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    person = (await a_person(cast.company_a.id)).id
    with pytest.raises(Conflict):
        await an_order(session.id, person, actor=cast.hr_a, idempotency_key="mine")
    order = await an_order((await a_session(seats=1)).id, person, actor=cast.hr_a, idempotency_key="mine")
    assert order.id != first.id


async def test_a_closed_company_orders_nothing(cast: Cast, now: datetime) -> None:
    company = await a_company()
    hr = await a_member(company_id=company.id)
    session, person = await a_session(), await a_person(company.id)
    await companies.close(company.id, actor=SYSTEM, now=now)
    with pytest.raises(Conflict) as refused:
        await an_order(session.id, person.id, actor=hr)
    assert refused.value.code == "company_closed"


async def test_odd_digits_in_the_search_are_no_failure(cast: Cast, client: httpx.AsyncClient) -> None:
    browser = await signed_in(client, cast.hr_a)
    for text in ("²", "٣", "①", "9" * 11, "0x1", "%00"):
        assert (await browser.get(f"/orders?q={text}")).status_code in {200, 422}


async def test_emptying_a_basket_while_it_is_ordered_never_frees_a_seat_that_is_paid_for(committed: str, now: datetime) -> None:
    hr = await a_member(company_id=(await a_company()).id)
    assert hr.company_id is not None
    session = await a_session(seats=5)
    for let_go in (lambda: baskets.empty(actor=hr, now=now), lambda: baskets.remove_session(session.id, actor=hr, now=now)):
        basket = await baskets.choose(
            session.id, [(await a_person(hr.company_id)).id], purchase_order=None, cost_centre=None, actor=hr, now=now
        )
        async with db.atomic():
            await place.place(PlaceOrder(basket_id=basket.id), actor=hr, now=now)
            other_tab = asyncio.create_task(let_go(), context=contextvars.Context())
            while not await db.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - waits for PostgreSQL
                await asyncio.sleep(0)
        await other_tab
    assert await db.value("SELECT array_agg(state) FROM seat WHERE session_id = $1", session.id) == ["taken", "taken"]
    assert await db.value("SELECT live FROM session WHERE id = $1", session.id) == 2


async def test_a_programme_keeps_its_partner_while_people_are_coming(cast: Cast, now: datetime) -> None:
    programme = await a_programme(partner_id=cast.partner_a_id)
    session = await a_session(seats=3, programme_id=programme)
    await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    before = await programmes.get(programme)
    names = programmes.ProgrammeFacts.__struct_fields__
    other = programmes.ProgrammeFacts(**{name: getattr(before, name) for name in names} | {"partner_id": cast.partner_b_id})
    with pytest.raises(Conflict) as refused:
        await programmes.update(programme, other, actor=cast.ecl, now=now)
    assert refused.value.code == "has_enrolments"
    await programmes.update(programme, other, actor=cast.ecl, now=session.ends_at + timedelta(days=1))
