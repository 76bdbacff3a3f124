"""What ECL does with sessions: plan, edit, publish, withdraw, cancel. Every change is audited.

Lessons can be planned anew while nobody has a seat. Moving a session that people are in is not here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import lessons, programmes, seats, sessions
from catalog.words import Language, SessionState
from marketplace.kit import audit, calendar, clock, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.identity import Actor

_DECISION_DAYS = -10
_REASON_LENGTH = 300


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL fills in about a session.

    Blank: the programme's price and venue, a code of our making, ordering until the start, and a decision ten working
    days before it.
    """

    programme_id: UUID
    capacity: int
    language: Language = Language.NL
    minimum: int = 0
    code: str = ""
    place: str = ""
    room: str = ""
    online_url: str = ""
    price_cents: int | None = None
    decision_at: datetime | None = None
    order_until: datetime | None = None


async def create(
    facts: SessionFacts,
    *,
    timetable: lessons.LessonPlan | Sequence[lessons.PlannedLesson],
    actor: Actor,
    now: datetime,
    publish_now: bool = False,
) -> UUID:
    """Add a session with its lessons and return its id; buyers see it once it is published.

    Raises ``Invalid``, ``Conflict`` ``code_in_use``, ``NotFound`` for the programme.
    """
    require(actor, Permission.MANAGE_CATALOGUE)
    planned = _planned(timetable)
    programme = await programmes.get(facts.programme_id)
    times = _times(facts, planned)
    check(facts)
    made = ids.new_id()
    async with db.atomic():
        code = facts.code or await _free_code(programme.code, planned[0])
        sql = """
            INSERT INTO session (id, programme_id, code, place, room, online_url, language, price_cents, capacity, seat_limit, minimum,
                decision_at, starts_at, ends_at, order_until, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14, $15, $15) ON CONFLICT (code) DO NOTHING
        """
        done = await db.execute(
            sql, made, facts.programme_id, code, facts.place, facts.room, facts.online_url, facts.language.value, facts.price_cents,
            facts.capacity, facts.minimum, times.decision_at, planned[0].starts_at, planned[-1].ends_at, times.order_until, now,
        )  # fmt: skip
        if done == 0:
            raise _code_in_use()
        await _write_lessons(made, planned)
        await audit.record(
            "session.created", actor=actor, subject=("session", made), data={"programme_id": str(facts.programme_id)}, now=now
        )
        if publish_now:
            await publish(made, actor=actor, now=now)
    return made


