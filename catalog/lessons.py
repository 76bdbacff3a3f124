"""Plans the lessons of a session: given weekdays at a wall time, without closed days, at the same wall time across DST."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec

from catalog import holidays
from marketplace.kit import clock
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_WEEKS = 104
MOST_LESSONS = 120


class LessonPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a session's lessons fall: weekdays are 0 (Monday) to 6; the length is elapsed minutes."""

    first_on: date
    weekdays: tuple[int, ...]
    starts: time
    minutes: int
    count: int
    skip_school_holidays: bool = True


class PlannedLesson(msgspec.Struct, frozen=True):
    """One meeting: the instants in UTC and the wall times they show."""

    held_on: date
    starts_at: datetime
    ends_at: datetime
    starts_local: time
    ends_local: time


class Skipped(msgspec.Struct, frozen=True):
    """A day that would have had a lesson, and the English name of what closes it."""

    on: date
    why: str


class Timetable(msgspec.Struct, frozen=True):
    """Planned lessons in order, and the days left out."""

    lessons: tuple[PlannedLesson, ...]
    skipped: tuple[Skipped, ...]


def lesson(on: date, starts: time, minutes: int) -> PlannedLesson:
    """Return the lesson that starts at a wall time on a day and lasts ``minutes`` on the clock of elapsed time."""
    starts_at = clock.instant(on, starts)
    ends_at = starts_at.astimezone(UTC) + timedelta(minutes=minutes)
    return PlannedLesson(on, starts_at, ends_at, starts, clock.local(ends_at).time().replace(tzinfo=None))


def plan(wanted: LessonPlan) -> Timetable:
    """Return the timetable. Raises ``Invalid`` when no weekday is chosen or the lessons don't fit in two years."""
    if not wanted.weekdays:
        sentence = _("Choose at least one day of the week.")
        raise Invalid("no_weekday", sentence, fields={"weekdays": sentence})
    if not 1 <= wanted.count <= MOST_LESSONS:
        sentence = _("Give a number of lessons from 1 to {most}.", most=MOST_LESSONS)
        raise Invalid("lesson_count", sentence, fields={"lesson_count": sentence})
    found: list[PlannedLesson] = []
    skipped: list[Skipped] = []
    for ahead in range(_MOST_WEEKS * 7):
        on = wanted.first_on + timedelta(days=ahead)
        if on.weekday() not in wanted.weekdays:
            continue
        why = holidays.closed(on) if wanted.skip_school_holidays else holidays.public_holiday(on)
        if why:
            skipped.append(Skipped(on, why))
            continue
        found.append(lesson(on, wanted.starts, wanted.minutes))
        if len(found) == wanted.count:
            return Timetable(tuple(found), tuple(skipped))
    sentence = _("These lessons don't fit in two years. Choose more days or fewer lessons.")
    raise Invalid("too_many_lessons", sentence, fields={"lesson_count": sentence})


def weekdays_of(lessons: Sequence[PlannedLesson]) -> list[int]:
    """Return the weekdays that lessons fall on, Monday first."""
    return sorted({each.held_on.weekday() for each in lessons})
