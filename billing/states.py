"""Where an invoice stands, and the only functions that move it: one per named transition, forwards only.

The database holds the same table of transitions in a trigger (``invoice_frozen``), so no other road exists.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import audit, db, work
from marketplace.kit.errors import InvalidTransition, NotFound
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.kit.identity import Actor


class InvoiceState(StrEnum):
    """``issued``: the number is given · ``open``: it can be paid at Stripe · ``processing``: a payment is on its way.

    ``credited``: credit notes took all of it back · ``void``: withdrawn before anybody paid, by a credit note too.
    """

    ISSUED = "issued"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    CREDITED = "credited"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


_S = InvoiceState
TRANSITIONS: dict[InvoiceState, frozenset[InvoiceState]] = {
    _S.ISSUED: frozenset({_S.OPEN, _S.PROCESSING, _S.PAID, _S.CREDITED, _S.UNCOLLECTIBLE, _S.VOID}),
    _S.OPEN: frozenset({_S.PROCESSING, _S.PAID, _S.CREDITED, _S.UNCOLLECTIBLE, _S.VOID}),
    _S.PROCESSING: frozenset({_S.OPEN, _S.PAID, _S.CREDITED, _S.UNCOLLECTIBLE, _S.VOID}),
    _S.UNCOLLECTIBLE: frozenset({_S.OPEN, _S.PAID, _S.CREDITED, _S.VOID}),
    _S.PAID: frozenset({_S.OPEN, _S.CREDITED}),
    _S.CREDITED: frozenset(),
    _S.VOID: frozenset(),
}
NAMES: dict[InvoiceState, str] = {
    _S.ISSUED: N_("Issued"),
    _S.OPEN: N_("To pay"),
    _S.PROCESSING: N_("Payment on its way"),
    _S.PAID: N_("Paid"),
    _S.CREDITED: N_("Credited"),
    _S.UNCOLLECTIBLE: N_("Not collected"),
    _S.VOID: N_("Void"),
}


class Standing(msgspec.Struct, frozen=True):
    """What is needed to decide on a transition; cents."""

    id: UUID
    number: str
    debtor_id: UUID
    state: InvoiceState
    total_cents: int
    paid_cents: int
    credited_cents: int
    refunded_cents: int
    written_off_cents: int
    hosted_payment_url: str | None

    @property
    def open_cents(self) -> int:
        """What is still owed; below zero, what the debtor has with us."""
        owed = 0 if self.state is InvoiceState.VOID else self.total_cents - self.credited_cents - self.written_off_cents
        return owed - self.paid_cents + self.refunded_cents


_SELECT = f"SELECT {', '.join(Standing.__struct_fields__)} FROM invoice WHERE id = $1"  # noqa: S608


async def standing(invoice_id: UUID, *, lock: bool = False) -> Standing:
    """Return where an invoice stands; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Standing, _SELECT + (" FOR UPDATE" if lock else ""), invoice_id)
    if found is None:
        raise NotFound("not_found", _("There is no such invoice."))
    return found


async def project_stripe(invoice_id: UUID, state: str, *, hosted_payment_url: str | None = None, now: datetime) -> bool:
    """Follow what Stripe says of its copy, forwards only; return whether our state moved.

    ``state`` is one of ours (``open``, ``processing``, ``paid``, ``uncollectible``, ``void``). A state that lies behind
    ours changes nothing; ``processing`` goes back to ``open`` by ``payment_failed`` only. ``paid`` follows from the
    money: record the payments first (``payments.record``); a "paid" without them is kept as a difference in the audit
    trail and answered with False. Raises ``NotFound``.
    """
    wanted = InvoiceState(state)
    async with db.atomic():
        at = await standing(invoice_id, lock=True)
        if hosted_payment_url and at.hosted_payment_url is None:
            await db.execute("UPDATE invoice SET hosted_payment_url = $2 WHERE id = $1", invoice_id, hosted_payment_url)
            await _tell(invoice_id, now=now)
        if wanted is _S.PAID and at.open_cents > 0:
            data = {"stripe": "paid", "paid_cents": at.paid_cents, "total_cents": at.total_cents}
            await audit.record("invoice.differs", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
            return False
        backwards = wanted is _S.OPEN and at.state is not _S.ISSUED
        if wanted is at.state or backwards or wanted not in TRANSITIONS[at.state]:
            return False
        await _move(at, wanted, actor=SYSTEM, now=now)
    return True


async def _tell(invoice_id: UUID, *, now: datetime) -> None:
    """Wake the mail that waits for the payment link (``delivery`` does it; by name, it lies to the right)."""
    await work.enqueue("billing.link_arrived", {"invoice": str(invoice_id)}, run_at=now, dedupe_key=f"billing.link_arrived:{invoice_id}")


async def payment_failed(invoice_id: UUID, *, now: datetime) -> bool:
    """Open an invoice again whose payment was on its way and didn't arrive; return whether it was."""
    async with db.atomic():
        at = await standing(invoice_id, lock=True)
        if at.state is not _S.PROCESSING:
            return False
        await _move(at, _S.OPEN, actor=SYSTEM, now=now)
    return True


async def settle(invoice_id: UUID, *, now: datetime) -> InvoiceState:
    """Bring the state in line with what was paid, credited, refunded and written off; return it. Locks the row.

    A paid invoice whose money went back is open again. Withdrawn ones stay so.
    """
    at = await standing(invoice_id, lock=True)
    wanted = _by_money(at)
    if wanted is not at.state:
        await _move(at, wanted, actor=SYSTEM, now=now)
    return wanted


def _by_money(at: Standing) -> InvoiceState:
    if at.state in {_S.VOID, _S.CREDITED}:
        return at.state
    if at.credited_cents >= at.total_cents > 0:
        return _S.CREDITED
    if at.open_cents + at.written_off_cents <= 0:
        return _S.PAID
    if at.written_off_cents:
        return _S.UNCOLLECTIBLE
    return _S.OPEN if at.state in {_S.PAID, _S.UNCOLLECTIBLE} else at.state


async def void(invoice_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take an invoice out of collection: its number stays, nothing is owed. Raises ``InvalidTransition`` when it is paid."""
    async with db.atomic():
        at = await standing(invoice_id, lock=True)
        if at.state is not _S.VOID:
            await _move(at, _S.VOID, actor=actor, now=now)


async def _move(at: Standing, to: InvoiceState, *, actor: Actor, now: datetime) -> None:
    if to not in TRANSITIONS[at.state]:
        raise InvalidTransition(
            "invalid_transition",
            _("Invoice {number} is {state}; that can't be changed any more.", number=at.number, state=_(NAMES[at.state])),
        )
    await db.execute("UPDATE invoice SET state = $2, state_at = $3 WHERE id = $1 AND state = $4", at.id, to.value, now, at.state.value)
    await audit.record(
        f"invoice.{_EVENTS[to]}", actor=actor, subject=("invoice", at.id), data={"from": at.state.value, "to": to.value}, now=now
    )


_EVENTS = {
    _S.OPEN: "opened",
    _S.PROCESSING: "processing",
    _S.PAID: "paid",
    _S.CREDITED: "wholly_credited",
    _S.UNCOLLECTIBLE: "given_up",
    _S.VOID: "voided",
}
