"""Planning lessons: weekdays, closed days, and the clock that changes twice a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import holidays
from catalog.lessons import LessonPlan, lesson, plan
from marketplace.kit import clock
from marketplace.kit.errors import Invalid


def weekly(first_on: date, count: int, **changes: object) -> LessonPlan:
    """Return a plan for Mondays at 09:30 for two hours, unless said otherwise."""
    given_ = {"first_on": first_on, "weekdays": (0,), "starts": time(9, 30), "minutes": 120, "count": count, **changes}
    return LessonPlan(**given_)  # type: ignore[arg-type]


def test_mondays_from_january_skip_the_spring_holiday_and_easter() -> None:
    found = plan(weekly(date(2027, 1, 18), 10))
    assert [each.on for each in found.skipped] == [date(2027, 2, 22), date(2027, 3, 29)]
    assert [each.why for each in found.skipped] == ["Spring holiday", "Easter Monday"]
    assert (found.lessons[0].held_on, found.lessons[-1].held_on) == (date(2027, 1, 18), date(2027, 4, 5))


def test_school_holidays_count_only_when_asked() -> None:
    found = plan(weekly(date(2027, 2, 15), 3, skip_school_holidays=False))
    assert [each.held_on for each in found.lessons] == [date(2027, 2, 15), date(2027, 2, 22), date(2027, 3, 1)]


def test_leiden_rests_on_3_october() -> None:
    found = plan(weekly(date(2028, 9, 25), 2, weekdays=(1,)))
    assert [each.held_on for each in found.lessons] == [date(2028, 9, 26), date(2028, 10, 10)]


@pytest.mark.parametrize(("before", "after"), [(date(2027, 3, 22), date(2027, 4, 5)), (date(2027, 10, 25), date(2027, 11, 1))])
def test_lessons_keep_their_wall_time_when_the_clock_changes(before: date, after: date) -> None:
    found = plan(weekly(before, 2))
    assert [each.held_on for each in found.lessons] == [before, after]
    assert {clock.local(each.starts_at).time() for each in found.lessons} == {time(9, 30)}
    assert len({each.starts_at.time() for each in found.lessons}) == 2


def test_a_lesson_through_the_hour_that_is_skipped_lasts_as_long_as_it_should() -> None:
    found = lesson(date(2027, 3, 28), time(1, 0), 180)
    assert found.ends_at - found.starts_at == timedelta(hours=3)
    assert found.ends_local == time(5, 0)
    assert found.starts_at == datetime(2027, 3, 28, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [{"weekdays": ()}, {"count": 0}, {"count": 121}])
def test_an_impossible_plan_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        plan(weekly(date(2027, 1, 18), 10, **wrong) if "count" not in wrong else weekly(date(2027, 1, 18), int(str(wrong["count"]))))


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(1, 30),
    st.times(),
    st.integers(15, 600),
)
def test_every_plan_has_its_count_on_its_days_and_never_a_closed_day(
    first_on: date, weekdays: set[int], count: int, starts: time, minutes: int
) -> None:
    starts = starts.replace(second=0, microsecond=0, tzinfo=None)
    found = plan(LessonPlan(first_on=first_on, weekdays=tuple(weekdays), starts=starts, minutes=minutes, count=count))
    assert len(found.lessons) == count
    for each in found.lessons:
        assert each.held_on.weekday() in weekdays
        assert holidays.closed(each.held_on) is None
        assert each.ends_at - each.starts_at == timedelta(minutes=minutes)
    assert [each.starts_at for each in found.lessons] == sorted(each.starts_at for each in found.lessons)
