"""The work of scheduling: order at the time, then tell HR what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.kit import db, identity, mail, work
from marketplace.kit.i18n import use_locale
from marketplace.kit.identity import SYSTEM
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
    """Mail whoever made the plan what became of it."""
    plan_id = UUID(payload["plan_id"])
    plan = await read.get(plan_id, actor=SYSTEM)
    account = await identity.account(plan.created_by)
    if account is None or plan.state not in {PlanState.PLACED, PlanState.NEEDS_ATTENTION}:
        return
    locale = account.locale or str(await db.value("SELECT language FROM company WHERE id = $1", plan.company_id))
    with use_locale(locale):
        plan = await read.get(plan_id, actor=SYSTEM)
    template = f"scheduling/{plan.state}"
    await mail.send(
        template=template,
        to=account.email,
        locale=locale,
        context={"plan": plan, "name": account.name},
        now=now,
        dedupe_key=f"told:{item.id}",
    )
