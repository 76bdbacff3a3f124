"""Saying what a bank entry was for: by confirming a proposal, by hand in parts, many certain ones at once. Undoing is ``undo``.

The entry is locked first, then the invoices by id. Each part is one allocation, one payment and one entry in the books:
from ``unallocated`` to where it belongs. What is done already isn't done again.
"""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING
from uuid import UUID

from billing import ledger, payments, refunds, states
from billing.bank import candidates, entries
from billing.bank.matching import Kind, Part, Proposal
from billing.ledger import Account, Event
from billing.settlement import payouts, transfers
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _, fmt_money
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.bank.entries import Entry

# Where money stands that an entry moves. Invoices and partners' payouts book by themselves; a refund was booked from the bank when it was noted.
ACCOUNTS: dict[Kind, Account] = {
    Kind.STRIPE_PAYOUT: Account.STRIPE,
    Kind.REFUND: Account.BANK,
    Kind.FEES: Account.FEES,
    Kind.INTEREST: Account.INTEREST,
}
BY_HAND = (Kind.STRIPE_PAYOUT, Kind.FEES, Kind.INTEREST)


async def confirm(entry_id: UUID, key: str, *, actor: Actor, now: datetime) -> bool:
    """Do what a proposal says; False when the entry was given away already (a second click).

    Raises ``NotFound``, ``Conflict`` ``changed_meanwhile`` when what was seen is no longer what would be done.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        entry = await entries.get(entry_id, actor=actor, lock=True)
        if not entry.left_cents:
            return False
        found = (await candidates.proposals([entry]))[entry.id]
        chosen = next((one for one in found if one.key == key), None)
        if chosen is None:
            raise Conflict(
                "changed_meanwhile",
                _("Something changed meanwhile: this is no longer what the entry would pay."),
                next_step=_("Look at the proposals again."),
            )
        await _do(entry, chosen, actor=actor, now=now)
    return True


async def confirm_certain(file_id: UUID | None, *, actor: Actor, now: datetime) -> int:
    """Confirm every certain proposal of a file (None: of all that waits), each in its own step; return how many."""
    require(actor, Permission.MANAGE_INVOICES)
    done, waiting = 0, await entries.waiting(file_id)
    seen = await candidates.proposals(waiting)
    for one in waiting:
        if seen[one.id] and seen[one.id][0].certain:
            done += await _if_still_certain(one.id, actor=actor, now=now)
    return done


async def _if_still_certain(entry_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Confirm the best proposal of an entry when it is certain under the lock too; one that is refused goes on waiting."""
    try:
        async with db.atomic():
            entry = await entries.get(entry_id, actor=actor, lock=True)
            best = next(iter((await candidates.proposals([entry]))[entry.id]), None) if entry.left_cents else None
            if best is None or not best.certain:
                return False
            await _do(entry, best, actor=actor, now=now)
    except Conflict:
        return False
    return True


async def _do(entry: Entry, chosen: Proposal, *, actor: Actor, now: datetime) -> None:
    if chosen.kind is Kind.INVOICES:
        await _to_invoices(entry, chosen.parts, actor=actor, now=now)
    else:
        await _to_other(entry, chosen.kind, entry.left_cents, subject=chosen.subject, note=chosen.label, actor=actor, now=now)


