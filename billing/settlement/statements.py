"""Statements: what a partner is owed for a month, as it is read, and the only functions that move it.

Who may read which: a partner its own, ECL and the system all of them. The filter is in ``whose``; every query here uses it.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import ledger
from billing.ledger import Account, Event, Posting
from marketplace.kit import audit, clock, db
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import N_, _, fmt_money, fmt_number
from marketplace.kit.identity import SYSTEM, Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.web.paging import Page, Place


class StatementState(StrEnum):
    """``issued``: the partner may object · ``agreed``: to be paid · ``carried``: below zero, taken into the next one."""

    ISSUED = "issued"
    AGREED = "agreed"
    IN_BATCH = "in_batch"
    PAID = "paid"
    CARRIED = "carried"


_S = StatementState
TRANSITIONS: dict[StatementState, frozenset[StatementState]] = {
    _S.ISSUED: frozenset({_S.AGREED, _S.CARRIED}),
    _S.AGREED: frozenset({_S.IN_BATCH, _S.PAID, _S.CARRIED}),
    _S.IN_BATCH: frozenset({_S.AGREED, _S.PAID}),
    _S.PAID: frozenset({_S.AGREED}),
    _S.CARRIED: frozenset(),
}
NAMES: dict[StatementState, str] = {
    _S.ISSUED: N_("Partner may object"),
    _S.AGREED: N_("To be paid out"),
    _S.IN_BATCH: N_("In a payout"),
    _S.PAID: N_("Paid out"),
    _S.CARRIED: N_("Carried over"),
}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as issued, and where it stands; cents. ``held_cents`` waits for the answer to an objection."""

    id: UUID
    payee_id: UUID
    number: str
    period_from_on: date
    period_to_on: date
    dated_on: date
    objection_until_on: date
    language: str
    payee: dict[str, Any]
    operator: dict[str, Any]
    self_billed: bool
    invoice_number: str | None
    invoice_on: date | None
    net_cents: int
    commission_cents: int
    earned_cents: int
    vat_cents: int
    carried_cents: int
    total_cents: int
    paid_out_cents: int
    state: StatementState
    payee_name: str
    open_objections: int

    @property
    def total(self) -> Money:
        """What is paid out for it, with VAT and what was carried over; below zero the partner owes it."""
        return Money(self.total_cents)

    @property
    def to_pay(self) -> Money:
        """What is still to be paid out; nothing while it is below zero."""
        return Money(max(0, self.total_cents - self.paid_out_cents))

    @property
    def net(self) -> Money:
        """The buyers' prices."""
        return Money(self.net_cents)

    @property
    def commission(self) -> Money:
        """ECL's part."""
        return Money(self.commission_cents)

    @property
    def earned(self) -> Money:
        """The partner's part, without VAT."""
        return Money(self.earned_cents)

    @property
    def carried(self) -> Money:
        """What earlier statements came to below zero."""
        return Money(self.carried_cents)

    @property
    def wants_invoice(self) -> bool:
        """Tell whether the partner still has to send its invoice."""
        return self.invoice_number is None and self.earned_cents != 0

    def may_object(self, today: date) -> bool:
        """Tell whether the partner may still object."""
        return self.state is _S.ISSUED and today <= self.objection_until_on


_FIELDS = """
    s.id, s.payee_id, s.number, s.period_from_on, s.period_to_on, s.dated_on, s.objection_until_on, s.language, s.payee, s.operator,
    s.self_billed, s.invoice_number, s.invoice_on, s.net_cents, s.commission_cents, s.earned_cents, s.vat_cents, s.carried_cents,
    s.total_cents, s.paid_out_cents, s.state, p.legal_name AS payee_name,
    (SELECT count(*) FROM statement_objection o WHERE o.statement_id = s.id AND o.state = 'open') AS open_objections
"""
_FROM = f"SELECT {_FIELDS} FROM partner_statement s JOIN payee p ON p.id = s.payee_id"  # noqa: S608 - constant


def whose(actor: Actor) -> UUID | None:
    """Return the partner whose statements the actor may read; None reads all."""
    if actor.is_partner:
        require(actor, Permission.SEE_STATEMENTS)
        return actor.partner_id
    require(actor, Permission.MANAGE_SETTLEMENT)
    return None


async def get(number: str, *, actor: Actor) -> Statement:
    """Return a statement by its number. Raises ``NotFound`` for an unknown and for somebody else's."""
    found = await db.row(Statement, f"{_FROM} WHERE s.number = $1 AND ($2::uuid IS NULL OR p.owner_id = $2)", number, whose(actor))
    if found is None:
        raise unknown()
    return found


async def by_id(statement_id: UUID, *, lock: bool = False) -> Statement:
    """Return a statement by id; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Statement, f"{_FROM} WHERE s.id = $1{' FOR UPDATE OF s' if lock else ''}", statement_id)
    if found is None:
        raise unknown()
    return found


def unknown() -> NotFound:
    """Return the refusal for a statement that isn't there, or isn't the actor's."""
    return NotFound("not_found", _("This statement is not there."))


