"""The catalogue over the JSON API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from catalog import programmes, seats
from catalog.seats import SeatWish
from marketplace.kit import identity, ids
from marketplace.kit.identity import SYSTEM
from tests.builders.catalog import a_programme, a_session
from tests.cast import Cast, a_cast

if TYPE_CHECKING:
    from datetime import datetime

    import httpx


@pytest_asyncio.fixture(loop_scope="session")
async def cast(client: httpx.AsyncClient) -> Cast:
    """Make the cast in the test's transaction."""
    return await a_cast()


@pytest_asyncio.fixture(loop_scope="session")
async def hr(client: httpx.AsyncClient, cast: Cast, now: datetime) -> httpx.AsyncClient:
    """Give a client that carries HR's token."""
    assert cast.hr_a.account_id
    token = await identity.create_token(cast.hr_a.account_id, label="test", now=now)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/programmes",
        "/api/v1/programmes/01970000-0000-7000-8000-000000000000",
        "/api/v1/sessions/01970000-0000-7000-8000-000000000000",
    ],
)
async def test_without_a_token_nothing_is_told(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.json()["code"]


async def test_a_programme_lists_its_sessions_with_free_seats(hr: httpx.AsyncClient, now: datetime) -> None:
    session = await a_session(seats=3, lessons=2)
    await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id())], now=now)
    listed = (await hr.get("/api/v1/programmes")).json()
    assert listed["next"] is None
    assert listed["items"][0]["id"] == str(session.programme_id)
    assert listed["items"][0]["price"] == {"cents": 64_500, "currency": "EUR"}
    one = (await hr.get(f"/api/v1/programmes/{session.programme_id}")).json()
    assert one["sessions"] == [{"id": str(session.id), "starts_at": "2026-12-28T08:30:00Z", "capacity": 3, "free": 2, "state": "planned"}]
    found = (await hr.get(f"/api/v1/sessions/{session.id}")).json()
    assert (found["capacity"], found["free"], len(found["lessons"])) == (3, 2, 2)
    assert found["lessons"][0] == {"starts_at": "2026-12-28T08:30:00Z", "ends_at": "2026-12-28T10:30:00Z"}


async def test_the_list_is_filtered_and_paged(hr: httpx.AsyncClient) -> None:
    for number in range(52):
        await a_programme(code=f"N-{number}", price_cents=100 * number)
    first = (await hr.get("/api/v1/programmes", params={"q": "newcomers", "category": "language"})).json()
    assert len(first["items"]) == 50
    rest = (await hr.get("/api/v1/programmes", params={"q": "newcomers", "category": "language", "cursor": first["next"]})).json()
    assert len(rest["items"]) == 2
    assert rest["next"] is None
    assert not {item["id"] for item in first["items"]} & {item["id"] for item in rest["items"]}
    assert len((await hr.get("/api/v1/programmes", params={"price": 1})).json()["items"]) == 2
    assert (await hr.get("/api/v1/programmes", params={"free": 1})).json()["items"] == []


@pytest.mark.parametrize("params", [{"category": "gardening"}, {"level": "Z9"}, {"month": "2027-13"}, {"cursor": "nonsense"}])
async def test_a_filter_that_does_not_exist_is_refused(hr: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await hr.get("/api/v1/programmes", params=params)
    assert answer.status_code in {400, 422}
    assert answer.json()["code"]


async def test_a_draft_and_an_unknown_programme_are_the_same_404(hr: httpx.AsyncClient, now: datetime) -> None:
    draft = await a_programme(published=False)
    gone = await a_session()
    await programmes.withdraw(gone.programme_id, actor=SYSTEM, now=now)
    unknown = await hr.get(f"/api/v1/programmes/{ids.new_id()}")
    assert unknown.status_code == 404
    assert (await hr.get(f"/api/v1/programmes/{draft}")).json() == unknown.json()
    assert (await hr.get(f"/api/v1/sessions/{gone.id}")).status_code == 404
