"""Somebody else in a seat: free until the start, the same seat, everybody told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from catalog import seats
from catalog.seats import SeatWish
from marketplace.kit import db as kit_db
from marketplace.kit import ids, work
from marketplace.kit.errors import Conflict, DomainError, Forbidden, InvalidTransition, NotFound
from marketplace.orders import cancel, read, replace
from marketplace.orders.cancel import CancelLine
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_company, a_member, a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from marketplace.orders.read import Order

pytestmark = pytest.mark.asyncio(loop_scope="session")
TELL = ("enrolments.invite", "enrolments.tell_cancelled", "fulfilment.person_replaced")


async def _order(cast: Cast, **programme: object) -> Order:
    session = await a_session(programme_id=await a_programme(**programme))  # type: ignore[arg-type]
    return await an_order(session.id, (await a_person(cast.company_a.id, email="aditi@rijnvelde.example")).id, actor=cast.hr_a)


async def test_the_seat_is_the_same_and_everybody_is_told(cast: Cast, now: datetime) -> None:
    order = await _order(cast, partner_id=cast.partner_a_id)
    other = await a_person(cast.company_a.id, given_name="Mateus", family_name="Ferreira", email="mateus@rijnvelde.example")
    await work.drain(now, only=TELL)
    for _twice in range(2):
        await replace.replace(order.number, order.lines[0].id, other.id, actor=cast.hr_a, now=now)
    await work.drain(now, only=TELL)
    after = await read.by_number(order.number, actor=cast.hr_a)
    assert (after.lines[0].person_name, after.total_cents) == ("Mateus Ferreira", order.total_cents)
    assert await kit_db.value("SELECT live FROM session WHERE id = $1", order.lines[0].session_id) == 1
    assert await kit_db.value("SELECT count(*) FROM seat WHERE state = 'taken'") == 1
    sent = await kit_db.records("SELECT template, recipient, calendar FROM mail_message ORDER BY id")
    told = [(row["template"], row["recipient"]) for row in sent]
    assert sorted(told) == [
        ("enrolments/cancelled", "aditi@rijnvelde.example"), ("enrolments/invitation", "aditi@rijnvelde.example"),
        ("enrolments/invitation", "mateus@rijnvelde.example"), ("fulfilment/replaced", "office@taalhuis.example"),
    ]  # fmt: skip
    assert [event.event for event in after.events].count("order_line.replaced") == 1


async def test_after_the_start_nobody_else_can_come(cast: Cast, now: datetime) -> None:
    order, other = await _order(cast), await a_person(cast.company_a.id)
    starts = order.lines[0].starts_at
    with pytest.raises(Conflict, match="begun"):
        await replace.replace(order.number, order.lines[0].id, other.id, actor=cast.hr_a, now=starts)
    await replace.replace(order.number, order.lines[0].id, other.id, actor=cast.hr_a, now=starts - timedelta(seconds=1))


async def test_who_has_a_seat_already_or_is_not_theirs_cannot_take_it(cast: Cast, now: datetime) -> None:
    order, foreign = await _order(cast), await a_person(cast.company_b.id)
    line = order.lines[0]
    seated = await a_person(cast.company_a.id)
    await seats.take([SeatWish(line.session_id, seated.id, cast.company_a.id)], now=now)
    with pytest.raises(Conflict, match="already_enrolled"):
        await replace.replace(order.number, line.id, seated.id, actor=cast.hr_a, now=now)
    for unknown in (foreign.id, ids.new_id()):
        with pytest.raises(NotFound):
            await replace.replace(order.number, line.id, unknown, actor=cast.hr_a, now=now)
    mine = await a_person(cast.company_a.id)
    with pytest.raises(NotFound):
        await replace.replace(order.number, line.id, foreign.id, actor=cast.hr_b, now=now)
    with pytest.raises(Forbidden):
        await replace.replace(order.number, line.id, mine.id, actor=cast.viewer_a, now=now)


async def test_a_cancelled_seat_is_nobodys(cast: Cast, now: datetime) -> None:
    order, other = await _order(cast), await a_person(cast.company_a.id)
    await cancel.cancel(order.number, order.lines[0].id, CancelLine(), actor=cast.hr_a, now=now)
    with pytest.raises(InvalidTransition):
        await replace.replace(order.number, order.lines[0].id, other.id, actor=cast.hr_a, now=now)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with kit_db.atomic():
            await kit_db.execute("UPDATE order_line SET person_id = $1", other.id)


async def test_before_the_partner_has_said_yes_nobody_is_mailed(cast: Cast, now: datetime) -> None:
    order, other = await _order(cast, published_capacity=False), await a_person(cast.company_a.id)
    await replace.replace(order.number, order.lines[0].id, other.id, actor=cast.hr_a, now=now)
    await work.drain(now, only=TELL)
    assert await kit_db.value("SELECT count(*) FROM mail_message") == 0


async def test_one_person_put_in_two_seats_at_once_gets_one(committed: str, now: datetime) -> None:
    company = await a_company()
    hr = await a_member(company_id=company.id)
    session = await a_session(seats=5)
    orders = [await an_order(session.id, (await a_person(company.id)).id, actor=hr) for _n in range(3)]
    other = await a_person(company.id)

    async def put(order: Order) -> bool:
        try:
            await replace.replace(order.number, order.lines[0].id, other.id, actor=hr, now=now)
        except DomainError:
            return False
        return True

    assert sum(await asyncio.gather(*(put(order) for order in orders))) == 1
    assert await kit_db.value("SELECT live FROM session WHERE id = $1", session.id) == 3


async def test_the_page_shows_who_could_come_and_keeps_the_search(cast: Cast, client: httpx.AsyncClient) -> None:
    order = await _order(cast)
    other = await a_person(cast.company_a.id, given_name="Mateus", family_name="Ferreira")
    at = f"/orders/{order.number}/lines/{order.lines[0].id}/replace"
    browser = await signed_in(client, cast.hr_a)
    assert at in (await browser.get(f"/orders/{order.number}")).text
    page = (await browser.get(f"{at}?q=ferr")).text
    assert "Mateus Ferreira" in page
    assert 'name="person_id" value="' + str(order.lines[0].person_id) not in page
    nobody = await browser.post(at, {"q": "ferr"})
    assert nobody.status_code == 422
    assert "Choose who comes instead." in nobody.text
    assert (await browser.post(at, {"person_id": str(other.id)})).status_code == 303
    assert "Mateus Ferreira" in (await browser.get(f"/orders/{order.number}")).text
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.get(at)).status_code == 404
    assert (await outsider.post(at, {"person_id": str(other.id)}, form="/privacy")).status_code == 404
