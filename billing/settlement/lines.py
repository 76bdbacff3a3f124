"""Settlement lines: one for each billed seat, made when its order stands; what is taken back is a line of its own, below zero.

Lock order: the charge, then its lines. A cancellation is kept by itself, so it counts whether it comes before its line or after.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import ledger
from billing.ledger import Account, Event, Posting
from billing.settlement import contracts, payees, rules
from billing.settlement.payees import Owner
from billing.settlement.rules import Split, Terms
from marketplace.kit import clock, db, ids
from marketplace.kit.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

SEAT, CANCELLED = "seat", "cancelled"


class LineState(StrEnum):
    """``waiting`` has no contract · ``accrued`` will be paid after delivery · ``stated`` is on a statement."""

    WAITING = "waiting"
    ACCRUED = "accrued"
    PAYABLE = "payable"
    STATED = "stated"
    PAID = "paid"
    CANCELLED = "cancelled"


_S = LineState
TRANSITIONS: dict[LineState, frozenset[LineState]] = {
    _S.WAITING: frozenset({_S.ACCRUED, _S.CANCELLED}),
    _S.ACCRUED: frozenset({_S.PAYABLE, _S.CANCELLED}),
    _S.PAYABLE: frozenset({_S.ACCRUED, _S.STATED, _S.CANCELLED}),
    _S.STATED: frozenset({_S.PAID}),
    _S.PAID: frozenset({_S.STATED}),
    _S.CANCELLED: frozenset(),
}
NAMES: dict[LineState, str] = {
    _S.WAITING: N_("No contract"),
    _S.ACCRUED: N_("Earned later"),
    _S.PAYABLE: N_("On the next statement"),
    _S.STATED: N_("On a statement"),
    _S.PAID: N_("Paid"),
    _S.CANCELLED: N_("Cancelled"),
}


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A seat that was sold: of which partner, at which net price (cents), taught when, and what it is for VAT.

    ``programme`` is the code that contracts are made for, ``session`` a code for people. No participant's name comes here.
    """

    charge_id: UUID
    owner: Owner
    order_number: str
    programme: str
    session: str
    title_nl: str
    title_en: str
    placed_on: date
    supply_from_on: date
    supply_to_on: date
    vat_basis: str
    teaching: str
    net_cents: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is kept; cents, signed."""

    id: UUID
    payee_id: UUID
    charge_id: UUID
    key: str
    order_number: str
    programme: str
    session: str
    title_nl: str
    title_en: str
    placed_on: date
    supply_from_on: date
    supply_to_on: date
    vat_basis: str
    teaching: str
    percent: Decimal | None
    fixed_cents: int | None
    net_cents: int
    commission_cents: int
    earned_cents: int
    payable_on: date | None
    booked_on: date | None
    statement_id: UUID | None
    vat_category: str | None
    vat_rate: Decimal | None
    exemption_code: str | None
    state: LineState

    @property
    def split(self) -> Split:
        """The amounts."""
        return Split(self.net_cents, self.commission_cents)

    @property
    def terms(self) -> Terms:
        """The commission that was frozen."""
        return Terms(percent=self.percent, fixed_cents=self.fixed_cents)

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en


COLUMNS = ", ".join(Line.__struct_fields__)
_SELECT = f"SELECT {COLUMNS} FROM settlement_line"  # noqa: S608 - field names
_INSERT = """
    INSERT INTO settlement_line (id, payee_id, charge_id, key, of_line_id, contract_id, order_number, programme, session, title_nl, title_en,
        placed_on, supply_from_on, supply_to_on, vat_basis, teaching, percent, fixed_cents, net_cents, commission_cents, earned_cents,
        payable_on, state, state_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $24)
    ON CONFLICT (charge_id, key) DO NOTHING
