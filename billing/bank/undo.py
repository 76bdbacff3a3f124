"""Taking an allocation back: another row with the opposite amount, never a deletion. The money stands on ``unallocated`` again.

On an invoice it counts as money that went back (a refund by bank that was done at once), so that what was, stays readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import ledger, states
from billing.bank import allocate, entries
from billing.bank.matching import Kind
from billing.ledger import Account, Event
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from datetime import datetime


class _Done(msgspec.Struct, frozen=True):
    id: UUID
    kind: Kind
    cents: int
    invoice_id: UUID | None
    payment_id: UUID | None
    refund_id: UUID | None
    subject: str
    undoes_id: UUID | None
    undone: bool


async def undo(entry_id: UUID, allocation_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Take an allocation back; False when that was done already.

    Raises ``NotFound``; ``Conflict`` ``went_back`` when the company had part of that money back, ``payout_settled`` for a
    partner's payout, which is put right with the partners' payouts.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        entry = await entries.get(entry_id, actor=actor, lock=True)
        done = await _of(entry_id, allocation_id)
        if done.undone:
            return False
        if done.kind in {Kind.PAYOUT, Kind.PAYOUT_RETURNED}:
            raise Conflict(
                "payout_settled",
                _("This is a payout to partners, and they were told."),
                next_step=_("Put it right with the payout batch."),
            )
        back_id = ids.new_id()
        if done.invoice_id is not None:
            await _from_invoice(done.invoice_id, done, actor=actor, now=now)
        else:
            head = ledger.Entry(
                event=Event.TRANSFER_ALLOCATED, source_id=back_id, on=clock.today(now), reference=entry.servicer_reference[:35]
            )
            await ledger.book(head, ledger.moved(allocate.ACCOUNTS[done.kind], Account.UNALLOCATED, done.cents), now=now)
        await allocate.write(
            back_id, entry, done.kind, -done.cents, invoice_id=done.invoice_id, payment_id=done.payment_id, refund_id=done.refund_id,
            subject=done.subject, undoes_id=done.id, actor=actor, now=now,
        )  # fmt: skip
        await allocate.given(entry, -done.cents)
    return True


async def _of(entry_id: UUID, allocation_id: UUID) -> _Done:
    sql = """
        SELECT a.id, a.kind, a.cents, a.invoice_id, a.payment_id, a.refund_id, a.subject, a.undoes_id,
               EXISTS (SELECT 1 FROM bank_allocation u WHERE u.undoes_id = a.id) AS undone
          FROM bank_allocation a WHERE a.id = $1 AND a.entry_id = $2
    """
    found = await db.row(_Done, sql, allocation_id, entry_id)
    if found is None or found.undoes_id is not None:
        raise NotFound("not_found", _("There is no such allocation."))
    return found


async def _from_invoice(invoice_id: UUID, done: _Done, *, actor: Actor, now: datetime) -> None:
    at = await states.standing(invoice_id, lock=True)
    under_way = await db.value(
        "SELECT coalesce(sum(cents), 0)::bigint FROM refund WHERE invoice_id = $1 AND state IN ('requested', 'sent')", invoice_id
    )
    if at.paid_cents - at.refunded_cents - int(under_way) < done.cents:
        raise Conflict(
            "went_back",
            _("A part of this money went back to the company already, from invoice {number}.", number=at.number),
            next_step=_("Look at the refunds of that invoice first."),
        )
    refund_id = ids.new_id()
    sql = """
        INSERT INTO refund (id, invoice_id, payment_id, source, external_id, cents, state, reason, requested_at, requested_by, done_at)
        VALUES ($1, $2, $3, 'bank', $4, $5, 'done', $6, $7, $8, $7)
    """
    await db.execute(sql, refund_id, invoice_id, done.payment_id, f"undo:{done.id}", done.cents, "allocation undone", now, actor.account_id)
    await db.execute("UPDATE invoice SET refunded_cents = refunded_cents + $2 WHERE id = $1", invoice_id, done.cents)
    head = ledger.Entry(event=Event.PAYMENT_RETURNED, source_id=refund_id, on=clock.today(now), reference=at.number)
    await ledger.book(head, ledger.moved(Account.RECEIVABLE, Account.UNALLOCATED, done.cents, debtor_id=at.debtor_id), now=now)
    data = {"refund": refund_id, "payment": done.payment_id, "cents": done.cents}
    await audit.record("invoice.allocation_undone", actor=actor, subject=("invoice", invoice_id), data=data, now=now)
    await states.settle(invoice_id, now=now)
