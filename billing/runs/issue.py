"""Issuing a run: a work row for each group, each of which becomes one invoice. Safe to repeat, to kill and to stop.

Lock order everywhere: the group, its charges, the series of numbers, the run last. A charge is on one invoice line,
whoever else wants it, because only an open charge can be invoiced and it is locked while that happens.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import charges, debtors, issuing, redecide
from billing.runs import collect, judging
from billing.runs.states import GroupState, RunState
from marketplace.kit import audit, db, work
from marketplace.kit.errors import Conflict, InvalidTransition
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.acceptance import Finding


async def issue(run_id: UUID, *, actor: Actor, now: datetime) -> int:
    """Issue what is ready in a run: every group goes to the worker. Return how many; asking again changes nothing.

    Raises ``InvalidTransition`` while it is put together and once it was stopped, ``Conflict`` ``nothing_ready``.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        sql = "UPDATE invoice_run_group SET state = 'queued', state_at = $2 WHERE run_id = $1 AND state = 'ready' RETURNING id, position"
        queued = sorted(await db.records(sql, run_id, now), key=lambda row: row["position"])
        run = await collect.get(run_id, lock=True)
        if run.state in {RunState.ISSUING, RunState.DONE}:
            return 0
        if run.state is not RunState.PREVIEW:
            raise _not_possible(run.state)
        if not queued:
            raise Conflict("nothing_ready", _("Nothing in this run can be issued."), next_step=_("Mend what is blocked, then look again."))
        await db.execute("UPDATE invoice_run SET state = 'issuing', issued_by = $2, issued_at = $3 WHERE id = $1", run_id, actor.name, now)
        for row in queued:
            await work.later("runs.issue_group", {"group": row["id"]}, run_at=now, dedupe_key=f"runs.issue_group:{row['id']}")
        await audit.record("invoice_run.issued", actor=actor, subject=("invoice_run", run_id), data={"groups": len(queued)}, now=now)
    return len(queued)


async def stop(run_id: UUID, *, actor: Actor, now: datetime) -> int:
    """Stop a run and return how many groups were not issued. What has a number stays; the rest waits for the next run.

    Stopping it twice is fine. Raises ``InvalidTransition`` when everything was issued.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        left = await _cancel_groups(run_id, now=now)
        run = await collect.get(run_id, lock=True)
        if run.state is RunState.CANCELLED:
            return 0
        if run.state is RunState.DONE:
            raise _not_possible(run.state)
        left += await _cancel_groups(run_id, now=now)  # a preview may have been finished while we waited for the run
        await db.execute("UPDATE invoice_run SET state = 'cancelled', ended_at = $2 WHERE id = $1", run_id, now)
        await audit.record("invoice_run.stopped", actor=actor, subject=("invoice_run", run_id), data={"groups": left}, now=now)
    return left


async def _cancel_groups(run_id: UUID, *, now: datetime) -> int:
    sql = "UPDATE invoice_run_group SET state = 'cancelled', state_at = $2 WHERE run_id = $1 AND state IN ('ready', 'blocked', 'queued')"
    return await db.execute(sql, run_id, now)


def _not_possible(state: RunState) -> InvalidTransition:
    sentences = {
        RunState.COLLECTING: _("This run is still being put together."),
        RunState.CANCELLED: _("This run was stopped."),
        RunState.DONE: _("Every invoice of this run has been issued."),
    }
    return InvalidTransition(
        "invalid_transition", sentences.get(state, _("That can't be done with this run.")), next_step=_("Make a new run.")
    )


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    run_id: UUID
    position: int
    debtor_id: UUID
    state: GroupState
    lines: int
    total_cents: int
    until_on: date


_LOCKED = """
    SELECT g.id, g.run_id, g.position, g.debtor_id, g.state, g.lines, g.total_cents, r.until_on
    FROM invoice_run_group g JOIN invoice_run r ON r.id = g.run_id WHERE g.id = $1 FOR UPDATE OF g
"""


@work.handler("runs.issue_group")
async def issue_later(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Issue one group of a run."""
    await issue_group(UUID(payload["group"]), now=now)


async def issue_group(group_id: UUID, *, now: datetime) -> UUID | None:
    """Issue one group's invoice as things stand now, and return its id; None when there is nothing (more) to issue.

    What was dropped, invoiced elsewhere or moved past the run's day since the preview is left out, and the group says so.
    """
    async with db.atomic():
        group = await db.row(_Group, _LOCKED, group_id)
        if group is None or group.state is not GroupState.QUEUED:
            return None
        invoice_id = await _issue(group, now=now)
        await _finish(group.run_id, now=now)
    return invoice_id


async def _issue(group: _Group, *, now: datetime) -> UUID | None:
    wanted = [row["charge_id"] for row in await db.records(
        "SELECT charge_id FROM invoice_run_charge WHERE group_id = $1 ORDER BY position", group.id
    )]  # fmt: skip
    found = [charge for charge in await charges.lock(wanted) if charge.billable_on is not None and charge.billable_on <= group.until_on]
    if not found:
        await _settle(group, GroupState.EMPTY, found, now=now)
        return None
    debtor = await debtors.get(group.debtor_id)
    found = await redecide.before_issue(found, now=now)
    stopped = (await judging.judge_of([debtor], on=group.until_on, now=now)).stops(debtor, found)
    if stopped:
        await _settle(group, GroupState.BLOCKED, found, findings=stopped, now=now)
        return None
    invoice_id = await issuing.issue_charges(
        [charge.id for charge in found], group_key=f"run:{group.run_id}:{group.position}", run_id=group.run_id, now=now
    )
    await _settle(group, GroupState.ISSUED, found, invoice_id=invoice_id, now=now)
    return invoice_id


async def _settle(
    group: _Group,
    state: GroupState,
    found: Sequence[charges.Charge],
    *,
    findings: Sequence[Finding] = (),
    invoice_id: UUID | None = None,
    now: datetime,
) -> None:
    """Write down how a group ended, with its sums as they are now and what is different from the preview."""
    net, tax = collect.sums(found)
    same = len(found) == group.lines and net + tax == group.total_cents
    changed = None if same else {"left_out": group.lines - len(found), "was_cents": group.total_cents}
    sql = """
        UPDATE invoice_run_group SET state = $2, findings = $3, changed = $4, lines = $5, net_cents = $6, vat_cents = $7, total_cents = $8,
               invoice_id = $9, state_at = $10 WHERE id = $1
    """
    stored = msgspec.json.encode(list(findings)).decode()
    await db.execute(sql, group.id, state.value, stored, changed, len(found), net, tax, net + tax, invoice_id, now)


async def _finish(run_id: UUID, *, now: datetime) -> None:
    """End the run with its last group. The run is locked first, so that of two last groups one sees the other."""
    await db.execute("SELECT FROM invoice_run WHERE id = $1 FOR UPDATE", run_id)
    sql = """
        UPDATE invoice_run SET state = 'done', ended_at = $2 WHERE id = $1 AND state = 'issuing'
        AND NOT EXISTS (SELECT FROM invoice_run_group WHERE run_id = $1 AND state = 'queued')
    """
    await db.execute(sql, run_id, now)
