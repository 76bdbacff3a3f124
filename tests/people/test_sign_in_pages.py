"""Signing in and out, limits, invitations and new passwords, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketplace.kit import audit, db, identity, mail, work
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.identity import Role
from marketplace.people import invitations, members
from marketplace.people.places import Place
from tests.builders.people import a_company, a_member
from tests.cast import Browser, signed_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

PASSWORD = "a sentence is fine"
pytestmark = pytest.mark.usefixtures("db", "clock", "mails")


async def link_in_mail_to(address: str) -> str:
    found = (await mail.sent_to(address))[-1]
    match = re.search(r"https?://[^/\s]+(/\S+)", found.text)
    assert match
    return match[1]


async def test_right_password_gives_a_new_session_and_the_home_of_the_role(client: httpx.AsyncClient) -> None:
    company = await a_company()
    await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    await a_member(email="desk@ecl.example", password=PASSWORD)
    for email, home in (("HR@rijnvelde.example ", "/home"), ("desk@ecl.example", "/desk")):
        browser = Browser(client)
        browser.cookies["session"] = "planted-by-somebody"
        answer = await browser.post("/sign-in", {"email": email, "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, home)
        assert browser.cookies["session"] not in ("", "planted-by-somebody")


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [("/orders/new?session=1", "/orders/new?session=1"), ("https://evil.example/", "/home"), ("//evil.example", "/home")],
)
async def test_next_leads_only_to_our_own_pages(wanted: str, reached: str, client: httpx.AsyncClient) -> None:
    company = await a_company()
    await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    answer = await Browser(client).post("/sign-in", {"email": "hr@rijnvelde.example", "password": PASSWORD, "next": wanted})
    assert answer.headers["location"] == reached


async def test_wrong_password_and_unknown_address_get_the_same_answer(client: httpx.AsyncClient) -> None:
    company = await a_company()
    await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    pages = []
    for email in ("hr@rijnvelde.example", "xx@rijnvelde.example"):
        browser = Browser(client)
        answer = await browser.post("/sign-in", {"email": email, "password": "not the password"})
        assert answer.status_code == 422
        assert "session" not in browser.cookies
        pages.append(answer.text.replace(email, "").replace(browser.token, ""))
    assert pages[0] == pages[1]


async def test_the_eleventh_failure_of_an_account_is_429_even_with_the_right_password(client: httpx.AsyncClient, clock: FakeClock) -> None:
    company = await a_company()
    await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    browser = Browser(client)
    for _ in range(10):
        assert (await browser.post("/sign-in", {"email": "hr@rijnvelde.example", "password": "wrong"})).status_code == 422
        clock.move(timedelta(seconds=2))
    refused = await browser.post("/sign-in", {"email": "hr@rijnvelde.example", "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert 'value="hr@rijnvelde.example"' in refused.text
    clock.move(timedelta(minutes=16))
    assert (await browser.post("/sign-in", {"email": "hr@rijnvelde.example", "password": PASSWORD})).status_code == 303


async def test_sign_out_ends_the_session(cast: Cast, client: httpx.AsyncClient) -> None:
    browser = await signed_in(client, cast.hr_a)
    await browser.get("/members")
    kept = browser.cookies["session"]
    assert (await browser.post("/sign-out")).status_code == 303
    assert "session" not in browser.cookies
    browser.cookies["session"] = kept
    assert (await browser.get("/members")).headers["location"].startswith("/sign-in")


async def test_sign_out_without_token_is_refused(cast: Cast, client: httpx.AsyncClient) -> None:
    browser = await signed_in(client, cast.hr_a)
    browser.token = "made up"
    assert (await browser.post("/sign-out")).status_code == 403


async def test_somebody_without_a_place_is_told_so(client: httpx.AsyncClient, now: datetime) -> None:
    company = await a_company()
    owner = await a_member(company_id=company.id)
    gone = await a_member(company_id=company.id, email="gone@rijnvelde.example", roles={Role.BUYER}, password=PASSWORD)
    assert gone.member_id
    await members.remove(gone.member_id, place=Place(company.id), actor=owner, now=now)
    answer = await Browser(client).post("/sign-in", {"email": "gone@rijnvelde.example", "password": PASSWORD})
    assert answer.status_code == 422
    assert "no place at a company any more" in answer.text


async def test_invitation_makes_a_member_once(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    place = Place(cast.company_a.id)
    await invitations.create(" New@Rijnvelde.example", place=place, roles=frozenset({Role.BUYER}), actor=cast.hr_a, now=now)
    link = await link_in_mail_to("new@rijnvelde.example")
    browser = Browser(client)
    page = await browser.get(link)
    assert page.status_code == 200
    assert "Rijnvelde Biosciences" in page.text
    short = await browser.post(link, {"name": "Nina New", "password": "short"})
    assert short.status_code == 422
    assert "Use at least 12 characters. You used 5." in short.text
    assert 'value="Nina New"' in short.text
    done = await browser.post(link, {"name": "Nina New", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/home")
    assert [m.name for m in await members.of(place) if m.roles == {Role.BUYER}] == ["Nina New"]
    assert (await Browser(client).get(link)).status_code == 404
    assert await identity.check_password("new@rijnvelde.example", PASSWORD) is not None


async def test_invitation_ends_after_seven_days_and_a_new_link_ends_the_old(cast: Cast, now: datetime, clock: FakeClock) -> None:
    place = Place(cast.company_a.id)
    roles = frozenset({Role.VIEWER})
    invitation_id = await invitations.create("new@rijnvelde.example", place=place, roles=roles, actor=cast.hr_a, now=now)
    with pytest.raises(Conflict) as refused:
        await invitations.create("new@rijnvelde.example", place=place, roles=roles, actor=cast.hr_a, now=now)
    assert refused.value.code == "already_invited"
    first = (await link_in_mail_to("new@rijnvelde.example")).rpartition("/")[2]
    later = clock.move(timedelta(days=7))
    with pytest.raises(NotFound):
        await invitations.of_link(first, now=later)
    await invitations.resend(invitation_id, place=place, actor=cast.hr_a, now=later)
    second = (await link_in_mail_to("new@rijnvelde.example")).rpartition("/")[2]
    assert (await invitations.of_link(second, now=later)).email == "new@rijnvelde.example"
    with pytest.raises(NotFound):
        await invitations.of_link(first, now=later)
    await invitations.withdraw(invitation_id, place=place, actor=cast.hr_a, now=later)
    with pytest.raises(NotFound):
        await invitations.of_link(second, now=later)


async def test_nobody_invites_to_another_company(cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        await invitations.create("x@y.example", place=Place(cast.company_a.id), roles=frozenset({Role.BUYER}), actor=cast.hr_b, now=now)


async def test_no_link_is_kept_in_the_clear(cast: Cast, now: datetime) -> None:
    await invitations.create(
        "new@rijnvelde.example", place=Place(cast.company_a.id), roles=frozenset({Role.BUYER}), actor=cast.hr_a, now=now
    )
    token = (await link_in_mail_to("new@rijnvelde.example")).rpartition("/")[2]
    assert await db.value("SELECT count(*) FROM invitation WHERE token_hash = $1", identity.digest(token)) == 1
    assert await db.value("SELECT count(*) FROM invitation i WHERE i::text LIKE '%' || $1 || '%'", token) == 0


async def test_new_password_by_mail_works_once_and_ends_sessions(client: httpx.AsyncClient, now: datetime) -> None:
    company = await a_company()
    actor = await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    before = await signed_in(client, actor)
    answers = []
    for email in ("hr@rijnvelde.example", "xx@rijnvelde.example"):
        browser = Browser(client)
        answer = await browser.post("/password", {"email": email})
        answers.append((answer.status_code, answer.text.replace(email, "").replace(browser.token, "")))
    assert answers[0] == answers[1]
    await work.drain(now)
    assert await mail.sent_to("xx@rijnvelde.example") == []
    link = await link_in_mail_to("hr@rijnvelde.example")
    browser = Browser(client)
    done = await browser.post(link, {"password": "another fine sentence"})
    assert (done.status_code, done.headers["location"]) == (303, "/home")
    assert (await Browser(client).post(link, {"password": "a third fine sentence"}, form="/sign-in")).status_code == 404
    assert (await before.get("/members")).headers["location"].startswith("/sign-in")
    assert await identity.check_password("hr@rijnvelde.example", "another fine sentence") == actor.account_id
    assert [entry.event for entry in await audit.of("account", actor.account_id)] == ["account.password_reset"]


async def test_a_password_link_dies_after_an_hour(client: httpx.AsyncClient, now: datetime, clock: FakeClock) -> None:
    company = await a_company()
    await a_member(company_id=company.id, email="hr@rijnvelde.example", password=PASSWORD)
    await Browser(client).post("/password", {"email": "hr@rijnvelde.example"})
    await work.drain(now)
    link = await link_in_mail_to("hr@rijnvelde.example")
    clock.move(timedelta(minutes=61))
    page = await Browser(client).get(link)
    assert page.status_code == 404
    assert "This link has ended." in page.text


async def test_sign_in_page_speaks_dutch(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    browser.cookies["locale"] = "nl"
    assert "<h1>Inloggen</h1>" in (await browser.get("/sign-in")).text
