"""Seats one buyer at a time: taking, holding, confirming, giving back, and every refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from catalog import programmes, seats, session_changes, sessions
from catalog.seats import SeatWish
from catalog.words import SeatState
from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM
from tests.builders.catalog import a_programme, a_session

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.usefixtures("db")


def wishes(session_id: UUID, count: int = 1) -> list[SeatWish]:
    """Return wishes for so many new people of one company."""
    company = ids.new_id()
    return [SeatWish(session_id, ids.new_id(), company) for _ in range(count)]


async def free(session_id: UUID, now: datetime) -> int:
    """Return the free seats that buyers see."""
    return (await sessions.get(session_id, now=now)).free


async def test_a_taken_seat_is_one_less_free(now: datetime) -> None:
    session = await a_session(seats=3)
    taken = await seats.take(wishes(session.id, 2), now=now)
    assert [seat.state for seat in taken] == [SeatState.TAKEN, SeatState.TAKEN]
    found = await sessions.get(session.id, now=now)
    assert (found.taken, found.held, found.free) == (2, 0, 1)


async def test_more_people_than_seats_take_none_and_are_told_how_many_are_left(now: datetime) -> None:
    session = await a_session(seats=2)
    with pytest.raises(Conflict) as refusal:
        await seats.take(wishes(session.id, 3), now=now)
    assert refusal.value.code == "full"
    assert refusal.value.fields["free"] == "2"
    assert refusal.value.next_step
    assert await free(session.id, now) == 2


async def test_an_order_over_two_sessions_takes_all_or_none(now: datetime) -> None:
    roomy, small = await a_session(seats=5), await a_session(seats=1)
    await seats.take(wishes(small.id), now=now)
    with pytest.raises(Conflict):
        async with db.atomic():
            await seats.take([*wishes(roomy.id, 2), *wishes(small.id)], now=now)
    assert await free(roomy.id, now) == 5


async def test_one_person_has_one_live_seat_in_a_session(now: datetime) -> None:
    session = await a_session(seats=5)
    wish = wishes(session.id)
    await seats.take(wish, now=now)
    with pytest.raises(Conflict) as refusal:
        await seats.take(wish, now=now)
    assert refusal.value.code == "already_enrolled"
    assert str(wish[0].person_id) in refusal.value.fields
    assert await free(session.id, now) == 4


async def test_one_person_twice_on_an_order_is_refused(now: datetime) -> None:
    session = await a_session(seats=5)
    wish = wishes(session.id)
    with pytest.raises(Conflict) as refusal:
        await seats.take([*wish, *wish], now=now)
    assert refusal.value.code == "duplicate_person"


async def test_places_without_a_name_are_no_duplicates(now: datetime) -> None:
    session = await a_session(seats=2)
    nameless = SeatWish(session.id, None, ids.new_id())
    assert len(await seats.take([nameless, nameless], now=now)) == 2


async def test_a_seat_that_was_given_back_can_be_taken_by_the_same_person(now: datetime) -> None:
    session = await a_session(seats=1)
    wish = wishes(session.id)
    first = await seats.take(wish, now=now)
    assert await seats.release([first[0].id], now=now) == 1
    assert await seats.release([first[0].id], now=now) == 0
    await seats.take(wish, now=now)
    assert await free(session.id, now) == 0


@pytest.mark.parametrize("swept", [False, True])
async def test_an_expired_hold_does_not_count(now: datetime, swept: bool) -> None:
    session = await a_session(seats=1)
    wish = wishes(session.id)
    await seats.hold(wish, until=now + timedelta(minutes=30), now=now)
    assert await free(session.id, now) == 0
    later = now + timedelta(minutes=31)
    if swept:
        assert await seats.expire(now=later) == 1
    assert await free(session.id, later) == 1
    await seats.take(wish, now=later)
    with pytest.raises(Conflict):
        await seats.take(wishes(session.id), now=later)


async def test_a_hold_is_confirmed_to_a_taken_seat(now: datetime) -> None:
    session = await a_session(seats=1)
    held = await seats.hold(wishes(session.id), until=now + timedelta(minutes=30), now=now)
    confirmed = await seats.confirm([held[0].id], now=now + timedelta(minutes=5))
    assert [(seat.id, seat.state) for seat in confirmed] == [(held[0].id, SeatState.TAKEN)]
    assert await seats.confirm([held[0].id], now=now + timedelta(hours=5)) == confirmed


@pytest.mark.parametrize("swept", [False, True])
async def test_an_expired_hold_is_taken_again_when_there_is_room(now: datetime, swept: bool) -> None:
    session = await a_session(seats=1)
    held = await seats.hold(wishes(session.id), until=now + timedelta(minutes=30), now=now)
    later = now + timedelta(hours=1)
    if swept:
        await seats.expire(now=later)
    confirmed = await seats.confirm([held[0].id], now=later)
    assert confirmed[0].person_id == held[0].person_id
    assert await free(session.id, later) == 0


async def test_an_expired_hold_is_not_confirmed_when_the_place_is_gone(now: datetime) -> None:
    session = await a_session(seats=1)
    held = await seats.hold(wishes(session.id), until=now + timedelta(minutes=30), now=now)
    later = now + timedelta(hours=1)
    await seats.take(wishes(session.id), now=later)
    with pytest.raises(Conflict) as refusal:
        await seats.confirm([held[0].id], now=later)
    assert refusal.value.code == "full"


async def test_a_seat_given_back_on_purpose_is_not_confirmed(now: datetime) -> None:
    session = await a_session(seats=1)
    held = await seats.hold(wishes(session.id), until=now + timedelta(minutes=30), now=now)
    await seats.release([held[0].id], now=now)
    with pytest.raises(Conflict) as refusal:
        await seats.confirm([held[0].id], now=now)
    assert refusal.value.code == "released"


async def test_a_seat_given_back_after_the_sweeper_came_by_is_not_confirmed_either(now: datetime) -> None:
    session = await a_session(seats=2)
    (seat,) = await seats.hold(wishes(session.id), until=now + timedelta(minutes=5), now=now)
    later = now + timedelta(minutes=10)
    await seats.expire(now=later)
    assert await seats.release([seat.id], now=later) == 0
    with pytest.raises(Conflict) as refused:
        await seats.confirm([seat.id], now=later)
    assert refused.value.code == "released"


async def test_a_lower_capacity_drops_nobody_and_shows_as_overbooked(now: datetime) -> None:
    session = await a_session(seats=4)
    taken = await seats.take(wishes(session.id, 4), now=now)
    facts = session_changes.facts_of(session)
    lower = session_changes.SessionFacts(**{**{name: getattr(facts, name) for name in facts.__struct_fields__}, "capacity": 2})
    await session_changes.edit(session.id, lower, actor=SYSTEM, now=now)
    found = await sessions.get(session.id, now=now)
    assert (found.taken, found.free, found.overbooked) == (4, 0, 2)
    await seats.release([taken[0].id], now=now)
    with pytest.raises(Conflict):
        await seats.take(wishes(session.id), now=now)
    await seats.release([seat.id for seat in taken[1:3]], now=now)
    await seats.take(wishes(session.id), now=now)
    assert (await sessions.get(session.id, now=now)).overbooked == 0


async def test_the_database_refuses_what_the_code_would_oversell(now: datetime) -> None:
    session = await a_session(seats=2)
    await seats.take(wishes(session.id, 2), now=now)
    with pytest.raises(Exception, match="session_never_oversold") as refusal:
        async with db.atomic():
            await db.execute("UPDATE session SET live = live + 1 WHERE id = $1", session.id)
    assert db.violated(refusal.value) == "session_never_oversold"


@pytest.mark.parametrize("how", ["unpublished", "programme", "cancelled", "too late", "unknown"])
async def test_what_is_not_for_sale_is_closed(now: datetime, how: str) -> None:
    session = await a_session(seats=2, published=how != "unpublished")
    at = now
    if how == "programme":
        await programmes.withdraw(session.programme_id, actor=SYSTEM, now=now)
    elif how == "cancelled":
        await session_changes.cancel(session.id, actor=SYSTEM, now=now)
    elif how == "too late":
        at = session.starts_at
    wish = wishes(ids.new_id() if how == "unknown" else session.id)
    with pytest.raises(Conflict) as refusal:
        await seats.take(wish, now=at)
    assert refusal.value.code == "closed"


async def test_the_first_session_after_a_date_has_a_free_seat(now: datetime) -> None:
    programme_id = await a_programme()
    full = await a_session(seats=1, programme_id=programme_id, starts_at=now + timedelta(days=30))
    await seats.take(wishes(full.id), now=now)
    later = await a_session(programme_id=programme_id, starts_at=now + timedelta(days=60))
    on = (now + timedelta(days=10)).date()
    assert await sessions.first_after(programme_id, on, now=now) == later.id
    assert await sessions.first_after(programme_id, (now + timedelta(days=90)).date(), now=now) is None
    await seats.hold(wishes(later.id, 10), until=now + timedelta(hours=1), now=now)
    assert await sessions.first_after(programme_id, on, now=now) is None
    assert await sessions.first_after(programme_id, on, now=now + timedelta(hours=2)) == later.id


async def test_an_offer_freezes_what_an_order_needs(now: datetime) -> None:
    session = await a_session(seats=3, lessons=4, price_cents=50_000)
    offers = await sessions.for_order([session.id, ids.new_id()], now=now)
    assert [offer.session_id for offer in offers] == [session.id]
    offer = offers[0]
    assert (offer.lesson_count, offer.price_cents, offer.free, offer.open) == (4, 50_000, 3, True)
    assert [tier.percent for tier in offer.policy.tiers] == [0, 50, 100]
