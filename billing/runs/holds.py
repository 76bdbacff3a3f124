"""Invoices of single orders that are not made because their debtor would send them back. Nothing is forgotten: they stand on a list.

An order's invoice is judged when its moment comes (``refuse``). Held, it waits until somebody mends what is missing and
asks again, or ECL issues it all the same with a reason. Each night those that fit by now are asked for again.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import charges, debtors, redecide
from billing.acceptance import Finding
from billing.runs import judging
from marketplace.kit import audit, clock, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.debtors import Debtor

_HOLD = """
    INSERT INTO invoice_hold AS h (id, group_key, debtor_id, state, findings, held_at) VALUES ($1, $2, $3, 'held', $4, $5)
    ON CONFLICT (group_key) DO UPDATE SET state = 'held', findings = excluded.findings, released_at = NULL, released_by = NULL, reason = NULL,
        held_at = CASE WHEN h.state = 'held' THEN h.held_at ELSE excluded.held_at END
    RETURNING held_at
"""


async def refuse(group_key: str, lines: Sequence[charges.Charge], debtor: Debtor, *, now: datetime) -> bool:
    """Tell whether the debtor would send an invoice with these lines back; if so it is held, else a hold on it ends.

    One that ECL released with a reason passes. In the caller's transaction, which has locked the lines.
    """
    released = await db.value("SELECT reason FROM invoice_hold WHERE group_key = $1 AND state = 'released'", group_key)
    decided = await redecide.before_issue(lines, now=now)
    found = [] if released else _ours((await judging.judge_of([debtor], on=clock.today(now))).stops(debtor, decided))
    if not found:
        sql = "UPDATE invoice_hold SET state = 'released', released_at = $2 WHERE group_key = $1 AND state = 'held' RETURNING id"
        if ended := await db.value(sql, group_key, now):
            await audit.record("invoice_hold.released", actor=SYSTEM, subject=("invoice_hold", ended), now=now)
        return False
    hold_id = ids.new_id()
    held_at = await db.value(_HOLD, hold_id, group_key, debtor.id, msgspec.json.encode(found).decode(), now)
    if held_at == now:
        data = {"debtor": debtor.id, "findings": [finding.code for finding in found]}
        await audit.record("invoice_hold.held", actor=SYSTEM, subject=("invoice_hold", hold_id), data=data, now=now)
    return True


def _ours(found: Sequence[Finding]) -> list[Finding]:
    """Return what somebody must mend; an answer of VIES is waited for by ``vies.checks`` and comes by itself."""
    return [finding for finding in found if finding.code != "vat_id"]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that is held, with what it would be."""

    id: UUID
    group_key: str
    debtor_id: UUID
    owner_id: UUID
    debtor_name: str
    findings: list[Finding]
    held_at: datetime
    order_number: str | None
    lines: int
    net_cents: int
    deliver_by: date | None

    @property
    def net(self) -> Money:
        """Return what waits to be invoiced, without VAT."""
        return Money(self.net_cents)


_SELECT = """
    SELECT h.id, h.group_key, h.debtor_id, d.owner_id, d.legal_name AS debtor_name, h.findings, h.held_at, c.order_number, c.lines, c.net_cents, c.deliver_by
    FROM invoice_hold h JOIN debtor d ON d.id = h.debtor_id
    JOIN LATERAL (SELECT min(order_number) AS order_number, count(*)::int AS lines, coalesce(sum(net_cents), 0)::bigint AS net_cents,
                         max(supply_to_on) AS deliver_by
                  FROM charge WHERE group_key = h.group_key AND state = 'open' AND ready_at IS NOT NULL) c ON c.lines > 0
    WHERE h.state = 'held'
"""


async def waiting(*, limit: int = 200) -> list[Hold]:
    """Return what is held and still has something to bill, the oldest first."""
    return await db.rows(Hold, f"{_SELECT} ORDER BY h.held_at, h.id LIMIT $1", limit)


async def get(hold_id: UUID) -> Hold:
    """Return an invoice that is held. Raises ``NotFound`` also once it isn't any more."""
    found = await db.row(Hold, f"{_SELECT} AND h.id = $1", hold_id)
    if found is None:
        raise NotFound("not_found", _("This invoice is not held."))
    return found


async def lines_of(hold: Hold) -> list[charges.Charge]:
    """Return the charges that wait in a held invoice."""
    sql = "SELECT id FROM charge WHERE group_key = $1 AND state = 'open' AND ready_at IS NOT NULL"
    return await charges.of([row["id"] for row in await db.records(sql, hold.group_key)])


async def ask_again(hold_id: UUID, *, actor: Actor, now: datetime) -> list[Finding]:
    """Judge a held invoice again: return what still stops it, or ask for it when nothing does."""
    require(actor, Permission.MANAGE_INVOICES)
    hold = await get(hold_id)
    debtor = await debtors.get(hold.debtor_id)
    found = _ours((await judging.judge_of([debtor], on=clock.today(now))).stops(debtor, await lines_of(hold)))
    async with db.atomic():
        if found:
            await db.execute("UPDATE invoice_hold SET findings = $2 WHERE id = $1", hold_id, msgspec.json.encode(found).decode())
        else:
            await _request(hold.group_key, now=now)
    return found


async def issue_anyway(hold_id: UUID, *, reason: str, actor: Actor, now: datetime) -> None:
    """Release a held invoice as it is, on somebody's word. Raises ``Invalid`` without a reason, ``NotFound``, ``Conflict``."""
    require(actor, Permission.MANAGE_INVOICES)
    if not reason.strip():
        sentence = _("Say why it may go as it is: who agreed, and when.")
        raise Invalid("reason_missing", sentence, fields={"reason": sentence})
    hold = await get(hold_id)
    sql = "UPDATE invoice_hold SET state = 'released', released_at = $2, released_by = $3, reason = $4 WHERE id = $1 AND state = 'held'"
    async with db.atomic():
        if await db.execute(sql, hold_id, now, actor.name, reason.strip()) == 0:
            raise Conflict("already_released", _("Somebody released this invoice a moment ago."))
        await audit.record("invoice_hold.issued_anyway", actor=actor, subject=("invoice_hold", hold_id), now=now)
        await _request(hold.group_key, now=now)


async def try_all(*, now: datetime) -> int:
    """Ask again for every held invoice that fits by now, and return how many; for the nightly job."""
    asked = 0
    for hold in await waiting(limit=10_000):
        debtor = await debtors.get(hold.debtor_id)
        if not _ours((await judging.judge_of([debtor], on=clock.today(now))).stops(debtor, await lines_of(hold))):
            await _request(hold.group_key, now=now)
            asked += 1
    return asked


async def _request(group_key: str, *, now: datetime) -> None:
    await work.enqueue("billing.issue", {"group": group_key}, run_at=now, dedupe_key=f"billing.issue:{group_key}:{now.isoformat()}")
