"""Correcting an invoice: what was issued is credited whole, and a new invoice says it right and names the old one.

A charge is billed once; a corrected line is a new charge whose id follows from the old one, so that whoever knows the old
charge finds where it stands today (``current``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import msgspec

from billing import charges, issuing, refunds, states
from billing import credits as credit_notes
from billing.charges import NewCharge
from billing.credits import Credit
from billing.vat import VatCategory, VatDecision
from marketplace.kit import audit, db
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.credit_sums import Creditable
    from marketplace.kit.identity import Actor

_TRIES = 50


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """How the new invoice differs. ``amounts`` are new net amounts in cents by line; the rest stands on every line.

    Name and address of the debtor are those of today. None leaves a reference as it was, "" takes it off.
    """

    invoice_id: UUID
    reason: str
    key: str
    purchase_order: str | None = None
    cost_centre: str | None = None
    amounts: Mapping[UUID, int] = {}


class Corrected(msgspec.Struct, frozen=True):
    """The credit note on the old invoice, and the new invoice."""

    credit_note_id: UUID
    invoice_id: UUID
    number: str


async def correct(wanted: Correction, *, actor: Actor, now: datetime) -> Corrected:
    """Credit an invoice whole and issue it anew with changed content, in one transaction; once per key.

    Lines that were credited before come back with what was left of them. What was paid of the old invoice is set off
    against the new one. Raises ``Conflict`` ``nothing_to_credit``, ``Invalid``, ``InvalidTransition`` for one that was
    withdrawn or given up.
    """
    require(actor, Permission.MANAGE_INVOICES)
    key = f"correction:{wanted.key}"
    async with db.atomic():
        at = await states.standing(wanted.invoice_id, lock=True)
        done = await _done(key)
        if done is not None:
            return done
        if at.state is states.InvoiceState.UNCOLLECTIBLE:
            raise InvalidTransition("invalid_transition", _("Invoice {number} was given up.", number=at.number))
        lines = await credit_notes.creditable(wanted.invoice_id)
        _check_amounts(wanted, lines)
        old = await _charges_of(wanted.invoice_id)
        note = await credit_notes.credit(
            Credit(invoice_id=at.id, lines=[(line.id, None) for line in lines], reason=wanted.reason, cause="correction", key=key),
            actor=actor,
            now=now,
        )
        new = [_new(line, old[line.id], wanted) for line in lines if line.left_cents or not line.net_cents]
        await charges.record(new, now=now, fresh=True)
        made = await issuing.issue_charges([charge.id for charge in new], group_key=key, replaces_id=at.id, now=now)
        assert made is not None
        number = str(await db.value("SELECT number FROM invoice WHERE id = $1", made))
        await audit.record("invoice.corrected", actor=actor, subject=("invoice", at.id), data={"by": made, "number": number}, now=now)
        await _carry_over(at.id, number, actor=actor, now=now)
    return Corrected(note, made, number)


async def _done(key: str) -> Corrected | None:
    sql = """
        SELECT c.id AS credit_note_id, n.id AS invoice_id, n.number FROM invoice c JOIN invoice n ON n.group_key = c.credit_key
         WHERE c.credit_key = $1
    """
    return await db.row(Corrected, sql, key)


def _check_amounts(wanted: Correction, lines: Sequence[Creditable]) -> None:
    unknown = set(wanted.amounts) - {line.id for line in lines}
    if unknown:
        raise Invalid("unknown_line", _("This line is not on the invoice, or stands here twice."))
    sentence = _("Give an amount of zero or more.")
    wrong = {line.field: sentence for line in lines if wanted.amounts.get(line.id, 0) < 0}
    if wrong:
        raise Invalid("invalid", sentence, fields=wrong)
    if not any(line.left_cents for line in lines):
        raise Conflict("nothing_to_credit", _("Everything on this invoice has been credited already."))


async def _charges_of(invoice_id: UUID) -> dict[UUID, charges.Charge]:
    """Return the charge that each line of an invoice bills."""
    pairs = await db.records("SELECT id, charge_id FROM invoice_line WHERE invoice_id = $1", invoice_id)
    found = {charge.id: charge for charge in await charges.of([pair["charge_id"] for pair in pairs])}
    return {pair["id"]: found[pair["charge_id"]] for pair in pairs}


def _new(line: Creditable, old: charges.Charge, wanted: Correction) -> NewCharge:
    cents = wanted.amounts.get(line.id, line.left_cents)
    whole = cents == old.net_cents
    return NewCharge(
        id=_next(old.id),
        debtor_id=old.debtor_id,
        group_key=old.group_key,
        description=old.description,
        detail=old.detail,
        quantity=old.quantity if whole else 1,
        unit_price=Money(old.unit_price_cents if whole else cents),
        vat=VatDecision(
            category=VatCategory(old.vat_category),
            rate=old.vat_rate,
            exemption_code=old.exemption_code,
            text=old.exemption_text,
            trace=old.trace,
        ),
        supply_from_on=old.supply_from_on,
        supply_to_on=old.supply_to_on,
        order_number=old.order_number,
        purchase_order=_changed(old.purchase_order, wanted.purchase_order),
        cost_centre=_changed(old.cost_centre, wanted.cost_centre),
        person_label=old.person_label,
        ordered_by=old.ordered_by,
        department=old.department,
        kind=old.kind,  # type: ignore[arg-type]
    )


def _changed(before: str | None, after: str | None) -> str | None:
    return before if after is None else (after.strip() or None)


def _next(charge_id: UUID) -> UUID:
    return uuid5(charge_id, "correction")


async def _carry_over(old_id: UUID, number: str, *, actor: Actor, now: datetime) -> None:
    """Let what was paid of the old invoice pay the new one."""
    new_open = await db.value("SELECT total_cents FROM invoice WHERE number = $1", number)
    if new_open and await refunds.available(old_id):
        await refunds.set_off(old_id, number, actor=actor, now=now)


async def current(charge_id: UUID) -> UUID:
    """Return the charge that stands for this one today: itself, or the last correction of it."""
    for _try in range(_TRIES):
        following = await db.value("SELECT id FROM charge WHERE id = $1", _next(charge_id))
        if following is None:
            return charge_id
        charge_id = UUID(str(following))
    message = f"charge {charge_id} was corrected more than {_TRIES} times"
    raise RuntimeError(message)
