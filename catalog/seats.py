"""Seats: the one place where a place in a session is taken, held, confirmed or given back. No overselling, ever.

``session.live`` counts the seat rows that are held or taken, and is raised by one conditional UPDATE that also checks
that the session is open; the CHECK ``session_never_oversold`` has the last word. Sessions are always locked in id order,
before their seats. A hold that has expired still counts in ``live`` until somebody needs the place: then it is released
on the spot, so it doesn't matter whether a sweeper ran.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import msgspec

from catalog.words import SeatState
from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence


class SeatWish(msgspec.Struct, frozen=True):
    """A person whom a company wants in a session; without a person, a place whose name follows later."""

    session_id: UUID
    person_id: UUID | None
    company_id: UUID


class TakenSeat(msgspec.Struct, frozen=True):
    """A seat that is now held or taken."""

    id: UUID
    session_id: UUID
    person_id: UUID | None
    company_id: UUID
    state: SeatState


_PLACE = """
    WITH room AS (
        UPDATE session SET live = live + $2
        FROM programme
        WHERE session.id = $1 AND programme.id = session.programme_id AND programme.state = 'published' AND session.published
            AND session.state IN ('planned', 'confirmed') AND session.order_until > $7 AND live + $2 <= capacity
            AND NOT EXISTS (SELECT FROM seat WHERE seat.session_id = $1 AND seat.person_id = ANY ($4::uuid[]) AND seat.state IN ('held', 'taken'))
        RETURNING session.id
    )
    INSERT INTO seat (id, session_id, person_id, company_id, state, held_until, created_at, taken_at)
    SELECT wish.id, room.id, wish.person_id, wish.company_id, $6, $8, $7, CASE WHEN $6 = 'taken' THEN $7 END
    FROM room, unnest($3::uuid[], $4::uuid[], $5::uuid[]) AS wish (id, person_id, company_id)
"""
_EXPIRE = """
    WITH gone AS (
        UPDATE seat SET state = 'released', released_at = $2
        WHERE session_id = $1 AND state = 'held' AND held_until <= $2
        RETURNING id
    ), freed AS (SELECT count(*)::int AS n FROM gone)
    UPDATE session SET live = live - n, seat_limit = greatest(capacity, live - n) FROM freed WHERE session.id = $1 AND n > 0
