"""Finding programmes: words in two languages, facets with their counts, pages by key. Two queries a page.

A facet's counts hold all other filters but its own, so that a second tick in the same group says what it would add. The
programme's ``months`` and ``whens`` are kept up by ``session_changes.refresh``; seats are counted at the moment.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic as time_monotonic
from typing import Any
from uuid import UUID

import msgspec

from catalog.words import Category, Format, Language, Level, Place, PriceUnit, SessionState, Stage, VatBasis, When
from marketplace.kit import clock, db

_KEPT_SECONDS = 10
_MOST_KEPT = 500
_RECENT = timedelta(days=180)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
SORTS = ("popular", "price")


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for. Several values of one facet mean any of them; months are ``2027-01``; prices cents."""

    q: str = ""
    category: tuple[Category, ...] = ()
    stage: tuple[Stage, ...] = ()
    level: tuple[Level, ...] = ()
    language: tuple[Language, ...] = ()
    format: tuple[Format, ...] = ()
    place: tuple[Place, ...] = ()
    when: tuple[When, ...] = ()
    month: tuple[str, ...] = ()
    price_max: int | None = None
    free: int = 0
    sort: str = "popular"

    @property
    def active(self) -> int:
        """How many filters are on, the words apart."""
        facets = (self.category, self.stage, self.level, self.language, self.format, self.place, self.when, self.month)
        return sum(len(values) for values in facets) + (self.price_max is not None) + bool(self.free)


class CardSession(msgspec.Struct, frozen=True):
    """A coming session as a card shows it."""

    id: UUID
    starts_at: datetime
    capacity: int
    taken: int
    held: int
    state: SessionState

    @property
    def free(self) -> int:
        """Seats left."""
        return max(self.capacity - self.taken - self.held, 0)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A programme in the list with its next two sessions; ``key`` is its place in the order."""

    id: UUID
    code: str
    slug: str
    title_nl: str
    title_en: str
    summary_nl: str
    summary_en: str
    category: Category
    level_from: Level | None
    level_to: Level | None
    taught_in: tuple[Language, ...]
    format: Format
    place: Place | None
    venue: str
    partner_name: str
    lesson_count: int
    lesson_minutes: int
    price_cents: int
    price_unit: PriceUnit
    vat_basis: VatBasis
    published_capacity: bool
    sort_score: int
    sort_number: int
    sessions: tuple[CardSession, ...]


class Counts(msgspec.Struct, frozen=True):
    """How many programmes match, in all and per value of each facet."""

    total: int
    facets: dict[str, dict[str, int]]

    def of(self, facet: str, value: str) -> int:
        """Return how many programmes a value would show."""
        return self.facets.get(facet, {}).get(value, 0)


class Position(msgspec.Struct, frozen=True):
    """Where a page begins: the order's key of the row before it, and how many rows came before."""

    score: int | None = None
    number: int | None = None
    id: UUID | None = None
    backwards: bool = False


class _Sql:
    """Collects conditions and their arguments; ``$1`` is always now."""

    def __init__(self, wanted: Filters, now: datetime) -> None:
        self.args: list[Any] = [now]
        self.words = ["programme.state = 'published'"]
        if wanted.q.strip():
            self.words.append(f"search @@ (SELECT catalogue_query({self.arg(wanted.q.strip())}))")
        if wanted.price_max is not None:
            self.words.append(f"price_cents <= {self.arg(wanted.price_max)}")
        self.facets = self._facets(wanted)
        self.free = self._free(wanted) if wanted.free else "true"

    def arg(self, value: object) -> str:
        self.args.append(list(value) if isinstance(value, tuple) else value)
        return f"${len(self.args)}"

    def _facets(self, wanted: Filters) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, values in (("category", wanted.category), ("format", wanted.format), ("place", wanted.place)):
            if values:
                found[name] = f"{name} = ANY ({self.arg(values)})"
        for name, column, several in (
            ("stage", "stages", wanted.stage),
            ("language", "taught_in", wanted.language),
            ("when", "whens", wanted.when),
        ):
            if several:
                found[name] = f"{column} && {self.arg(several)}::text[]"
        if wanted.level:
            found["level"] = (
                f"EXISTS (SELECT FROM unnest({self.arg(wanted.level)}::text[]) AS one WHERE one BETWEEN level_from AND level_to)"
            )
        if wanted.month:
            found["month"] = f"months && {self.arg(tuple(month_number(month) for month in wanted.month))}::int[]"
        return found

    def _free(self, wanted: Filters) -> str:
        ranges = [month_range(month) for month in wanted.month]
        within = " OR ".join(f"(starts_at >= {self.arg(first)} AND starts_at < {self.arg(last)})" for first, last in ranges)
        least = self.arg(wanted.free)
        return f"""EXISTS (
            SELECT FROM session WHERE programme_id = programme.id AND published AND session.state IN ('planned', 'confirmed')
            AND starts_at > $1 AND order_until > $1 {f"AND ({within})" if within else ""}
            AND (capacity - live >= {least} OR capacity - live + (
                SELECT count(*) FROM seat WHERE session_id = session.id AND seat.state = 'held' AND held_until <= $1) >= {least}))"""  # noqa: S608 - own words


