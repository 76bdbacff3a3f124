"""The catalogue's part of the JSON API: programmes, one programme with its sessions, one session with its lessons."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from catalog import programmes, query, search, sessions
from catalog.search import Card, Filters
from catalog.sessions import Lesson, Session
from catalog.words import Category, Format, Language, Level, Place, PriceUnit, SessionState, Stage
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.kit.money import Money
from marketplace.kit.web import api
from marketplace.kit.web.api import Cursor, ListAnswer

PAGE = 50


class Words(msgspec.Struct, frozen=True):
    """A text in both languages."""

    nl: str
    en: str


class ComingSession(msgspec.Struct, frozen=True):
    """A coming session in short."""

    id: UUID
    starts_at: datetime
    capacity: int
    free: int
    state: SessionState


class ProgrammeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A programme in the list, with its next two sessions. The price is per `price_unit`, without VAT."""

    id: UUID
    code: str
    title: Words
    summary: Words
    category: Category
    level_from: Level | None
    level_to: Level | None
    languages: tuple[Language, ...]
    format: Format
    place: Place | None
    partner: str
    price: Money
    price_unit: PriceUnit
    lesson_count: int
    lesson_minutes: int
    sessions: tuple[ComingSession, ...]

    @classmethod
    def of(cls, card: Card) -> ProgrammeAnswer:
        """Return what the API shows of a card."""
        return cls(
            id=card.id,
            code=card.code,
            title=Words(card.title_nl, card.title_en),
            summary=Words(card.summary_nl, card.summary_en),
            category=card.category,
            level_from=card.level_from,
            level_to=card.level_to,
            languages=card.taught_in,
            format=card.format,
            place=card.place,
            partner=card.partner_name,
            price=Money(card.price_cents),
            price_unit=card.price_unit,
            lesson_count=card.lesson_count,
            lesson_minutes=card.lesson_minutes,
            sessions=tuple(ComingSession(each.id, each.starts_at, each.capacity, each.free, each.state) for each in card.sessions),
        )


class ProgrammeDetail(ProgrammeAnswer, frozen=True, kw_only=True):
    """A programme with its texts and all coming sessions."""

    description: Words
    outcomes_nl: tuple[str, ...]
    outcomes_en: tuple[str, ...]
    stages: tuple[Stage, ...]
    group_min: int
    group_max: int
    version: int


class LessonAnswer(msgspec.Struct, frozen=True):
    """One lesson."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, lesson: Lesson) -> LessonAnswer:
        """Return what the API shows of a lesson."""
        return cls(lesson.starts_at, lesson.ends_at)


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `open` says whether it can be ordered now; `order_until` until when."""

    id: UUID
    code: str
    programme_id: UUID
    programme_code: str
    title: Words
    starts_at: datetime
    ends_at: datetime
    order_until: datetime
    capacity: int
    free: int
    minimum: int
    state: SessionState
    open: bool
    language: Language
    place: str
    price: Money
    lessons: tuple[LessonAnswer, ...]


_Text = Annotated[str | None, QueryParameter(description="Words in Dutch or English; small typing errors are forgiven.", max_length=100)]
_Many = "Several values, comma-separated, mean any of them."


