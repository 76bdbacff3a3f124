"""The arithmetic behind the drawings: seats, street, bars, month.

Pure functions that return numbers and words for the macros in ``templates/macros``; no markup and no colour lives here.
Lengths are CSS pixels unless said, shares are percentages of the full width.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec

CATEGORIES = ("language", "culture", "dual-career", "welcome", "company", "package")
GABLES = ("step", "bell", "neck", "spout", "cornice", "arch")
MOST_WINDOWS = 16
FEW_SEATS = 3
_PITCH = 12
_MINIMUM_GAP = 7
_SLOT = 54
_PALE_HOUSES = 12


class SeatRow(msgspec.Struct, frozen=True):
    """One path per kind of window, and the place of the minimum line; ``drawn`` is false above 16 seats."""

    drawn: bool
    width: int
    taken: str
    held: str
    free: str
    minimum_at: float | None
    left: int


def category_key(category: object) -> str:
    """Return the category's slug as the style sheet knows it; an unknown one becomes ``other``."""
    slug = str(category).lower().replace("_", "-").replace(" ", "-")
    return slug if slug in CATEGORIES else "other"


def gable(category: object) -> str:
    """Return the gable of a category; unknown categories take the cornice."""
    key = category_key(category)
    return dict(zip(CATEGORIES, GABLES, strict=True)).get(key, "cornice")


def seat_row(capacity: int, taken: int, held: int = 0, minimum: int = 0) -> SeatRow:
    """Lay out a row of seat windows: taken, then held, then free, with the minimum as a line between two windows."""
    paths = {"taken": "", "held": "", "free": ""}
    left = max(capacity - taken - held, 0)
    if capacity > MOST_WINDOWS:
        return SeatRow(drawn=False, width=0, taken="", held="", free="", minimum_at=None, left=left)
    x, line = 0.0, None
    for place in range(capacity):
        if minimum and place == minimum:
            line = x + 2
            x += _MINIMUM_GAP
        kind = "taken" if place < taken else "held" if place < taken + held else "free"
        inset = 0.5 if kind == "free" else 0
        paths[kind] += _window(x + inset, 9 - 2 * inset, inset)
        x += _PITCH
    if minimum and minimum == capacity:
        line, x = x + 2, x + 4
    return SeatRow(drawn=True, width=max(round(x) - 3, 0), **paths, minimum_at=line, left=left)


def _window(x: float, width: float, inset: float) -> str:
    half = width / 2
    return f"M{x:g} {13 - inset:g}V{4.8:g}a{half:g} {4.8 - inset:g} 0 0 1 {width:g} 0V{13 - inset:g}z"


class House(msgspec.Struct, frozen=True):
    """One pale house of the street: which drawing, and where its axis stands."""

    drawing: int
    x: int


def street(seed: object = "", *, hero: int, each_side: int = 8) -> list[House]:
    """Return the pale houses left and right of the coloured one at x = 0.

    The same seed gives the same street. The hero's own gable (0-5) is not its direct neighbour.
    """
    start = sum(ord(letter) * (place + 3) for place, letter in enumerate(str(seed)))
    houses = []
    for step in [*range(-each_side, 0), *range(1, each_side + 1)]:
        drawing = (start + step * 5) % _PALE_HOUSES
        if abs(step) == 1 and drawing % len(GABLES) == hero:
            drawing = (drawing + 2) % _PALE_HOUSES
        houses.append(House(drawing, step * _SLOT))
    return houses


def spot(seed: object = "") -> int:
    """Return where the coloured house stands on a card, in percent from the left."""
    return 44 + sum(ord(letter) * (place + 1) for place, letter in enumerate(str(seed))) % 4 * 9


def lit_windows(seed: object, free: int | None = None) -> list[bool]:
    """Return which of a house's seven windows glow: as many as seats are free if known, else by the seed."""
    start = sum(ord(letter) * (place + 1) for place, letter in enumerate(str(seed)))
    order = [(start * 3 + place * 5) % 7 for place in range(7)]
    count = min(free, 7) if free is not None else 2 + start % 5
    glowing = set(order[:count])
    return [place in glowing for place in range(7)]


class Part(msgspec.Struct, frozen=True):
    """A stretch of a bar: where it starts and how long it is, both in percent of the bar."""

    at: float
    share: float


def stretches(amounts: Sequence[float], whole: float) -> list[Part]:
    """Lay amounts end to end on a bar of ``whole``; what runs over the end is cut off."""
    parts, at = [], 0.0
    for amount in amounts:
        share = 100.0 * amount / whole if whole > 0 else 0.0
        share = max(min(share, 100 - at), 0)
        parts.append(Part(round(at, 2), round(share, 2)))
        at += share
    return parts