async def page(place: Place, *, actor: Actor, state: str | None = None, payee_id: UUID | None = None) -> Page[Statement]:
    """Return a page of statements, newest first: of one state, of one payee, or all that the actor may read."""
    sql = f"""
        {_FROM} WHERE ($1::uuid IS NULL OR p.owner_id = $1) AND ($2::text IS NULL OR s.state = $2) AND ($3::uuid IS NULL OR s.payee_id = $3)
            AND ($4::date IS NULL OR (s.dated_on, s.number) {place.before} ($4, $5))
        ORDER BY s.dated_on {place.descending}, s.number {place.descending} LIMIT $6
    """
    rows = await db.rows(Statement, sql, whose(actor), state, payee_id, *place.key, place.fetch)
    return paging.page(rows, place, key=lambda row: (row.dated_on, row.number))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a statement as it is shown; cents, signed, without VAT."""

    id: UUID
    key: str
    order_number: str
    programme: str
    session: str
    title_nl: str
    title_en: str
    supply_from_on: date
    supply_to_on: date
    percent: Decimal | None
    fixed_cents: int | None
    net_cents: int
    commission_cents: int
    earned_cents: int
    vat_category: str
    vat_rate: Decimal
    objection_id: UUID | None
    objection_state: str | None
    objection_reason: str | None
    objection_answer: str | None
    of_statement: str | None

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en

    @property
    def percent_words(self) -> str:
        """The percentage as people write it; empty for a fixed amount."""
        return "" if self.percent is None else f"{fmt_number(self.percent.normalize())}%"

    @property
    def fixed(self) -> Money | None:
        """The fixed commission a seat."""
        return None if self.fixed_cents is None else Money(self.fixed_cents)

    @property
    def net(self) -> Money:
        """The buyer's price."""
        return Money(self.net_cents)

    @property
    def commission(self) -> Money:
        """ECL's part."""
        return Money(self.commission_cents)

    @property
    def earned(self) -> Money:
        """The partner's part."""
        return Money(self.earned_cents)


async def rows(statement_id: UUID) -> list[Row]:
    """Return a statement's lines in the order in which they were delivered, with the objection to each."""
    sql = """
        SELECT l.id, l.key, l.order_number, l.programme, l.session, l.title_nl, l.title_en, l.supply_from_on, l.supply_to_on, l.percent,
               l.fixed_cents, l.net_cents, l.commission_cents, l.earned_cents, l.vat_category, l.vat_rate, o.id AS objection_id,
               o.state AS objection_state, o.reason AS objection_reason, o.answer AS objection_answer, t.number AS of_statement
        FROM settlement_line l LEFT JOIN statement_objection o ON o.line_id = l.id
            LEFT JOIN settlement_line of ON of.id = l.of_line_id LEFT JOIN partner_statement t ON t.id = of.statement_id AND t.id <> $1
        WHERE l.statement_id = $1 ORDER BY l.supply_to_on, l.session, l.order_number, l.id
    """
    return await db.rows(Row, sql, statement_id)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The VAT of one (category, rate) on a statement."""

    vat_category: str
    vat_rate: Decimal
    earned_cents: int
    vat_cents: int
    exemption_code: str | None

    @property
    def earned(self) -> Money:
        """What it is over."""
        return Money(self.earned_cents)

    @property
    def vat(self) -> Money:
        """The VAT."""
        return Money(self.vat_cents)


async def shares(statement_id: UUID) -> list[Share]:
    """Return the VAT of a statement, the highest rate first."""
    sql = "SELECT vat_category, vat_rate, earned_cents, vat_cents, exemption_code FROM partner_statement_vat WHERE statement_id = $1"
    return await db.rows(Share, f"{sql} ORDER BY vat_rate DESC, vat_category", statement_id)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment for a statement; ``state`` is ``planned``, ``sent``, ``paid``, ``returned`` or ``dropped``."""

    batch_id: UUID
    batch_number: str
    pay_on: date
    cents: int
    state: str
    end_to_end: str
    ending: str
    return_reason: str | None

    @property
    def amount(self) -> Money:
        """What is paid."""
        return Money(self.cents)


async def payments(statement_id: UUID) -> list[Payment]:
    """Return the payments for a statement, oldest first."""
    sql = """
        SELECT i.batch_id, b.number AS batch_number, b.pay_on, i.cents, i.state, i.end_to_end, right(a.iban, 4) AS ending, i.return_reason
        FROM payout_item i JOIN payout_batch b ON b.id = i.batch_id JOIN payee_account a ON a.id = i.account_id
        WHERE i.statement_id = $1 ORDER BY b.drafted_at, i.id
    """
    return await db.rows(Payment, sql, statement_id)


async def move(statement: Statement, to: StatementState, *, actor: Actor, now: datetime) -> None:
    """Move a statement; the caller holds its lock. Raises ``InvalidTransition``."""
    if to is statement.state:
        return
    if to not in TRANSITIONS[statement.state]:
        raise InvalidTransition("invalid_transition", _("Statement {number} can't be changed like this any more.", number=statement.number))
    await db.execute("UPDATE partner_statement SET state = $2, state_at = $3 WHERE id = $1", statement.id, to.value, now)
    data = {"from": statement.state.value, "to": to.value}
    await audit.record("statement.moved", actor=actor, subject=("statement", statement.id), data=data, now=now)


