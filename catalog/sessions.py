"""Sessions, as others read them: what an order line freezes, what a page shows, which one comes next.

Writing is in ``session_changes.py``, taking seats in ``seats.py``. ``free`` never counts an expired hold.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import policies
from catalog.words import Category, Format, Language, PriceUnit, SessionState, VatBasis
from marketplace.kit import clock, db, i18n
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.web import paging


class SessionOffer(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that an order line freezes. The price is per ``price_unit`` without VAT; instants are UTC.

    ``published_capacity``: an order for it is accepted at once; else the partner decides.
    """

    session_id: UUID
    programme_id: UUID
    programme_version: int
    partner_id: UUID
    partner_name: str
    title_nl: str
    title_en: str
    code: str
    programme_code: str
    category: Category
    format: Format
    language: Language
    starts_at: datetime
    ends_at: datetime
    order_until: datetime
    lesson_count: int
    place: str
    price_cents: int
    price_unit: PriceUnit
    vat_basis: VatBasis
    policy: policies.PolicyTerms
    published_capacity: bool
    state: SessionState
    open: bool
    capacity: int
    free: int

    @property
    def price(self) -> Money:
        """The price per unit, without VAT."""
        return Money(self.price_cents)

    @property
    def title(self) -> str:
        """The title in the current language."""
        return self.title_nl if i18n.current_locale() == "nl" else self.title_en


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session as pages and the API show it. ``taken + held + free`` is the capacity, unless it is overbooked."""

    id: UUID
    programme_id: UUID
    programme_code: str
    programme_slug: str
    title_nl: str
    title_en: str
    category: Category
    partner_id: UUID
    partner_name: str
    code: str
    place: str
    own_place: str
    room: str
    online_url: str
    language: Language
    format: Format
    price_cents: int
    own_price_cents: int | None
    capacity: int
    minimum: int
    taken: int
    held: int
    free: int
    overbooked: int
    decision_at: datetime | None
    state: SessionState
    published: bool
    open: bool
    starts_at: datetime
    ends_at: datetime
    order_until: datetime
    version: int
    lesson_count: int
    weekdays: tuple[int, ...]
    days: tuple[date, ...]
    starts_local: time
    ends_local: time

    @property
    def price(self) -> Money:
        """The price per unit, without VAT."""
        return Money(self.price_cents)

    @property
    def title(self) -> str:
        """The programme's title in the current language."""
        return self.title_nl if i18n.current_locale() == "nl" else self.title_en

    @property
    def is_online(self) -> bool:
        """Tell whether people meet online only."""
        return self.format is Format.ONLINE


class Lesson(msgspec.Struct, frozen=True):
    """One meeting."""

    id: UUID
    number: int
    starts_at: datetime
    ends_at: datetime
    held_on: date
    starts_local: time
    ends_local: time
    zone: str


# $1 is always now.
_OPEN = "(programme.state = 'published' AND session.published AND session.state IN ('planned', 'confirmed') AND session.order_until > $1)"
_HOLDS = """
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS every, (count(*) FILTER (WHERE held_until > $1))::int AS current
        FROM seat WHERE seat.session_id = session.id AND seat.state = 'held'
    ) AS holds
"""
_FREE = "greatest(session.capacity - session.live + holds.every - holds.current, 0)"
_OFFER = f"""
    SELECT session.id AS session_id, programme.id AS programme_id, programme.version AS programme_version, partner_id,
        partner.name AS partner_name, title_nl, title_en, session.code, programme.code AS programme_code, category, format, language,
        session.starts_at, session.ends_at, session.order_until,
        (SELECT count(*) FROM lesson WHERE session_id = session.id) AS lesson_count,
        coalesce(nullif(session.place, ''), nullif(programme.venue, ''), initcap(programme.place), '') AS place,
        coalesce(session.price_cents, programme.price_cents) AS price_cents, price_unit, vat_basis,
        jsonb_build_object('code', policy.code, 'name_nl', name_nl, 'name_en', name_en, 'tiers', tiers, 'moving', moving) AS policy,
        published_capacity, session.state, {_OPEN} AS open, session.capacity, {_FREE} AS free
    FROM session JOIN programme ON programme.id = programme_id JOIN partner ON partner.id = partner_id JOIN policy ON policy.id = policy_id
    {_HOLDS}
    WHERE session.id = ANY ($2) AND session.published ORDER BY session.starts_at, session.id
"""  # noqa: S608 - constants
_VIEW = f"""
    SELECT session.id, programme.id AS programme_id, programme.code AS programme_code, slug AS programme_slug, title_nl, title_en, category,
        partner_id, partner.name AS partner_name, session.code,
        coalesce(nullif(session.place, ''), programme.venue) AS place, session.place AS own_place, session.room, session.online_url, session.language, format,
        coalesce(session.price_cents, programme.price_cents) AS price_cents, session.price_cents AS own_price_cents,
        session.capacity, session.minimum, session.live - holds.every AS taken, holds.current AS held, {_FREE} AS free,
        greatest(session.live - holds.every + holds.current - session.capacity, 0) AS overbooked,
        session.decision_at, session.state, session.published, {_OPEN} AS open,
        session.starts_at, session.ends_at, session.order_until, session.version, plan.*
    FROM session JOIN programme ON programme.id = session.programme_id JOIN partner ON partner.id = partner_id
    {_HOLDS}
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS lesson_count, coalesce(array_agg(DISTINCT extract(isodow FROM held_on)::int - 1), '{{}}') AS weekdays,
            coalesce(array_agg(held_on ORDER BY number), '{{}}') AS days,
            coalesce((array_agg(starts_local ORDER BY number))[1], '00:00') AS starts_local,
            coalesce((array_agg(ends_local ORDER BY number))[1], '00:00') AS ends_local
        FROM lesson WHERE lesson.session_id = session.id
    ) AS plan
"""  # noqa: S608 - constants


