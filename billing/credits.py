"""Credit notes: what takes back an issued invoice, whole or in part. One transaction each, once per key, never above a line.

Lock order: the invoice's row first, the counter of the series as late as can be. PDF, e-invoice, mail and the copy at Stripe
follow as work rows. Withdrawing, giving up and correcting an invoice are in ``billing.changes``; money that goes back is in
``refunds``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from billing import credit_sums, ledger, numbering, states, vat, write_offs
from billing.credit_sums import Creditable, Part, Rate, Taken
from billing.ledger import Entry, Event
from billing.states import InvoiceState
from marketplace.kit import audit, clock, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition
from marketplace.kit.i18n import _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    from billing.vat import VatTotal
    from marketplace.kit.identity import Actor

Cause = Literal["cancellation", "correction", "goodwill", "withdrawal"]
_REASON_LENGTH = 300


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """What to take back: ``lines`` are (line of the invoice, cents without VAT or None for all that is left of it).

    ``reason`` is for the debtor to read; ``key`` makes it one credit note however often it is asked for.
    """

    invoice_id: UUID
    lines: Sequence[tuple[UUID, int | None]]
    reason: str
    cause: Cause
    key: str


async def credit(wanted: Credit, *, actor: Actor, now: datetime) -> UUID:
    """Issue a credit note and return its id; the same ``key`` again is the same credit note. The caller may do this.

    It carries each line's own VAT category, rate, legal text and references, has a number in the C series, lowers what is
    owed, and is in the books. What was paid above what is left stands to be paid back (``refunds``).
    Raises ``NotFound``, ``Invalid`` (amounts, reason), ``Conflict`` ``nothing_to_credit``, ``InvalidTransition`` for a
    withdrawn invoice.
    """
    async with db.atomic():
        note = await write(wanted, actor=actor, now=now)
        await states.settle(wanted.invoice_id, now=now)
    return note


async def preview(invoice_id: UUID, lines: Sequence[tuple[UUID, int | None]]) -> list[VatTotal]:
    """Return what a credit note over these lines would come to, per VAT rate; nothing is issued. Raises as ``credit``."""
    taken = credit_sums.parts(await creditable(invoice_id), lines)
    return credit_sums.shares(await _issued(invoice_id), await _before(invoice_id), taken)


async def write(wanted: Credit, *, actor: Actor, now: datetime) -> UUID:
    """Do ``credit`` but for settling the invoice, which stays locked: for verbs that decide on its state themselves."""
    reason = _reason(wanted.reason)
    await states.standing(wanted.invoice_id, lock=True)
    existing = await db.value("SELECT id FROM invoice WHERE credit_key = $1", wanted.key)
    if existing is not None:
        return UUID(str(existing))
    invoice = await _invoice(wanted.invoice_id)
    sums = await preview(wanted.invoice_id, wanted.lines)
    taken = credit_sums.parts(await creditable(wanted.invoice_id), wanted.lines)
    return await _insert(invoice, msgspec.structs.replace(wanted, reason=reason), taken, sums, actor=actor, now=now)


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason or len(reason) > _REASON_LENGTH:
        sentence = _("Say why, in at most {n} characters: the reason stands on the credit note.", n=_REASON_LENGTH)
        raise Invalid("reason_missing", sentence, fields={"reason": sentence})
    return reason


class _Invoice(msgspec.Struct, frozen=True):
    id: UUID
    kind: str
    number: str
    debtor_id: UUID
    state: InvoiceState
    language: str
    total_cents: int
    dated_on: date


async def _invoice(invoice_id: UUID) -> _Invoice:
    sql = "SELECT id, kind, number, debtor_id, state, language, total_cents, dated_on FROM invoice WHERE id = $1"
    found = await db.row(_Invoice, sql, invoice_id)
    assert found is not None
    if found.kind != "invoice":
        raise Conflict("not_an_invoice", _("A credit note can't be credited itself."), next_step=_("Issue a new invoice instead."))
    if found.state is InvoiceState.VOID:
        raise InvalidTransition("invalid_transition", _("Invoice {number} was withdrawn: nothing is owed for it.", number=found.number))
    return found


async def creditable(invoice_id: UUID) -> list[Creditable]:
    """Return an invoice's lines in their order, each with what was credited of it."""
    sql = """
        SELECT l.id, l.position, l.description, l.person_label, l.quantity, l.unit_price_cents, l.net_cents, l.vat_category, l.vat_rate,
               coalesce((SELECT sum(c.net_cents) FROM invoice_line c WHERE c.credits_line_id = l.id), 0)::bigint AS credited_cents
          FROM invoice_line l WHERE l.invoice_id = $1 ORDER BY l.position
    """
    return await db.rows(Creditable, sql, invoice_id)


