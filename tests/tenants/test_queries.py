"""Every GET takes whatever stands behind the question mark: never a failure of ours."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from marketplace.kit.web import Route, route_table
from marketplace.kit.web.access import admits
from tests.cast import Cast
from tests.processes import measured
from tests.tenants.test_every_route import Asked, _everybody, _filled, _undone
from tests.tenants.world import a_world, by

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
_STRANGE = (
    "", "%00", "%FF%FE", "a%00b", "%ED%A0%80", quote("'\"; DROP TABLE seat; --"), quote("%_\\"), quote("(((a & | ! :*"), "-1", "9" * 30, "1e400",
    "2027-02-30", "0001-01", "9999-12", "9999-12-31", "00000000-0000-0000-0000-000000000000", quote("Ω" * 400), "eyJhIjoxfQ", "..%2F..%2Fetc", "true",
    "%F0%9F%91%A9", "next%0D%0Ax", "//evil.example",
)  # fmt: skip
_PARAMETER_NAME = re.compile(r"\{(\w+)[:}]")


def _parameters(app: Litestar) -> dict[tuple[str, str], set[str]]:
    """Return the names that each GET reads from its query."""
    found: dict[tuple[str, str], set[str]] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods:
                found[route.path, "GET"] = _names(handler)
    return found


def _names(handler: HTTPRouteHandler) -> set[str]:
    given = {"request", "actor", "now", "scope"} | set(_PARAMETER_NAME.findall(" ".join(handler.paths)))
    names = set()
    for name, parameter in inspect.signature(handler.fn, eval_str=True).parameters.items():
        aliases = {
            meta.name for meta in getattr(parameter.annotation, "__metadata__", ()) if isinstance(meta, QueryParameter) and meta.name
        }
        names |= aliases or ({name} - given)
    return names


def _who(route: Route, people: list[Asked]) -> Asked:
    order = ("hr_a", "partner_a", "ecl")
    return next(who for name in order for who in people if who.name == name and admits(route.access, who.actor))


async def test_no_query_breaks_a_page(app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    by(cast.ecl)
    world, people = await a_world(cast, now=now), await _everybody(cast, client, now)
    names = _parameters(app)
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    for route in route_table(app):
        if route.method != "GET" or (route.access == "public" and "{" in route.path):
            continue
        who, path = _who(route, people), _filled(route, world, "a", "own") or route.path
        for name in sorted(names[route.path, "GET"]):
            for value in _STRANGE:
                async with _undone():
                    answer = await who.ask(route, f"{path}?{name}={value}")
                answers[answer.status_code] += 1
                if answer.status_code >= 500 and route.path != "/readyz":
                    wrong.append(f"{who.name} {route.path}?{name}={value[:160]}: {answer.status_code}")
    measured(f"{sum(answers.values())} queries: {dict(answers)}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:60])
