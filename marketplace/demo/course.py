"""How a programme of the demo is written down, and when it runs. Pure.

Runs are weeks counted from the present one, so that the demo is as fresh on the day on which it is made as today.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

import msgspec

from catalog.lessons import LessonPlan
from catalog.words import Category, Format, Language, Level, Place, PriceUnit, Stage, VatBasis

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN = re.compile(r"([+-]\d+)([a-z]{2}(?:\.[a-z]{2})*)(\d{2})(\d{2})(?:@(\w+))?(?:x(\d+))?(!?)")
_DAYS = {"mo": 0, "tu": 1, "we": 2, "th": 3, "fr": 4, "sa": 5}
VENUES = {
    "park": "Bio Science Park, Niels Bohrweg, Leiden",
    "station": "Stationsweg 41, Leiden",
    "library": "Library at the Nieuwstraat, Leiden",
    "oegstgeest": "Rhijngeesterstraatweg, Oegstgeest",
    "leiderdorp": "Statendaalder, Leiderdorp",
    "katwijk": "Boulevard, Katwijk",
    "voorschoten": "Schoolstraat, Voorschoten",
    "zoeterwoude": "Dorpsstraat, Zoeterwoude",
}


class Said(msgspec.Struct, frozen=True):
    """The same in English and Dutch."""

    en: str
    nl: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One programme: its facts, its texts in both languages, and its runs.

    ``price`` is in whole euros without VAT. ``runs`` has words such as ``+5mo.th0930@park``: five weeks ahead, Mondays
    and Thursdays at 09:30, in the place of that name; ``x6`` gives it six seats,
    ``!`` fills it to the last one. ``demand`` is how full runs get, 0 to 1.
    """

    code: str
    partner: str
    category: Category
    title: Said
    summary: Said
    about: Said
    outcomes: tuple[Said, ...]
    price: int
    vat: VatBasis
    runs: str
    stages: tuple[Stage, ...] = (Stage.SETTLING, Stage.LIVING)
    included: Said = Said("", "")
    homework: Said = Said("", "")
    levels: tuple[Level, Level] | None = None
    taught_in: tuple[Language, ...] = (Language.EN,)
    format: Format = Format.ON_SITE
    place: Place | None = Place.LEIDEN
    venue: str = "Stationsweg 41, Leiden"
    group: tuple[int, int] = (5, 12)
    lessons: tuple[int, int] = (1, 180)
    unit: PriceUnit = PriceUnit.PERSON
    one_to_one: bool = False
    asks_partner: bool = False
    demand: float = 0.5


class Run(msgspec.Struct, frozen=True):
    """One session to be planned."""

    plan: LessonPlan
    venue: str
    seats: int
    full: bool


def runs(course: Course, *, today: date) -> Iterator[Run]:
    """Give a course's runs around a day."""
    monday = today - timedelta(days=today.weekday())
    count, minutes = course.lessons
    for week, days, hour, minute, venue, seats, full in _RUN.findall(course.runs):
        weekdays = tuple(_DAYS[day] for day in days.split("."))
        plan = LessonPlan(
            first_on=monday + timedelta(weeks=int(week), days=weekdays[0]),
            weekdays=weekdays,
            starts=time(int(hour), int(minute)),
            minutes=minutes,
            count=count,
        )
        yield Run(plan, VENUES.get(venue, ""), int(seats) if seats else course.group[1], bool(full))