"""


async def accrue(new: Sequence[NewLine], *, now: datetime) -> None:
    """Make the lines of seats whose order stands; each charge once, however often it is told.

    The contract of the day of ordering is frozen on the line; without one the line waits, and ECL sees it.
    """
    async with db.atomic():
        wanted = {line.charge_id: line for line in new}
        await _lock_charges(list(wanted))
        owners = {line.owner.id: line.owner for line in new}
        made = await payees.ensure(list(owners.values()), now=now)
        for line in wanted.values():
            await _insert_seat(line, made[line.owner.id], now=now)
        for charge_id in sorted(wanted):
            await _apply_cancellation(charge_id, now=now)


async def _lock_charges(charge_ids: Sequence[UUID]) -> None:
    await db.execute("SELECT FROM charge WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(charge_ids))


async def _insert_seat(line: NewLine, payee_id: UUID, *, now: datetime) -> None:
    contract = await contracts.for_line(payee_id, line.programme, line.placed_on)
    split = Split(line.net_cents, 0) if contract is None else rules.seat(line.net_cents, contract.terms)
    await db.execute(
        _INSERT, ids.new_id(), payee_id, line.charge_id, SEAT, None, contract and contract.id, line.order_number, line.programme,
        line.session, line.title_nl, line.title_en, line.placed_on, line.supply_from_on, line.supply_to_on, line.vat_basis, line.teaching,
        contract and contract.percent, contract and contract.fixed_cents, split.net_cents, split.commission_cents, split.earned_cents,
        contract and rules.payable_on(line.supply_to_on, contract.hold_days), (_S.ACCRUED if contract else _S.WAITING).value, now,
    )  # fmt: skip


async def give_contracts(payee_id: UUID, *, now: datetime) -> int:
    """Give lines that waited the contract of their day, where there is one by now; return how many."""
    async with db.atomic():
        waiting = await db.rows(Line, f"{_SELECT} WHERE payee_id = $1 AND state = 'waiting' ORDER BY charge_id, id", payee_id)
        await _lock_charges([line.charge_id for line in waiting])
        return sum([await _give_contract(line, now=now) for line in waiting])


async def _give_contract(line: Line, *, now: datetime) -> bool:
    contract = await contracts.for_line(line.payee_id, line.programme, line.placed_on)
    if contract is None:
        return False
    split = rules.seat(line.net_cents, contract.terms)
    sql = """
        UPDATE settlement_line SET state = 'accrued', state_at = $2, contract_id = $3, percent = $4, fixed_cents = $5, commission_cents = $6,
            earned_cents = $7, payable_on = $8 WHERE id = $1 AND state = 'waiting'
    """
    due_on = rules.payable_on(line.supply_to_on, contract.hold_days)
    given = await db.execute(
        sql, line.id, now, contract.id, contract.percent, contract.fixed_cents, split.commission_cents, split.earned_cents, due_on
    )
    await _apply_cancellation(line.charge_id, now=now)
    return given == 1


async def cancel(charge_id: UUID, *, kept_cents: int, now: datetime) -> None:
    """Take back what a cancelled seat earned, but for the partner's part of the net fee that the buyer still pays.

    Told again with less, because the fee was waived, it takes back the rest; told again with more, it does nothing.
    """
    async with db.atomic():
        await _lock_charges([charge_id])
        sql = """
            INSERT INTO settlement_cancellation AS kept (charge_id, kept_cents, told_at) VALUES ($1, $2, $3)
            ON CONFLICT (charge_id) DO UPDATE SET kept_cents = excluded.kept_cents, told_at = excluded.told_at
                WHERE kept.kept_cents > excluded.kept_cents
        """
        if await db.execute(sql, charge_id, kept_cents, now):
            await _apply_cancellation(charge_id, now=now)


async def _apply_cancellation(charge_id: UUID, *, now: datetime) -> None:
    """Bring a cancelled seat's lines to what is kept of it, if it was cancelled. The charge is locked."""
    kept_cents = await db.value("SELECT kept_cents FROM settlement_cancellation WHERE charge_id = $1", charge_id)
    found = await of_charge(charge_id)
    seat = next((line for line in found if line.key == SEAT), None)
    if kept_cents is None or seat is None or seat.state is _S.CANCELLED:
        return
    shares = bool(await db.value("SELECT shares_fees FROM payee WHERE id = $1", seat.payee_id))
    if seat.state is _S.WAITING:
        if not (kept_cents and shares):
            await _end(seat, now=now)
        return
    standing = rules.sum_splits([line.split for line in found])
    back = rules.cancelled(seat.split, standing, kept_cents=kept_cents, terms=seat.terms, shares_fees=shares)
    if not (back.net_cents or back.commission_cents):
        return
    unstated = seat.state in {_S.ACCRUED, _S.PAYABLE}
    whole = unstated and len(found) == 1 and back == Split(-seat.net_cents, -seat.commission_cents)
    state = _S.CANCELLED if whole else seat.state if unstated else _S.PAYABLE
    await add(seat, f"{CANCELLED}:{kept_cents}", back, now=now, state=state)
    if whole:
        await _end(seat, now=now)


