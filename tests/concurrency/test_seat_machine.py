"""Seats against a model in memory: whatever is taken, held, confirmed, released, expired or resized, both say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from catalog import seats, session_changes, sessions
from catalog.seats import SeatWish
from marketplace.kit import clock as kit_clock
from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM
from tests.builders.catalog import a_programme, a_session
from tests.conftest import START
from tests.machines import InTransaction, Loop, loop_of_its_own
from tests.processes import FULL

pytestmark = pytest.mark.slow
EXAMPLES, STEPS = (200, 40) if FULL else (50, 30)
PEOPLE = [ids.new_id() for _n in range(7)]
COMPANY = ids.new_id()
_people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4)
_which = st.integers(0, 1)


class Seat(msgspec.Struct):
    """A seat as the model knows it."""

    id: UUID
    session: int
    person: UUID
    until: datetime | None
    live: bool = True
    given_back: bool = False

    def counts(self, now: datetime) -> bool:
        return self.live and (self.until is None or self.until > now)


def _refused(refusal: Conflict, wanted: set[str | None]) -> None:
    assert refusal.code in wanted, f"{refusal.code}, and the model says {wanted}"


@pytest.fixture
def loop(server: str, template: str) -> Iterator[Loop]:
    with loop_of_its_own(server, template) as made:
        yield made


class Seats(InTransaction):
    """Two sessions, seven people, a clock that moves on."""

    @initialize(capacities=st.tuples(st.integers(1, 5), st.integers(1, 5)))
    def begin(self, capacities: tuple[int, int]) -> None:
        self.now = START
        kit_clock.install(kit_clock.FakeClock(START))
        self.open()
        self.capacity = list(capacities)
        self.sessions = self.run(self._sessions())
        self.seats: list[Seat] = []

    async def _sessions(self) -> list[UUID]:
        programme = await a_programme()
        return [(await a_session(programme_id=programme, seats=capacity)).id for capacity in self.capacity]

    # What the model says.

    def live(self, session: int) -> list[Seat]:
        return [seat for seat in self.seats if seat.session == session and seat.counts(self.now)]

    def refusal(self, session: int, people: list[UUID]) -> str | None:
        if len(set(people)) < len(people):
            return "duplicate_person"
        if {seat.person for seat in self.live(session)} & set(people):
            return "already_enrolled"
        return "full" if len(self.live(session)) + len(people) > self.capacity[session] else None

    # What is done.

    def _place(self, session: int, people: list[UUID], until: datetime | None) -> None:
        wishes = [SeatWish(self.sessions[session], person, COMPANY) for person in people]
        wanted = self.refusal(session, people)
        verb = seats.take(wishes, now=self.now) if until is None else seats.hold(wishes, until=until, now=self.now)
        try:
            made = self.do(verb)
        except Conflict as refusal:
            _refused(refusal, {wanted})
            return
        assert wanted is None
        self.seats += [Seat(seat.id, session, person, until) for seat, person in zip(made, people, strict=True)]

    @rule(session=_which, people=_people)
    def take(self, session: int, people: list[UUID]) -> None:
        self._place(session, people, None)

    @rule(session=_which, people=_people, minutes=st.integers(1, 60))
    def hold(self, session: int, people: list[UUID], minutes: int) -> None:
        self._place(session, people, self.now + timedelta(minutes=minutes))

    @rule(person=st.sampled_from(PEOPLE))
    def take_both_or_none(self, person: UUID) -> None:
        wanted = {self.refusal(0, [person]), self.refusal(1, [person])} - {None}
        wishes = [SeatWish(self.sessions[at], person, COMPANY) for at in (0, 1)]
        try:
            made = self.do(seats.take(wishes, now=self.now))
        except Conflict as refusal:
            _refused(refusal, wanted)
            return
        assert not wanted
        self.seats += [Seat(seat.id, at, person, None) for at, seat in enumerate(made)]

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        if not self.seats:
            return
        seat = data.draw(st.sampled_from(self.seats))
        wanted = None
        if not seat.counts(self.now):
            wanted = "released" if seat.given_back else self.refusal(seat.session, [seat.person])
        try:
            (made,) = self.do(seats.confirm([seat.id], now=self.now))
        except Conflict as refusal:
            _refused(refusal, {wanted})
            return
        assert wanted is None
        if seat.counts(self.now):
            assert made.id == seat.id
            seat.until = None
            return
        seat.live = False
        self.seats.append(Seat(made.id, seat.session, seat.person, None))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.seats:
            return
        seat = data.draw(st.sampled_from(self.seats))
        self.do(seats.release([seat.id], now=self.now))
        seat.live, seat.given_back = False, True

    @rule()
    def expire(self) -> None:
        self.do(seats.expire(now=self.now))
        held = self.run(db.value("SELECT count(*) FROM seat WHERE state = 'held' AND held_until <= $1", self.now))
        assert held == 0

    @rule(minutes=st.integers(1, 45))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(session=_which, capacity=st.integers(1, 6))
    def resize(self, session: int, capacity: int) -> None:
        self.run(self._resize(self.sessions[session], capacity))
        self.capacity[session] = capacity

    async def _resize(self, session_id: UUID, capacity: int) -> None:
        found = await sessions.get(session_id, now=self.now)
        facts = msgspec.structs.replace(session_changes.facts_of(found), capacity=capacity, minimum=0)
        await session_changes.edit(session_id, facts, actor=SYSTEM, now=self.now)

    # What always holds.

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "sessions"):
            return
        sql = "SELECT id FROM seat WHERE session_id = $1 AND (state = 'taken' OR state = 'held' AND held_until > $2)"
        for at, session_id in enumerate(self.sessions):
            found = {row["id"] for row in self.run(db.records(sql, session_id, self.now))}
            assert found == {seat.id for seat in self.live(at)}
            counted = self.run(db.value("SELECT count(*) FROM seat WHERE session_id = $1 AND state IN ('held', 'taken')", session_id))
            row = self.run(db.records("SELECT live, capacity, seat_limit FROM session WHERE id = $1", session_id))[0]
            assert row["live"] == counted
            assert row["live"] <= row["seat_limit"]
            shown = self.run(sessions.get(session_id, now=self.now))
            assert shown.free == max(self.capacity[at] - len(found), 0)


def test_seats_are_as_the_model_says(loop: Loop) -> None:
    Seats.loop = loop
    before = kit_clock.install(kit_clock.FakeClock(START))
    chosen = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    try:
        run_state_machine_as_test(seed(20261123)(Seats), settings=chosen)
    finally:
        kit_clock.install(before)
