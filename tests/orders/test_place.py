"""Placing: all or nothing, once, frozen, and what follows."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from catalog import sessions
from catalog.words import VatBasis
from marketplace.kit import audit, clock, db
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.ids import new_id
from marketplace.orders import baskets, decide, place, read
from marketplace.orders.place import LineWish, PlaceOrder
from marketplace.orders.states import LineState, OrderState
from marketplace.people import companies
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_company, a_member, a_person, a_relation
from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _free(session_id: UUID) -> int:
    return (await sessions.get(session_id, now=clock.now())).free


async def test_published_seats_are_confirmed_at_once_and_billed_once(cast: Cast, now: datetime) -> None:
    session = await a_session(seats=3)
    people = [await a_person(cast.company_a.id) for _n in range(2)]
    order = await an_order(session.id, *(person.id for person in people), actor=cast.hr_a, purchase_order="4500128834", cost_centre="3120")
    assert order.state is OrderState.CONFIRMED
    assert [line.state for line in order.lines] == [LineState.ACCEPTED] * 2
    assert (order.net.cents, order.vat.cents, order.total.cents) == (129_000, 0, 129_000)
    assert await _free(session.id) == 1
    assert await db.value("SELECT count(*) FROM charge WHERE purchase_order = '4500128834' AND cost_centre = '3120'") == 2
    assert await db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue'") == 1
    assert [entry.event for entry in await audit.of("order", order.id)] == ["order.placed", "order.confirmed"]


async def test_vat_is_added_once_per_rate(cast: Cast) -> None:
    coaching = await a_session(
        programme_id=await a_programme(vat_basis=VatBasis.COACHING, price_cents=11_550, level_from=None, level_to=None)
    )
    people = [(await a_person(cast.company_a.id)).id for _n in range(3)]
    order = await an_order(coaching.id, *people, actor=cast.hr_a)
    assert (order.net.cents, order.vat.cents) == (34_650, 7_277)  # 7,276.5 rounded once, not 3 × 2,425.5
    assert order.lines[0].vat_rate == Decimal(21)


async def test_all_seats_or_none_over_several_sessions(cast: Cast) -> None:
    roomy, full = await a_session(seats=5), await a_session(seats=1)
    one, two = await a_person(cast.company_a.id), await a_person(cast.company_a.id)
    await an_order(full.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    command = PlaceOrder(lines=(LineWish(roomy.id, one.id), LineWish(full.id, two.id)))
    with pytest.raises(Conflict) as refused:
        await place.place(command, actor=cast.hr_a, now=clock.now())
    assert refused.value.code == "full"
    assert refused.value.next_step
    assert await _free(roomy.id) == 5
    assert await db.value("SELECT count(*) FROM placed_order WHERE company_id = $1", cast.company_a.id) == 0


async def test_refusals_say_the_next_step(cast: Cast, clock: clock.FakeClock) -> None:
    session = await a_session(seats=5)
    person = await a_person(cast.company_a.id)
    await an_order(session.id, person.id, actor=cast.hr_a)
    twice = LineWish(session.id, (await a_person(cast.company_a.id)).id)
    for lines, code in [((LineWish(session.id, person.id),), "already_enrolled"), ((twice, twice), "duplicate_person")]:
        with pytest.raises(Conflict) as refused:
            await place.place(PlaceOrder(lines=lines), actor=cast.hr_a, now=clock.now())
        assert (refused.value.code, bool(refused.value.next_step)) == (code, True)
    clock.set(session.ends_at + timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        await place.place(PlaceOrder(lines=(twice,)), actor=cast.hr_a, now=clock.now())
    assert (refused.value.code, bool(refused.value.next_step)) == ("closed", True)


async def test_people_and_dates_of_nobody_here_are_not_found(cast: Cast) -> None:
    session, foreign = await a_session(), await a_person(cast.company_b.id)
    own = await a_person(cast.company_a.id)
    for line in (LineWish(session.id, foreign.id), LineWish(session.id, new_id()), LineWish(new_id(), own.id)):
        with pytest.raises(NotFound):
            await place.place(PlaceOrder(lines=(line,)), actor=cast.hr_a, now=clock.now())
    assert await _free(session.id) == session.capacity


async def test_who_may_not_order(cast: Cast) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    for actor in (cast.viewer_a, cast.finance_a, cast.approver_a, cast.partner_a, cast.ecl):
        with pytest.raises((Forbidden, NotFound)):
            await place.place(PlaceOrder(lines=(LineWish(session.id, person.id),)), actor=actor, now=clock.now())


async def test_a_company_that_wants_a_po_number_gets_one(cast: Cast, now: datetime) -> None:
    rules = {"purchase_order_rule": "required", "purchase_order_pattern": r"45\d{8}", "purchase_order_hint": "Starts with 45, ten digits"}
    company = await a_company(**rules)
    hr = await a_member(company_id=company.id)
    session, person = await a_session(), await a_person(company.id)
    for given in (None, "12345678"):
        with pytest.raises(Invalid) as refused:
            await an_order(session.id, person.id, actor=hr, purchase_order=given)
        assert "purchase_order" in refused.value.fields
    order = await an_order(session.id, person.id, actor=hr, purchase_order="4500128834")
    assert order.purchase_order == "4500128834"
    assert (await companies.get(company.id)).rules.purchase_order.required


async def test_a_relation_never_appears_by_name(cast: Cast) -> None:
    session = await a_session()
    relation = await a_relation(await a_person(cast.company_a.id))
    order = await an_order(session.id, relation.id, actor=cast.hr_a)
    assert order.lines[0].person_name == ""
    label = await db.value("SELECT person_label FROM charge WHERE group_key = $1", f"order:{order.id}")
    assert label == "partner of an employee"


async def test_the_same_key_is_the_same_order(cast: Cast) -> None:
    session, person = await a_session(seats=4), await a_person(cast.company_a.id)
    command = PlaceOrder(lines=(LineWish(session.id, person.id),), idempotency_key="k-1")
    first = await place.place(command, actor=cast.hr_a, now=clock.now())
    again = await place.place(command, actor=cast.hr_a, now=clock.now())
    assert (again.id, again.replayed) == (first.id, True)
    other = PlaceOrder(lines=(LineWish(session.id, person.id),), idempotency_key="k-1", purchase_order="other")
    with pytest.raises(Conflict) as refused:
        await place.place(other, actor=cast.hr_a, now=clock.now())
    assert refused.value.code == "idempotency_key_reused"
    theirs = PlaceOrder(lines=(LineWish(session.id, (await a_person(cast.company_b.id)).id),), idempotency_key="k-1")
    assert not (await place.place(theirs, actor=cast.hr_b, now=clock.now())).replayed


async def test_twenty_requests_with_one_key_are_one_order(committed: str, clock: clock.FakeClock) -> None:
    company = await a_company()
    hr = await a_member(company_id=company.id)
    session, person = await a_session(seats=30), await a_person(company.id)
    command = PlaceOrder(lines=(LineWish(session.id, person.id),), idempotency_key="double-click")
    placed = await asyncio.gather(*(place.place(command, actor=hr, now=clock.now()) for _n in range(20)))
    assert len({order.id for order in placed}) == 1
    assert sum(not order.replayed for order in placed) == 1
    assert await db.value("SELECT count(*) FROM placed_order") == 1
    assert await _free(session.id) == 29


async def test_without_a_key_the_control_orders_again(committed: str, clock: clock.FakeClock) -> None:
    """The danger is real: without its key, a request sent twice for two people is two orders."""
    company = await a_company()
    hr = await a_member(company_id=company.id)
    session = await a_session(seats=30)
    people = [await a_person(company.id) for _n in range(2)]
    commands = [PlaceOrder(lines=(LineWish(session.id, person.id),)) for person in people]
    await asyncio.gather(*(place.place(command, actor=hr, now=clock.now()) for command in commands))
    assert await db.value("SELECT count(*) FROM placed_order") == 2


async def test_the_partner_decides_where_no_seats_were_published(cast: Cast, now: datetime) -> None:
    private = await a_programme(published_capacity=False)
    session = await a_session(seats=2, programme_id=private)
    people = [await a_person(cast.company_a.id) for _n in range(2)]
    order = await an_order(session.id, *(person.id for person in people), actor=cast.hr_a)
    assert order.state is OrderState.PLACED
    assert await db.value("SELECT count(*) FROM due_work WHERE kind = 'fulfilment.ask_partner'") == 2
    await decide.accept_line(order.lines[0].id, actor=SYSTEM, now=now)
    assert (await read.by_id(order.id, actor=cast.hr_a)).state is OrderState.PLACED
    await decide.decline_line(order.lines[1].id, reason="The group is full", actor=SYSTEM, now=now)
    after = await read.by_id(order.id, actor=cast.hr_a)
    assert after.state is OrderState.CONFIRMED
    assert [line.state for line in after.lines] == [LineState.ACCEPTED, LineState.DECLINED]
    assert after.lines[1].decline_reason == "The group is full"
    assert await _free(session.id) == 1
    assert await db.value("SELECT array_agg(state ORDER BY position) FROM charge WHERE group_key = $1", f"order:{order.id}") == [
        "open",
        "dropped",
    ]
    with pytest.raises(InvalidTransition):
        await decide.accept_line(order.lines[1].id, actor=SYSTEM, now=now)


async def test_an_order_that_is_declined_whole_is_not_billed(cast: Cast, now: datetime) -> None:
    session = await a_session(seats=2, programme_id=await a_programme(published_capacity=False))
    order = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await decide.decline_line(order.lines[0].id, reason="No teacher", actor=SYSTEM, now=now)
    assert (await read.by_id(order.id, actor=cast.hr_a)).state is OrderState.DECLINED
    assert await db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue'") == 0


async def test_what_was_ordered_is_frozen(cast: Cast) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    await an_order(session.id, person.id, actor=cast.hr_a)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await db.execute("UPDATE order_line SET price_cents = 1")


async def test_foreign_orders_are_not_found(cast: Cast) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    order = await an_order(session.id, person.id, actor=cast.hr_a)
    with pytest.raises(NotFound):
        await read.by_number(order.number, actor=cast.hr_b)
    assert (await read.listed(actor=cast.hr_b)).items == []
    assert [row.number for row in (await read.listed(actor=cast.ecl)).items] == [order.number]


async def test_an_order_and_a_basket_have_room_for_two_hundred_lines() -> None:
    baskets.check_size(200)
    with pytest.raises(Invalid, match="too_many_lines"):
        baskets.check_size(201)