async def for_order(session_ids: Sequence[UUID], *, now: datetime) -> list[SessionOffer]:
    """Return the frozen facts of sessions, by start; unknown ids and those never published are left out.

    Doesn't lock, and says with ``open`` and ``free`` how things stand at this moment only.
    """
    return await db.rows(SessionOffer, _OFFER, now, list(session_ids))


async def offer(session_id: UUID, *, now: datetime) -> SessionOffer:
    """Return one session's facts for an order. Raises ``NotFound``."""
    found = await for_order([session_id], now=now)
    if not found:
        raise unknown()
    return found[0]


async def first_after(programme_id: UUID, on: date, *, now: datetime) -> UUID | None:
    """Return the first open session of a programme with a free seat that starts on or after a date in Leiden, or None."""
    sql = f"""
        SELECT session.id FROM session JOIN programme ON programme.id = programme_id {_HOLDS}
        WHERE programme_id = $2 AND session.starts_at >= greatest($3, $1) AND {_OPEN} AND {_FREE} > 0
        ORDER BY session.starts_at, session.id LIMIT 1
    """  # noqa: S608 - constants
    found = await db.value(sql, now, programme_id, clock.instant(on, time()))
    return None if found is None else UUID(str(found))


async def get(session_id: UUID, *, now: datetime) -> Session:
    """Return a session in any state, for ECL. Raises ``NotFound``."""
    found = await db.row(Session, f"{_VIEW} WHERE session.id = $2", now, session_id)
    if found is None:
        raise unknown()
    return found


async def published(session_id: UUID, *, now: datetime) -> Session:
    """Return a session that buyers may see. Raises ``NotFound``."""
    found = await db.row(Session, f"{_VIEW} WHERE session.id = $2 AND session.published AND programme.state = 'published'", now, session_id)
    if found is None:
        raise unknown()
    return found


async def some(session_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Session]:
    """Return sessions by id, in any state; unknown ids are left out."""
    return {found.id: found for found in await db.rows(Session, f"{_VIEW} WHERE session.id = ANY ($2)", now, list(session_ids))}


async def upcoming(programme_id: UUID, *, now: datetime, drafts: bool = False, limit: int = 200) -> list[Session]:
    """Return a programme's sessions that have not started and were not called off, by start; ``drafts``: unpublished too."""
    sql = f"""{_VIEW} WHERE session.programme_id = $2 AND (session.published OR $4) AND session.state IN ('planned', 'confirmed')
        AND session.starts_at > $1 ORDER BY session.starts_at, session.id LIMIT $3"""
    return await db.rows(Session, sql, now, programme_id, limit, drafts)


async def soon(*, now: datetime, limit: int = 6) -> list[Session]:
    """Return the next open sessions of all programmes that have a free seat, one a programme, for the home page."""
    sql = f"""
        SELECT * FROM (
            SELECT DISTINCT ON (programme_id) * FROM ({_VIEW}
                JOIN (
                    SELECT id FROM session WHERE published AND session.state IN ('planned', 'confirmed') AND starts_at > $1
                    ORDER BY starts_at, id LIMIT 60
                ) AS near ON near.id = session.id
                WHERE {_OPEN} AND {_FREE} > 0
            ) AS opened ORDER BY programme_id, starts_at
        ) AS each ORDER BY starts_at, id LIMIT $2
    """  # noqa: S608 - constants
    return await db.rows(Session, sql, now, limit)


async def for_partner(partner_id: UUID, *, now: datetime, since: datetime, limit: int = 100) -> list[Session]:
    """Return a partner's sessions that end after ``since``, by start."""
    sql = f"{_VIEW} WHERE partner_id = $2 AND session.ends_at > $3 AND session.published ORDER BY session.starts_at, session.id LIMIT $4"
    return await db.rows(Session, sql, now, partner_id, since, limit)


async def for_desk(place: paging.Place, *, now: datetime, programme_id: UUID | None = None, begun: bool = False) -> list[Session]:
    """Return a page of sessions for ECL's list: those to come by start, or those that have begun, latest first."""
    compare, order = (place.before, place.descending) if begun else (place.after, place.ascending)
    sql = f"""{_VIEW} WHERE session.starts_at {"<=" if begun else ">"} $1 AND ($2::uuid IS NULL OR session.programme_id = $2)
        AND ($3::timestamptz IS NULL OR (session.starts_at, session.id) {compare} ($3, $4))
        ORDER BY session.starts_at {order}, session.id {order} LIMIT $5"""
    return await db.rows(Session, sql, now, programme_id, *place.key, place.fetch)


async def lessons_of(session_ids: Sequence[UUID]) -> dict[UUID, list[Lesson]]:
    """Return the lessons of sessions in order, by session."""
    sql = """
        SELECT session_id, id, number, starts_at, ends_at, held_on, starts_local, ends_local, zone
        FROM lesson WHERE session_id = ANY ($1) ORDER BY session_id, number
    """
    found: dict[UUID, list[Lesson]] = {session_id: [] for session_id in session_ids}
    for row in await db.rows(_LessonRow, sql, list(session_ids)):
        found[row.session_id].append(
            Lesson(row.id, row.number, row.starts_at, row.ends_at, row.held_on, row.starts_local, row.ends_local, row.zone)
        )
    return found


class _LessonRow(Lesson, frozen=True):
    session_id: UUID


def unknown() -> NotFound:
    """Return the refusal for a session that there is not, or none to be known of."""
    return NotFound("not_found", _("There are no such dates."))
