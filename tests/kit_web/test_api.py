"""The base of the JSON API: tokens, problems with a code, lists, the description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio

from marketplace.kit import identity
from marketplace.kit.identity import Role
from marketplace.kit.web import application
from tests.kit_web import handlers
from tests.kit_web.conftest import CONFIG
from tests.kit_web.handlers import COMPANY, OTHER_COMPANY, OWN, PARTNER, Cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx


async def _bearer(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime, email: str, **who: Any) -> httpx.AsyncClient:
    account_id = await cast.join(email, now, **who)
    return browse(authorization=f"Bearer {await identity.create_token(account_id, now=now)}")


@pytest_asyncio.fixture(loop_scope="session")
async def caller(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> httpx.AsyncClient:
    return await _bearer(browse, cast, now, "api@a.example", roles={Role.BUYER}, company=COMPANY)


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> httpx.AsyncClient:
    return await _bearer(browse, cast, now, "api@b.example", roles={Role.OWNER}, company=OTHER_COMPANY)


def _problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    found: dict[str, Any] = answer.json()
    assert (found["status"], found["code"]) == (status, code)
    assert found["detail"]
    return found


async def test_a_list_and_a_creation(caller: httpx.AsyncClient) -> None:
    listed = await caller.get("/api/v1/things")
    assert listed.json() == {"items": [{"id": str(OWN), "price": {"cents": 69500, "currency": "EUR"}}], "next": None}
    made = await caller.post("/api/v1/things", json={"name": "x"})
    assert (made.status_code, made.json()["id"]) == (201, str(OWN))


async def test_every_refusal_is_a_problem_with_a_code(caller: httpx.AsyncClient, browse: Callable[..., httpx.AsyncClient]) -> None:
    _problem(await browse().get("/api/v1/things"), 401, "token_needed")
    _problem(await browse(authorization="Bearer nonsense").get("/api/v1/things"), 401, "token_needed")
    _problem(await browse(authorization="Basic abc").get("/api/v1/things"), 401, "token_needed")
    _problem(await caller.get("/api/v1/nowhere"), 404, "not_found")
    _problem(await caller.get("/api/v1/things/7"), 404, "not_found")
    _problem(await caller.delete("/api/v1/things"), 405, "method_not_allowed")
    _problem(await caller.post("/api/v1/things", content=b"{not json", headers={"content-type": "application/json"}), 400, "bad_request")
    _problem(await caller.post("/api/v1/things", json={"name": "x" * 20_000}), 413, "too_large")
    _problem(await caller.get("/api/v1/things?level=high"), 400, "invalid")
    full = _problem(await caller.post("/api/v1/things", json={"name": "full"}), 409, "full")
    assert full["next_step"] == "Join the waiting list."


async def test_wrong_fields_are_named(caller: httpx.AsyncClient) -> None:
    for body in ({}, {"name": ""}, {"name": 7}, {"name": "x", "email": "nobody"}, {"name": "x", "other": 1}, [], None, "x"):
        found = _problem(await caller.post("/api/v1/things", json=body), 400, "invalid")
        assert found["fields"], body


async def test_a_foreign_thing_and_an_unknown_one_are_the_same(caller: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    assert (await caller.get(f"/api/v1/things/{OWN}")).status_code == 200
    foreign = await stranger.get(f"/api/v1/things/{OWN}")
    unknown = await stranger.get(f"/api/v1/things/{uuid4()}")
    _problem(foreign, 404, "not_found")
    assert foreign.content == unknown.content


async def test_a_role_without_permission_and_the_wrong_kind_of_actor(
    browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime
) -> None:
    viewer = await _bearer(browse, cast, now, "v@a.example", roles={Role.VIEWER}, company=COMPANY)
    _problem(await viewer.post("/api/v1/things", json={"name": "x"}), 403, "forbidden")
    partner = await _bearer(browse, cast, now, "p@a.example", roles={Role.PARTNER}, partner=PARTNER)
    _problem(await partner.get("/api/v1/things"), 404, "not_found")


async def test_a_browser_session_is_no_token(buyer: httpx.AsyncClient) -> None:
    _problem(await buyer.get("/api/v1/things"), 401, "token_needed")


async def test_a_closed_account_has_no_tokens(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> None:
    account_id = await cast.join("gone@a.example", now, roles={Role.BUYER}, company=COMPANY)
    client = browse(authorization=f"Bearer {await identity.create_token(account_id, now=now)}")
    await identity.close_account(account_id, now=now)
    _problem(await client.get("/api/v1/things"), 401, "token_needed")


async def test_too_many_requests_a_minute_wait(cast: Cast, db: None, now: datetime) -> None:
    import httpx
    import msgspec

    app = application.create(msgspec.structs.replace(CONFIG, api_per_minute=60), pages=[], api=handlers.API)
    token = await identity.create_token(await cast.join("fast@a.example", now, roles={Role.BUYER}, company=COMPANY), now=now)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=CONFIG.base_url, headers={"authorization": f"Bearer {token}"}) as client:
        codes = [(await client.get("/api/v1/things")).status_code for _n in range(70)]
        assert 50 <= codes.count(200) <= 60
        last = await client.get("/api/v1/things")
    _problem(last, 429, "too_many_requests")
    assert last.headers["retry-after"] == "60"


async def test_the_description_covers_the_api_and_nothing_else(browse: Callable[..., httpx.AsyncClient]) -> None:
    found = (await browse().get("/api/openapi.json")).json()
    assert set(found["paths"]) == {"/api/v1/things", "/api/v1/things/{thing_id}"}
    post = found["paths"]["/api/v1/things"]["post"]
    assert set(post["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "422", "429", "500", "503"}
    assert found["components"]["schemas"]["NewThing"]["required"] == ["name"]
    assert {parameter["name"] for parameter in post["parameters"]} == {"Idempotency-Key"}
    assert {parameter["name"] for parameter in found["paths"]["/api/v1/things"]["get"]["parameters"]} == {"cursor", "level"}
    assert post["responses"]["409"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    money = found["components"]["schemas"]["Money"]
    assert set(money["properties"]) == {"cents", "currency"}
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    json.dumps(found)


async def test_the_documentation_page_needs_no_other_site(browse: Callable[..., httpx.AsyncClient]) -> None:
    page = await browse().get("/api/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert (await browse().get(f"/api/docs/{name}")).status_code == 200
    assert (await browse().get("/api/docs/default.min.css")).status_code == 404


@pytest.mark.parametrize("token", ["", " ", "x" * 5000, "é"], ids=["none", "blank", "long", "accent"])
async def test_no_token_breaks_anything(browse: Callable[..., httpx.AsyncClient], token: str) -> None:
    client = browse()
    found = await client.get("/api/v1/things", headers=[(b"authorization", b"Bearer " + token.encode())])
    _problem(found, 401, "token_needed")
