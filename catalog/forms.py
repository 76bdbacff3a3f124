"""The forms in which ECL edits partners, programmes and sessions, and how they become facts."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec

from catalog import lessons
from catalog.partners import PartnerFacts
from catalog.programmes import ProgrammeFacts
from catalog.session_changes import SessionFacts
from catalog.words import Category, Format, Language, Level, Place, PriceUnit, Stage, VatBasis
from marketplace.kit import clock
from marketplace.kit.i18n import N_
from marketplace.kit.money import Money, euros
from marketplace.kit.web import forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalog.partners import Partner
    from catalog.programmes import Programme
    from catalog.sessions import Lesson, Session

Code = Annotated[
    str,
    msgspec.Meta(
        min_length=2,
        max_length=20,
        pattern=r"^[A-Z0-9][A-Z0-9-]*$",
        extra={"sentence": N_("Use capitals, figures and hyphens, as in DUT-A1.")},
    ),
]
SessionCode = Annotated[
    str,
    msgspec.Meta(
        max_length=40, pattern=r"^[A-Z0-9][A-Z0-9-]*$", extra={"sentence": N_("Use capitals, figures and hyphens, as in DUT-A1.")}
    ),
]
Link = Annotated[
    str, msgspec.Meta(max_length=500, pattern=r"^https://\S+$", extra={"sentence": N_("Give a whole link that starts with https://.")})
]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Short = Annotated[str, msgspec.Meta(max_length=300)]
Long = Annotated[str, msgspec.Meta(max_length=8000)]
Seats = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class CancelForm(msgspec.Struct, frozen=True):
    """Why dates are called off."""

    reason: Short = ""


class PartnerForm(msgspec.Struct, frozen=True):
    """A partner as ECL types it."""

    name: forms.Name
    code: Code
    email: forms.Email
    address: Short = ""
    city: Short = ""
    about_nl: Long = ""
    about_en: Long = ""

    def facts(self) -> PartnerFacts:
        """Return what the verbs take."""
        return PartnerFacts(**msgspec.structs.asdict(self))


def show_partner(partner: Partner) -> dict[str, Any]:
    """Return a partner as its form shows it at first."""
    return msgspec.structs.asdict(partner)


class ProgrammeForm(msgspec.Struct, frozen=True):
    """A programme as ECL types it; outcomes are one a line."""

    code: Code
    partner_id: UUID
    category: Category
    title_en: Title
    title_nl: Title
    price: Money
    vat_basis: VatBasis
    policy_id: UUID
    format: Format
    lesson_count: Annotated[int, msgspec.Meta(ge=1, le=lessons.MOST_LESSONS)]
    lesson_minutes: Annotated[int, msgspec.Meta(ge=15, le=600)]
    group_min: Seats
    group_max: Seats
    price_unit: PriceUnit = PriceUnit.PERSON
    place: Place | None = None
    level_from: Level | None = None
    level_to: Level | None = None
    stages: list[Stage] = []
    taught_in: list[Language] = []
    venue: Short = ""
    summary_en: Short = ""
    summary_nl: Short = ""
    description_en: Long = ""
    description_nl: Long = ""
    outcomes_en: Long = ""
    outcomes_nl: Long = ""
    included_en: Short = ""
    included_nl: Short = ""
    homework_en: Short = ""
    homework_nl: Short = ""
    published_capacity: bool = False
    version: int | None = None

    def facts(self) -> ProgrammeFacts:
        """Return what the verbs take."""
        values = msgspec.structs.asdict(self)
        price = values.pop("price")
        del values["version"]
        for name in ("outcomes_en", "outcomes_nl"):
            values[name] = tuple(line.strip(" -•") for line in values[name].splitlines() if line.strip(" -•"))
        return ProgrammeFacts(**{**values, "stages": tuple(self.stages), "taught_in": tuple(self.taught_in)}, price_cents=price.cents)


def show_programme(programme: Programme) -> dict[str, Any]:
    """Return a programme as its form shows it at first."""
    values = {name: _typed(value) for name, value in msgspec.structs.asdict(programme).items()}
    values["outcomes_en"], values["outcomes_nl"] = "\n".join(programme.outcomes_en), "\n".join(programme.outcomes_nl)
    return {**values, "price": _amount(programme.price_cents), "published_capacity": "on" if programme.published_capacity else ""}


NEW_PROGRAMME: dict[str, Any] = {
    "format": "on_site",
    "place": "leiden",
    "taught_in": ["en"],
    "lesson_count": "10",
    "lesson_minutes": "120",
    "group_min": "4",
    "group_max": "10",
    "price_unit": "person",
    "published_capacity": "on",
    "stages": [],
}


class SessionForm(msgspec.Struct, frozen=True):
    """A session as ECL types it. A blank price or place is the programme's; a blank code is made."""

    programme_id: UUID
    first_on: date
    starts: time
    minutes: Annotated[int, msgspec.Meta(ge=15, le=600)]
    lesson_count: Annotated[int, msgspec.Meta(ge=1, le=lessons.MOST_LESSONS)]
    capacity: Seats
    language: Language
    weekdays: list[Annotated[int, msgspec.Meta(ge=0, le=6)]] = []
    skip_school_holidays: bool = False
    minimum: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    code: SessionCode = ""
    place: Short = ""
    room: Short = ""
    online_url: Link = ""
    price: Money | None = None
    decision_at: datetime | None = None
    order_until: datetime | None = None
    version: int | None = None
    verb: str = "save"

    def facts(self) -> SessionFacts:
        """Return what the verbs take, the lessons apart."""
        return SessionFacts(
            programme_id=self.programme_id,
            capacity=self.capacity,
            language=self.language,
            minimum=self.minimum,
            code=self.code,
            place=self.place,
            room=self.room,
            online_url=self.online_url,
            price_cents=self.price.cents if self.price else None,
            decision_at=self.decision_at,
            order_until=self.order_until,
        )

    def plan(self) -> lessons.LessonPlan:
        """Return how the lessons fall; without a ticked weekday, on that of the first day."""
        weekdays = tuple(self.weekdays) or (self.first_on.weekday(),)
        return lessons.LessonPlan(
            first_on=self.first_on,
            weekdays=weekdays,
            starts=self.starts,
            minutes=self.minutes,
            count=self.lesson_count,
            skip_school_holidays=self.skip_school_holidays,
        )

    def same_lessons(self, planned: Sequence[Lesson]) -> bool:
        """Tell whether the lesson fields are as ``show_session`` filled them in."""
        asked = self.plan()
        return _lesson_fields(planned) == {
            "first_on": asked.first_on.isoformat(),
            "starts": f"{asked.starts:%H:%M}",
            "minutes": str(asked.minutes),
            "lesson_count": str(asked.count),
            "weekdays": [str(day) for day in sorted(asked.weekdays)],
        }