_CARD = """
    SELECT programme.id, programme.code, slug, title_nl, title_en, summary_nl, summary_en, category, level_from, level_to, taught_in, format,
        place, venue, partner.name AS partner_name, lesson_count, lesson_minutes, price_cents, price_unit, vat_basis, published_capacity,
        sort_score, sort_number, coming.sessions
    FROM page JOIN programme ON programme.id = page.id JOIN partner ON partner.id = partner_id
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', next.id, 'starts_at', next.starts_at, 'capacity', capacity,
            'taken', live - holds.every, 'held', holds.current, 'state', state) ORDER BY next.starts_at, next.id), '[]') AS sessions
        FROM (
            SELECT * FROM session WHERE programme_id = programme.id AND published AND session.state IN ('planned', 'confirmed') AND starts_at > $1
            ORDER BY live >= capacity, starts_at, id LIMIT 2
        ) AS next
        CROSS JOIN LATERAL (
            SELECT count(*)::int AS every, (count(*) FILTER (WHERE held_until > $1))::int AS current
            FROM seat WHERE session_id = next.id AND seat.state = 'held'
        ) AS holds
    ) AS coming
"""
_SETS = ("category", "stages", "level_from, level_to", "taught_in", "format", "place", "whens", "months")
_COLUMNS = ", ".join(_SETS)


async def find(wanted: Filters, *, now: datetime, position: Position | None = None, limit: int = 12) -> list[Card]:
    """Return up to ``limit`` programmes beyond a position, in order (backwards: the ones before it, nearest first)."""
    sql = _Sql(wanted, now)
    at = position or Position()
    ascending = wanted.sort == "price"
    forward = "ASC" if ascending != at.backwards else "DESC"
    number = "price_cents" if ascending else "popularity"
    score = (
        f"CASE WHEN search_title @@ (SELECT catalogue_query({sql.arg(wanted.q.strip())})) THEN 1 ELSE 0 END"
        if wanted.q.strip() and not ascending
        else "0"
    )
    where = [*sql.words, *sql.facets.values(), sql.free]
    keys, order = f"{number}, programme.id", f"{number} {forward}, programme.id {forward}"
    if score != "0":
        keys, order = f"{score}, {keys}", f"{score} {forward}, {order}"
    if at.id is not None:
        values = [at.score or 0, at.number or 0, at.id][0 if score != "0" else 1 :]
        where.append(f"({keys}) {'>' if forward == 'ASC' else '<'} ({', '.join(sql.arg(value) for value in values)})")
    outer = f"sort_score {forward}, sort_number {forward}, programme.id {forward}"
    page = f"SELECT programme.id, {score} AS sort_score, {number} AS sort_number FROM programme WHERE {' AND '.join(where)}"  # noqa: S608 - own words
    return await db.rows(Card, f"WITH page AS ({page} ORDER BY {order} LIMIT {sql.arg(limit)}) {_CARD} ORDER BY {outer}", *sql.args)


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Programmes alike in one facet (``facet`` says in which); ``failed`` is the one filter that they don't pass."""

    facet: int
    failed: str | None
    n: int
    category: str | None
    stages: tuple[str, ...] | None
    level_from: Level | None
    level_to: Level | None
    taught_in: tuple[str, ...] | None
    format: str | None
    place: str | None
    whens: tuple[str, ...] | None
    months: tuple[int, ...] | None

    def values(self, facet: str) -> tuple[str, ...]:
        """Return the values of a facet that these programmes count for."""
        match facet:
            case "stage":
                return self.stages or ()
            case "level":
                return tuple(level for level in Level if self.level_from and self.level_to and self.level_from <= level <= self.level_to)
            case "language":
                return self.taught_in or ()
            case "when":
                return self.whens or ()
            case "month":
                return tuple(f"{month // 100}-{month % 100:02d}" for month in self.months or ())
            case _:
                value = {"category": self.category, "format": self.format, "place": self.place}[facet]
                return (value,) if value else ()


