"""Every route of the application × every actor × own, other and unknown ids, from the route table itself.

Somebody else's row and a row that doesn't exist answer the same bytes, and no request for either changes anything.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import ImproperlyConfiguredException

from marketplace.kit import db, identity, ids
from marketplace.kit.identity import ANONYMOUS, Actor
from marketplace.kit.settings import settings
from marketplace.kit.web import Route, application, route_table
from marketplace.kit.web.access import admits
from marketplace.kit.web.config import from_settings
from tests.cast import Browser, Cast, signed_in
from tests.processes import measured
from tests.tenants.expectations import BODIES, FILES, FORMS, MOVES, NEEDS, NEEDS_A_QUERY, PUBLIC_BY_SECRET
from tests.tenants.world import World, a_world, by

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_SIDE_B = {"hr_b", "partner_b"}
_QUIET_TABLES = {"web_session", "api_token", "recent_try", "rate_counter", "migration", "session_search"}
_DONE = {200, 201, 204, 303, 400, 409, 422}


class Asked:
    """One actor with a browser and a token, and how they ask."""

    def __init__(self, name: str, actor: Actor, browser: Browser, token: str | None) -> None:
        self.name, self.actor, self.browser, self.token = name, actor, browser, token

    async def ask(self, route: Route, path: str, *, bearer: str | None = None, own: dict[str, str] | None = None) -> httpx.Response:
        """Send the request as this actor would: with a token to the API, with cookies and CSRF token to a page."""
        kept, csrf = dict(self.browser.cookies), self.browser.token
        try:
            if route.is_api:
                token = bearer if bearer is not None else self.token
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                return await self.browser.request(route.method, path, headers=headers, **_body(route, own or {}))
            filled = FORMS.get(f"{route.method} {route.path}", {})
            data = {"data": {"_csrf": csrf, **filled}} if route.method == "POST" else {}
            return await self.browser.request(route.method, path, **data)
        finally:
            self.browser.cookies, self.browser.token = kept, csrf


def _body(route: Route, own: dict[str, str]) -> dict[str, Any]:
    named = f"{route.method} {route.path}"
    if named in FILES:
        return {"files": {"file": FILES[named]}}
    if route.method != "POST":
        return {}
    text = json.dumps(BODIES[named])
    for name, value in own.items():
        text = text.replace(f'"{name}"}}', f'"{value}"}}').replace(f': "{name}"', f': "{value}"')
    return {"content": text.encode()}


async def _everybody(cast: Cast, client: httpx.AsyncClient, now: datetime) -> list[Asked]:
    names = ("hr_a", "approver_a", "finance_a", "viewer_a", "hr_b", "partner_a", "partner_b", "ecl")
    people: list[Asked] = []
    for name, actor in [("anonymous", ANONYMOUS), *((name, getattr(cast, name)) for name in names)]:
        browser = await signed_in(client, None if actor is ANONYMOUS else actor)
        await browser.get("/sign-in" if actor is ANONYMOUS else "/privacy")
        assert browser.token, f"{name} has no form token"
        token = await identity.create_token(actor.account_id, now=now) if actor.account_id else None
        people.append(Asked(name, actor, browser, token))
    return people


@asynccontextmanager
async def _undone() -> AsyncIterator[None]:
    """Take back whatever the block changes."""
    async with db.connection() as own:
        await own.execute("SAVEPOINT gate")
        yield
        await own.execute("ROLLBACK TO gate; RELEASE gate")


class Ledger:
    """A fingerprint of every business table."""

    def __init__(self) -> None:
        self._sql = ""

    async def taken(self) -> dict[str, str]:
        if not self._sql:
            found = await db.records(
                "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'"
            )
            tables = sorted(row["name"] for row in found if row["name"] not in _QUIET_TABLES)
            self._sql = " UNION ALL ".join(
                f"SELECT '{name}' AS name, count(*) || coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS print FROM {name} t"
                for name in tables
            )
        return {row["name"]: row["print"] for row in await db.records(self._sql)}


def _filled(route: Route, world: World, side: str, variant: str) -> str | None:
    """Return the route's path with own, other or unknown ids; None where there is nothing that is somebody else's."""
    parameters = _PARAMETER.findall(route.path)
    path = route.path
    different = False
    for at, (name, kind) in enumerate(parameters):
        pair = world.find(route, name)
        assert pair is not None, f"{route.method} {route.path}: no maker for {route.noun}/{name}: add one to tests/tenants/world.py"
        last = at == len(parameters) - 1 or name != "place_id"
        mine, theirs = (pair.b, pair.a) if side == "b" and pair.b is not None and not _everybodys(route, name) else (pair.a, pair.b)
        value: str | None = mine
        if variant == "unknown" and (last or len(parameters) == 1) and name != "verb":
            value = _unknown(kind)
        elif variant == "other" and last and theirs is not None:
            value, different = theirs, True
        path = path.replace(f"{{{name}:{kind}}}", str(value), 1)
    return path if variant != "other" or different else None


def _everybodys(route: Route, name: str) -> bool:
    """Tell whether the thing is the same for both sides: what is on offer."""
    return name in {"programme_id", "session_id"} and route.is_api


def _unknown(kind: str) -> str:
    return {"uuid": str(ids.new_id()), "int": "987654321"}.get(kind, "2026-999999")


class Gate:
    """Asks everything and gathers what is not as declared."""

    def __init__(self, world: World, table: list[Route]) -> None:
        self.world, self.table = world, table
        self.wrong: list[str] = []
        self.asked: Counter[str] = Counter()
        self.ledger = Ledger()

    def expect(self, so: bool, who: Asked, route: Route, variant: str, answer: httpx.Response, wanted: str) -> None:
        self.asked[variant] += 1
        if not so:
            code = re.search(r'"code":\s*"([^"]+)"', answer.text) if route.is_api else None
            self.wrong.append(
                f"{who.name} {route.method} {route.path} [{variant}]: {answer.status_code} {code[1] if code else ''}, wanted {wanted}"
            )

    async def of(self, who: Asked, route: Route) -> None:
        """Ask one route as one actor in every way."""
        if not admits(route.access, who.actor):
            await self._kept_out(who, route)
        elif route.access.removeprefix("api-") == "public":
            await self._public(who, route)
        else:
            await self._admitted(who, route)

    async def _kept_out(self, who: Asked, route: Route) -> None:
        path = _filled(route, self.world, "a", "own") or route.path
        before = await self.ledger.taken() if route.method != "GET" else None
        async with _undone():
            answer = await who.ask(route, path)
            if before is not None:
                changed = _changed(before, await self.ledger.taken())
                self.expect(not changed, who, route, "kept out", answer, f"nothing changed, but {changed} did")
        if who.actor.is_anonymous and route.is_api:
            self.expect(answer.status_code == 401, who, route, "no token", answer, "401")
            wrong = await who.ask(route, path, bearer="ecl_not_a_token")
            self.expect(wrong.status_code == 401, who, route, "wrong token", wrong, "401")
        elif who.actor.is_anonymous:
            so = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
            self.expect(so, who, route, "not signed in", answer, "303 to sign-in")
        else:
            nowhere = await who.browser.get("/api/v1/nowhere" if route.is_api else "/nowhere")
            self.expect(_same(answer, nowhere), who, route, "kept out", answer, "the 404 of an unknown page")

    async def _public(self, who: Asked, route: Route) -> None:
        if "{" in route.path:
            path = _PARAMETER.sub("no-such-thing", route.path)
            async with _undone():
                answer = await who.ask(route, path)
            self.expect(answer.status_code == 404, who, route, "unknown", answer, "404")
            return
        async with _undone():
            answer = await who.ask(route, route.path)
        right = {200, 303} if f"{route.method} {route.path}" in MOVES else {200}
        if route.method != "GET":
            right = _DONE
        self.expect(answer.status_code in right, who, route, "public", answer, str(right))

    async def _admitted(self, who: Asked, route: Route) -> None:
        side = "b" if who.name in _SIDE_B else "a"
        named = f"{route.method} {route.path}"
        forbidden = self._forbids(who, route, named)
        own = _filled(route, self.world, side, "own")
        async with _undone():
            mine = await who.ask(route, own or route.path, own=self.world.bodies[side])
        if forbidden:
            self.expect(mine.status_code == 403, who, route, "own, role forbids", mine, "403")
        elif named in NEEDS_A_QUERY:
            self.expect(mine.status_code in {303, 404, 422}, who, route, "without its query", mine, "303, 404 or 422")
        elif route.method == "GET":
            self.expect(mine.status_code == 200, who, route, "own", mine, "200")
        elif named in BODIES:
            self.expect(mine.status_code == 201, who, route, "own", mine, "201")
        else:
            self.expect(mine.status_code in _DONE, who, route, "own", mine, "an answer, not a refusal")
        if "{" in route.path:
            await self._foreign(who, route, side, forbidden=forbidden)

    def _forbids(self, who: Asked, route: Route, named: str) -> bool:
        if "company" not in route.access:
            return False
        assert named in NEEDS, f"{named} is not declared: add a line to tests/tenants/expectations.py"
        permission = NEEDS[named]
        return permission is not None and not who.actor.may(permission)

    async def _foreign(self, who: Asked, route: Route, side: str, *, forbidden: bool) -> None:
        unknown_path = _filled(route, self.world, side, "unknown")
        other_path = (
            _filled(route, self.world, side, "other")
            if not who.actor.is_ecl or "place_id" in route.path or "/desk/" in route.path
            else None
        )
        before = await self.ledger.taken() if route.method != "GET" else None
        wanted = 403 if forbidden else 404
        async with _undone():
            unknown = await who.ask(route, unknown_path or "")
            self.expect(unknown.status_code in {wanted, 404}, who, route, "unknown", unknown, str(wanted))
            if other_path is not None:
                other = await who.ask(route, other_path)
                self.expect(
                    _same(other, unknown, other_path, unknown_path),
                    who,
                    route,
                    "other",
                    other,
                    f"the same bytes as unknown ({unknown.status_code})",
                )
            if before is not None:
                changed = _changed(before, await self.ledger.taken())
                self.expect(not changed, who, route, "other or unknown", unknown, f"nothing changed, but {changed} did")


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in after if before.get(name) != after[name]]


def _same(one: httpx.Response, other: httpx.Response, *paths: str | None) -> bool:
    """Compare bytes. The page of a role that may not says under which address it was asked (403): that much may differ."""
    texts = [answer.text for answer in (one, other)]
    if one.status_code == 403:
        for path in paths:
            texts = [text.replace(path or "", "").replace(quote(path or "", safe=""), "") for text in texts]
    return (one.status_code, texts[0], one.headers.get("content-type")) == (other.status_code, texts[1], other.headers.get("content-type"))


async def test_every_route_answers_only_as_declared(app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    by(cast.ecl)
    world = await a_world(cast, now=now)
    people = await _everybody(cast, client, now)
    gate = Gate(world, [route for route in route_table(app) if not route.path.startswith("/static")])
    for route in gate.table:
        if route.path in PUBLIC_BY_SECRET:
            assert route.access == "public"
        for who in people:
            await gate.of(who, route)
    measured(f"{len(gate.table)} routes × {len(people)} actors: {sum(gate.asked.values())} answers, {dict(gate.asked)}")
    assert not gate.wrong, f"{len(gate.wrong)} answers are not as declared:\n" + "\n".join(gate.wrong[:60])


@get("/naked/{thing_id:uuid}")
async def naked() -> None:
    """Say nothing about who may come."""


async def test_a_route_without_a_class_does_not_even_start() -> None:
    with pytest.raises(ImproperlyConfiguredException, match="no access class"):
        application.create(from_settings(settings()), pages=[naked])


async def test_a_noun_without_a_maker_fails(cast: Cast) -> None:
    route = Route("/gadgets/{gadget_id:uuid}", "GET", "company", "gadget", "nowhere")
    with pytest.raises(AssertionError, match="no maker for gadget"):
        _filled(route, World({}, cast, {}), "a", "own")


async def test_every_declared_route_exists(app: Litestar) -> None:
    known = {f"{route.method} {route.path}" for route in route_table(app)}
    gone = set(NEEDS) - known
    assert not gone, f"declared in tests/tenants/expectations.py, but not routes any more: {gone}"