def _lesson_fields(planned: Sequence[Lesson]) -> dict[str, Any]:
    first = planned[0]
    return {
        "first_on": first.held_on.isoformat(),
        "starts": f"{first.starts_local:%H:%M}",
        "minutes": str(int((first.ends_at - first.starts_at).total_seconds()) // 60),
        "lesson_count": str(len(planned)),
        "weekdays": [str(day) for day in sorted({each.held_on.weekday() for each in planned})],
    }


def show_session(session: Session, planned: Sequence[Lesson]) -> dict[str, Any]:
    """Return a session as its form shows it at first."""
    return {
        **_lesson_fields(planned),
        "programme_id": str(session.programme_id),
        "skip_school_holidays": "on",
        "capacity": str(session.capacity),
        "language": session.language.value,
        "minimum": str(session.minimum),
        "code": session.code,
        "place": session.own_place,
        "room": session.room,
        "online_url": session.online_url,
        "price": _amount(session.own_price_cents),
        "decision_at": _moment(session.decision_at),
        "order_until": _moment(session.order_until),
        "version": str(session.version),
    }


def new_session(programme: Programme | None) -> dict[str, Any]:
    """Return the first show of the form for a new session, filled from its programme."""
    values: dict[str, Any] = {"starts": "09:30", "minutes": "120", "lesson_count": "10", "capacity": "10", "minimum": "4", "language": "nl"}
    if programme is not None:
        values |= {
            "programme_id": str(programme.id),
            "minutes": str(programme.lesson_minutes),
            "lesson_count": str(programme.lesson_count),
            "capacity": str(programme.group_max),
            "minimum": str(programme.group_min),
            "language": programme.taught_in[0].value if programme.taught_in else "nl",
        }
    return {**values, "weekdays": [], "skip_school_holidays": "on"}


def _typed(value: object) -> object:
    return [str(each) for each in value] if isinstance(value, tuple) else "" if value is None else str(value)


def _amount(cents: int | None) -> str:
    return "" if cents is None else str(euros(cents)) if cents % 100 else str(cents // 100)


def _moment(at: datetime | None) -> str:
    return f"{clock.local(at):%Y-%m-%dT%H:%M}" if at else ""