async def edit(
    session_id: UUID,
    facts: SessionFacts,
    *,
    timetable: lessons.LessonPlan | Sequence[lessons.PlannedLesson] | None = None,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> None:
    """Change a session, and its lessons when a timetable is given. A capacity below what is taken shows as overbooked.

    Raises ``Conflict`` ``has_enrolments`` for other lesson times while seats are taken, ``changed_meanwhile``,
    ``code_in_use``; ``Invalid``; ``InvalidTransition`` when it was cancelled or is over.
    """
    require(actor, Permission.MANAGE_CATALOGUE)
    check(facts)
    async with db.atomic():
        before = await _locked(session_id, now=now)
        if version is not None and version != before.version:
            raise Conflict(
                "changed_meanwhile",
                _("Someone else saved these dates while you were editing them."),
                next_step=_("Open them again, and make your changes there."),
            )
        present = (await sessions.lessons_of([session_id]))[session_id]
        planned = _planned(timetable) if timetable is not None else [_again(each) for each in present]
        moved = [(each.starts_at, each.ends_at) for each in planned] != [(each.starts_at, each.ends_at) for each in present]
        if moved and before.taken + before.held:
            raise Conflict(
                "has_enrolments",
                _("People have seats on these dates, so the lessons can't be moved here."),
                next_step=_("Plan new dates beside them."),
            )
        times = _times(facts, planned)
        sql = """
            UPDATE session SET code = coalesce(nullif($2, ''), code), place = $3, room = $4, online_url = $5, language = $6, price_cents = $7,
                capacity = $8, seat_limit = greatest($8, live), minimum = $9, decision_at = $10, starts_at = $11, ends_at = $12,
                order_until = $13, updated_at = $14, version = version + 1
            WHERE id = $1
        """
        if facts.code and await db.value("SELECT 1 FROM session WHERE code = $1 AND id <> $2", facts.code, session_id):
            raise _code_in_use()
        await db.execute(
            sql, session_id, facts.code, facts.place, facts.room, facts.online_url, facts.language.value, facts.price_cents, facts.capacity,
            facts.minimum, times.decision_at, planned[0].starts_at, planned[-1].ends_at, times.order_until, now,
        )  # fmt: skip
        if moved:
            await db.execute("DELETE FROM lesson WHERE session_id = $1", session_id)
            await _write_lessons(session_id, planned)
        await refresh([before.programme_id], now=now)
        if moved:
            key = f"session_moved:{session_id}:{before.version + 1}"
            await work.enqueue("orders.session_moved", {"session_id": session_id}, run_at=now, dedupe_key=key)
        data = {"capacity": facts.capacity, "lessons_moved": moved}
        await audit.record("session.updated", actor=actor, subject=("session", session_id), data=data, now=now)


def check(facts: SessionFacts) -> None:
    """Raise ``Invalid`` with a sentence per field when the facts contradict each other."""
    wrong: dict[str, str] = {}
    if facts.capacity < 1:
        wrong["capacity"] = _("Give at least one seat.")
    if not 0 <= facts.minimum <= max(facts.capacity, 1):
        wrong["minimum"] = _("The minimum can't be above the number of seats.")
    if facts.price_cents is not None and facts.price_cents < 0:
        wrong["price_cents"] = _("Give a price of zero or more.")
    if wrong:
        raise Invalid("invalid", next(iter(wrong.values())), fields=wrong)


async def publish(session_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Show a session to buyers. Raises ``Invalid`` when it has begun."""
    require(actor, Permission.MANAGE_CATALOGUE)
    async with db.atomic():
        before = await _locked(session_id, now=now)
        if before.starts_at <= now:
            raise Invalid("already_started", _("These dates have begun. Plan new ones."))
        if not before.published:
            await db.execute("UPDATE session SET published = true, updated_at = $2, version = version + 1 WHERE id = $1", session_id, now)
            await refresh([before.programme_id], now=now)
            await audit.record("session.published", actor=actor, subject=("session", session_id), now=now)


async def withdraw(session_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a session off sale. Raises ``Conflict`` ``has_enrolments`` while somebody has a seat."""
    require(actor, Permission.MANAGE_CATALOGUE)
    async with db.atomic():
        before = await _locked(session_id, now=now)
        _nobody_inside(before)
        if before.published:
            await db.execute("UPDATE session SET published = false, updated_at = $2, version = version + 1 WHERE id = $1", session_id, now)
            await refresh([before.programme_id], now=now)
            await audit.record("session.withdrawn", actor=actor, subject=("session", session_id), now=now)


async def confirm(session_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Say that a planned session goes ahead. Raises ``InvalidTransition``."""
    require(actor, Permission.MANAGE_CATALOGUE)
    async with db.atomic():
        before = await _locked(session_id, now=now)
        if before.state is SessionState.PLANNED:
            await _set_state(session_id, SessionState.CONFIRMED, now=now)
            await audit.record("session.confirmed", actor=actor, subject=("session", session_id), now=now)


async def cancel(session_id: UUID, *, reason: str = "", actor: Actor, now: datetime) -> None:
    """Call off a session. Where people have seats a reason is needed: whoever ordered reads it, and gets everything back.

    Seats that are only held are freed at once; what was ordered is taken back by a work row, order by order.
    Raises ``Invalid`` ``reason_missing``, ``InvalidTransition``.
    """
    require(actor, Permission.MANAGE_CATALOGUE)
    async with db.atomic():
        await db.execute("SELECT FROM session WHERE id = $1 FOR NO KEY UPDATE", session_id)
        before = await sessions.get(session_id, now=now)
        if before.state is SessionState.CANCELLED:
            return
        _changeable(before)
        why = " ".join(reason.split())[:_REASON_LENGTH]
        if before.taken and not why:
            sentence = _("Say why: the companies read it.")
            raise Invalid("reason_missing", sentence, fields={"reason": sentence})
        await _set_state(session_id, SessionState.CANCELLED, now=now)
        held = await db.records("SELECT id FROM seat WHERE session_id = $1 AND state = 'held' ORDER BY id", session_id)
        await seats.release([row["id"] for row in held], now=now)
        await refresh([before.programme_id], now=now)
        data = {"seats": before.taken}
        await audit.record("session.cancelled", actor=actor, subject=("session", session_id), data=data, now=now)
        payload = {"session_id": session_id, "reason": why, "by": actor.account_id}
        await work.enqueue("orders.session_cancelled", payload, run_at=now, dedupe_key=f"session_cancelled:{session_id}")


async def finish_past(*, now: datetime) -> int:
    """Mark sessions whose last lesson is over as done, and return how many."""
    sql = "UPDATE session SET state = 'done', updated_at = $1 WHERE ends_at <= $1 AND state IN ('planned', 'confirmed') AND published"
    async with db.atomic():
        return await db.execute(sql, now)


async def refresh(programme_ids: Sequence[UUID] | None, *, now: datetime) -> None:
    """Bring the months and times of day that programmes are searched by up to date; None does all of them."""
    sql = """
        UPDATE programme SET months = found.months, whens = found.whens
        FROM (
            SELECT programme.id,
                coalesce(array_agg(DISTINCT (extract(year FROM wall.at) * 100 + extract(month FROM wall.at))::int)
                    FILTER (WHERE wall.at IS NOT NULL), '{}') AS months,
                coalesce(array_agg(DISTINCT CASE WHEN extract(isodow FROM wall.at) > 5 THEN 'weekend'
                    WHEN wall.at::time >= '17:00' THEN 'evening' ELSE 'working_hours' END) FILTER (WHERE wall.at IS NOT NULL), '{}') AS whens
            FROM programme
            LEFT JOIN session ON programme_id = programme.id AND published AND session.state IN ('planned', 'confirmed') AND starts_at > $1
            LEFT JOIN LATERAL (SELECT session.starts_at AT TIME ZONE 'Europe/Amsterdam' AS at) AS wall ON true
            WHERE $2::uuid[] IS NULL OR programme.id = ANY ($2)
            GROUP BY programme.id
        ) AS found
        WHERE programme.id = found.id AND (programme.months, programme.whens) IS DISTINCT FROM (found.months, found.whens)
    """
    await db.execute(sql, now, None if programme_ids is None else list(programme_ids))


def facts_of(session: sessions.Session) -> SessionFacts:
    """Return the facts of a session as it is, to change some of them."""
    return SessionFacts(
        programme_id=session.programme_id,
        capacity=session.capacity,
        language=session.language,
        minimum=session.minimum,
        code=session.code,
        place=session.own_place,
        room=session.room,
        online_url=session.online_url,
        price_cents=session.own_price_cents,
        decision_at=session.decision_at,
        order_until=session.order_until,
    )


class _Times(msgspec.Struct, frozen=True):
    decision_at: datetime
    order_until: datetime


def _times(facts: SessionFacts, planned: Sequence[lessons.PlannedLesson]) -> _Times:
    first = planned[0]
    order_until = facts.order_until or first.starts_at
    if order_until > planned[-1].ends_at:
        sentence = _("Orders must close before the last lesson ends.")
        raise Invalid("invalid", sentence, fields={"order_until": sentence})
    decision = facts.decision_at or clock.instant(calendar.add_working_days(first.held_on, _DECISION_DAYS), first.starts_local)
    return _Times(min(decision, first.starts_at), order_until)


def _planned(timetable: lessons.LessonPlan | Sequence[lessons.PlannedLesson]) -> list[lessons.PlannedLesson]:
    found = (
        list(lessons.plan(timetable).lessons)
        if isinstance(timetable, lessons.LessonPlan)
        else sorted(timetable, key=lambda each: each.starts_at)
    )
    if not found:
        raise Invalid("no_lessons", _("Give at least one lesson."))
    return found


def _again(lesson: sessions.Lesson) -> lessons.PlannedLesson:
    return lessons.PlannedLesson(lesson.held_on, lesson.starts_at, lesson.ends_at, lesson.starts_local, lesson.ends_local)


async def _write_lessons(session_id: UUID, planned: Sequence[lessons.PlannedLesson]) -> None:
    columns = ("id", "session_id", "number", "starts_at", "ends_at", "held_on", "starts_local", "ends_local", "zone")
    records = [
        (
            ids.new_id(),
            session_id,
            number,
            each.starts_at,
            each.ends_at,
            each.held_on,
            each.starts_local,
            each.ends_local,
            clock.AMSTERDAM.key,
        )
        for number, each in enumerate(planned, start=1)
    ]
    await db.copy_rows("lesson", columns, records)


async def _free_code(programme_code: str, first: lessons.PlannedLesson) -> str:
    stem = f"{programme_code}-{first.held_on:%y%m%d}"
    taken = {row["code"] for row in await db.records("SELECT code FROM session WHERE code = $1 OR code LIKE $1 || '-%'", stem)}
    return next(code for n in range(1, len(taken) + 2) if (code := stem if n == 1 else f"{stem}-{n}") not in taken)


async def _locked(session_id: UUID, *, now: datetime) -> sessions.Session:
    """Lock a session that is neither cancelled nor over and return it."""
    await db.execute("SELECT FROM session WHERE id = $1 FOR NO KEY UPDATE", session_id)
    return _changeable(await sessions.get(session_id, now=now))


def _changeable(session: sessions.Session) -> sessions.Session:
    if session.state in {SessionState.CANCELLED, SessionState.DONE}:
        raise InvalidTransition("invalid_transition", _("These dates were cancelled or are over."))
    return session


def _nobody_inside(session: sessions.Session) -> None:
    if session.taken + session.held:
        raise Conflict(
            "has_enrolments",
            _("{count} people have a seat on these dates.", count=session.taken + session.held),
            next_step=_("Cancel or move their orders first."),
        )


async def _set_state(session_id: UUID, state: SessionState, *, now: datetime) -> None:
    await db.execute("UPDATE session SET state = $2, updated_at = $3, version = version + 1 WHERE id = $1", session_id, state.value, now)


def _code_in_use() -> Conflict:
    sentence = _("Other dates have this code. Choose another one.")
    return Conflict("code_in_use", sentence, fields={"code": sentence})
