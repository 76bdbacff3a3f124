"""ECL's desk: every page shows what is so, to ECL only; lists page by key; stuck work is tried again once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketplace.desk import operations, orders, parties, trail, waiting
from marketplace.kit import audit, db, ids, mail, work
from marketplace.kit import clock as kit_clock
from marketplace.kit.errors import Conflict, Forbidden, NotFound
from marketplace.kit.i18n import use_locale
from marketplace.kit.money import euros
from marketplace.orders.states import OrderState
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
WORK = ("billing.issue", "fulfilment.ask_partner")
OK, SEE_OTHER, MISSING = 200, 303, 404
PAGES = (
    "/desk",
    "/desk/orders",
    "/desk/orders.csv",
    "/desk/invoices",
    "/desk/invoices.csv",
    "/desk/jobs",
    "/desk/accounts",
    "/desk/partners",
    "/desk/mails",
    "/desk/audit",
)


async def dead_work(error: str = "GiveUp: Stripe no longer has in_1.") -> UUID:
    made = ids.new_id()
    await db.execute(
        "INSERT INTO due_work (id, kind, payload, run_at, state, attempts, last_error, created_at) VALUES ($1, 'mail.send', '{}', $2, 'dead', 12, $3, $2)",
        made, kit_clock.now(), error,
    )  # fmt: skip
    return made


async def speak(locale: str, *people: object) -> None:
    for who in people:
        await db.execute("UPDATE account SET locale = $2 WHERE id = $1", who.account_id, locale)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", PAGES)
async def test_the_desk_is_ecls_only(cast: Cast, client: httpx.AsyncClient, path: str) -> None:
    for outsider in (cast.hr_a, cast.finance_a, cast.partner_a):
        assert (await (await signed_in(client, outsider)).get(path)).status_code == MISSING
    assert (await (await signed_in(client, None)).get(path)).status_code == SEE_OTHER
    for locale in ("en", "nl"):
        await speak(locale, cast.ecl)
        page = await (await signed_in(client, cast.ecl, locale=locale)).get(path)
        assert page.status_code == OK, page.text


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_today_tells_of_each_kind_of_trouble(cast: Cast, client: httpx.AsyncClient, clock: FakeClock, locale: str) -> None:
    await speak(locale, cast.ecl)
    people = [await a_person(cast.company_a.id) for _n in range(2)]
    thin = await a_session(starts_at=clock.now() + timedelta(days=36), minimum=4)
    small = await a_session(
        programme_id=await a_programme(partner_id=cast.partner_a_id, published_capacity=False),
        seats=2,
        starts_at=clock.now() + timedelta(days=60),
    )
    await an_order(thin.id, people[0].id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    clock.move(timedelta(days=31))
    await an_order(small.id, people[1].id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    clock.set(await db.value("SELECT decide_by_at FROM acceptance") - timedelta(hours=1))
    await dead_work()
    assert await waiting.for_ecl(clock.now()) == waiting.ForEcl(dead=1, late=1, overdue=1, thin=1)
    page = await (await signed_in(client, cast.ecl, locale=locale)).get("/desk")
    number = await db.value("SELECT number FROM invoice")
    for words in (number, thin.code, "office@taalhuis.example", "Stripe no longer has in_1."):
        assert words in page.text
    assert '<span class="count urgent">4</span>' in page.text


async def test_nothing_to_do_is_said(cast: Cast, client: httpx.AsyncClient) -> None:
    page = await (await signed_in(client, cast.ecl)).get("/desk")
    assert "All is in hand" in page.text
    assert "count urgent" not in page.text


async def test_orders_are_found_by_number_po_company_and_state(cast: Cast, clock: FakeClock) -> None:
    session = await a_session(seats=10)
    first = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a, purchase_order="4500128834")
    clock.move(timedelta(minutes=1))
    second = await an_order(session.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)

    async def found(**wanted: object) -> list[int]:
        return [row.number for row in (await orders.listed(orders.Filter(**wanted), actor=cast.ecl)).items]  # type: ignore[arg-type]

    assert await found() == [second.number, first.number]
    assert await found(text=str(first.number)) == [first.number]
    assert await found(text="45001") == [first.number]
    assert await found(text="sleutelstad") == [second.number]
    assert await found(company_id=cast.company_a.id) == [first.number]
    assert await found(state=OrderState.PLACED) == []
    assert await found(text="no such thing") == []
    with pytest.raises(Forbidden):
        await orders.listed(orders.Filter(), actor=cast.hr_a)


async def test_orders_page_by_key_both_ways(cast: Cast, clock: FakeClock) -> None:
    session = await a_session(seats=10)
    numbers = []
    for _n in range(5):
        clock.move(timedelta(minutes=1))
        numbers.append((await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)).number)
    for text in ("", "rijnvelde"):
        wanted = orders.Filter(text=text)
        first = await orders.listed(wanted, actor=cast.ecl, size=2)
        second = await orders.listed(wanted, actor=cast.ecl, cursor=first.next, size=2)
        back = await orders.listed(wanted, actor=cast.ecl, cursor=second.previous, size=2)
        assert [row.number for row in first.items + second.items] == numbers[:0:-1]
        assert back.items == first.items
        assert first.previous is None


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_lists_show_every_company_and_their_files_too(cast: Cast, client: httpx.AsyncClient, clock: FakeClock, locale: str) -> None:
    await speak(locale, cast.ecl)
    session = await a_session(seats=5)
    for company, actor in ((cast.company_a, cast.hr_a), (cast.company_b, cast.hr_b)):
        await an_order(session.id, (await a_person(company.id)).id, actor=actor, purchase_order="PO-7")
    await work.drain(clock.now(), only=WORK)
    browser = await signed_in(client, cast.ecl, locale=locale)
    for path in (
        "/desk/orders",
        "/desk/orders.csv",
        "/desk/invoices",
        "/desk/invoices.csv",
        "/desk/invoices?show=unpaid",
        "/desk/invoices?q=po-7",
    ):
        page = await browser.get(path)
        assert "Rijnvelde Biosciences" in page.text
        assert "Sleutelstad Robotics" in page.text
    number = await db.value("SELECT i.number FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE d.owner_id = $1", cast.company_a.id)
    one = await browser.get(f"/desk/invoices?q={number}")
    assert f"/invoices/{number}" in one.text
    assert "Sleutelstad" not in one.text
    total = euros(await db.value("SELECT total_cents FROM invoice WHERE number = $1", number))
    for text in (f"\u20ac {total}", str(total).replace(".", ",")):
        assert f"/invoices/{number}" in (await browser.get("/desk/invoices", params={"q": text})).text
    assert "/invoices/2" not in (await browser.get("/desk/invoices?q=0,01")).text
    assert number not in (await browser.get("/desk/invoices?show=overdue")).text
    assert number not in (await browser.get("/desk/invoices?show=credit")).text
    clock.move(timedelta(days=40))
    later = await signed_in(client, cast.ecl, locale=locale)
    assert number in (await later.get("/desk/invoices?show=overdue&q=rijnvelde")).text


async def test_stuck_work_is_tried_again_once(cast: Cast, client: httpx.AsyncClient) -> None:
    item = await dead_work("ConnectionRefusedError: [Errno 111] Connect call failed")
    browser = await signed_in(client, cast.ecl)
    page = await browser.get("/desk/jobs")
    assert "The other side could not be reached." in page.text
    assert "Errno 111" in page.text
    action = f"/desk/jobs/{item}/retry"
    assert re.search(rf'action="{action}"', page.text)
    first, again = await browser.post(action), await browser.post(action)
    assert (first.status_code, again.status_code) == (SEE_OTHER, SEE_OTHER)
    assert await db.value("SELECT state FROM due_work WHERE id = $1", item) == "queued"
    assert [entry.event for entry in await audit.of("work", item)] == ["work.retried"]
    shown = await browser.get("/desk/jobs")
    assert action not in shown.text
    assert (await browser.post(f"/desk/jobs/{ids.new_id()}/retry")).status_code == MISSING


async def test_only_ecl_retries(cast: Cast, client: httpx.AsyncClient) -> None:
    item = await dead_work()
    for outsider in (cast.hr_a, cast.partner_a):
        assert (await (await signed_in(client, outsider)).post(f"/desk/jobs/{item}/retry", form="/design")).status_code == MISSING
        with pytest.raises(Forbidden):
            await operations.retry(item, actor=outsider, now=kit_clock.now())
    assert await db.value("SELECT state FROM due_work WHERE id = $1", item) == "dead"
    await operations.retry(item, actor=cast.ecl, now=kit_clock.now())
    with pytest.raises(Conflict):
        await operations.retry(item, actor=cast.ecl, now=kit_clock.now())
    with pytest.raises(NotFound):
        await operations.retry(ids.new_id(), actor=cast.ecl, now=kit_clock.now())


async def test_errors_are_said_in_words() -> None:
    assert operations.in_words("GiveUp: Stripe no longer has it.") == "Stripe no longer has it."
    assert operations.in_words("TimeoutError: ") == "The other side did not answer in time."
    assert operations.in_words("Weird: x").startswith("It failed in a way")
    assert operations.in_words(None) == "Nothing was noted."
    with use_locale("nl"):
        assert operations.kind_name("mail.send") == "Een mail versturen"
        assert operations.kind_name("job:kit.tidy") == "Afgerond werk opruimen"
    assert operations.kind_name("something.new") == "something.new"


async def test_members_are_shown_with_place_roles_and_last_sign_in(cast: Cast) -> None:
    everyone = (await parties.members(actor=cast.ecl)).items
    by_name = {row.name: row for row in everyone}
    assert by_name["Fenna Wiersma"].place == "Rijnvelde Biosciences"
    assert by_name["Ilse Taal"].place == "Taalhuis Rapenburg"
    assert by_name["Fenna Wiersma"].seen_at is None
    assert {row.name for row in (await parties.members(actor=cast.ecl, place_kind="partner")).items} == {"Ilse Taal", "Bram Brug"}
    assert [row.name for row in (await parties.members(actor=cast.ecl, text="sleutel")).items] == ["Daan Outsider"]
    first = await parties.members(actor=cast.ecl, size=3)
    rest = await parties.members(actor=cast.ecl, cursor=first.next, size=50)
    assert [row.id for row in first.items + rest.items] == [row.id for row in everyone]


async def test_a_partners_answers_make_its_rate(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    programme = await a_programme(partner_id=cast.partner_a_id, published_capacity=False)
    session = await a_session(programme_id=programme, seats=4)
    for _n in range(3):
        await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    await db.execute(
        "UPDATE acceptance SET state = CASE WHEN n = 1 THEN 'accepted' ELSE 'declined' END, decided_at = now()"
        " FROM (SELECT id AS one, row_number() OVER () AS n FROM acceptance) numbered WHERE id = one AND n < 3"
    )
    row = next(row for row in (await parties.partners(actor=cast.ecl, now=clock.now())).items if row.id == cast.partner_a_id)
    assert (row.programmes, row.sessions, row.waiting, row.rate) == (1, 1, 1, 50)
    own = await (await signed_in(client, cast.partner_a)).get("/acceptances")
    assert '<span class="count urgent">1</span>' in own.text
    other = await (await signed_in(client, cast.partner_b)).get("/acceptances")
    assert "count urgent" not in other.text


async def test_the_mail_log_has_no_words_of_the_mail(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    await an_order((await a_session()).id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(clock.now(), only=("orders.tell_placed",))
    sent = (await mail.sent_to(cast.hr_a.email))[-1]
    browser = await signed_in(client, cast.ecl)
    page = await browser.get("/desk/mails")
    assert sent.subject in page.text
    assert sent.text[:60] not in page.text
    assert sent.subject in (await browser.get(f"/desk/mails?q={cast.hr_a.email}")).text
    assert sent.subject not in (await browser.get("/desk/mails?q=nobody@else.example")).text
    assert sent.subject not in (await browser.get("/desk/mails?state=sent")).text


async def test_the_audit_trail_is_read_by_subject(cast: Cast, client: httpx.AsyncClient) -> None:
    order = await an_order((await a_session()).id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    browser = await signed_in(client, cast.ecl)
    assert "order.placed" in (await browser.get("/desk/audit")).text
    one = await browser.get(f"/desk/audit?q=order+{order.id}")
    assert "order.placed" in one.text
    assert "member.added" not in one.text
    page = await trail.entries(actor=cast.ecl, size=2)
    assert len({entry.id for entry in page.items + (await trail.entries(actor=cast.ecl, cursor=page.next, size=2)).items}) == 4
    with pytest.raises(Forbidden):
        await trail.entries(actor=cast.hr_a)
