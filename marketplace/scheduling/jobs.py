"""The work of scheduling: order at the time, then tell HR what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.kit import db, identity, mail, work
from marketplace.kit.i18n import use_locale
from marketplace.kit.identity import SYSTEM
from marketplace.people import members
from marketplace.scheduling import read
from marketplace.scheduling.run import run
from marketplace.scheduling.schedule import PlanState

if TYPE_CHECKING:
    from datetime import datetime


@work.handler("scheduling.run")
async def run_due(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Order one scheduled enrolment whose time has come."""
    await run(UUID(payload["plan_id"]), int(payload["version"]), now=now)


@work.handler("scheduling.tell")
async def tell(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Mail what became of it to whoever made the plan; to the owners once that is no longer a member."""
    plan_id = UUID(payload["plan_id"])
    plan = await read.get(plan_id, actor=SYSTEM)
    if plan.state not in {PlanState.PLACED, PlanState.NEEDS_ATTENTION}:
        return
    language = str(await db.value("SELECT language FROM company WHERE id = $1", plan.company_id))
    for reader in await members.to_tell(plan.created_by, company_id=plan.company_id):
        await _mail(plan_id, reader, reader.locale or language, dedupe_key=f"told:{item.id}:{reader.id}", now=now)


async def _mail(plan_id: UUID, reader: identity.AccountRow, locale: str, *, dedupe_key: str, now: datetime) -> None:
    with use_locale(locale):
        plan = await read.get(plan_id, actor=SYSTEM)
    await mail.send(
        template=f"scheduling/{plan.state}",
        to=reader.email,
        locale=locale,
        context={"plan": plan, "name": reader.name},
        now=now,
        dedupe_key=dedupe_key,
    )
