"""Opening and closing enrolments, and who is in a session."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db, work
from marketplace.kit.errors import InvalidTransition
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class EnrolmentState(StrEnum):
    """The life of an enrolment. ``requested`` waits for the partner; the last two are final and free the seat."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


TRANSITIONS: dict[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.REQUESTED: frozenset({EnrolmentState.CONFIRMED, EnrolmentState.DECLINED, EnrolmentState.CANCELLED}),
    EnrolmentState.CONFIRMED: frozenset({EnrolmentState.CANCELLED}),
    EnrolmentState.DECLINED: frozenset(),
    EnrolmentState.CANCELLED: frozenset(),
}


class NewEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to enrol on a seat that is theirs. ``state`` is requested or, where nobody is asked, confirmed."""

    id: UUID
    session_id: UUID
    seat_id: UUID
    person_id: UUID
    company_id: UUID
    partner_id: UUID
    state: EnrolmentState


async def open(new: Sequence[NewEnrolment], *, now: datetime) -> None:  # noqa: A001 - the business's own verb
    """Enrol people, in the caller's transaction; those whose seat is certain are invited by mail."""
    columns = ("id", "session_id", "seat_id", "person_id", "company_id", "partner_id", "state", "created_at", "state_at")
    rows = [(one.id, one.session_id, one.seat_id, one.person_id, one.company_id, one.partner_id, one.state.value, now, now) for one in new]
    marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await db.soon_many(f"INSERT INTO enrolment ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - constants
    await _invite([one.id for one in new if one.state is EnrolmentState.CONFIRMED], now=now)


async def confirm(enrolment_id: UUID, *, now: datetime) -> None:
    """Say that the partner takes this person, who is invited by mail. Raises ``InvalidTransition``."""
    await _move(enrolment_id, EnrolmentState.CONFIRMED, now=now)
    await _invite([enrolment_id], now=now)


async def _invite(enrolment_ids: Sequence[UUID], *, now: datetime) -> None:
    if enrolment_ids:
        key = f"invite:{enrolment_ids[0]}"
        await work.later("enrolments.invite", {"enrolment_ids": list(enrolment_ids)}, run_at=now, dedupe_key=key)


async def decline(enrolment_id: UUID, *, now: datetime) -> None:
    """Say that the partner does not take this person; the caller frees the seat. Raises ``InvalidTransition``."""
    await _move(enrolment_id, EnrolmentState.DECLINED, now=now)


async def hand_over(enrolment_id: UUID, person_id: UUID, *, now: datetime) -> None:
    """Let somebody else take part in this person's place; both are told if the seat is certain. Raises ``InvalidTransition``.

    The caller hands the seat over.
    """
    before = await db.row(_Holder, "SELECT state, person_id FROM enrolment WHERE id = $1 FOR UPDATE", enrolment_id)
    if before is None or before.state not in {EnrolmentState.REQUESTED, EnrolmentState.CONFIRMED}:
        raise InvalidTransition("invalid_transition", _("This enrolment has been decided already."))
    await db.execute("UPDATE enrolment SET person_id = $2, state_at = $3 WHERE id = $1", enrolment_id, person_id, now)
    if before.state is EnrolmentState.CONFIRMED:
        gone = {"enrolment_id": enrolment_id, "person_id": before.person_id}
        key = f"{enrolment_id}:{person_id}:{now.isoformat()}"
        await work.later("enrolments.tell_cancelled", gone, run_at=now, dedupe_key=f"handed-over:{key}")
        await work.later("enrolments.invite", {"enrolment_ids": [enrolment_id]}, run_at=now, dedupe_key=f"invite:{key}")


class _Holder(msgspec.Struct, frozen=True):
    state: EnrolmentState
    person_id: UUID


async def close(enrolment_id: UUID, *, now: datetime) -> None:
    """Say that the person no longer takes part; the caller frees the seat. Who was invited is told. Raises ``InvalidTransition``."""
    before = await db.value("SELECT state FROM enrolment WHERE id = $1", enrolment_id)
    await _move(enrolment_id, EnrolmentState.CANCELLED, now=now)
    if before == EnrolmentState.CONFIRMED:
        await work.later("enrolments.tell_cancelled", {"enrolment_id": enrolment_id}, run_at=now, dedupe_key=f"cancelled:{enrolment_id}")


async def _move(enrolment_id: UUID, to: EnrolmentState, *, now: datetime) -> None:
    sources = [state.value for state, nexts in TRANSITIONS.items() if to in nexts]
    sql = "UPDATE enrolment SET state = $2, state_at = $3 WHERE id = $1 AND state = ANY($4)"
    if await db.execute(sql, enrolment_id, to.value, now, sources) == 1:
        return
    if await db.value("SELECT state FROM enrolment WHERE id = $1", enrolment_id) == to.value:
        return
    raise InvalidTransition("invalid_transition", _("This enrolment has been decided already."))
