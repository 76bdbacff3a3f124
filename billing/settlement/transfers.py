"""What happens to payments once the file is at the bank: sent, paid, or returned. A return opens the statement again.

The bank import calls ``payout_paid`` and ``payout_returned`` with a payment's id (``find`` knows it by its end-to-end id); ECL
can do both by hand. Each is safe to repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from billing import ledger
from billing.ledger import Account, Event
from billing.settlement import payouts, statements, tell
from billing.settlement.payouts import Batch, BatchState, Item
from billing.settlement.statements import StatementState
from marketplace.kit import audit, clock, db
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from datetime import date, datetime

    from marketplace.kit.identity import Actor


async def send(batch_id: UUID, *, actor: Actor, now: datetime, seen: bool = False) -> None:
    """Say that a batch's file was handed to the bank: what is owed is now on its way. The partners get a mail.

    ``seen``: the bank's own statement says so, and then it is a fact, whatever became of an account since.
    Raises ``Forbidden``, ``NotFound``, ``InvalidTransition``, ``Conflict`` ``account_changed``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        batch = await payouts.get(batch_id, lock=True)
        if batch.state in {BatchState.SENT, BatchState.PAID}:
            return
        if not seen:
            await payouts.check_accounts(batch)
        await payouts.move(batch, BatchState.SENT, actor=actor, now=now, also=", sent_at = $4")
        for item in await payouts.items(batch_id):
            await db.execute("UPDATE payout_item SET state = 'sent', state_at = $2 WHERE id = $1", item.id, now)
            await db.execute(
                "UPDATE partner_statement SET paid_out_cents = paid_out_cents + $2 WHERE id = $1", item.statement_id, item.cents
            )
            postings = ledger.moved(Account.PARTNER_PAYABLE, Account.PAYOUT_TRANSIT, item.cents, payee_id=item.payee_id)
            await ledger.book(_entry(Event.PAYOUT_SENT, item, clock.today(now)), postings, now=now)
            await tell.payout_sent(item.id, now=now)


async def find(end_to_end: str) -> Item | None:
    """Return the payment with an end-to-end id, for matching a bank statement's entry; None when it isn't ours."""
    found = await db.value("SELECT id FROM payout_item WHERE end_to_end = $1", end_to_end.strip())
    return None if found is None else await get(UUID(str(found)))


async def under_way() -> list[tuple[Batch, list[Item]]]:
    """Return the batches of which the bank hasn't told everything, with their payments: what may come on a bank statement."""
    found = [
        await payouts.get(row["id"]) for row in await db.records("SELECT id FROM payout_batch WHERE state = 'sent' ORDER BY sent_at, id")
    ]
    return [(batch, await payouts.items(batch.id)) for batch in found]


async def payout_paid(item_id: UUID, *, on: date, actor: Actor, now: datetime, out_of: Account = Account.BANK) -> None:
    """Say that the bank has paid a payment, on a day. ``out_of`` is the account that the caller wants credited.

    Pass ``unallocated`` when the bank statement's entry is in the books already. Raises ``Forbidden``, ``NotFound``, ``Conflict``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        item = await _locked(item_id)
        if item.state == "paid":
            return
        if item.state != "sent":
            raise Conflict("not_under_way", _("This payment isn't at the bank."))
        await db.execute("UPDATE payout_item SET state = 'paid', paid_on = $2, state_at = $3 WHERE id = $1", item_id, on, now)
        postings = ledger.moved(Account.PAYOUT_TRANSIT, out_of, item.cents, payee_id=item.payee_id)
        await ledger.book(_entry(Event.TRANSFER_ALLOCATED, item, on), postings, now=now)
        await audit.record("payout_item.paid", actor=actor, subject=("payout_batch", item.batch_id), data={"item": item_id}, now=now)
        statement = await statements.by_id(item.statement_id, lock=True)
        if statement.state is StatementState.IN_BATCH:
            await statements.settle_if_done(statement, actor=actor, now=now)
        await _finish(item.batch_id, actor=actor, now=now)


async def payout_returned(item_id: UUID, *, reason: str, on: date, actor: Actor, now: datetime, into: Account | None = None) -> None:
    """Say that a payment came back, on a day: its statement is to be paid again, by another batch. ECL gets a mail.

    ``into`` is the account that is debited: by default the bank, or what was on its way when the bank never paid it; pass
    ``unallocated`` when the bank statement's entry is in the books already. Raises ``Forbidden``, ``NotFound``, ``Conflict``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        item = await _locked(item_id)
        if item.state == "returned":
            return
        if item.state not in {"sent", "paid"}:
            raise Conflict("not_under_way", _("This payment isn't at the bank."))
        sql = "UPDATE payout_item SET state = 'returned', return_reason = $2, state_at = $3 WHERE id = $1"
        await db.execute(sql, item_id, reason.strip()[:300] or "–", now)
        debit = into or (Account.BANK if item.state == "paid" else Account.PAYOUT_TRANSIT)
        postings = ledger.moved(debit, Account.PARTNER_PAYABLE, item.cents, payee_id=item.payee_id)
        await ledger.book(_entry(Event.PAYOUT_RETURNED, item, on), postings, now=now)
        await audit.record("payout_item.returned", actor=actor, subject=("payout_batch", item.batch_id), data={"item": item_id}, now=now)
        await db.execute("UPDATE partner_statement SET paid_out_cents = paid_out_cents - $2 WHERE id = $1", item.statement_id, item.cents)
        statement = await statements.by_id(item.statement_id, lock=True)
        live = await db.value("SELECT 1 FROM payout_item WHERE statement_id = $1 AND state IN ('planned', 'sent')", statement.id)
        if not live and statement.state in {StatementState.IN_BATCH, StatementState.PAID}:
            await statements.settle_if_done(statement, actor=actor, now=now)
        await _finish(item.batch_id, actor=actor, now=now)
        await tell.payout_returned(item_id, now=now)


async def batch_paid(batch_id: UUID, *, on: date, actor: Actor, now: datetime, out_of: Account = Account.BANK) -> None:
    """Say that the bank has paid every payment of a batch that was under way. Raises as ``payout_paid`` does."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        batch = await payouts.get(batch_id, lock=True)
        if batch.state not in {BatchState.SENT, BatchState.PAID}:
            raise Conflict("not_under_way", _("This payout isn't at the bank."), next_step=_("Hand its file to the bank, then say so."))
        for item in await payouts.items(batch_id):
            if item.state == "sent":
                await payout_paid(item.id, on=on, actor=actor, now=now, out_of=out_of)


async def get(item_id: UUID) -> Item:
    """Return a payment. Raises ``NotFound``."""
    batch_id = await db.value("SELECT batch_id FROM payout_item WHERE id = $1", item_id)
    for item in await payouts.items(batch_id) if batch_id else []:
        if item.id == item_id:
            return item
    raise NotFound("not_found", _("There is no such payment."))


async def _locked(item_id: UUID) -> Item:
    item = await get(item_id)
    await payouts.get(item.batch_id, lock=True)
    return await get(item_id)


async def _finish(batch_id: UUID, *, actor: Actor, now: datetime) -> None:
    batch = await payouts.get(batch_id)
    if batch.state is BatchState.SENT and not await db.value("SELECT 1 FROM payout_item WHERE batch_id = $1 AND state = 'sent'", batch_id):
        await payouts.move(batch, BatchState.PAID, actor=actor, now=now)


def _entry(event: Event, item: Item, on: date) -> ledger.Entry:
    return ledger.Entry(event=event, source_id=item.id, on=on, reference=item.end_to_end)
