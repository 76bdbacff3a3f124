"""Makes the demo, in one transaction: it is there as a whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from billing import seller
from marketplace.demo import bank_day, catalogue, finish, money, payments, people, plans, troubles
from marketplace.demo.bookings import Book
from marketplace.demo.companies import FIRMS
from marketplace.demo.history import History
from marketplace.demo.people import Cast, House
from marketplace.demo.texts import COURSES
from marketplace.kit import audit, clock, db
from marketplace.kit.clock import FakeClock
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.demo.catalogue import Planned

Say = Callable[[str], None]
WEEKS = 13
SEED = 1574  # Leiden's Relief
_EARLY = timedelta(weeks=WEEKS)


async def make(*, now: datetime, say: Say) -> None:
    """Make all of it, as of ``now``; ``say`` hears a line for each part."""
    own = FakeClock(now - _EARLY)
    before = clock.install(own)
    try:
        async with db.atomic(), payments.sandbox():
            await _make(own, now=now, say=say)
    finally:
        clock.install(before)


async def _make(own: FakeClock, *, now: datetime, say: Say) -> None:
    chance = Random(SEED)  # noqa: S311 - a story, not a secret
    cast = await _people(chance, say=say, now=own.now())
    await money.wishes(cast, now=own.now())
    await money.agree_with_partners(cast, now=own.now())
    programmes, sessions = await _catalogue(cast, say=say, today=now, now=own.now())
    history = History(cast, clock=own, until=now - timedelta(minutes=30), chance=chance)
    for booking in Book(cast.houses, begin=own.now(), now=now, chance=chance).all(sessions):
        history.book(booking)
    for at, step in plans.steps(plans.PLANS, cast.houses, programmes, sessions, today=now):
        history.add(at, step)
    for at, step in money.steps(cast, begin=own.now(), until=now):
        history.add(at, step)
    for at, step in troubles.steps(cast, until=now):
        history.add(at, step)
    await history.play(_counter(say, "orders, answers and payments"))
    own.set(now - timedelta(minutes=20))
    await history.settle()
    await finish.open_invoices(cast, clock=own)
    own.set(now)
    await finish.hold_one_back(cast, now=now)
    await bank_day.take_in(cast, now=now)
    await finish.block_one(await money.debtor_of(cast, "poelmeer"), cast, now=now)
    await _last(cast, sessions, now=now)
    say("done")


async def _people(chance: Random, *, say: Say, now: datetime) -> Cast:
    await seller.enter_crkbo(now.date().replace(year=now.year - 6, month=1, day=1), actor=SYSTEM, now=now)
    company_ids = await people.make_companies(now=now)
    partner_ids = await people.make_partners(now=now)
    actors = await people.make_members(company_ids, partner_ids, now=now)
    say(f"{len(company_ids)} companies and {len(partner_ids)} training providers")
    source, houses = people.new_source(chance), {}
    for firm in FIRMS:
        staff = await people.make_staff(firm, company_ids[firm.key], source, chance, now=now)
        houses[firm.key] = House(firm, company_ids[firm.key], actors[firm.key], staff)
    say(f"{sum(len(house.people) for house in houses.values())} people")
    return Cast(houses, partner_ids, {key: actors[key] for key in partner_ids}, actors[""])


async def _catalogue(cast: Cast, *, say: Say, today: datetime, now: datetime) -> tuple[dict[str, UUID], list[Planned]]:
    programmes: dict[str, UUID] = {}
    sessions: list[Planned] = []
    for course in COURSES:
        programmes[course.code] = await catalogue.make_programme(course, cast.partners, now=now)
        sessions += await catalogue.make_sessions(course, programmes[course.code], today=today, now=now)
    say(f"{len(programmes)} programmes with {len(sessions)} sessions")
    return programmes, sessions


async def _last(cast: Cast, sessions: list[Planned], *, now: datetime) -> None:
    await finish.decide_sessions(sessions, now=now)
    await finish.tidy_catalogue(now=now)
    await finish.tidy_queue(cast, now=now)
    await audit.record("demo.made", actor=SYSTEM, subject=("demo", "demo"), data={"seed": SEED}, now=now)
    await finish.seal()


def _counter(say: Say, what: str) -> Callable[[int, int], None]:
    """Return a listener that tells at most once in two seconds how far it is."""
    told = [time.monotonic()]

    def listen(done: int, total: int) -> None:
        if done == total or time.monotonic() - told[0] > 2:
            told[0] = time.monotonic()
            say(f"{done} of {total} {what}")

    return listen
