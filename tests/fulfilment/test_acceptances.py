"""The partner's answer: accepted, declined, silence; only its own, and no names before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from marketplace.fulfilment import acceptances, read
from marketplace.kit import clock as kit_clock
from marketplace.kit import db, work
from marketplace.kit.errors import Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.orders import read as orders
from marketplace.orders.read import Order
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in
from tests.smtp import Box

pytestmark = pytest.mark.asyncio(loop_scope="session")
_ASK = ("fulfilment.ask_partner",)
_ALL = (
    "fulfilment.ask_partner",
    "fulfilment.tell_partner",
    "fulfilment.remind",
    "fulfilment.tell_ecl",
    "fulfilment.expire",
    "orders.tell_declined",
    "mail.send",
)


async def _asked(cast: Cast, *, people: int = 1) -> tuple[Order, list[str]]:
    private = await a_programme(partner_id=cast.partner_a_id, published_capacity=False)
    session = await a_session(seats=4, programme_id=private)
    order = await an_order(session.id, *[(await a_person(cast.company_a.id)).id for _n in range(people)], actor=cast.hr_a)
    await work.drain(kit_clock.now(), only=_ASK)
    found = await db.records("SELECT a.id FROM acceptance a JOIN order_line l ON l.id = a.order_line_id ORDER BY l.position")
    return order, [str(row["id"]) for row in found]


async def test_accepting_confirms_and_invoices_once(cast: Cast, client: httpx.AsyncClient) -> None:
    order, (question,) = await _asked(cast)
    browser = await signed_in(client, cast.partner_a)
    page = await browser.get("/acceptances")
    assert "Rijnvelde" in page.text
    assert "Aditi" not in page.text
    for _click in range(2):
        answer = await browser.post(f"/acceptances/{question}/accept")
        assert answer.status_code == 303
    assert (await orders.by_id(order.id, actor=cast.hr_a)).state == "confirmed"
    assert await db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue'") == 1
    roster = await browser.get(f"/rosters/{order.lines[0].session_id}")
    assert "Aditi Raman" in roster.text
    assert "645" not in roster.text
    assert "Aditi Raman" in (await browser.get(f"/rosters/{order.lines[0].session_id}/csv")).text
    hr = await signed_in(client, cast.hr_a)
    assert "Accepted" in (await hr.get(f"/orders/{order.number}")).text


async def test_declining_needs_a_reason_that_hr_reads(cast: Cast, client: httpx.AsyncClient, mails: Box) -> None:
    order, (question,) = await _asked(cast)
    browser = await signed_in(client, cast.partner_a)
    empty = await browser.post(f"/acceptances/{question}/decline", {"reason": " "}, form="/acceptances")
    assert empty.status_code == 422
    assert "Say why in a few words" in empty.text
    done = await browser.post(f"/acceptances/{question}/decline", {"reason": "Our teacher is away"})
    assert done.status_code == 303
    hr = await signed_in(client, cast.hr_a)
    assert "Our teacher is away" in (await hr.get(f"/orders/{order.number}")).text
    await work.drain(kit_clock.now(), only=_ALL)
    assert any("Our teacher is away" in str(message) for message in mails.to(cast.hr_a.email))
    again = await browser.post(f"/acceptances/{question}/accept")
    assert again.status_code == 303
    assert (await orders.by_id(order.id, actor=cast.hr_a)).state == "declined"


async def test_an_outsider_decides_nothing(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    order, (question,) = await _asked(cast)
    for actor in (cast.partner_b, cast.hr_a, cast.hr_b):
        with pytest.raises((NotFound, Forbidden)):
            await acceptances.accept(question, actor=actor, now=now)  # type: ignore[arg-type]
    outsider = await signed_in(client, cast.partner_b)
    assert (await outsider.post(f"/acceptances/{question}/accept", form="/acceptances")).status_code == 404
    assert (await outsider.get(f"/rosters/{order.lines[0].session_id}")).status_code == 404
    assert "Rijnvelde" not in (await outsider.get("/acceptances")).text
    with pytest.raises(Invalid):
        await acceptances.decline(question, reason="", actor=cast.partner_a, now=now)  # type: ignore[arg-type]


async def test_silence_is_reminded_escalated_and_ends(cast: Cast, clock: kit_clock.FakeClock, mails: Box) -> None:
    order, (question,) = await _asked(cast)
    await work.drain(clock.now(), only=_ALL)
    assert len(mails.to("office@taalhuis.example")) == 1
    until = acceptances.deadline(clock.now())
    clock.move((until - clock.now()) * 0.81)
    await work.drain(clock.now(), only=_ALL)
    assert [len(mails.to(address)) for address in ("office@taalhuis.example", "welcome@ecl.example")] == [2, 1]
    await db.execute("UPDATE company SET language = 'nl'")
    clock.set(until)
    await work.drain(clock.now(), only=_ALL)
    assert await db.value("SELECT decline_reason FROM order_line") == "Geen antwoord binnen twee werkdagen."
    after = await orders.by_id(order.id, actor=cast.hr_a)
    assert (after.state, after.lines[0].state) == ("declined", "declined")
    with pytest.raises(InvalidTransition):
        await acceptances.accept(question, actor=cast.partner_a, now=clock.now())  # type: ignore[arg-type]
    assert len(mails.to(cast.hr_a.email)) == 1


async def test_two_working_days_skip_the_weekend() -> None:
    friday = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
    assert acceptances.deadline(friday) == friday + timedelta(days=4)


async def test_participants_are_invited_with_their_lessons(cast: Cast, clock: kit_clock.FakeClock, mails: Box) -> None:
    session = await a_session(lessons=3)
    person = await a_person(cast.company_a.id, email="aditi@staff.example", language="nl")
    await an_order(session.id, person.id, actor=cast.hr_a)
    await work.drain(clock.now(), only=("enrolments.invite", "mail.send"))
    (message,) = mails.to("aditi@staff.example")
    assert "Je hebt een plaats" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    calendar = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    text = calendar.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert text.count("BEGIN:VEVENT") == 3
    assert "TZID:Europe/Amsterdam" in text


async def test_published_seats_need_no_answer(cast: Cast) -> None:
    session = await a_session(programme_id=await a_programme(partner_id=cast.partner_a_id))
    await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    (line,) = (await read.lines(actor=cast.partner_a)).items
    assert (line.state, line.acceptance_id, line.person_name) == ("accepted", None, "Aditi Raman")


async def test_a_declined_line_is_no_longer_in_the_orders_total(cast: Cast, now: datetime) -> None:
    order, questions = await _asked(cast, people=2)
    whole = order.total.cents
    await acceptances.decline(UUID(questions[0]), reason="Full", actor=cast.partner_a, now=now)
    await acceptances.accept(UUID(questions[1]), actor=cast.partner_a, now=now)
    after = await orders.by_id(order.id, actor=cast.hr_a)
    assert (after.state, after.total.cents * 2) == ("confirmed", whole)
    await work.drain(now, only=("billing.issue",))
    assert await db.value("SELECT total_cents FROM invoice WHERE group_key = $1", f"order:{order.id}") == after.total.cents
