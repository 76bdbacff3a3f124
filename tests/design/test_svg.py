"""The arithmetic of the drawings."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.kit import svg


def test_every_seat_is_one_window() -> None:
    row = svg.seat_row(10, 4, 2, 6)
    assert (row.taken.count("M"), row.held.count("M"), row.free.count("M")) == (4, 2, 4)
    assert row.minimum_at is not None
    assert row.left == 4


def test_more_than_sixteen_seats_are_only_words() -> None:
    row = svg.seat_row(17, 3)
    assert not row.drawn
    assert row.left == 14


def test_overbooked_is_not_negative() -> None:
    assert svg.seat_row(10, 12).left == 0


@pytest.mark.parametrize(("slug", "gable"), [("language", "step"), ("dual_career", "neck"), ("package", "arch"), ("chess", "cornice")])
def test_categories_have_their_own_gable(slug: str, gable: str) -> None:
    assert svg.gable(slug) == gable


def test_the_street_is_the_same_every_time_and_leaves_room_for_the_house() -> None:
    houses = svg.street("DUT-A1", hero=0)
    assert houses == svg.street("DUT-A1", hero=0)
    assert 0 not in {house.x for house in houses}
    assert all(house.drawing % 6 != 0 for house in houses if abs(house.x) == 54)


def test_a_month_is_whole_weeks_with_iso_numbers() -> None:
    weeks = svg.month(date(2027, 1, 1), {date(2027, 1, 18): ["slot"]}, holidays={date(2027, 1, 1): "New Year"}, today=date(2027, 1, 5))
    assert [week.number for week in weeks] == [53, 1, 2, 3, 4]
    assert all(len(week.days) == 7 for week in weeks)
    assert [day.on for week in weeks for day in week.days if day.slots] == [date(2027, 1, 18)]
    assert weeks[0].days[4].holiday == "New Year"
    assert sum(day.today for week in weeks for day in week.days) == 1


def test_a_chart_has_three_round_lines_and_room_for_the_highest() -> None:
    chart = svg.bar_chart([("Jan", 2100, 0), ("Nov", 3200, 1500), ("Sep", 5200, 0)], "Nov")
    assert [value for _y, value in chart.grid] == [2000, 4000, 6000]
    assert min(bar.hatched_y for bar in chart.bars) >= 10
    assert [bar.label for bar in chart.bars if bar.current] == ["Nov"]


def test_an_empty_chart_is_drawn_without_a_division_by_zero() -> None:
    assert svg.bar_chart([]).bars == []
    assert svg.bar_chart([("Jan", 0, 0)]).bars[0].solid == 0


@pytest.mark.parametrize(("name", "letters"), [("Femke de Wit", "FW"), ("Oluwaseun", "O"), ("", "?"), ("J. Jansen", "JJ")])
def test_initials(name: str, letters: str) -> None:
    assert svg.initials(name) == letters