async def accept(number: str, *, actor: Actor, now: datetime) -> None:
    """Let the partner agree before its time to object is over. Raises ``Forbidden``, ``NotFound``."""
    require(actor, Permission.SEE_STATEMENTS)
    async with db.atomic():
        statement = await by_id((await get(number, actor=actor)).id, lock=True)
        if statement.state is _S.ISSUED:
            await _agree(statement, actor=actor, now=now)


async def agree_silently(*, now: datetime) -> int:
    """Let every statement stand whose time to object is over; return how many. Safe to repeat."""
    async with db.atomic():
        sql = "SELECT id FROM partner_statement WHERE state = 'issued' AND objection_until_on < $1 ORDER BY id FOR UPDATE"
        found = await db.records(sql, clock.today(now))
        for row in found:
            await _agree(await by_id(row["id"]), actor=SYSTEM, now=now)
    return len(found)


async def _agree(statement: Statement, *, actor: Actor, now: datetime) -> None:
    nothing = statement.total_cents == 0 and not statement.wants_invoice and not statement.open_objections
    await move(statement, _S.AGREED, actor=actor, now=now)
    if nothing:
        await settle_if_done(await by_id(statement.id), actor=actor, now=now)


async def settle_if_done(statement: Statement, *, actor: Actor, now: datetime) -> None:
    """Mark a statement paid when all of it has been paid out, else open it for the next payout. The caller holds its lock."""
    done = statement.total_cents >= 0 and statement.paid_out_cents == statement.total_cents and not statement.wants_invoice
    await move(statement, _S.PAID if done else _S.AGREED, actor=actor, now=now)
    before, after = ("stated", "paid") if done else ("paid", "stated")
    await db.execute(
        "UPDATE settlement_line SET state = $2, state_at = $3 WHERE statement_id = $1 AND state = $4", statement.id, after, now, before
    )


async def book(statement: Statement, parts: Sequence[Share], *, on: date, now: datetime) -> None:
    """Put a statement's invoice in the books: what was accrued, with VAT, is now payable. In the caller's transaction; once."""
    payee = statement.payee_id
    postings = [Posting(account=Account.PARTNER_ACCRUED, cents=statement.earned_cents, payee_id=payee)]
    postings += [
        Posting(account=Account.INPUT_VAT, cents=part.vat_cents, payee_id=payee, vat_category=part.vat_category, vat_rate=part.vat_rate)
        for part in parts
    ]
    postings.append(Posting(account=Account.PARTNER_PAYABLE, cents=-(statement.earned_cents + statement.vat_cents), payee_id=payee))
    entry = ledger.Entry(event=Event.STATEMENT_ISSUED, source_id=statement.id, on=on, reference=statement.number)
    await ledger.book(entry, postings, now=now)


async def register_invoice(number: str, *, invoice_number: str, invoice_on: date, total: Money, actor: Actor, now: datetime) -> None:
    """Keep the invoice that a partner sent for a statement; only then it is paid. It must come to what the statement says.

    Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict`` ``has_invoice``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    invoice_number = invoice_number.strip()
    async with db.atomic():
        statement = await by_id((await get(number, actor=actor)).id, lock=True)
        if statement.invoice_number is not None:
            raise Conflict("has_invoice", _("This statement has its invoice: {number}.", number=statement.invoice_number))
        await _check_invoice(statement, invoice_number, invoice_on, total, clock.today(now))
        sql = "UPDATE partner_statement SET invoice_number = $2, invoice_on = $3 WHERE id = $1"
        await db.execute(sql, statement.id, invoice_number, invoice_on)
        await book(statement, await shares(statement.id), on=clock.today(now), now=now)
        await audit.record("statement.invoice_registered", actor=actor, subject=("statement", statement.id), now=now)
        if statement.state is _S.AGREED and statement.total_cents == 0:
            await settle_if_done(await by_id(statement.id), actor=actor, now=now)


async def _check_invoice(statement: Statement, invoice_number: str, invoice_on: date, total: Money, today: date) -> None:
    wrong: dict[str, str] = {}
    due = statement.earned_cents + statement.vat_cents
    if not invoice_number or len(invoice_number) > 60:
        wrong["invoice_number"] = _("Give the number on the partner's invoice.")
    elif await db.value("SELECT 1 FROM partner_statement WHERE payee_id = $1 AND invoice_number = $2", statement.payee_id, invoice_number):
        wrong["invoice_number"] = _("Another statement of this partner has this invoice already.")
    if invoice_on > today:
        wrong["invoice_on"] = _("This day is still to come.")
    if total.cents != abs(due):
        wrong["total"] = _(
            "The statement comes to {amount} with VAT. Ask the partner for an invoice of that amount.", amount=fmt_money(Money(abs(due)))
        )
    if wrong:
        raise Invalid("invalid", " ".join(wrong.values()), fields=wrong)