async def _end(line: Line, *, now: datetime) -> None:
    await db.execute("UPDATE settlement_line SET state = 'cancelled', state_at = $2 WHERE id = $1", line.id, now)


async def add(seat: Line, key: str, split: Split, *, state: LineState, now: datetime) -> UUID | None:
    """Add a line to a seat's, under a key that comes once; booked at once where the seat is. Return its id, None if it was there."""
    contract_id = await db.value("SELECT contract_id FROM settlement_line WHERE id = $1", seat.id)
    today = clock.today(now)
    made = ids.new_id()
    follows = state is seat.state or state is _S.CANCELLED
    inserted = await db.execute(
        _INSERT, made, seat.payee_id, seat.charge_id, key, seat.id, contract_id, seat.order_number, seat.programme, seat.session,
        seat.title_nl, seat.title_en, seat.placed_on, seat.supply_from_on, seat.supply_to_on, seat.vat_basis, seat.teaching, seat.percent,
        seat.fixed_cents, split.net_cents, split.commission_cents, split.earned_cents, seat.payable_on if follows else today, state.value, now,
    )  # fmt: skip
    if not inserted:
        return None
    if seat.booked_on is not None:
        await book(msgspec.structs.replace(seat, id=made, key=key, net_cents=split.net_cents, commission_cents=split.commission_cents,
                                           earned_cents=split.earned_cents), on=today, now=now)  # fmt: skip
    return made


async def book(line: Line, *, on: date, now: datetime) -> None:
    """Put a line in the books: what it costs us, less our commission, is owed to the partner. In the caller's transaction."""
    event = Event.PARTNER_ACCRUED if line.key == SEAT else Event.PARTNER_REVERSED
    sides = (
        (Account.PARTNER_COST, line.net_cents),
        (Account.COMMISSION, -line.commission_cents),
        (Account.PARTNER_ACCRUED, -line.earned_cents),
    )
    postings = [Posting(account=account, cents=cents, payee_id=line.payee_id) for account, cents in sides]
    await ledger.book(ledger.Entry(event=event, source_id=line.id, on=on, reference=line.order_number), postings, now=now)
    await db.execute("UPDATE settlement_line SET booked_on = $2 WHERE id = $1", line.id, on)


async def redate(charge_id: UUID, *, from_on: date, to_on: date, now: datetime) -> None:
    """Move a seat's days because its session moved: what isn't on a statement yet is paid that much later or earlier."""
    async with db.atomic():
        await _lock_charges([charge_id])
        sql = """
            UPDATE settlement_line SET supply_from_on = $2, supply_to_on = $3, payable_on = payable_on + ($3 - supply_to_on),
                state = CASE WHEN state = 'payable' THEN 'accrued' ELSE state END, state_at = $4
            WHERE charge_id = $1 AND state IN ('waiting', 'accrued', 'payable') AND (supply_from_on, supply_to_on) IS DISTINCT FROM ($2, $3)
        """
        await db.execute(sql, charge_id, from_on, to_on, now)


async def of_charge(charge_id: UUID) -> list[Line]:
    """Return a charge's lines, the seat's first, locked until the transaction ends."""
    return await db.rows(Line, f"{_SELECT} WHERE charge_id = $1 ORDER BY id FOR UPDATE", charge_id)


async def get(line_id: UUID) -> Line | None:
    """Return a line, locked until the transaction ends, or None."""
    return await db.row(Line, f"{_SELECT} WHERE id = $1 FOR UPDATE", line_id)