"""


async def take(wishes: Sequence[SeatWish], *, now: datetime) -> list[TakenSeat]:
    """Take a seat for every wish, or none at all; the answer is in the order of the wishes.

    Within a caller's transaction a refusal must end that transaction, or the caller's own ``atomic()`` around this.
    Raises ``Conflict``: ``full``, ``already_enrolled``, ``closed`` or ``duplicate_person``; ``fields`` then has the ids
    of the sessions or persons concerned.
    """
    return await _place(wishes, state=SeatState.TAKEN, until=None, now=now)


async def hold(wishes: Sequence[SeatWish], *, until: datetime, now: datetime) -> list[TakenSeat]:
    """Keep a seat for every wish until an instant, or none at all. Raises as ``take``."""
    return await _place(wishes, state=SeatState.HELD, until=until, now=now)


async def _place(wishes: Sequence[SeatWish], *, state: SeatState, until: datetime | None, now: datetime) -> list[TakenSeat]:
    _refuse_duplicates(wishes)
    seats = [TakenSeat(ids.new_id(), wish.session_id, wish.person_id, wish.company_id, state) for wish in wishes]
    by_session: dict[UUID, list[TakenSeat]] = defaultdict(list)
    for seat in seats:
        by_session[seat.session_id].append(seat)
    async with db.joined():
        for session_id in sorted(by_session):
            await _place_in(session_id, by_session[session_id], until=until, now=now)
    return seats


async def _place_in(session_id: UUID, seats: list[TakenSeat], *, until: datetime | None, now: datetime) -> None:
    if await _try(session_id, seats, until=until, now=now):
        return
    await db.execute("SELECT FROM session WHERE id = $1 FOR UPDATE", session_id)
    if await db.execute(_EXPIRE, session_id, now) and await _try(session_id, seats, until=until, now=now):
        return
    await _refuse(session_id, seats, now=now)


async def _try(session_id: UUID, seats: list[TakenSeat], *, until: datetime | None, now: datetime) -> bool:
    """Place them all in one statement; False when the session does not have them all."""
    try:
        placed = await db.execute(
            _PLACE, session_id, len(seats), [seat.id for seat in seats], [seat.person_id for seat in seats],
            [seat.company_id for seat in seats], seats[0].state.value, now, until,
        )  # fmt: skip
    except Exception as error:
        if db.violated(error) == "seat_one_live":
            raise _already(session_id, [seat.person_id for seat in seats if seat.person_id]) from error
        raise
    return placed == len(seats)


def _refuse_duplicates(wishes: Sequence[SeatWish]) -> None:
    seen: set[tuple[UUID, UUID]] = set()
    for wish in wishes:
        if wish.person_id is None:
            continue
        if (wish.session_id, wish.person_id) in seen:
            raise Conflict(
                "duplicate_person",
                _("One person is on this order twice for the same dates."),
                next_step=_("Take one of the two out, or choose other dates for it."),
                fields={str(wish.person_id): _("Twice on the same dates.")},
            )
        seen.add((wish.session_id, wish.person_id))


def _already(session_id: UUID, person_ids: Sequence[UUID]) -> Conflict:
    return Conflict(
        "already_enrolled",
        _("This person already has a seat on these dates."),
        next_step=_("Take them out of this order, or choose other dates."),
        fields={"session_id": str(session_id), **{str(person): _("Already has a seat.") for person in person_ids}},
    )


class _Standing(msgspec.Struct, frozen=True):
    code: str
    open: bool
    free: int


async def _refuse(session_id: UUID, seats: list[TakenSeat], *, now: datetime) -> NoReturn:
    """Say why, under the session's lock: closed, already enrolled, or full."""
    standing = await db.row(
        _Standing,
        "SELECT session.code, greatest(capacity - live, 0) AS free, programme.state = 'published' AND session.published"
        " AND session.state IN ('planned', 'confirmed') AND order_until > $2 AS open"
        " FROM session JOIN programme ON programme.id = programme_id WHERE session.id = $1",
        session_id, now,
    )  # fmt: skip
    if standing is None or not standing.open:
        raise Conflict(
            "closed",
            _("These dates can no longer be ordered."),
            next_step=_("Choose other dates of this programme."),
            fields={"session_id": str(session_id)},
        )
    asked = [seat.person_id for seat in seats if seat.person_id]
    sql = "SELECT coalesce(array_agg(person_id), '{}') FROM seat WHERE session_id = $1 AND person_id = ANY ($2) AND state IN ('held', 'taken')"
    already = await db.value(sql, session_id, asked)
    if already:
        raise _already(session_id, already)
    message = (
        _("The last seat went to someone else.")
        if standing.free == 0
        else _("There are {free} seats left, and you asked for {asked}.", free=standing.free, asked=len(seats))
    )
    raise Conflict(
        "full",
        message,
        next_step=_("Choose other dates, or put people on a date for later."),
        fields={"session_id": str(session_id), "free": str(standing.free)},
    )


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    session_id: UUID
    person_id: UUID | None
    company_id: UUID
    state: SeatState
    held_until: datetime | None
    taken_at: datetime | None


async def _locked(seat_ids: Sequence[UUID]) -> dict[UUID, _Row]:
    """Lock the seats' sessions in id order, then the seats, and return them."""
    await db.execute(
        "SELECT FROM session WHERE id IN (SELECT session_id FROM seat WHERE id = ANY ($1)) ORDER BY id FOR NO KEY UPDATE",
        list(seat_ids),
    )
    sql = "SELECT id, session_id, person_id, company_id, state, held_until, taken_at FROM seat WHERE id = ANY ($1) ORDER BY id FOR UPDATE"
    return {row.id: row for row in await db.rows(_Row, sql, list(seat_ids))}


