"""Seats under real concurrency, with commits: never oversold, all or nothing, no deadlock; the unguarded control oversells."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from catalog import seats, sessions
from catalog.seats import SeatWish
from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict
from tests.builders.catalog import a_programme, a_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

pytestmark = pytest.mark.usefixtures("committed")
BUYERS = 40


async def live_rows(session_id: UUID) -> int:
    """Count the seat rows that are held or taken."""
    return int(await db.value("SELECT count(*) FROM seat WHERE session_id = $1 AND state IN ('held', 'taken')", session_id))


async def attempts(verb: Callable[[], Awaitable[object]], count: int = BUYERS) -> int:
    """Run a verb many times at once and return how often it succeeded; a refusal is no success."""

    async def one() -> int:
        try:
            await verb()
        except Conflict:
            return 0
        return 1

    return sum(await asyncio.gather(*(one() for _ in range(count))))


async def unguarded(session_id: UUID, capacity: int, now: datetime) -> None:
    """Book as nobody should: count, look, then insert."""
    async with db.atomic():
        taken = await live_rows(session_id)
        await asyncio.sleep(0.01)
        if taken >= capacity:
            raise Conflict("full", "full")
        await db.execute(
            "INSERT INTO seat (id, session_id, person_id, company_id, state, created_at, taken_at) VALUES ($1, $2, $3, $4, 'taken', $5, $5)",
            ids.new_id(), session_id, ids.new_id(), ids.new_id(), now,
        )  # fmt: skip


async def test_the_control_without_the_guard_oversells(now: datetime) -> None:
    session = await a_session(seats=10)
    assert await attempts(lambda: unguarded(session.id, 10, now)) > 10
    assert await live_rows(session.id) > 10


async def test_forty_buyers_fill_ten_seats_exactly(now: datetime) -> None:
    for _ in range(5):
        session = await a_session(seats=10)
        assert await attempts(lambda of=session.id: seats.take([SeatWish(of, ids.new_id(), ids.new_id())], now=now)) == 10  # type: ignore[misc]
        assert await live_rows(session.id) == 10


async def test_one_person_gets_one_seat_from_many_requests(now: datetime) -> None:
    session = await a_session(seats=10)
    person, company = ids.new_id(), ids.new_id()
    assert await attempts(lambda: seats.take([SeatWish(session.id, person, company)], now=now)) == 1
    found = await sessions.get(session.id, now=now)
    assert (found.taken, await live_rows(session.id)) == (1, 1)


async def test_orders_over_several_sessions_in_any_order_neither_deadlock_nor_split(now: datetime) -> None:
    programme_id = await a_programme()
    several = [(await a_session(programme_id=programme_id, seats=9)).id for _ in range(3)]
    refused: list[str] = []

    async def order() -> None:
        shuffled = random.sample(several, 3)
        try:
            await seats.take([SeatWish(session_id, ids.new_id(), ids.new_id()) for session_id in shuffled], now=now)
        except Conflict as refusal:
            refused.append(refusal.code)
            raise

    assert await attempts(order) == 9
    assert set(refused) == {"full"}
    assert [await live_rows(session_id) for session_id in several] == [9, 9, 9]


async def test_expired_holds_are_taken_by_others_while_sweeper_confirm_and_release_run(now: datetime) -> None:
    session = await a_session(seats=10)
    held = [
        await seats.hold([SeatWish(session.id, ids.new_id(), ids.new_id())], until=now + timedelta(minutes=30), now=now) for _ in range(10)
    ]
    later = now + timedelta(minutes=31)

    async def confirm(place: int) -> None:
        await seats.confirm([held[place][0].id], now=later)

    async def take() -> None:
        await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id())], now=later)

    async def sweep() -> None:
        await seats.expire(now=later)

    async def give_back(place: int) -> None:
        await seats.release([held[place][0].id], now=later)

    jobs = [
        *(confirm(n) for n in range(5)),
        *(take() for _ in range(15)),
        *(sweep() for _ in range(5)),
        *(give_back(n) for n in range(5, 10)),
    ]
    random.shuffle(jobs)
    done = await asyncio.gather(*jobs, return_exceptions=True)
    unexpected = [each for each in done if isinstance(each, BaseException) and not isinstance(each, Conflict)]
    assert unexpected == []
    rows, found = await live_rows(session.id), await sessions.get(session.id, now=later)
    assert rows == found.taken + found.held <= 10
    assert await db.value("SELECT live FROM session WHERE id = $1", session.id) == rows


async def test_an_aborted_order_leaves_its_seat_to_the_others(now: datetime) -> None:
    session = await a_session(seats=10)

    async def sometimes() -> None:
        async with db.atomic():
            await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id())], now=now)
            if random.random() < 0.3:
                raise Conflict("changed_mind", "changed my mind")

    assert await attempts(sometimes, 60) == 10
    assert await live_rows(session.id) == 10
