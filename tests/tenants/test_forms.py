"""Every HTML form takes whatever is sent: no failure of ours, and what was typed is still there when it is shown again."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from marketplace.kit import clock
from marketplace.kit.web import Route, route_table
from marketplace.orders import baskets
from marketplace.people import staff
from tests.builders.people import a_person
from tests.cast import Cast
from tests.processes import FULL, measured
from tests.tenants.posted import Control, Sheet, lost, posts, sheets
from tests.tenants.test_every_route import _PARAMETER, Asked, _everybody, _filled, _undone
from tests.tenants.world import World, a_world, by

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
POSTS = 100 if FULL else 25
_WHO = ("ecl", "hr_a", "partner_a", "anonymous")
_ENTRIES = ("/sign-in", "/password", "/programmes", "/acceptances", "/basket", "/desk/jobs")
# Forms that no page of this world shows at this moment: the fields that they read.
_UNSEEN: dict[str, tuple[str, ...]] = {
    "/basket/empty": (),
    "/basket/remove": ("session", "basket_id"),
    "/orders": ("basket_id",),
    "/password/{token:str}": ("password",),
    "/invitations/{token:str}": ("name", "password"),
    "/language": ("locale", "next"),
}


async def _seen(people: dict[str, Asked], table: list[Route], world: World, session_id: str) -> list[tuple[Asked, Sheet]]:
    """Open every page as somebody who may, and return the forms on them."""
    found: dict[str, tuple[Asked, Sheet]] = {}
    pages = [f"/orders/new?session={session_id}", *_ENTRIES]
    pages += [
        _filled(route, world, "a", "own") or ""
        for route in table
        if route.method == "GET" and not route.is_api and route.access != "public"
    ]
    for page in pages:
        for name in _WHO:
            answer = await people[name].browser.get(page)
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            for sheet in sheets(page, answer.text):
                before = found.get(sheet.action)
                if before is None or len(before[1].controls) < len(sheet.controls):
                    found[sheet.action] = (people[name], sheet)
            break
    return list(found.values())


async def _a_basket(world: World, cast: Cast, now: datetime) -> None:
    chosen = world.bodies["a"]
    await baskets.choose(
        UUID(chosen["session_id"]), [UUID(chosen["person_id"])], purchase_order=None, cost_centre=None, actor=cast.hr_a, now=now
    )
    leaver = await a_person(cast.company_a.id)
    await staff.mark_left(leaver.id, left_on=clock.today(now), company_id=cast.company_a.id, actor=cast.hr_a, now=now)


def _as_route(route: Route) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", route.path) + "$")


def _guessed(route: Route, world: World, people: dict[str, Asked]) -> tuple[Asked, Sheet]:
    """Return a form that no page shows just now, of the names that it reads (or of the usual ones)."""
    who = next((people[name] for name in _WHO if name != "anonymous" and _may(route, people[name])), people["anonymous"])
    path = _PARAMETER.sub("no-such-secret", route.path) if route.access == "public" else _filled(route, world, "a", "own") or ""
    names = _UNSEEN.get(route.path, ("reason", "note", "verb", "name", "email", "roles"))
    return who, Sheet(path, path, tuple(Control(name, "hidden", ("",)) for name in names))


def _may(route: Route, who: Asked) -> bool:
    from marketplace.kit.web.access import admits

    return admits(route.access, who.actor)


async def test_no_form_breaks_and_none_forgets_what_was_typed(app: Litestar, cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    by(cast.ecl)
    world = await a_world(cast, now=now)
    people = {who.name: who for who in await _everybody(cast, client, now)}
    table = [route for route in route_table(app) if not route.path.startswith("/static")]
    forms = [route for route in table if route.method == "POST" and not route.is_api and route.path != "/stripe/webhook"]
    await _a_basket(world, cast, now)
    seen = await _seen(people, table, world, world.bodies["a"]["session_id"])
    wrong: dict[str, str] = {}
    answers: Counter[int] = Counter()
    unseen = []
    for route in forms:
        match = next(((who, sheet) for who, sheet in seen if _as_route(route).match(sheet.action)), None)
        if match is None:
            unseen.append(route.path)
        who, sheet = match or _guessed(route, world, people)
        for sent in posts(sheet, POSTS):
            answer = await _send(who, sheet, sent)
            answers[answer.status_code] += 1
            if answer.status_code >= 500 or answer.status_code == 403:
                wrong.setdefault(f"{route.path}: {answer.status_code}", repr([(name[:40], value[:60]) for name, value in sent]))
            elif answer.status_code == 422 and match is not None:
                for field in lost(sheet, sent, answer.text):
                    wrong.setdefault(f"{route.path} as {who.name}: lost {field.partition('=')[0]}", field)
    measured(f"{len(forms)} forms, {sum(answers.values())} posts: {dict(answers)}; seen on no page: {unseen}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(f"{what}: {sent}" for what, sent in wrong.items())


async def _send(who: Asked, sheet: Sheet, sent: list[tuple[str, str]]) -> httpx.Response:
    from urllib.parse import urlencode

    kept, csrf = dict(who.browser.cookies), who.browser.token
    body = urlencode([("_csrf", csrf), *sent], errors="surrogatepass")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    async with _undone():
        try:
            return await who.browser.request("POST", sheet.action, content=body.encode(), headers=headers)
        finally:
            who.browser.cookies, who.browser.token = kept, csrf


async def test_a_forgotten_value_is_noticed() -> None:
    """The control of the test above: the same page with the value, and without."""
    page = '<form method="post" action="/people/new"><input name="name" value="{}"><input type="password" name="secret"></form>'
    (sheet,) = sheets("/people/new", page.format(""))
    sent = [("name", "Zoë Nguyễn"), ("secret", "hidden")]
    assert lost(sheet, sent, page.format("Zoë Nguyễn")) == []
    assert lost(sheet, sent, page.format("")) == ["name='Zoë Nguyễn'"]
    assert lost(sheet, sent, "<p>Sorry</p>") == ["the form itself"]