class _Share(msgspec.Struct, frozen=True):
    vat_category: str
    vat_rate: Decimal
    net_cents: int
    vat_cents: int
    exemption_code: str | None = None


async def _issued(invoice_id: UUID) -> list[VatTotal]:
    sql = (
        "SELECT vat_category, vat_rate, net_cents, vat_cents, exemption_code FROM invoice_vat WHERE invoice_id = $1"
        " ORDER BY vat_rate DESC, vat_category"
    )
    return [
        credit_sums.total_of(one.vat_category, one.vat_rate, one.net_cents, one.vat_cents, one.exemption_code)
        for one in await db.rows(_Share, sql, invoice_id)
    ]


async def _before(invoice_id: UUID) -> dict[Rate, Taken]:
    sql = """
        SELECT v.vat_category, v.vat_rate, sum(v.net_cents)::bigint AS net_cents, sum(v.vat_cents)::bigint AS vat_cents
          FROM invoice c JOIN invoice_vat v ON v.invoice_id = c.id WHERE c.credits_id = $1 GROUP BY 1, 2
    """
    found = await db.rows(_Share, sql, invoice_id)
    return {(one.vat_category, one.vat_rate.normalize()): Taken(one.net_cents, one.vat_cents) for one in found}


_NOTE = """
    INSERT INTO invoice (id, kind, series, number, debtor_id, credits_id, dated_on, language, currency, seller, buyer, order_number,
        purchase_order, cost_centre, department, ordered_by, net_cents, vat_cents, total_cents, issued_at, state, paid_cents, state_at,
        reason, cause, credit_key)
    SELECT $1, 'credit_note', $2, $3, o.debtor_id, o.id, $4, o.language, o.currency, o.seller, o.buyer || $5::jsonb, o.order_number,
        o.purchase_order, o.cost_centre, o.department, o.ordered_by, $6, $7, $8, $9, 'issued', 0, $9, $10, $11, $12
      FROM invoice o WHERE o.id = $13
"""
_LINE = """
    INSERT INTO invoice_line (id, invoice_id, position, credits_line_id, description, detail, quantity, unit_price_cents, net_cents,
        vat_category, vat_rate, exemption_code, exemption_text, trace, supply_from_on, supply_to_on, order_number, purchase_order,
        cost_centre, person_label, department)
    SELECT $1, $2, $3, l.id, l.description, l.detail, $4, $5, $6, l.vat_category, l.vat_rate, l.exemption_code, l.exemption_text, l.trace,
        l.supply_from_on, l.supply_to_on, l.order_number, l.purchase_order, l.cost_centre, l.person_label, l.department
      FROM invoice_line l WHERE l.id = $7
"""
_VAT = (
    "INSERT INTO invoice_vat (id, invoice_id, vat_category, vat_rate, net_cents, vat_cents, exemption_code, exemption_text)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


async def _insert(
    invoice: _Invoice, wanted: Credit, taken: Sequence[Part], sums: Sequence[VatTotal], *, actor: Actor, now: datetime
) -> UUID:
    net, tax = sum(one.net_cents for one in sums), sum(one.vat_cents for one in sums)
    await write_offs.make_room(invoice.id, net + tax, now=now)
    note_id = ids.new_id()
    number = await numbering.next_number(numbering.CREDIT_NOTE, max(clock.today(now), invoice.dated_on))
    await db.execute(
        _NOTE, note_id, number.series, number.number, number.dated_on, await _delivery(invoice.debtor_id), net, tax, net + tax, now,
        wanted.reason, wanted.cause, wanted.key, invoice.id,
    )  # fmt: skip
    await db.execute_many(
        _LINE,
        [
            (ids.new_id(), note_id, at, part.quantity, part.unit_price_cents, part.net_cents, part.line.id)
            for at, part in enumerate(taken, 1)
        ],
    )
    await db.execute_many(
        _VAT,
        [(ids.new_id(), note_id, one.category.value, one.rate, one.net_cents, one.vat_cents, one.exemption_code,
          vat.note(one.category.value, one.exemption_code, invoice.language)) for one in sums],
    )  # fmt: skip
    await db.execute("UPDATE invoice SET credited_cents = credited_cents + $2 WHERE id = $1", invoice.id, net + tax)
    entry = Entry(event=Event.CREDIT_ISSUED, source_id=note_id, on=number.dated_on, reference=number.number)
    await ledger.book(entry, ledger.turned(ledger.invoice_postings(sums, invoice.debtor_id)), now=now)
    data = {"credit_note": note_id, "number": number.number, "cause": wanted.cause, "net_cents": net, "vat_cents": tax}
    await audit.record("invoice.credited", actor=actor, subject=("invoice", invoice.id), data=data, now=now)
    issued = {"number": number.number, "credits": invoice.number, "net_cents": net, "vat_cents": tax}
    await audit.record("invoice.issued", actor=actor, subject=("invoice", note_id), data=issued, now=now)
    await _follow(note_id, invoice.id, wanted.cause, now=now)
    return note_id


async def _delivery(debtor_id: UUID) -> dict[str, object]:
    """Return how the debtor wants its mail today; the rest of the credit note names it as the invoice did."""
    found = await db.records("SELECT email, wants_ubl, ubl_profile FROM debtor WHERE id = $1", debtor_id)
    return found[0]


async def _follow(note_id: UUID, invoice_id: UUID, cause: Cause, *, now: datetime) -> None:
    await work.enqueue("billing.render", {"invoice": str(note_id)}, run_at=now, dedupe_key=f"billing.render:{note_id}")
    if cause != "withdrawal":
        await tell_stripe("billing.stripe_credit", invoice_id, {"credit_note": str(note_id)}, now=now)


async def tell_stripe(kind: str, invoice_id: UUID, payload: dict[str, str], *, now: datetime) -> None:
    """Queue what Stripe must learn of an invoice, if its copy is there or on its way; once per kind and payload."""
    known = await db.value("SELECT 1 FROM stripe_link WHERE kind = 'invoice' AND our_id = $1", invoice_id)
    if known is not None or kind in work.kinds():
        await work.enqueue(kind, payload, run_at=now, dedupe_key=f"{kind}:{':'.join(payload.values())}")


class CreditNote(msgspec.Struct, frozen=True):
    """A credit note beside its invoice."""

    id: UUID
    number: str
    dated_on: date
    total_cents: int
    reason: str
    cause: str

    @property
    def total(self) -> Money:
        """What it takes back, VAT included."""
        return Money(self.total_cents)


async def of(invoice_id: UUID) -> list[CreditNote]:
    """Return the credit notes on an invoice that the caller may see, in their order."""
    sql = "SELECT id, number, dated_on, total_cents, reason, cause FROM invoice WHERE credits_id = $1 ORDER BY number"
    return await db.rows(CreditNote, sql, invoice_id)


class Ties(msgspec.Struct, frozen=True):
    """How an invoice or credit note hangs together with others: its reason, the invoice it replaces, and the one that replaces it."""

    reason: str | None
    replaces: str | None
    replaced_by: str | None


async def ties(invoice_id: UUID) -> Ties:
    """Return the ties of an invoice that the caller may see."""
    sql = """
        SELECT i.reason, old.number AS replaces, (SELECT number FROM invoice WHERE replaces_id = i.id ORDER BY number LIMIT 1) AS replaced_by
          FROM invoice i LEFT JOIN invoice old ON old.id = i.replaces_id WHERE i.id = $1
    """
    found = await db.row(Ties, sql, invoice_id)
    return found or Ties(None, None, None)
