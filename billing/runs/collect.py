"""Making a run: which charges it takes, put together into groups, each with its sums and with what would send it back.

A preview is working paper. It takes nothing away from anybody: only issuing locks charges, and it looks again then.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec

from billing import debtors, vat
from billing.runs import groups, judging
from billing.runs.groups import Wish
from billing.runs.states import RunState
from billing.vies import checks
from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from billing.debtors import Debtor
    from billing.runs.groups import Group
    from billing.runs.judging import Judge

Scope = Literal["monthly", "all", "chosen"]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as far as a preview needs it."""

    id: UUID
    debtor_id: UUID
    group_key: str
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    department: str | None
    ordered_by: str | None
    net_cents: int
    vat_category: str
    vat_rate: Decimal
    exemption_code: str | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is kept."""

    id: UUID
    state: RunState
    until_on: date
    scope: Scope
    debtor_ids: tuple[UUID, ...]
    proposed: bool
    made_by: str
    made_at: datetime
    collected_at: datetime | None
    issued_by: str | None
    issued_at: datetime | None
    ended_at: datetime | None


_SELECT = f"SELECT {', '.join(Run.__struct_fields__)} FROM invoice_run WHERE id = $1"  # noqa: S608 - our own names
_ITEMS = f"""
    SELECT {", ".join("c." + name for name in Item.__struct_fields__)} FROM charge c JOIN debtor d ON d.id = c.debtor_id
    WHERE c.state = 'open' AND c.ready_at IS NOT NULL AND c.billable_on <= $1
      AND ($2::text = 'all' OR $2 = 'monthly' AND d.rhythm = 'month' OR $2 = 'chosen' AND c.debtor_id = ANY($3))
    ORDER BY c.created_at, c.position, c.id
"""  # noqa: S608 - our own names


async def get(run_id: UUID, *, lock: bool = False) -> Run:
    """Return a run; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Run, _SELECT + (" FOR UPDATE" if lock else ""), run_id)
    if found is None:
        raise NotFound("not_found", _("There is no such invoice run."))
    return found


async def make(
    until_on: date, *, scope: Scope = "monthly", debtor_ids: Sequence[UUID] = (), proposed: bool = False, actor: Actor, now: datetime
) -> UUID:
    """Begin a run of everything that may be billed until a day (included) and return its id; the worker collects it.

    ``chosen`` takes ``debtor_ids`` only. Raises ``Invalid``.
    """
    require(actor, Permission.MANAGE_INVOICES)
    if scope == "chosen" and not debtor_ids:
        sentence = _("Choose at least one company.")
        raise Invalid("no_debtors", sentence, fields={"debtors": sentence})
    run_id = ids.new_id()
    async with db.atomic():
        await db.execute(
            "INSERT INTO invoice_run (id, state, until_on, scope, debtor_ids, proposed, made_by, made_at) VALUES ($1, 'collecting', $2, $3, $4, $5, $6, $7)",
            run_id, until_on, scope, [str(each) for each in debtor_ids] if scope == "chosen" else [], proposed, actor.name, now,
        )  # fmt: skip
        data = {"until": until_on, "scope": scope, "proposed": proposed}
        await audit.record("invoice_run.made", actor=actor, subject=("invoice_run", run_id), data=data, now=now)
        await _ask(run_id, now=now)
    return run_id


async def again(run_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Make the preview anew, with what was mended or has come since. Raises ``InvalidTransition`` once it is issued or stopped."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        run = await get(run_id, lock=True)
        if run.state is RunState.COLLECTING:
            return
        if run.state is not RunState.PREVIEW:
            raise InvalidTransition("invalid_transition", _("This run is no preview any more."), next_step=_("Make a new run."))
        await db.execute("DELETE FROM invoice_run_group WHERE run_id = $1", run_id)
        await db.execute("UPDATE invoice_run SET state = 'collecting' WHERE id = $1", run_id)
        await _ask(run_id, now=now)


async def _ask(run_id: UUID, *, now: datetime) -> None:
    await work.enqueue("runs.collect", {"run": run_id}, run_at=now, dedupe_key=f"runs.collect:{run_id}:{now.isoformat()}")


@work.handler("runs.collect")
async def collect_later(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Make the preview of a run."""
    await collect(UUID(payload["run"]), now=now)


async def collect(run_id: UUID, *, now: datetime) -> None:
    """Put a run's charges into groups with sums and findings; from then on it is a preview. Doing it again changes nothing."""
    async with db.atomic():
        run = await get(run_id, lock=True)
        if run.state is not RunState.COLLECTING:
            return
        items = await db.rows(Item, _ITEMS, run.until_on, run.scope, list(run.debtor_ids))
        owners = {debtor.id: debtor for debtor in await debtors.many({item.debtor_id for item in items})}
        planned = groups.plan(items, {debtor_id: Wish(owner.rhythm, owner.split_by) for debtor_id, owner in owners.items()})
        judge = await judging.judge_of(owners.values(), on=run.until_on, now=now)
        await _write(run_id, planned, owners, judge, now=now)
        for debtor_id in sorted({item.debtor_id for item in items if item.vat_category == "AE"} & judge.unanswered):
            await checks.ask(debtor_id, now=now)
        await db.execute("UPDATE invoice_run SET state = 'preview', collected_at = $2 WHERE id = $1", run_id, now)


async def _write(run_id: UUID, planned: Sequence[Group[Item]], owners: Mapping[UUID, Debtor], judge: Judge, *, now: datetime) -> None:
    made, members = [], []
    for position, group in enumerate(planned, 1):
        group_id = ids.new_id()
        found = judge.stops(owners[group.debtor_id], group.charges)
        net, tax = sums(group.charges)
        made.append((
            group_id, run_id, position, group.debtor_id, group.split_by, group.split_value, group.part, group.parts,
            "blocked" if found else "ready", msgspec.json.encode(found).decode(), len(group.charges), net, tax, net + tax, now,
        ))  # fmt: skip
        members += [(ids.new_id(), run_id, group_id, item.id, at) for at, item in enumerate(group.charges, 1)]
    marks = ", ".join(f"${at}" for at in range(1, len(_GROUP) + 1))
    await db.execute_many(f"INSERT INTO invoice_run_group ({', '.join(_GROUP)}) VALUES ({marks})", made)  # noqa: S608 - our own names
    await db.copy_rows("invoice_run_charge", ("id", "run_id", "group_id", "charge_id", "position"), members)


_GROUP = (
    "id", "run_id", "position", "debtor_id", "split_by", "split_value", "part", "parts", "state", "findings",
    "lines", "net_cents", "vat_cents", "total_cents", "state_at",
)  # fmt: skip


def sums(lines: Sequence[vat.Taxed]) -> tuple[int, int]:
    """Return net and VAT of one invoice in cents, VAT once per rate."""
    shares = vat.totals(lines)
    return sum(share.net_cents for share in shares), sum(share.vat_cents for share in shares)