async def confirm(seat_ids: Sequence[UUID], *, now: datetime) -> list[TakenSeat]:
    """Turn holds into taken seats, all or none; seats that are taken already stay so.

    A hold that has expired is taken again if there is still a place (the seat then has a new id). Raises ``Conflict`` as
    ``take``; ``released`` for a seat that was given back on purpose.
    """
    async with db.atomic():
        rows = await _locked(seat_ids)
        missing = [seat_id for seat_id in seat_ids if seat_id not in rows or _given_back(rows[seat_id])]
        if missing:
            raise Conflict("released", _("This seat was given back."), next_step=_("Choose the dates again."))
        lost = [row for row in rows.values() if row.state is not SeatState.TAKEN and (row.held_until or now) <= now]
        await _let_go([row.id for row in lost if row.state is SeatState.HELD], now=now)
        again = await take([SeatWish(row.session_id, row.person_id, row.company_id) for row in lost], now=now)
        await db.execute(
            "UPDATE seat SET state = 'taken', taken_at = $2, held_until = NULL WHERE id = ANY ($1) AND state = 'held'", list(seat_ids), now
        )
    instead = {row.id: seat for row, seat in zip(lost, again, strict=True)}
    return [instead.get(seat_id) or _taken(rows[seat_id]) for seat_id in seat_ids]


def _given_back(row: _Row) -> bool:
    return row.state is SeatState.RELEASED and (row.taken_at is not None or row.held_until is None)


def _taken(row: _Row) -> TakenSeat:
    return TakenSeat(row.id, row.session_id, row.person_id, row.company_id, SeatState.TAKEN)


async def hand_over(seat_id: UUID, person_id: UUID, *, now: datetime) -> None:
    """Give a taken seat to somebody else, who must have none in that session; how many are taken stays the same.

    The session is locked. Raises ``Conflict`` ``released`` or ``already_enrolled``; the caller has checked who may.
    """
    async with db.atomic():
        row = (await _locked([seat_id])).get(seat_id)
        if row is None or row.state is not SeatState.TAKEN:
            raise Conflict("released", _("This seat was given back."), next_step=_("Choose the dates again."))
        await db.execute(_EXPIRE, row.session_id, now)
        sql = "SELECT 1 FROM seat WHERE session_id = $1 AND person_id = $2 AND state IN ('held', 'taken')"
        if await db.value(sql, row.session_id, person_id) is not None:
            raise _already(row.session_id, [person_id])
        await db.execute("UPDATE seat SET person_id = $2 WHERE id = $1", seat_id, person_id)


async def release(seat_ids: Sequence[UUID], *, now: datetime) -> int:
    """Give seats back and return how many were live; a hold that a sweeper released before counts as given back, too."""
    if not seat_ids:
        return 0
    async with db.atomic():
        await _locked(seat_ids)
        freed = await _let_go(seat_ids, now=now, on_purpose=True)
        await db.execute(
            "UPDATE seat SET held_until = NULL WHERE id = ANY ($1) AND state = 'released' AND held_until IS NOT NULL", list(seat_ids)
        )
    return freed


async def _let_go(seat_ids: Sequence[UUID], *, now: datetime, on_purpose: bool = False) -> int:
    """Release live seats whose sessions the caller has locked, and count them off."""
    if not seat_ids:
        return 0
    sql = """
        WITH gone AS (
            UPDATE seat SET state = 'released', released_at = $2, held_until = CASE WHEN $3 THEN NULL ELSE held_until END
            WHERE id = ANY ($1) AND state IN ('held', 'taken')
            RETURNING session_id
        ), freed AS (
            SELECT session_id, count(*)::int AS n FROM gone GROUP BY session_id
        ), counted AS (
            UPDATE session SET live = live - n, seat_limit = greatest(capacity, live - n) FROM freed WHERE session.id = session_id
        )
        SELECT coalesce(sum(n), 0)::int FROM freed
    """
    return int(await db.value(sql, list(seat_ids), now, on_purpose))


async def expire(*, now: datetime, limit: int = 500) -> int:
    """Release expired holds, session by session in id order, and return how many sessions had any."""
    sql = "SELECT DISTINCT session_id FROM seat WHERE state = 'held' AND held_until <= $1 ORDER BY session_id LIMIT $2"
    async with db.atomic():
        due = [row["session_id"] for row in await db.records(sql, now, limit)]
        await db.execute("SELECT FROM session WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", due)
        for session_id in due:
            await db.execute(_EXPIRE, session_id, now)
    return len(due)
