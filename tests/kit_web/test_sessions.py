"""Signing in and out: new tokens, ends of sessions, tries; forms from elsewhere are refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketplace.kit import db, identity
from marketplace.kit.identity import Role
from tests.kit_web.conftest import BASE, signed_in, token_of
from tests.kit_web.handlers import COMPANY, Cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx

    from marketplace.kit.clock import FakeClock

PASSWORD = "a long enough password"


async def _member(cast: Cast, now: datetime, email: str = "hr@a.example") -> object:
    account_id = await cast.join(email, now, roles={Role.BUYER}, company=COMPANY)
    await identity.set_password(account_id, PASSWORD)
    return account_id


async def _try(client: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    token = await token_of(client, "/enter")
    return await client.post("/enter", data={"_csrf": token, "email": email, "password": password})


async def test_signing_in_gives_a_new_token_whatever_cookie_came_in(
    browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime
) -> None:
    await _member(cast, now)
    client = browse()
    client.cookies.set("session", "planted-by-somebody-else")
    found = await _try(client, "HR@a.example ", PASSWORD)
    assert found.status_code == 303
    fresh = found.cookies["session"]
    assert fresh != "planted-by-somebody-else"
    assert await db.value("SELECT count(*) FROM web_session WHERE token_hash = $1", identity.digest("planted-by-somebody-else")) == 0
    assert await db.value("SELECT count(*) FROM web_session WHERE token_hash = $1", identity.digest(fresh)) == 1
    assert (await client.get("/things")).status_code == 200
    assert (await browse().get("/things")).status_code == 303


async def test_signing_in_again_ends_the_session_before_it(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> None:
    await _member(cast, now)
    client = browse()
    first = (await _try(client, "hr@a.example", PASSWORD)).cookies["session"]
    second = (await _try(client, "hr@a.example", PASSWORD)).cookies["session"]
    assert first != second
    old = browse()
    old.cookies.set("session", first)
    assert (await old.get("/things")).status_code == 303


async def test_anonymous_visitors_get_no_cookie(browse: Callable[..., httpx.AsyncClient]) -> None:
    for path in ("/terms", "/nowhere", "/livez"):
        assert "set-cookie" not in (await browse().get(path)).headers, path


async def test_an_idle_session_ends_after_thirty_minutes(buyer: httpx.AsyncClient, clock: FakeClock) -> None:
    clock.move(timedelta(minutes=29))
    assert (await buyer.get("/things")).status_code == 200
    clock.move(timedelta(minutes=29))
    assert (await buyer.get("/things")).status_code == 200
    clock.move(timedelta(minutes=30, seconds=1))
    assert (await buyer.get("/things")).status_code == 303


async def test_a_session_ends_after_twelve_hours_however_busy(buyer: httpx.AsyncClient, clock: FakeClock) -> None:
    for _quarter in range(47):
        clock.move(timedelta(minutes=15))
        assert (await buyer.get("/things")).status_code == 200
    clock.move(timedelta(minutes=15))
    assert (await buyer.get("/things")).status_code == 303


async def test_signing_out_ends_the_session_itself_not_only_the_cookie(
    buyer: httpx.AsyncClient, browse: Callable[..., httpx.AsyncClient]
) -> None:
    kept = buyer.cookies["session"]
    token = await token_of(buyer)
    assert (await buyer.post("/leave", data={"_csrf": token})).status_code == 303
    thief = browse()
    thief.cookies.set("session", kept)
    assert (await thief.get("/things")).status_code == 303


async def test_changed_roles_end_every_session(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> None:
    account_id = await cast.join("x@a.example", now, roles={Role.OWNER}, company=COMPANY)
    client = browse()
    await signed_in(client, account_id, now)
    assert (await client.get("/things")).status_code == 200
    await identity.end_sessions(account_id, now=now)
    assert (await client.get("/things")).status_code == 303


async def test_ten_wrong_passwords_close_the_account_for_a_while(
    browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime, clock: FakeClock
) -> None:
    await _member(cast, now)
    answers = [await _try(browse(f"192.0.2.{n}"), "hr@a.example", "wrong") for n in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) == 900
    assert (await _try(browse("192.0.2.99"), "hr@a.example", PASSWORD)).status_code == 429
    clock.move(timedelta(minutes=15, seconds=1))
    assert (await _try(browse("192.0.2.99"), "hr@a.example", PASSWORD)).status_code == 303


async def test_right_passwords_do_not_use_up_tries(browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime) -> None:
    await _member(cast, now)
    answers = [(await _try(browse(), "hr@a.example", PASSWORD)).status_code for _n in range(12)]
    assert answers == [303] * 12


async def test_an_unknown_address_is_answered_like_a_wrong_password(
    browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime
) -> None:
    await _member(cast, now)
    known = await _try(browse(), "hr@a.example", "wrong")
    unknown = await _try(browse(), "nobody@a.example", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert "do not belong together" in known.text
    assert "do not belong together" in unknown.text


async def test_a_missing_or_wrong_token_is_403(buyer: httpx.AsyncClient) -> None:
    await token_of(buyer)
    for data in ({}, {"_csrf": ""}, {"_csrf": "wrong.wrong"}, {"_csrf": "é" * 10}):
        assert (await buyer.post("/things", data=data)).status_code == 403


async def test_a_token_of_another_session_is_403(buyer: httpx.AsyncClient, outsider: httpx.AsyncClient) -> None:
    token = await token_of(outsider)
    buyer.cookies.set("csrf", outsider.cookies["csrf"])
    assert (await buyer.post("/things", data={"_csrf": token})).status_code == 403


async def test_a_form_from_elsewhere_is_403_even_with_the_token(buyer: httpx.AsyncClient) -> None:
    data = {"_csrf": await token_of(buyer)}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        found = await buyer.post("/things", data=data, headers=headers)
        assert found.status_code == 403, headers
        assert "another website" in found.text
    assert (await buyer.post("/things", data=data, headers={"origin": BASE, "sec-fetch-site": "same-origin"})).status_code == 422


async def test_the_language_switch_needs_proof_of_origin_only(browse: Callable[..., httpx.AsyncClient]) -> None:
    client = browse()
    data = {"locale": "nl", "next": "/terms"}
    assert (await client.post("/language", data=data)).status_code == 403
    assert (await client.post("/language", data=data, headers={"origin": "https://evil.example"})).status_code == 403
    found = await client.post("/language", data=data, headers={"origin": BASE})
    assert (found.status_code, found.headers["location"]) == (303, "/terms")
    assert 'lang="nl"' in (await client.get("/terms")).text
    away = await client.post("/language", data={**data, "next": "//evil.example"}, headers={"origin": BASE})
    assert away.headers["location"] == "/"


async def test_language_by_member_then_cookie_then_browser(browse: Callable[..., httpx.AsyncClient]) -> None:
    for accept, language in (
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("en-GB,nl;q=0.5", "en"),
        ("fr,de;q=0.5", "en"),
        ("fr,nl;q=0.1", "nl"),
        ("x;q=y", "en"),
    ):
        assert f'lang="{language}"' in (await browse().get("/terms", headers={"accept-language": accept})).text, accept
    client = browse()
    client.cookies.set("locale", "nl")
    assert 'lang="nl"' in (await client.get("/terms", headers={"accept-language": "en"})).text


async def test_an_anonymous_page_comes_from_the_cache_and_a_member_page_does_not(
    browse: Callable[..., httpx.AsyncClient], buyer: httpx.AsyncClient, clock: FakeClock
) -> None:
    first = (await browse().get("/counted")).text
    clock.move(timedelta(minutes=1))
    again = await browse().get("/counted")
    assert again.text == first
    assert "content-security-policy" in again.headers
    assert (await browse().get("/counted?x=1")).text != first
    assert (await browse().get("/counted", headers={"accept-language": "nl"})).text != first
    assert (await buyer.get("/counted")).text != first
    assert "_csrf" not in first


async def test_forwarded_addresses_count_only_from_a_configured_proxy(
    browse: Callable[..., httpx.AsyncClient], cast: Cast, now: datetime
) -> None:
    for n in range(31):
        client = browse("198.51.100.7", **{"x-forwarded-for": f"203.0.113.{n}"})
        answer = await _try(client, f"somebody{n}@a.example", "wrong")
    assert answer.status_code == 429
