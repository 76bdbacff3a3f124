"""What others build on: names, types, lists, answers to POST, and refusals that a program can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from marketplace.app import create_app
from marketplace.kit import identity
from marketplace.kit.web import route_table
from marketplace.kit.web.access import Route
from tests.builders.catalog import a_programme, a_session
from tests.builders.people import a_person
from tests.cast import Cast
from tests.tenants.test_every_route import _filled
from tests.tenants.world import World, a_world, by

pytestmark = pytest.mark.asyncio(loop_scope="session")
_SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")
_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
_METHODS = {"get", "post", "delete", "put", "patch"}


class Api:
    """The API with somebody's token."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client, self._token = client, token

    async def ask(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        self._client.cookies.clear()
        headers = {"Authorization": f"Bearer {self._token}", **kwargs.pop("headers", {})}
        return await self._client.request(method, f"/api/v1/{path}", headers=headers, **kwargs)


async def _api(client: httpx.AsyncClient, actor: identity.Actor, now: datetime) -> Api:
    assert actor.account_id is not None
    return Api(client, await identity.create_token(actor.account_id, now=now))


async def _made(cast: Cast, now: datetime) -> World:
    by(cast.ecl)
    return await a_world(cast, now=now)


def _walk(value: object, path: str = "") -> Iterator[tuple[str, str, object]]:
    """Give every (path, name, value) in an answer."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path, name, inner
            yield from _walk(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, path)


def _api_gets(app: Litestar) -> list[Route]:
    return [route for route in route_table(app) if route.is_api and route.method == "GET"]


async def test_names_ids_money_and_instants_are_written_one_way(
    app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime
) -> None:
    world = await _made(cast, now)
    api = await _api(client, cast.hr_a, now)
    seen: set[str] = set()
    for route in _api_gets(app):
        path = (_filled(route, world, "a", "own") or route.path).removeprefix("/api/v1/")
        answer = await api.ask("GET", path)
        assert answer.status_code == 200, (path, answer.text)
        for where, name, value in _walk(answer.json()):
            seen.add(name)
            assert _SNAKE.match(name), f"{path}{where}/{name}"
            if name == "id" or name.endswith("_id"):
                assert value is None or (isinstance(value, str) and _UUID.match(value)), f"{path}{where}/{name}: {value}"
            if name.endswith("_at"):
                assert value is None or (isinstance(value, str) and _INSTANT.match(value)), f"{path}{where}/{name}: {value}"
            if name in {"price", "net", "vat", "total", "paid", "price_cap", "unit_price"} and value is not None:
                assert isinstance(value, dict)
                assert set(value) == {"cents", "currency"}, f"{path}{where}/{name}: {value}"
                assert isinstance(value["cents"], int)
                assert value["currency"] == "EUR"
            assert not isinstance(value, float) or name in {"rate", "vat_rate", "quantity"}, f"{path}{where}/{name}: {value}"
            assert not name.endswith("_cents")
    assert {"price", "starts_at", "next", "items", "vat_breakdown", "invoice_numbers", "free", "capacity", "hosted_payment_url"} <= seen


async def test_a_list_is_items_and_a_cursor_that_leads_through_all(
    app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime
) -> None:
    await _made(cast, now)
    for n in range(60):
        await a_person(cast.company_a.id, family_name=f"Person{n:03d}")
    api = await _api(client, cast.hr_a, now)
    for route in _api_gets(app):
        if "{" in route.path:
            continue
        answer = (await api.ask("GET", route.path.removeprefix("/api/v1/"))).json()
        assert set(answer) == {"items", "next"}, route.path
        assert isinstance(answer["items"], list)
        assert answer["items"], route.path
    first = (await api.ask("GET", "people")).json()
    assert first["next"]
    ids: list[str] = [item["id"] for item in first["items"]]
    following = first["next"]
    while following:
        page = (await api.ask("GET", "people", params={"cursor": following})).json()
        ids += [item["id"] for item in page["items"]]
        following = page["next"]
    assert len(ids) == len(set(ids)) >= 62
    nonsense = await api.ask("GET", "people", params={"cursor": "not-a-cursor"})
    _is_problem(nonsense, {400, 422})


async def test_what_is_made_answers_201_with_its_id(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    api = await _api(client, cast.hr_a, now)
    session = await a_session(programme_id=await a_programme(), price_cents=69_500)
    person = await api.ask(
        "POST", "people", json={"given_name": "Maria", "family_name": "Silva", "email": "maria@promise.example", "start_date": "2027-01-04"}
    )
    order = await api.ask(
        "POST", "orders", json={"lines": [{"session_id": str(session.id), "person_id": person.json()["id"]}], "purchase_order": "PO-1"}
    )
    other = await a_person(cast.company_a.id)
    plan = await api.ask(
        "POST",
        "scheduled-enrolments",
        json={"person_id": str(other.id), "session_id": str(session.id), "run_at": (now + timedelta(days=1)).isoformat()},
    )
    for made, path in ((person, "people"), (order, "orders"), (plan, "scheduled-enrolments")):
        assert made.status_code == 201, made.text
        again = await api.ask("GET", f"{path}/{made.json()['id']}")
        assert again.status_code == 200
        assert again.json()["id"] == made.json()["id"]
    assert order.json()["lines"][0]["price"] == {"cents": 69_500, "currency": "EUR"}
    assert plan.json()["state"] == "planned"
    gone = await api.ask("DELETE", f"scheduled-enrolments/{plan.json()['id']}")
    assert gone.status_code in {200, 204}
    assert (await api.ask("GET", f"scheduled-enrolments/{plan.json()['id']}")).json()["state"] == "withdrawn"


async def test_a_staff_file_is_tried_before_it_is_written(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    api = await _api(client, cast.hr_a, now)
    file = {"file": ("staff.csv", b"Given name;Family name;E-mail\nMaria;Silva;maria@promise.example\n", "text/csv")}
    tried = await api.ask("POST", "people/import", params={"dry_run": "1"}, files=file)
    assert (tried.status_code, tried.json()["counts"]["new"]) == (200, 1)
    assert (await api.ask("GET", "people")).json()["items"] == []
    written = await api.ask("POST", "people/import", files=file)
    assert written.status_code == 200
    assert [item["email"] for item in (await api.ask("GET", "people")).json()["items"]] == ["maria@promise.example"]
    again = await api.ask("POST", "people/import", files=file)
    assert (again.json()["counts"]["new"], again.json()["counts"]["unchanged"]) == (0, 1)


def _is_problem(answer: httpx.Response, statuses: set[int], code: str | None = None) -> dict[str, Any]:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert {"status", "code", "title", "detail"} <= set(problem)
    assert problem["status"] == answer.status_code
    assert _SNAKE.match(problem["code"])
    assert code is None or problem["code"] == code
    return problem


async def test_every_refusal_is_a_problem_with_a_code(app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    world = await _made(cast, now)
    api = await _api(client, cast.hr_a, now)
    nobody = await client.get("/api/v1/people")
    _is_problem(nobody, {401})
    assert nobody.headers["www-authenticate"] == "Bearer"
    _is_problem(await client.get("/api/v1/people", headers={"Authorization": "Bearer ecl_made_up"}), {401})
    _is_problem(await api.ask("GET", "nowhere"), {404}, "not_found")
    _is_problem(await api.ask("GET", f"people/{world.things['person', 'person_id', ''].b}"), {404}, "not_found")
    _is_problem(await api.ask("GET", "people/not-an-id"), {404}, "not_found")
    _is_problem(await api.ask("PUT", "people"), {405})
    _is_problem(await api.ask("POST", "people", content=b"{not json"), {400, 422})
    _is_problem(await api.ask("POST", "people", json={"given_name": "Maria"}), {400, 422})
    _is_problem(await api.ask("POST", "people", content=b"[" * 100_000), {400, 413, 422})
    _is_problem(await api.ask("POST", "people", content=b" " * 3_000_000), {413})
    viewer = await _api(client, cast.viewer_a, now)
    body = {"given_name": "Maria", "family_name": "Silva", "email": "m@promise.example"}
    _is_problem(await viewer.ask("POST", "people", json=body), {403}, "forbidden")
    partner = await _api(client, cast.partner_a, now)
    _is_problem(await partner.ask("GET", "orders"), {404}, "not_found")


async def test_refusals_of_seats_and_keys_are_409(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    api = await _api(client, cast.hr_a, now)
    session = await a_session(seats=1)
    one, two = [str((await a_person(cast.company_a.id)).id) for _n in range(2)]

    def lines(*people: str) -> dict[str, Any]:
        return {"lines": [{"session_id": str(session.id), "person_id": person} for person in people]}

    _is_problem(await api.ask("POST", "orders", json=lines(one, one)), {409}, "duplicate_person")
    assert (await api.ask("POST", "orders", json=lines(one), headers={"Idempotency-Key": "k"})).status_code == 201
    _is_problem(await api.ask("POST", "orders", json=lines(two), headers={"Idempotency-Key": "k"}), {409}, "idempotency_key_reused")
    _is_problem(await api.ask("POST", "orders", json=lines(one)), {409}, "already_enrolled")
    problem = _is_problem(await api.ask("POST", "orders", json=lines(two)), {409}, "full")
    assert problem["next_step"]
    _is_problem(await api.ask("POST", "orders", json={"lines": []}), {400, 422})


async def test_ids_of_others_in_a_body_are_unknown(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    """A person of another company can't be ordered for, planned for, nor found out about."""
    api = await _api(client, cast.hr_a, now)
    session, theirs = await a_session(), await a_person(cast.company_b.id)
    nobody = "018f0000-0000-7000-8000-000000000000"
    answers = []
    for person in (str(theirs.id), nobody):
        order = {"lines": [{"session_id": str(session.id), "person_id": person}]}
        plan = {"person_id": person, "session_id": str(session.id), "run_at": (now + timedelta(days=1)).isoformat()}
        answers.append([(await api.ask("POST", "orders", json=order)), (await api.ask("POST", "scheduled-enrolments", json=plan))])
    for foreign, unknown in zip(*answers, strict=True):
        _is_problem(foreign, {404}, "not_found")
        assert foreign.content == unknown.content


async def test_too_many_requests_are_429_with_a_time(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    from marketplace.kit.settings import settings
    from marketplace.kit.web.config import from_settings

    slow = create_app(msgspec.structs.replace(from_settings(settings()), api_per_minute=3))
    assert cast.hr_a.account_id is not None
    token = await identity.create_token(cast.hr_a.account_id, now=now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=slow), base_url="http://127.0.0.1:8000") as hasty:
        answers = [await hasty.get("/api/v1/people", headers={"Authorization": f"Bearer {token}"}) for _n in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    _is_problem(answers[-1], {429})
    assert int(answers[-1].headers["retry-after"]) >= 1


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: Any = schema
    while "$ref" in found:
        found = document["components"]["schemas"][found["$ref"].rsplit("/", 1)[1]]
    return dict(found)


async def test_the_description_is_whole(app: Litestar, client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item if method in _METHODS}
    plain = re.compile(r"\{(\w+):\w+\}")
    routed = {(route.method, plain.sub(r"{\1}", route.path)) for route in route_table(app) if route.is_api}
    documents = {("GET", f"/api/v1/invoices/{{number}}.{ending}") for ending in ("pdf", "ubl", "xml")}
    assert described == routed | documents
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            where = f"{method.upper()} {path}"
            assert operation.get("description"), f"{where} has no description"
            assert operation["security"] == [{"bearer": []}], where
            statuses = set(operation["responses"])
            assert {"400", "401", "403", "404", "409", "413", "422", "429", "500"} <= statuses, where
            assert statuses & {"200", "201", "204"}, where
            for status, answer in operation["responses"].items():
                assert answer["description"], f"{where} {status}"
                if status == "204":
                    continue
                assert answer["content"], f"{where} {status}"
                if int(status) >= 400:
                    assert "application/problem+json" in answer["content"], f"{where} {status}"
            if method == "post" and "requestBody" in operation:
                ((_kind, body),) = operation["requestBody"]["content"].items()
                assert _resolved(document, body["schema"]).get("required"), f"{where}: no required fields"
    required = {
        "PersonBody": {"given_name", "family_name", "email"},
        "OrderBody": {"lines"},
        "OrderLineBody": {"session_id", "person_id"},
        "ScheduledEnrolmentBody": {"person_id", "run_at"},
    }
    for name, fields in required.items():
        assert set(document["components"]["schemas"][name]["required"]) == fields
    pdf = document["paths"]["/api/v1/invoices/{number}.pdf"]["get"]["responses"]["200"]["content"]
    assert set(pdf) == {"application/pdf"}


async def test_the_docs_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert not re.findall(r'(?:src|href)="https?://(?!127\.0\.0\.1)', page.text)
