"""Ending the collection of an invoice: withdrawing one that nobody paid, and giving up one that nobody will pay."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from billing import credits as credit_notes
from billing import states, write_offs
from billing.credits import Credit
from billing.states import InvoiceState
from marketplace.kit import audit, db
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.kit.identity import Actor

GIVE_UP_REASONS: dict[str, str] = {
    "bankrupt": N_("The debtor is bankrupt"),
    "disputed": N_("The debtor disputes it, and we let it rest"),
    "silent": N_("Reminders and calls lead to nothing"),
    "too_small": N_("Collecting it costs more than it is worth"),
}
"""Why an invoice is given up: a word, so that the audit trail holds no free text."""


async def withdraw(invoice_id: UUID, *, reason: str, actor: Actor, now: datetime) -> UUID:
    """Take back a whole invoice that nobody has paid anything of, and return its credit note; it is void from then on.

    Its number stays, the books hold both, and the copy at Stripe is voided. Doing it again returns the same credit note.
    Raises ``Conflict`` ``already_paid`` (credit it instead), ``InvalidTransition``, ``Invalid`` without a reason.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        at = await states.standing(invoice_id, lock=True)
        key = f"withdrawal:{invoice_id}"
        done = await db.value("SELECT id FROM invoice WHERE credit_key = $1", key)
        if done is not None:
            return UUID(str(done))
        if at.paid_cents > at.refunded_cents or at.state is InvoiceState.PROCESSING:
            raise Conflict(
                "already_paid",
                _("Somebody has paid invoice {number}, or is paying it.", number=at.number),
                next_step=_("Credit it instead; then pay back what was paid."),
            )
        lines = [(line.id, None) for line in await credit_notes.creditable(invoice_id)]
        note = await credit_notes.write(
            Credit(invoice_id=invoice_id, lines=lines, reason=reason, cause="withdrawal", key=key), actor=actor, now=now
        )
        await states.void(invoice_id, actor=actor, now=now)
        await credit_notes.tell_stripe("billing.stripe_void", invoice_id, {"invoice": str(invoice_id)}, now=now)
    return note


async def give_up(invoice_id: UUID, *, reason: str, actor: Actor, now: datetime) -> int:
    """Write off what is still owed of an invoice, for one of ``GIVE_UP_REASONS``; return it in cents.

    Money that comes in later counts after all, and takes the write-off back. Raises ``InvalidTransition`` when nothing is
    owed, ``Invalid`` without a reason.
    """
    require(actor, Permission.MANAGE_INVOICES)
    if reason not in GIVE_UP_REASONS:
        sentence = _("Say why nobody will pay this.")
        raise Invalid("reason_missing", sentence, fields={"reason": sentence})
    async with db.atomic():
        at = await states.standing(invoice_id, lock=True)
        if at.state is InvoiceState.UNCOLLECTIBLE:
            return 0
        if InvoiceState.UNCOLLECTIBLE not in states.TRANSITIONS[at.state] or at.open_cents <= 0:
            raise InvalidTransition("invalid_transition", _("Nothing is to be paid on invoice {number}.", number=at.number))
        cents = await write_offs.write_off(at, now=now)
        data = {"cents": cents, "reason": reason}
        await audit.record("invoice.written_off", actor=actor, subject=("invoice", invoice_id), data=data, now=now)
        await states.settle(invoice_id, now=now)
        await credit_notes.tell_stripe("billing.stripe_uncollectible", invoice_id, {"invoice": str(invoice_id)}, now=now)
    return cents
