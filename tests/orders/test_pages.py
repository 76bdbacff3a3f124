"""The buyer's road over HTTP: people, basket, order; and its JSON."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from marketplace.kit import clock as kit_clock
from marketplace.kit import db, identity
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_the_whole_road_without_script(cast: Cast, client: httpx.AsyncClient, locale: str) -> None:
    session = await a_session(seats=10)
    people = [await a_person(cast.company_a.id) for _n in range(2)]
    browser = await signed_in(client, cast.hr_a, locale=locale)
    address = f"/orders/new?session={session.id}"
    assert "Aditi Raman" in (await browser.get(address)).text
    chosen = {
        "session": str(session.id),
        "person_id": [str(person.id) for person in people],
        "purchase_order": "4500128834",
        "cost_centre": "3120",
    }
    held = await browser.post("/orders/new", {**chosen, "verb": "review"}, form=address)
    assert (held.status_code, held.headers["location"]) == (303, "/basket")
    basket = await browser.get("/basket")
    assert "1,290.00" in basket.text or "1.290,00" in basket.text
    basket_id = await db.value("SELECT id FROM basket WHERE account_id = $1", cast.hr_a.account_id)
    first = await browser.post("/orders", {"basket_id": str(basket_id)})
    again = await browser.post("/orders", {"basket_id": str(basket_id)})
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    page = await browser.get(first.headers["location"])
    assert page.status_code == 200
    assert "4500128834" in page.text
    assert await db.value("SELECT count(*) FROM placed_order") == 1
    assert (await browser.get("/orders")).text.count("4500128834") == 1
    assert "4500128834" in (await browser.get("/orders.csv")).text


async def test_searching_keeps_the_ticks(cast: Cast, client: httpx.AsyncClient) -> None:
    session = await a_session()
    ticked = await a_person(cast.company_a.id, given_name="Mateus", family_name="Ferreira")
    await a_person(cast.company_a.id, given_name="Hana", family_name="Novotná")
    await a_person(cast.company_a.id, given_name="Yuki", family_name="Tanabe")
    browser = await signed_in(client, cast.hr_a)
    form = {"session": str(session.id), "person_id": [str(ticked.id)], "q": "novotna", "verb": "search"}
    page = await browser.post("/orders/new", form, form=f"/orders/new?session={session.id}")
    assert "Hana Novotná" in page.text
    assert "Yuki" not in page.text
    assert f'value="{ticked.id}" checked' in page.text


async def test_nobody_ticked_is_said_and_nothing_is_lost(cast: Cast, client: httpx.AsyncClient) -> None:
    session = await a_session()
    await a_person(cast.company_a.id)
    browser = await signed_in(client, cast.hr_a)
    page = await browser.post(
        "/orders/new", {"session": str(session.id), "purchase_order": "45-kept", "verb": "review"}, form=f"/orders/new?session={session.id}"
    )
    assert page.status_code == 422
    assert "Tick at least one person." in page.text
    assert "45-kept" in page.text


async def test_the_last_seat_went_to_someone_else(cast: Cast, client: httpx.AsyncClient, clock: kit_clock.FakeClock) -> None:
    session = await a_session(seats=1)
    person = await a_person(cast.company_a.id)
    browser = await signed_in(client, cast.hr_a)
    await browser.post("/orders/new", {"session": str(session.id), "person_id": str(person.id)}, form=f"/orders/new?session={session.id}")
    basket_id = await db.value("SELECT id FROM basket WHERE account_id = $1", cast.hr_a.account_id)
    clock.move(timedelta(minutes=31))
    await an_order(session.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    browser = await signed_in(client, cast.hr_a)  # half an hour idle has signed them out
    page = await browser.post("/orders", {"basket_id": str(basket_id)}, form="/basket")
    assert page.status_code == 409
    assert "The last seat went to someone else." in page.text
    assert await db.value("SELECT count(*) FROM placed_order WHERE company_id = $1", cast.company_a.id) == 0


async def test_an_outsider_sees_nothing(cast: Cast, client: httpx.AsyncClient) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    order = await an_order(session.id, person.id, actor=cast.hr_a)
    for actor in (cast.hr_b, cast.partner_a):
        browser = await signed_in(client, actor)
        assert (await browser.get(f"/orders/{order.number}")).status_code == 404
    outsider = await signed_in(client, cast.hr_b)
    answer = await outsider.post(
        "/orders/new", {"session": str(session.id), "person_id": str(person.id)}, form=f"/orders/new?session={session.id}"
    )
    assert answer.status_code == 404


async def test_orders_as_json(cast: Cast, client: httpx.AsyncClient) -> None:
    session = await a_session(seats=1, programme_id=await a_programme(price_cents=69_500))
    one, two = await a_person(cast.company_a.id), await a_person(cast.company_a.id)
    assert cast.hr_a.account_id
    assert cast.hr_b.account_id
    token = await identity.create_token(cast.hr_a.account_id, now=kit_clock.now())
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "api-1"}
    body = {"lines": [{"session_id": str(session.id), "person_id": str(one.id)}], "purchase_order": "PO-1"}
    made = await client.post("/api/v1/orders", json=body, headers=headers)
    again = await client.post("/api/v1/orders", json=body, headers=headers)
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    assert made.json()["total"] == {"cents": 69_500, "currency": "EUR"}
    assert made.json()["lines"][0]["state"] == "accepted"
    full = await client.post(
        "/api/v1/orders",
        json={"lines": [{"session_id": str(session.id), "person_id": str(two.id)}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (full.status_code, full.json()["code"]) == (409, "full")
    reused = await client.post("/api/v1/orders", json={**body, "purchase_order": "PO-2"}, headers=headers)
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    theirs = await identity.create_token(cast.hr_b.account_id, now=kit_clock.now())
    foreign = await client.get(f"/api/v1/orders/{made.json()['id']}", headers={"Authorization": f"Bearer {theirs}"})
    unknown = await client.get(f"/api/v1/orders/{session.id}", headers={"Authorization": f"Bearer {theirs}"})
    assert foreign.status_code == unknown.status_code == 404
    assert (await client.get("/api/v1/orders")).status_code == 401
    listed = await client.get("/api/v1/orders", headers=headers)
    assert [order["id"] for order in listed.json()["items"]] == [made.json()["id"]]


async def test_those_whose_level_fits_come_first(cast: Cast, client: httpx.AsyncClient) -> None:
    session = await a_session()  # from A0 to A1
    for family_name, level in (("Aalbers", "B1"), ("Bakker", None), ("Zwart", "A0")):
        await a_person(cast.company_a.id, given_name="Kim", family_name=family_name, level=level)
    text = (await (await signed_in(client, cast.hr_a)).get(f"/orders/new?session={session.id}")).text
    assert text.index("Zwart") < text.index("Aalbers") < text.index("Bakker")
