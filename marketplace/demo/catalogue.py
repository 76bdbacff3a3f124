"""Makes the programmes and their sessions through the verbs of the catalogue."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from catalog import policies, programmes, session_changes, sessions
from catalog.programmes import ProgrammeFacts
from catalog.session_changes import SessionFacts
from catalog.words import Format
from marketplace.demo.course import Course, Run, runs
from marketplace.kit import clock
from marketplace.kit.identity import SYSTEM


class Planned(msgspec.Struct, frozen=True):
    """A session that is there now, with what the history needs to know of it."""

    course: Course
    id: UUID
    starts_at: datetime
    ends_at: datetime
    seats: int
    full: bool


async def make_programme(course: Course, partner_ids: dict[str, UUID], *, now: datetime) -> UUID:
    """Make and publish one programme."""
    terms = policies.ONE_TO_ONE if course.one_to_one else policies.GROUP
    facts = ProgrammeFacts(
        code=course.code,
        partner_id=partner_ids[course.partner],
        policy_id=await policies.add(terms, now=now),
        category=course.category,
        title_nl=course.title.nl,
        title_en=course.title.en,
        vat_basis=course.vat,
        price_cents=course.price * 100,
        stages=course.stages,
        summary_nl=course.summary.nl,
        summary_en=course.summary.en,
        description_nl=course.about.nl,
        description_en=course.about.en,
        outcomes_nl=tuple(one.nl for one in course.outcomes),
        outcomes_en=tuple(one.en for one in course.outcomes),
        included_nl=course.included.nl,
        included_en=course.included.en,
        homework_nl=course.homework.nl,
        homework_en=course.homework.en,
        level_from=course.levels[0] if course.levels else None,
        level_to=course.levels[1] if course.levels else None,
        taught_in=course.taught_in,
        format=course.format,
        place=course.place,
        venue=course.venue,
        group_min=course.group[0],
        group_max=course.group[1],
        lesson_count=course.lessons[0],
        lesson_minutes=course.lessons[1],
        price_unit=course.unit,
        published_capacity=not course.asks_partner,
    )
    made = await programmes.create(facts, actor=SYSTEM, now=now)
    await programmes.publish(made, actor=SYSTEM, now=now)
    return made


async def make_sessions(course: Course, programme_id: UUID, *, today: datetime, now: datetime) -> list[Planned]:
    """Plan and publish a programme's runs around ``today``; ``now`` is when that was done."""
    return [await _session(course, programme_id, run, now=now) for run in runs(course, today=clock.today(today))]


async def _session(course: Course, programme_id: UUID, run: Run, *, now: datetime) -> Planned:
    facts = SessionFacts(
        programme_id=programme_id,
        capacity=run.seats,
        language=course.taught_in[0],
        minimum=min(course.group[0], run.seats) if not course.asks_partner else 0,
        place=run.venue or course.venue,
        online_url="https://meet.ecl.example/" + course.code.lower() if course.format is Format.ONLINE else "",
    )
    made = await session_changes.create(facts, timetable=run.plan, actor=SYSTEM, now=now, publish_now=True)
    found = await sessions.get(made, now=now)
    return Planned(course, made, found.starts_at, found.ends_at, run.seats, run.full)
