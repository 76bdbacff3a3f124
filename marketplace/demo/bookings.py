"""Who books what, and when, in the thirteen weeks before the demo is made. Decided by one seed, so it can be repeated. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog.words import Category, Format
from marketplace.kit import clock

if TYPE_CHECKING:
    from random import Random

    from marketplace.demo.catalogue import Planned
    from marketplace.demo.people import Body, House

_KEYS_THAT_ASK = ("demo", "other", "zijldijk", "demo", "oortwolk", "instituut", "demo", "poelmeer", "other", "zoeterbrug")


class Answer(StrEnum):
    """What the partner says of an order that it is asked about."""

    AT_ONCE = "at_once"
    ACCEPT = "accept"
    DECLINE = "decline"
    SILENCE = "silence"
    LATER = "later"


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """People of one company for one session or several, at an instant."""

    at: datetime
    house: str
    seats: list[tuple[UUID, UUID]]
    answer: Answer = Answer.AT_ONCE


class Book:
    """Fills sessions with people. Nobody is in more courses than others while somebody has none."""

    def __init__(self, houses: dict[str, House], *, begin: datetime, now: datetime, chance: Random) -> None:
        self._houses = houses
        self._begin = begin
        self._now = now
        self._chance = chance
        self._busy: dict[UUID, int] = {}

    def all(self, sessions: list[Planned]) -> list[Booking]:
        """Return every booking in the order of time."""
        made = [booking for planned in sessions if not planned.course.asks_partner for booking in self._fill(planned)]
        made = self._merged(sorted(made, key=lambda booking: booking.at))
        made += self._asked([planned for planned in sessions if planned.course.asks_partner])
        return sorted(made, key=lambda booking: booking.at)

    def _fill(self, planned: Planned) -> list[Booking]:
        wanted = self._wanted(planned)
        first = max(self._begin + timedelta(days=2), planned.starts_at - timedelta(days=70))
        last = min(self._now - timedelta(hours=3), planned.starts_at - timedelta(days=2))
        only = self._house() if planned.course.format is Format.IN_COMPANY else None
        made: list[Booking] = []
        while wanted > 0 and first < last:
            house = only or self._house()
            count = min(wanted, self._chance.choices((1, 2, 3, 4, 5, 6), (3, 3, 4, 4, 3, 2))[0])
            taken = {person for booking in made for _session, person in booking.seats}
            people = self._people(house, planned, count, taken)
            if people:
                at = self._office_hour(first, last)
                made.append(Booking(at=at, house=house, seats=[(planned.id, person) for person in people]))
            wanted -= max(len(people), 1)
        return made

    def _wanted(self, planned: Planned) -> int:
        if planned.full:
            return planned.seats
        ahead = (planned.starts_at - self._now).days / 7
        low, high = (0.75, 1.15) if ahead < 0 else (0.75, 1.3) if ahead < 5 else (0.35, 1.0) if ahead < 11 else (0.0, 0.45)
        return min(planned.seats, round(planned.seats * planned.course.demand * self._chance.uniform(low, high)))

    def _house(self) -> str:
        return self._chance.choices(list(self._houses), [house.firm.weight for house in self._houses.values()])[0]

    def _people(self, house: str, planned: Planned, count: int, taken: set[UUID]) -> list[UUID]:
        levels = planned.course.levels
        partners_first = planned.course.category is Category.DUAL_CAREER

        def rank(body: Body) -> tuple[bool, int, bool, float]:
            fits = planned.course.category is not Category.LANGUAGE or levels is None or body.level in (levels[0], levels[1])
            return (body.relation != partners_first, self._busy.get(body.id, 0), not fits, self._chance.random())

        free = sorted((body for body in self._houses[house].people if body.id not in taken), key=rank)[:count]
        for body in free:
            self._busy[body.id] = self._busy.get(body.id, 0) + 1
        return [body.id for body in free]

    def _office_hour(self, first: datetime, last: datetime) -> datetime:
        """Return a working day's hour between two instants, or the later one where there is none."""
        for _try in range(12):
            on = clock.local(first + (last - first) * self._chance.random()).date()
            at = clock.instant(on, time(8 + self._chance.randrange(10), self._chance.randrange(60), self._chance.randrange(60))).astimezone(
                UTC
            )
            if on.weekday() < 5 and first <= at <= last:
                return at
        return first + (last - first) * self._chance.random()

    def _merged(self, made: list[Booking]) -> list[Booking]:
        """Put some bookings of one company that lie within days of each other on one order."""
        kept: list[Booking] = []
        for booking in made:
            before = next((i for i in range(len(kept) - 1, -1, -1) if kept[i].house == booking.house), None)
            near = before is not None and booking.at - kept[before].at < timedelta(days=6)
            if before is not None and near and self._chance.random() < 0.5 and not set(kept[before].seats) & set(booking.seats):
                earlier = kept.pop(before)
                kept.append(msgspec.structs.replace(earlier, seats=[*earlier.seats, *booking.seats]))
                kept.sort(key=lambda one: one.at)
            else:
                kept.append(booking)
        return kept

    def _asked(self, sessions: list[Planned]) -> list[Booking]:
        """Book what a partner is asked about, so that every answer occurs and some questions wait now."""
        made: list[Booking] = []
        coming = {"zijlpoort": iter("LALDLAL"), "tweedehuis": iter("LALDL")}
        past = iter("ASADAASA" * 9)
        for number, planned in enumerate(sorted(sessions, key=lambda one: (one.starts_at, one.id))):
            soon = planned.starts_at > self._now + timedelta(days=3)
            letter = next(coming[planned.course.partner], None) if soon else next(past)
            if letter is None:
                continue
            house = _KEYS_THAT_ASK[number % len(_KEYS_THAT_ASK)]
            people = self._people(house, planned, planned.seats, set())
            answer = {"A": Answer.ACCEPT, "S": Answer.SILENCE, "D": Answer.DECLINE, "L": Answer.LATER}[letter]
            seats = [(planned.id, person) for person in people]
            made.append(Booking(at=self._asked_at(planned, answer), house=house, seats=seats, answer=answer))
        return made

    def _asked_at(self, planned: Planned, answer: Answer) -> datetime:
        if answer is Answer.LATER:
            return self._now - timedelta(hours=self._chance.uniform(1, 21))
        last = min(planned.starts_at - timedelta(days=5), self._now - timedelta(days=6))
        return self._office_hour(max(self._begin + timedelta(days=1), last - timedelta(days=20)), last)