@get("/programmes", opt={"access": "api-member"}, tags=["programmes"])
async def list_programmes(
    now: NamedDependency[datetime],
    q: _Text = None,
    category: Annotated[str | None, QueryParameter(description=f"Category. {_Many}", max_length=200)] = None,
    stage: Annotated[str | None, QueryParameter(description=f"Stage of life here. {_Many}", max_length=200)] = None,
    level: Annotated[str | None, QueryParameter(description=f"CEFR level, A0 to C2. {_Many}", max_length=100)] = None,
    language: Annotated[str | None, QueryParameter(description=f"Language of teaching, as `nl`. {_Many}", max_length=100)] = None,
    format: Annotated[str | None, QueryParameter(description=f"How people meet. {_Many}", max_length=100)] = None,  # noqa: A002 - the API's word
    place: Annotated[str | None, QueryParameter(description=f"Municipality. {_Many}", max_length=200)] = None,
    month: Annotated[
        str | None, QueryParameter(description=f"Month in which a session starts, as `2027-01`. {_Many}", max_length=200)
    ] = None,
    price: Annotated[int | None, QueryParameter(description="Highest price in whole euros.", ge=0, le=100_000)] = None,
    free: Annotated[
        int | None, QueryParameter(description="Only with a session that has at least so many free seats.", ge=0, le=99)
    ] = None,
    cursor: Cursor = None,
) -> ListAnswer[ProgrammeAnswer]:
    """List the programmes on offer, most booked first. A value that does not exist is refused."""
    given = {"category": category, "stage": stage, "level": level, "language": language, "format": format, "place": place, "month": month}
    wanted = _filters({name: text for name, text in given.items() if text}, q=q, price=price, free=free)
    at = query.spot(cursor)
    page = query.page(await search.find(wanted, now=now, position=at.position, limit=PAGE + 1), at, PAGE)
    return api.list_answer([ProgrammeAnswer.of(card) for card in page.items], page.next)


def _filters(given: dict[str, str], *, q: str | None, price: int | None, free: int | None) -> Filters:
    """Return the filters; raise ``Invalid`` for a value that there is not."""
    sent = {name: [text] for name, text in given.items()}
    plain = {"q": q or "", "price": str(price) if price is not None else "", "free": str(free or "")}
    wanted = query.read({**sent, **{name: [text] for name, text in plain.items() if text}})
    wrong = {}
    for name, text in given.items():
        asked = {part.strip().lower() for part in text.split(",") if part.strip()}
        if len(getattr(wanted, name)) != len(asked):
            wrong[name] = _("There is no such value.")
    if wrong:
        raise Invalid("invalid", _("One of the filters has a value that does not exist."), fields=wrong)
    return wanted


@get("/programmes/{programme_id:uuid}", opt={"access": "api-member", "noun": "programme"}, tags=["programmes"])
async def get_programme(programme_id: FromPath[UUID], now: NamedDependency[datetime]) -> ProgrammeDetail:
    """Return one programme on offer, with all its coming sessions."""
    found = await programmes.published(programme_id)
    coming = await sessions.upcoming(programme_id, now=now)
    return ProgrammeDetail(
        id=found.id,
        code=found.code,
        title=Words(found.title_nl, found.title_en),
        summary=Words(found.summary_nl, found.summary_en),
        description=Words(found.description_nl, found.description_en),
        outcomes_nl=found.outcomes_nl,
        outcomes_en=found.outcomes_en,
        category=found.category,
        stages=found.stages,
        level_from=found.level_from,
        level_to=found.level_to,
        languages=found.taught_in,
        format=found.format,
        place=found.place,
        partner=found.partner_name,
        price=found.price,
        price_unit=found.price_unit,
        lesson_count=found.lesson_count,
        lesson_minutes=found.lesson_minutes,
        group_min=found.group_min,
        group_max=found.group_max,
        version=found.version,
        sessions=tuple(ComingSession(each.id, each.starts_at, each.capacity, each.free, each.state) for each in coming),
    )


@get("/sessions/{session_id:uuid}", opt={"access": "api-member", "noun": "session"}, tags=["programmes"])
async def get_session(session_id: FromPath[UUID], now: NamedDependency[datetime]) -> SessionAnswer:
    """Return one session on offer, with its lessons and free seats."""
    found = await sessions.published(session_id, now=now)
    planned = (await sessions.lessons_of([session_id]))[session_id]
    return _session(found, planned)


def _session(found: Session, planned: list[Lesson]) -> SessionAnswer:
    return SessionAnswer(
        id=found.id,
        code=found.code,
        programme_id=found.programme_id,
        programme_code=found.programme_code,
        title=Words(found.title_nl, found.title_en),
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        order_until=found.order_until,
        capacity=found.capacity,
        free=found.free,
        minimum=found.minimum,
        state=found.state,
        open=found.open,
        language=found.language,
        place=found.place,
        price=found.price,
        lessons=tuple(LessonAnswer.of(each) for each in planned),
    )


HANDLERS = [list_programmes, get_programme, get_session]
