"""Asking a partner, and its answer: accepted, declined with a reason, or silence until the deadline (RULES §9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from marketplace.kit import audit, calendar, clock, db, ids, work
from marketplace.kit.errors import Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.identity import SYSTEM, Actor, Permission, require
from marketplace.orders import decide

WORKING_DAYS = 2
REMIND_AT = 0.5
TELL_ECL_AT = 0.8


class AcceptanceState(StrEnum):
    """``expired`` is a decline by silence; ``withdrawn``: the buyer cancelled before the partner answered."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[AcceptanceState, frozenset[AcceptanceState]] = {
    AcceptanceState.WAITING: frozenset(
        {AcceptanceState.ACCEPTED, AcceptanceState.DECLINED, AcceptanceState.EXPIRED, AcceptanceState.WITHDRAWN}
    ),
    AcceptanceState.ACCEPTED: frozenset(),
    AcceptanceState.DECLINED: frozenset(),
    AcceptanceState.EXPIRED: frozenset(),
    AcceptanceState.WITHDRAWN: frozenset(),
}


class Locked(msgspec.Struct, frozen=True):
    """A question to a partner, locked until the transaction ends."""

    id: UUID
    order_line_id: UUID
    partner_id: UUID
    state: AcceptanceState
    decide_by_at: datetime


def deadline(asked_at: datetime) -> datetime:
    """Return the instant by which the partner must answer: two working days later, at the same time on the wall."""
    wall = clock.local(asked_at)
    return clock.instant(calendar.add_working_days(wall.date(), WORKING_DAYS), wall.time())


async def ask(order_line_id: UUID, *, now: datetime) -> UUID | None:
    """Ask the partner of an order line, and queue the reminder, the word to ECL and the end. Asking again does nothing."""
    decide_by = deadline(now)
    async with db.atomic():
        made = await db.value(
            "INSERT INTO acceptance (id, order_line_id, partner_id, state, asked_at, decide_by_at)"
            " SELECT $1, id, partner_id, 'waiting', $3, $4 FROM order_line WHERE id = $2 AND state = 'awaiting_partner'"
            " ON CONFLICT (order_line_id) DO NOTHING RETURNING id",
            ids.new_id(), order_line_id, now, decide_by,
        )  # fmt: skip
        if made is None:
            return None
        acceptance_id = UUID(str(made))
        whole = decide_by - now
        steps: tuple[tuple[str, timedelta], ...] = (
            ("tell_partner", timedelta()),
            ("remind", whole * REMIND_AT),
            ("tell_ecl", whole * TELL_ECL_AT),
            ("expire", whole),
        )
        for kind, after in steps:
            await work.enqueue(
                f"fulfilment.{kind}", {"acceptance_id": acceptance_id}, run_at=now + after, now=now, dedupe_key=f"{kind}:{acceptance_id}"
            )
    return acceptance_id


async def accept(acceptance_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take the person; the order is confirmed when all of its lines are decided. Accepting twice is fine.

    Raises ``NotFound`` for another partner's question, ``InvalidTransition`` when it was declined already.
    """
    require(actor, Permission.DECIDE_ACCEPTANCES)
    async with db.atomic():
        asked = await _locked(acceptance_id, actor=actor)
        if asked.state is AcceptanceState.ACCEPTED:
            return
        await _decide(asked, AcceptanceState.ACCEPTED, reason=None, actor=actor, now=now)
        await decide.accept_line(asked.order_line_id, actor=actor, now=now)


async def decline(acceptance_id: UUID, *, reason: str, actor: Actor, now: datetime) -> None:
    """Don't take the person; HR is told with the reason. Raises ``Invalid`` without one; else as ``accept``."""
    require(actor, Permission.DECIDE_ACCEPTANCES)
    if not reason.strip():
        sentence = _("Say why in a few words: HR reads it.")
        raise Invalid("reason_missing", sentence, fields={"reason": sentence})
    async with db.atomic():
        asked = await _locked(acceptance_id, actor=actor)
        if asked.state is AcceptanceState.DECLINED:
            return
        await _decide(asked, AcceptanceState.DECLINED, reason=reason.strip(), actor=actor, now=now)
        await decide.decline_line(asked.order_line_id, reason=reason.strip(), actor=actor, now=now)


async def expire(acceptance_id: UUID, *, now: datetime) -> None:
    """Decline by silence, once the deadline has passed; does nothing to a question that was answered."""
    async with db.atomic():
        asked = await _locked(acceptance_id, actor=SYSTEM)
        if asked.state is not AcceptanceState.WAITING or now < asked.decide_by_at:
            return
        await _decide(asked, AcceptanceState.EXPIRED, reason=None, actor=SYSTEM, now=now)
        sql = "SELECT c.language FROM order_line l JOIN company c ON c.id = l.company_id WHERE l.id = $1"
        with use_locale(str(await db.value(sql, asked.order_line_id))):
            reason = _("No answer within two working days.")
        await decide.decline_line(asked.order_line_id, reason=reason, actor=SYSTEM, now=now)


async def withdraw(order_line_id: UUID, *, now: datetime) -> bool:
    """Take back the question about a line that was cancelled; return whether the partner had still to answer it."""
    async with db.atomic():
        acceptance_id = await db.value("SELECT id FROM acceptance WHERE order_line_id = $1", order_line_id)
        if acceptance_id is None:
            return False
        asked = await _locked(UUID(str(acceptance_id)), actor=SYSTEM)
        if asked.state is not AcceptanceState.WAITING:
            return False
        await _decide(asked, AcceptanceState.WITHDRAWN, reason=None, actor=SYSTEM, now=now)
    return True


async def _locked(acceptance_id: UUID, *, actor: Actor) -> Locked:
    """Lock in the order that everything follows: session, order, then this row."""
    mine = None if actor.kind == "system" else actor.partner_id
    sql = (
        "SELECT id, order_line_id, partner_id, state, decide_by_at FROM acceptance WHERE id = $1 AND ($2::uuid IS NULL OR partner_id = $2)"
    )
    seen = await db.row(Locked, sql, acceptance_id, mine) if actor.kind == "system" or mine else None
    if seen is None:
        raise NotFound("not_found", _("There is no such question."), next_step=_("Look at your list."))
    await db.execute(
        "SELECT FROM session WHERE id = (SELECT session_id FROM order_line WHERE id = $1) FOR NO KEY UPDATE", seen.order_line_id
    )
    await db.execute("SELECT FROM placed_order WHERE id = (SELECT order_id FROM order_line WHERE id = $1) FOR UPDATE", seen.order_line_id)
    locked = await db.row(Locked, f"{sql} FOR UPDATE", acceptance_id, mine)
    assert locked is not None
    return locked


async def _decide(asked: Locked, to: AcceptanceState, *, reason: str | None, actor: Actor, now: datetime) -> None:
    sql = "UPDATE acceptance SET state = $2, reason = $3, decided_at = $4, decided_by = $5 WHERE id = $1 AND state = 'waiting'"
    if await db.execute(sql, asked.id, to.value, reason, now, actor.account_id) == 0:
        raise InvalidTransition(
            "already_decided",
            _("This has been answered already."),
            next_step=_("Call Expat Centre Leiden if plans have changed."),
        )
    await audit.record(f"acceptance.{to}", actor=actor, subject=("acceptance", asked.id), data={"order_line": asked.order_line_id}, now=now)
