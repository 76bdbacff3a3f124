"""What was written off as lost, and taking that back when money or a credit note comes after all. The row stays locked.

``written_off_cents`` is the part of an invoice that nobody expects any more; the books hold it as bad debt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import ledger, states
from billing.ledger import Account, Entry, Event
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


async def write_off(at: states.Standing, *, now: datetime) -> int:
    """Write off what is still owed of a locked invoice and return it in cents; the caller decides and settles."""
    cents = at.open_cents
    if cents <= 0:
        return 0
    await db.execute("UPDATE invoice SET written_off_cents = written_off_cents + $2 WHERE id = $1", at.id, cents)
    entry = Entry(event=Event.WRITTEN_OFF, source_id=ids.new_id(), on=clock.today(now), reference=at.number)
    await ledger.book(entry, ledger.moved(Account.BAD_DEBT, Account.RECEIVABLE, cents, debtor_id=at.debtor_id), now=now)
    return cents


async def make_room(invoice_id: UUID, cents: int, *, now: datetime) -> int:
    """Take back as much of a write-off as comes in by a payment or a credit note of ``cents``, and return how much.

    Called in that transaction, before or after the amount is counted, whenever one is: without a write-off it does nothing.
    """
    at = await states.standing(invoice_id, lock=True)
    back = min(cents, at.written_off_cents)
    if back <= 0:
        return 0
    await db.execute("UPDATE invoice SET written_off_cents = written_off_cents - $2 WHERE id = $1", invoice_id, back)
    entry = Entry(event=Event.WRITE_OFF_REVERSED, source_id=ids.new_id(), on=clock.today(now), reference=at.number)
    await ledger.book(entry, ledger.moved(Account.RECEIVABLE, Account.BAD_DEBT, back, debtor_id=at.debtor_id), now=now)
    data = {"cents": back}
    await audit.record("invoice.write_off_reversed", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
    return back
