"""The work of enrolments: inviting participants once their seat is certain, and telling them when it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.enrolments.invitations import call_off, invite
from marketplace.kit import work

if TYPE_CHECKING:
    from datetime import datetime


@work.handler("enrolments.invite")
async def invite_all(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Invite the participants of some enrolments."""
    for enrolment_id in payload["enrolment_ids"]:
        await invite(UUID(enrolment_id), now=now)


@work.handler("enrolments.tell_cancelled")
async def tell_cancelled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Tell a participant that they don't take part any more; with ``person_id``, because somebody else took their place."""
    person = payload.get("person_id")
    await call_off(UUID(payload["enrolment_id"]), replaced=UUID(person) if person else None, key=str(item.id), now=now)
