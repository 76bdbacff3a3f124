"""The application as a whole: unclassified routes, health, static files, https, proxies, and how it describes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from litestar import get, post
from litestar.exceptions import ImproperlyConfiguredException

from marketplace.kit import db as kit_db
from marketplace.kit import identity
from marketplace.kit.errors import Forbidden, Unauthenticated
from marketplace.kit.identity import ANONYMOUS, PERMISSIONS, SYSTEM, Actor, Permission, Role, require
from marketplace.kit.web import application, headers, nav, pages, proxies, route_table
from tests.kit_web import handlers
from tests.kit_web.conftest import BASE, CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable


def _client(app: Any, base: str = BASE) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url=base)


@get("/naked")
async def naked() -> str:
    return ""


@get("/naked/{thing_id:uuid}", opt={"access": "company"})
async def nounless() -> str:
    return ""


@get("/naked", opt={"access": "compny"})
async def misspelt() -> str:
    return ""


@post("/naked", opt={"access": "public", "csrf": "exempt"})
async def unprotected() -> str:
    return ""


@pytest.mark.parametrize("handler", [naked, nounless, misspelt, unprotected])
def test_a_route_that_does_not_say_who_may_come_stops_the_start(handler: Any) -> None:
    with pytest.raises(ImproperlyConfiguredException, match="/naked"):
        application.create(CONFIG, pages=[handler])


def test_the_route_table_says_who_comes_where() -> None:
    table = {(route.method, route.path): route for route in route_table(application.create(CONFIG, pages=handlers.PAGES, api=handlers.API))}
    assert table["GET", "/things/{thing_id:uuid}"].access == "company"
    assert table["GET", "/things/{thing_id:uuid}"].noun == "thing"
    assert table["POST", "/api/v1/things"].is_api


async def test_alive_but_not_ready_while_the_database_is_away() -> None:
    outer, kit_db.DB.pool = kit_db.DB.pool, None
    try:
        async with _client(application.create(CONFIG, pages=handlers.PAGES, api=handlers.API)) as client:
            client.cookies.set("session", "somebody")
            assert (await client.get("/livez")).status_code == 200
            assert (await client.get("/readyz")).status_code == 503
            page = await client.get("/things")
            assert page.status_code == 500
            assert "<main" in page.text
            assert (await client.get("/nowhere")).status_code == 404
            problem = await client.get("/api/v1/things", headers={"authorization": "Bearer x"})
            assert (problem.status_code, problem.json()["code"]) == (500, "server_error")
    finally:
        kit_db.DB.pool = outer


async def test_ready_while_the_database_answers(browse: Callable[..., httpx.AsyncClient]) -> None:
    assert (await browse().get("/readyz")).status_code == 200
    assert (await browse().get("/status")).status_code == 200


async def test_static_files_are_kept_a_year_by_their_hash_only(browse: Callable[..., httpx.AsyncClient]) -> None:
    address = pages.static.asset("ecl.css")
    assert "?v=" in address
    kept = await browse().get(address)
    assert kept.status_code == 200
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    assert "immutable" not in (await browse().get("/static/ecl.css?v=older")).headers["cache-control"]
    for path in (
        "/static/no.css",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        f"/static/{'a' * 300}",
    ):
        assert (await browse().get(path)).status_code == 404, path


async def test_https_means_secure_host_cookies_and_hsts() -> None:
    app = application.create(msgspec.structs.replace(CONFIG, base_url="https://shop.example"), pages=handlers.PAGES)
    async with _client(app, "https://shop.example") as client:
        answer = await client.get("/enter")
    assert "max-age=" in answer.headers["strict-transport-security"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-csrf=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_only_a_themes_own_origin_joins_the_policy() -> None:
    assert "nlds.example" not in headers.policy(CONFIG)
    themed = msgspec.structs.replace(CONFIG, theme_css="https://nlds.example/theme/index.css")
    assert "style-src 'self' https://nlds.example;" in headers.policy(themed)
    assert "script-src 'self';" in headers.policy(themed, docs=True)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.5", "", "10.0.0.5"),
    ],
)
def test_the_client_is_the_last_hop_that_is_not_ours(peer: str, forwarded: str, client: str) -> None:
    config = msgspec.structs.replace(CONFIG, trusted_proxies=("10.0.0.0/8",))
    sent = [(b"x-forwarded-for", forwarded.encode()), (b"x-forwarded-proto", b"https")]
    scope: Any = {"client": (peer, 1), "scheme": "http", "headers": sent}
    proxies.apply(scope, config)
    assert scope["client"][0] == client
    assert scope["scheme"] == ("http" if peer.startswith("198") else "https")


@pytest.mark.parametrize("path", ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "evil"])
def test_next_leads_to_this_site_only(path: str) -> None:
    assert pages.local_path(path, "/home") == "/home"
    assert pages.local_path("/orders?x=1#y", "/home") == "/orders?x=1#y"


def test_every_role_and_every_permission_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)
    viewer = msgspec.structs.replace(ANONYMOUS, kind="member", company_id=handlers.COMPANY, roles=frozenset({Role.VIEWER}))
    assert {permission for permission in Permission if viewer.may(permission)} == {
        Permission.SEE_ORDERS, Permission.SEE_PEOPLE, Permission.SEE_INVOICES, Permission.SEE_MEMBERS,
    }  # fmt: skip


def test_require_tells_a_visitor_to_sign_in_and_a_member_that_the_role_does_not_allow_it() -> None:
    require(SYSTEM, Permission.MANAGE_JOBS)
    with pytest.raises(Unauthenticated):
        require(ANONYMOUS, Permission.SEE_ORDERS)
    finance = Actor(kind="member", company_id=handlers.COMPANY, roles=frozenset({Role.FINANCE}))
    with pytest.raises(Forbidden):
        require(finance, Permission.PLACE_ORDERS)


def test_navigation_fits_the_role_and_marks_where_one_is() -> None:
    finance = Actor(kind="member", company_id=handlers.COMPANY, roles=frozenset({Role.FINANCE}))
    assert [item.href for item in nav.items_for(finance, "/")] == ["/home", "/programmes", "/orders", "/invoices", "/members"]
    assert [item.href for item in nav.items_for(finance, "/invoices/2026-000001") if item.current] == ["/invoices"]
    ecl = Actor(kind="member", roles=frozenset({Role.ECL}))
    assert [item.href for item in nav.items_for(ecl, "/desk/jobs") if item.current] == ["/desk/jobs"]
    assert nav.home_of(ecl) == "/desk"


async def test_an_unknown_account_takes_a_verification_too(db: None) -> None:
    assert identity._hasher.verify("nobody has this password", identity._DUMMY)
    assert await identity.check_password("nobody@a.example", "nobody has this password") is None