class Bar(msgspec.Struct, frozen=True):
    """One column of the bar chart in a drawing 300 wide: solid part below, hatched part above."""

    x: float
    width: float
    solid_y: float
    solid: float
    hatched_y: float
    hatched: float
    label: str
    current: bool


class Chart(msgspec.Struct, frozen=True):
    """Columns and at most three grid lines (y, value) above the base line."""

    bars: list[Bar]
    grid: list[tuple[float, float]]


def bar_chart(rows: Sequence[tuple[Any, ...]], current: str = "", *, height: float = 82) -> Chart:
    """Scale (label, solid, hatched, …) rows to columns; the base line lies at y = height + 10."""
    top = max([row[1] + row[2] for row in rows], default=0) or 1
    step = _round_step(top / 3)
    scale = height / (step * 3)
    base, left = height + 10, 26.0
    pitch = (300 - left) / max(len(rows), 1)
    width = min(pitch * 0.66, 28)
    bars = []
    for place, (label, solid, hatched, *_words) in enumerate(rows):
        low, high = solid * scale, hatched * scale
        x = left + place * pitch + (pitch - width) / 2
        bars.append(
            Bar(
                x=round(x, 1),
                width=round(width, 1),
                solid_y=round(base - low, 1),
                solid=round(low, 1),
                hatched_y=round(base - low - high, 1),
                hatched=round(high, 1),
                label=label,
                current=label == current,
            )
        )
    grid = [(round(base - step * scale * line, 1), step * line) for line in range(1, 4)]
    return Chart(bars, grid)


def _round_step(least: float) -> float:
    size = 1.0
    while True:
        for factor in (1, 2, 2.5, 5):
            if size * factor >= least:
                return size * factor
        size *= 10


def short_amount(value: float) -> str:
    """Return a chart label: 4000 as ``4k``, 500 as ``500``."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


class Day(msgspec.Struct, frozen=True):
    """A day of the month grid: its slots are whatever the page put under that date."""

    on: date
    inside: bool
    holiday: str
    closed: bool
    today: bool
    slots: Sequence[object]


class Week(msgspec.Struct, frozen=True):
    """A week of the month grid with its ISO number."""

    number: int
    days: list[Day]


def month(
    first: date,
    slots: Mapping[date, Sequence[object]],
    *,
    holidays: Mapping[date, str] | None = None,
    today: date | None = None,
) -> list[Week]:
    """Return whole weeks, Monday first, that cover the month of ``first``.

    ``holidays`` names closed days; an empty name hatches the day without words (a school holiday).
    """
    closed = holidays or {}
    weeks = []
    for monday, *_rest in calendar.Calendar().monthdatescalendar(first.year, first.month):
        days = []
        for offset in range(7):
            on = monday + timedelta(days=offset)
            inside = on.month == first.month
            days.append(Day(on, inside, closed.get(on, ""), on in closed, on == today, slots.get(on, ())))
        weeks.append(Week(monday.isocalendar().week, days))
    return weeks


def initials(name: object) -> str:
    """Return one or two letters for an avatar: ``Femke de Wit`` gives ``FW``."""
    words = [word for word in str(name or "").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


SKYLINE_WIDTH = 1296


class Roof(msgspec.Struct, frozen=True):
    """A house of the footer skyline: gable 0-5, axis, vertical scale."""

    gable: int
    x: int
    tall: float


def skyline() -> list[Roof]:
    """Return the footer's row of houses with its gaps; the drawing repeats every 1296 px."""
    kinds = "15.42.45034151.2051420.5153034510153.21452051304"
    roofs = []
    for place, kind in enumerate(kinds):
        if kind != ".":
            roofs.append(Roof(int(kind), place * 27 + 14, 0.34 + (place * 7 % 6) * 0.025))
    return roofs


def skyline_lights() -> str:
    """Return one path with the lit windows of the skyline."""
    return "".join(f"M{roof.x + dx} {42 - 19}h5v6h-5z" for roof in skyline()[::3] for dx in ((-7, 2), (-2,))[roof.x % 2])


NAMESPACE = SimpleNamespace(
    category_key=category_key,
    gable=gable,
    gables=GABLES,
    categories=CATEGORIES,
    few=FEW_SEATS,
    seat_row=seat_row,
    street=street,
    spot=spot,
    lit_windows=lit_windows,
    stretches=stretches,
    bar_chart=bar_chart,
    short_amount=short_amount,
    month=month,
    initials=initials,
    skyline=skyline,
    skyline_lights=skyline_lights,
    skyline_width=SKYLINE_WIDTH,
)
"""What templates know as ``svg``."""