_FACETS = ("category", "stage", "level", "language", "format", "place", "when", "month")


class _Kept(msgspec.Struct, frozen=True):
    until: float
    counts: Counts


_kept: dict[tuple[int, Filters], _Kept] = {}


async def count_recently(wanted: Filters, *, now: datetime) -> Counts:
    """Return what ``count`` returns, up to ten seconds old. Within a transaction it is always fresh."""
    if db.in_transaction():
        return await count(wanted, now=now)
    key, moment = (id(db.DB.pool), wanted), time_monotonic()
    found = _kept.get(key)
    if found is None or found.until < moment:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        found = _kept[key] = _Kept(moment + _KEPT_SECONDS, await count(wanted, now=now))
    return found.counts


async def count(wanted: Filters, *, now: datetime) -> Counts:
    """Return how many programmes match, and how many each value of each facet would show.

    One pass: a programme that passes every filter counts for all facets, one that fails a single filter for that facet.
    """
    sql = _Sql(wanted, now)
    fails = " || ".join(f"CASE WHEN {condition} THEN '' ELSE '{name},' END" for name, condition in sql.facets.items())
    failed = fails or "''::text"
    kept = " OR ".join(["failed = ''", *(f"failed = '{name},'" for name in sql.facets)])
    sets = ", ".join(f"(failed, {columns})" for columns in _SETS)
    which = " ".join(f"WHEN GROUPING({columns.split(',')[0]}) = 0 THEN {place}" for place, columns in enumerate(_SETS))
    groups = await db.rows(
        _Group,
        f"SELECT CASE {which} ELSE -1 END AS facet, nullif(rtrim(failed, ','), '') AS failed, {_COLUMNS}, count(*)::int AS n"  # noqa: S608 - own words
        f" FROM (SELECT {_COLUMNS}, {failed} AS failed, id FROM programme WHERE $1::timestamptz IS NOT NULL AND {' AND '.join(sql.words)}) AS programme"
        f" WHERE ({kept}) AND {sql.free} GROUP BY GROUPING SETS ((failed), {sets})",
        *sql.args,
    )
    total = sum(group.n for group in groups if group.facet < 0 and group.failed is None)
    facets: dict[str, dict[str, int]] = {name: {} for name in _FACETS}
    for group in groups:
        name = _FACETS[group.facet] if group.facet >= 0 else ""
        if name and group.failed in {None, name}:
            for value in group.values(name):
                facets[name][value] = facets[name].get(value, 0) + group.n
    return Counts(total, facets)


def month_number(month: str) -> int:
    """Return ``2027-01`` as 202701, the way programmes keep their months."""
    return int(month.replace("-", ""))


def month_range(month: str) -> tuple[datetime, datetime]:
    """Return the instants at which a month begins and ends in Leiden."""
    year, number = (int(part) for part in month.split("-"))
    following = date(year + number // 12, number % 12 + 1, 1)
    return clock.instant(date(year, number, 1), time()).astimezone(UTC), clock.instant(following, time()).astimezone(UTC)


def is_month(text: str) -> bool:
    """Tell whether a text is a month as ``2027-01``."""
    return _MONTH.fullmatch(text) is not None


async def count_bookings(*, now: datetime) -> None:
    """Set each programme's popularity to the seats taken in the past half year."""
    sql = """
        UPDATE programme SET popularity = found.n
        FROM (
            SELECT programme.id, count(seat.id)::int AS n
            FROM programme LEFT JOIN session ON programme_id = programme.id AND session.ends_at > $1
            LEFT JOIN seat ON session_id = session.id AND seat.state = 'taken' AND seat.taken_at > $1
            GROUP BY programme.id
        ) AS found
        WHERE programme.id = found.id AND popularity <> found.n
    """
    await db.execute(sql, now - _RECENT)