async def to_invoices(entry_id: UUID, parts: Sequence[Part], *, actor: Actor, now: datetime, over: bool = False) -> None:
    """Give parts of what came in to invoices, in cents; ``over`` allows more on an invoice than is open.

    Raises ``NotFound``; ``Invalid`` for nothing, for more than is left, more than is open, or a credit note.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        entry = await entries.get(entry_id, actor=actor, lock=True)
        await _to_invoices(entry, parts, actor=actor, now=now, over=over)


async def _to_invoices(entry: Entry, parts: Sequence[Part], *, actor: Actor, now: datetime, over: bool = True) -> None:
    _check_parts(entry, parts)
    for part in sorted(parts, key=lambda one: one.invoice_id):
        at = await states.standing(part.invoice_id, lock=True)
        await _check_invoice(at, part.cents, over=over)
        await _pay(entry, at, part.cents, actor=actor, now=now)
    await given(entry, sum(part.cents for part in parts))


def _check_parts(entry: Entry, parts: Sequence[Part]) -> None:
    if entry.cents < 0:
        raise Invalid("money_went_out", _("This money went out; it can't pay an invoice."))
    whole = sum(part.cents for part in parts)
    if not parts or any(part.cents <= 0 for part in parts) or len({part.invoice_id for part in parts}) < len(parts):
        raise Invalid("no_parts", _("Give an amount with at least one invoice, each invoice once."))
    if whole > entry.left_cents:
        sentence = _("Together this is {amount}, and {left} is left of the transfer.", amount=_euro(whole), left=_euro(entry.left_cents))
        raise Invalid("too_much", sentence)


async def _check_invoice(at: states.Standing, cents: int, *, over: bool) -> None:
    if await db.value("SELECT kind FROM invoice WHERE id = $1", at.id) != "invoice":
        raise Invalid("not_an_invoice", _("{number} is a credit note; nothing is paid on it.", number=at.number))
    if not over and cents > max(0, at.open_cents):
        raise Invalid(
            "more_than_open",
            _("Only {open} is open of {number}.", open=_euro(max(0, at.open_cents)), number=at.number),
            next_step=_("Give less, or say that too much was paid."),
        )


async def _pay(entry: Entry, at: states.Standing, cents: int, *, actor: Actor, now: datetime) -> None:
    allocation_id = ids.new_id()
    received_at = clock.instant(entry.booked_on, time(12))
    await payments.record(
        at.id, source="bank", external_id=str(allocation_id), cents=cents, method="bank_transfer", received_at=received_at, now=now,
        from_account=Account.UNALLOCATED,
    )  # fmt: skip
    payment_id = await db.value("SELECT id FROM payment WHERE source = 'bank' AND external_id = $1", str(allocation_id))
    await write(allocation_id, entry, Kind.INVOICES, cents, invoice_id=at.id, payment_id=payment_id, actor=actor, now=now)
    if entry.iban:
        sql = "INSERT INTO debtor_account (id, debtor_id, iban, learnt_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        await db.execute(sql, ids.new_id(), at.debtor_id, entry.iban, now)


async def to_other(entry_id: UUID, kind: Kind, *, cents: int | None = None, note: str, actor: Actor, now: datetime) -> None:
    """Say that (a part of) an entry is no company's payment: Stripe's payout, bank charges, interest. ``cents`` as the entry counts, above zero.

    Raises ``NotFound``; ``Invalid`` for a kind that isn't said by hand, without a note, or for more than is left.
    """
    require(actor, Permission.MANAGE_INVOICES)
    if kind not in BY_HAND:
        raise Invalid("kind", _("Choose what it was."), fields={"kind": _("Choose what it was.")})
    if not note.strip():
        raise Invalid("note", _("Say in a few words what it was."), fields={"note": _("Say in a few words what it was.")})
    async with db.atomic():
        entry = await entries.get(entry_id, actor=actor, lock=True)
        sign = 1 if entry.cents > 0 else -1
        wanted = entry.left_cents if cents is None else sign * cents
        if not 0 < abs(wanted) <= abs(entry.left_cents) or wanted * sign <= 0:
            sentence = _("Give an amount up to {amount}.", amount=_euro(abs(entry.left_cents)))
            raise Invalid("too_much", sentence, fields={"amount": sentence})
        await _to_other(entry, kind, wanted, subject="", note=note.strip()[:300], actor=actor, now=now)


async def _to_other(entry: Entry, kind: Kind, cents: int, *, subject: str, note: str, actor: Actor, now: datetime) -> None:
    allocation_id, refund_id = ids.new_id(), None
    if kind in {Kind.PAYOUT, Kind.PAYOUT_RETURNED}:
        await _payout(entry, kind, subject, actor=actor, now=now)
    else:
        if kind is Kind.REFUND:
            refund_id = await _refund(entry, subject, actor=actor, now=now)
        event = Event.STRIPE_PAYOUT if kind is Kind.STRIPE_PAYOUT else Event.TRANSFER_ALLOCATED
        head = ledger.Entry(event=event, source_id=allocation_id, on=entry.booked_on, reference=entry.servicer_reference[:35])
        await ledger.book(head, ledger.moved(Account.UNALLOCATED, ACCOUNTS[kind], cents), now=now)
    await write(allocation_id, entry, kind, cents, subject=subject, note=note, refund_id=refund_id, actor=actor, now=now)
    await given(entry, cents)


async def _payout(entry: Entry, kind: Kind, subject: str, *, actor: Actor, now: datetime) -> None:
    """Tell the partners' payouts what the bank did; they book it, out of (or into) ``unallocated``."""
    what, _colon, name = subject.partition(":")
    row_id = UUID(name)
    if kind is Kind.PAYOUT_RETURNED:
        reason = entry.returned or entry.text or "–"
        await transfers.payout_returned(row_id, reason=reason, on=entry.booked_on, actor=actor, now=now, into=Account.UNALLOCATED)
    elif what == "item":
        await transfers.payout_paid(row_id, on=entry.booked_on, actor=actor, now=now, out_of=Account.UNALLOCATED)
    else:
        if (await payouts.get(row_id)).state is payouts.BatchState.EXPORTED:
            await transfers.send(row_id, actor=actor, now=now, seen=True)
        await transfers.batch_paid(row_id, on=entry.booked_on, actor=actor, now=now, out_of=Account.UNALLOCATED)


async def _refund(entry: Entry, subject: str, *, actor: Actor, now: datetime) -> UUID:
    """Return the refund that went out, noting it first where nobody had."""
    what, _colon, name = subject.partition(":")
    row_id = UUID(name)
    if what == "refund":
        return row_id
    on = min(entry.booked_on, clock.today(now))
    return await refunds.by_bank(row_id, cents=-entry.left_cents, on=on, reference=entry.text[:100], actor=actor, now=now)


_INSERT = """
    INSERT INTO bank_allocation (id, entry_id, kind, cents, invoice_id, payment_id, refund_id, subject, note, undoes_id, made_by, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def write(
    allocation_id: UUID, entry: Entry, kind: Kind, cents: int, *, actor: Actor, now: datetime, invoice_id: UUID | None = None,
    payment_id: UUID | None = None, refund_id: UUID | None = None, subject: str = "", note: str = "", undoes_id: UUID | None = None,
) -> None:  # fmt: skip
    """Write what a part of a locked entry was for; its booking is the caller's."""
    said = (allocation_id, entry.id, kind.value, cents, invoice_id, payment_id, refund_id, subject, note, undoes_id, actor.account_id, now)
    await db.execute(_INSERT, *said)
    data = {"allocation": allocation_id, "kind": kind.value, "cents": cents}
    event = "bank_entry.allocated" if undoes_id is None else "bank_entry.undone"
    await audit.record(event, actor=actor, subject=("bank_entry", entry.id), data=data, now=now)


async def given(entry: Entry, cents: int) -> None:
    """Keep how much of a locked entry was given away."""
    sql = """
        UPDATE bank_entry SET allocated_cents = allocated_cents + $2,
               state = CASE WHEN allocated_cents + $2 = cents THEN 'settled' ELSE 'open' END WHERE id = $1
    """
    await db.execute(sql, entry.id, cents)


def _euro(cents: int) -> str:
    return fmt_money(Money(cents))
