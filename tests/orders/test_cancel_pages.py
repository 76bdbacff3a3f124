"""Cancelling over HTTP: the cost is on the page, and the click charges no more than the page said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit import identity, work
from marketplace.orders import read
from marketplace.orders.states import LineState
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    import httpx

    from marketplace.kit.clock import FakeClock
    from marketplace.orders.read import Order

pytestmark = pytest.mark.asyncio(loop_scope="session")
START = datetime(2027, 1, 18, 8, 30, tzinfo=UTC)  # Monday 09:30 in Leiden


async def _order(cast: Cast, **programme: object) -> Order:
    session = await a_session(starts_at=START, programme_id=await a_programme(**programme))  # type: ignore[arg-type]
    order = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(kit_clock.now(), only=("billing.issue",))
    return await read.by_id(order.id, actor=cast.hr_a)


def _at(order: Order) -> str:
    return f"/orders/{order.number}/lines/{order.lines[0].id}/cancel"


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en", "Today this costs €0.00. From Mon 4 Jan, 09:30 it costs €322.50."),
        ("nl", "Vandaag kost dit €\xa00,00. Vanaf ma 4 jan 09:30 is het €\xa0322,50."),
    ],
)
async def test_the_page_says_what_it_costs_first(cast: Cast, client: httpx.AsyncClient, locale: str, sentence: str) -> None:
    order = await _order(cast)
    assert cast.hr_a.account_id
    await identity.set_locale(cast.hr_a.account_id, locale)
    browser = await signed_in(client, cast.hr_a, locale=locale)
    assert _at(order) in (await browser.get(f"/orders/{order.number}")).text
    page = (await browser.get(_at(order))).text
    assert sentence in page
    assert 'name="shown_cents" value="0"' in page


async def test_cancelled_it_stands_on_the_order_with_its_credit_note(cast: Cast, client: httpx.AsyncClient) -> None:
    order = await _order(cast)
    browser = await signed_in(client, cast.hr_a)
    done = await browser.post(_at(order), {"shown_cents": "0"})
    assert (done.status_code, done.headers["location"]) == (303, f"/orders/{order.number}")
    page = (await browser.get(f"/orders/{order.number}")).text
    assert "It costs you nothing." in page
    assert "Credit note C2026-000001" in page
    assert "One person cancelled" in page
    assert _at(order) not in page
    assert "cancelled already" in (await browser.get(_at(order))).text
    assert (await browser.post(_at(order), {"shown_cents": "0"})).status_code == 303
    assert "Cancelled" in (await browser.get("/orders?state=cancelled")).text


async def test_a_page_left_open_too_long_charges_nothing(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    order = await _order(cast)
    clock.set(START - timedelta(days=14) + timedelta(minutes=1))
    browser = await signed_in(client, cast.hr_a)
    late = await browser.post(_at(order), {"shown_cents": "0"})
    assert late.status_code == 409
    assert "Cancelling now costs €322.50, more than you saw. Nothing is cancelled." in late.text
    assert 'name="shown_cents" value="32250"' in late.text
    assert (await browser.post(_at(order), {})).status_code == 409
    assert (await read.by_id(order.id, actor=cast.hr_a)).lines[0].state is LineState.ACCEPTED
    assert (await browser.post(_at(order), {"shown_cents": "32250"})).status_code == 303
    assert "€322.50 without VAT stays due." in (await browser.get(f"/orders/{order.number}")).text


@pytest.mark.parametrize(("who", "status"), [("viewer_a", 403), ("finance_a", 403), ("approver_a", 403), ("hr_b", 404), ("partner_a", 404)])
async def test_who_may_not_cannot(cast: Cast, client: httpx.AsyncClient, who: str, status: int) -> None:
    order = await _order(cast)
    browser = await signed_in(client, getattr(cast, who))
    assert (await browser.get(_at(order))).status_code == status
    assert (await browser.post(_at(order), {"shown_cents": "99999"}, form="/privacy")).status_code == status
    assert await kit_db.value("SELECT count(*) FROM order_line WHERE state = 'cancelled'") == 0
    assert "Cancel<" not in (await browser.get(f"/orders/{order.number}")).text


async def test_ecl_cancels_for_a_company_and_waives_a_fee(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    order = await _order(cast)
    clock.set(START - timedelta(days=10))
    ecl = await signed_in(client, cast.ecl)
    missing = await ecl.post(_at(order), {"shown_cents": "32250", "how": "free", "reason": ""})
    assert missing.status_code == 422
    assert "Say why in a few words: HR reads it." in missing.text
    assert (await ecl.post(_at(order), {"shown_cents": "32250", "how": "terms"})).status_code == 303
    page = (await ecl.get(_at(order))).text
    assert "Waive €322.50" in page
    excuse = _at(order).replace("/cancel", "/excuse")
    assert (await ecl.post(excuse, {"reason": ""})).status_code == 422
    assert (await ecl.post(excuse, {"reason": "They were ill"})).status_code == 303
    assert (await read.by_id(order.id, actor=cast.hr_a)).total_cents == 0
    assert (await (await signed_in(client, cast.hr_a)).post(excuse, {"reason": "Me too"}, form="/privacy")).status_code == 404


async def test_cost_and_cancelling_as_json(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    order = await _order(cast)
    assert cast.hr_a.account_id
    token = await identity.create_token(cast.hr_a.account_id, now=clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    at = f"/api/v1{_at(order)}"
    cost = (await client.get(at, headers=headers)).json()
    assert (cost["fee"], cost["next_fee"]) == ({"cents": 0, "currency": "EUR"}, {"cents": 32_250, "currency": "EUR"})
    assert datetime.fromisoformat(cost["until"]) == START - timedelta(days=14)
    clock.set(START - timedelta(days=13))
    refused = await client.post(at, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "fee_changed")
    answers = [await client.post(f"{at}?fee_cents={cost['next_fee']['cents']}", headers=headers) for _n in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json() == {
        "line_id": str(order.lines[0].id), "state": "cancelled", "fee": {"cents": 32_250, "currency": "EUR"},
    }  # fmt: skip
    read_again = (await client.get(f"/api/v1/orders/{order.id}", headers=headers)).json()
    assert (read_again["state"], read_again["lines"][0]["state"], read_again["total"]["cents"]) == ("cancelled", "cancelled", 32_250)


async def test_ecl_calls_dates_off_with_people_in_them(cast: Cast, client: httpx.AsyncClient) -> None:
    order = await _order(cast)
    at = f"/catalogue/sessions/{order.lines[0].session_id}"
    ecl = await signed_in(client, cast.ecl)
    assert "One person has a seat. Their company gets everything back." in (await ecl.get(f"{at}/cancel")).text
    assert (await ecl.post(f"{at}/cancel", {"reason": ""})).status_code == 422
    assert (await ecl.post(f"{at}/cancel", {"reason": "The teacher is ill"})).status_code == 303
    await work.drain(kit_clock.now(), only=("orders.session_cancelled", "orders.take_back"))
    page = (await (await signed_in(client, cast.hr_a)).get(f"/orders/{order.number}")).text
    assert "these dates were called off: The teacher is ill" in page
    assert "Credit note C2026-000001" in page
