"""A request that is sent twenty times at the same moment is one order: by its key over JSON, by its basket over the form."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from litestar import Litestar

from marketplace.kit import clock, db, identity
from tests.builders.catalog import a_session
from tests.builders.people import a_company, a_member, a_person
from tests.cast import signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")
TIMES = 20


def _client(app: Litestar) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=30)


async def _orders() -> int:
    return int(await db.value("SELECT count(*) FROM placed_order"))


async def _seats() -> int:
    return int(await db.value("SELECT count(*) FROM seat WHERE state IN ('held', 'taken')"))


async def _bearer(**company: Any) -> tuple[dict[str, str], Any]:
    made = await a_company(**company)
    member = await a_member(company_id=made.id)
    assert member.account_id is not None
    return {"Authorization": f"Bearer {await identity.create_token(member.account_id, now=clock.now())}"}, made


async def test_twenty_requests_with_one_key_are_one_order(app: Litestar, committed: str) -> None:
    bearer, company = await _bearer()
    session, people = await a_session(seats=30), [await a_person(company.id) for _n in range(2)]
    body = {"lines": [{"session_id": str(session.id), "person_id": str(person.id)} for person in people]}
    async with _client(app) as client:
        headers = bearer | {"Idempotency-Key": "the one"}
        answers = await asyncio.gather(*(client.post("/api/v1/orders", json=body, headers=headers) for _n in range(TIMES)))
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers if answer.status_code != 201][:1]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert (await _orders(), await _seats()) == (1, 2)
        other = await client.post("/api/v1/orders", json={"lines": body["lines"][:1]}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_without_a_key_only_one_of_twenty_gets_the_seat(app: Litestar, committed: str) -> None:
    """The control: the same requests without a key are twenty orders, and the person's one seat refuses nineteen."""
    bearer, company = await _bearer()
    session, person = await a_session(seats=30), await a_person(company.id)
    body = {"lines": [{"session_id": str(session.id), "person_id": str(person.id)}]}
    async with _client(app) as client:
        answers = await asyncio.gather(*(client.post("/api/v1/orders", json=body, headers=bearer) for _n in range(TIMES)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (TIMES - 1)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_enrolled"}


async def test_companies_may_use_the_same_key(app: Litestar, committed: str) -> None:
    session = await a_session(seats=30)
    ids = set()
    async with _client(app) as client:
        for _company in range(2):
            bearer, company = await _bearer()
            body = {"lines": [{"session_id": str(session.id), "person_id": str((await a_person(company.id)).id)}]}
            answer = await client.post("/api/v1/orders", json=body, headers=bearer | {"Idempotency-Key": "0001"})
            assert answer.status_code == 201
            ids.add(answer.json()["id"])
    assert len(ids) == 2


async def test_a_button_clicked_twenty_times_is_one_order(app: Litestar, committed: str) -> None:
    company = await a_company()
    member, session, person = await a_member(company_id=company.id), await a_session(seats=30), await a_person(company.id)
    async with _client(app) as client:
        browser = await signed_in(client, member)
        chosen = {"session": str(session.id), "person_id": [str(person.id)], "verb": "hold"}
        held = await browser.post("/orders/new", chosen, form=f"/orders/new?session={session.id}")
        assert (held.status_code, held.headers.get("location")) == (303, "/basket"), held.text[:2000]
        page = await browser.get("/basket")
        basket = re.search(r'name="basket_id" value="([^"]+)"', page.text)
        assert basket is not None
        form = {"_csrf": browser.token, "basket_id": basket[1]}
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        answers = await asyncio.gather(*(client.post("/orders", data=form, headers=cookies) for _n in range(TIMES)))
    assert {answer.status_code for answer in answers} == {303}
    (where,) = {answer.headers["location"] for answer in answers}
    assert where.startswith("/orders/")
    assert (await _orders(), await _seats()) == (1, 1)
