"""What a seat earns: exactly once, by the contract of its day, taken back when cancelled, held back while something is wrong."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from billing.settlement import advance, agreeing, incidents, lines, payees
from billing.settlement.agreeing import NewContract
from billing.settlement.lines import LineState
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Conflict, Forbidden, Invalid
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money
from tests.builders.settlement import a_payee, a_seat, a_statement, balance

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("db")]


async def _one(charge_id: UUID) -> lines.Line:
    (found,) = await lines.of_charge(charge_id)
    return found


async def test_a_seat_earns_its_price_less_commission_once(now: datetime) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id, cents=64_501)
    line = await _one(charge)
    assert (line.net_cents, line.commission_cents, line.earned_cents) == (64_501, 9_675, 54_826)
    await lines.accrue([await _again(line)], now=now)
    assert len(await lines.of_charge(charge)) == 1


async def _again(line: lines.Line) -> lines.NewLine:
    payee = await payees.get(line.payee_id)
    return lines.NewLine(
        charge_id=line.charge_id, owner=payees.Owner(id=payee.owner_id, name="x", code="x"), order_number="107", programme="NL-A1",
        session="s", title_nl="n", title_en="e", placed_on=line.placed_on, supply_from_on=line.supply_from_on, supply_to_on=line.supply_to_on,
        vat_basis="coaching", teaching="online", net_cents=1,
    )  # fmt: skip


async def test_the_contract_of_the_programme_and_the_day_counts(now: datetime) -> None:
    payee_id = await a_payee(percent=Decimal(20))
    await agreeing.agree(payee_id, NewContract(from_on=date(2026, 9, 1), percent=Decimal(10)), actor=SYSTEM, now=now)
    own = NewContract(from_on=date(2026, 1, 1), fixed=Money(2_500), programme="NL-B1", hold_days=0)
    await agreeing.agree(payee_id, own, actor=SYSTEM, now=now)
    amounts = [
        (await _one(await a_seat(payee_id, cents=10_000, **values))).commission_cents
        for values in ({"placed_on": date(2026, 8, 31)}, {"placed_on": date(2026, 9, 1)}, {"programme": "NL-B1"})
    ]
    assert amounts == [2_000, 1_000, 2_500]
    assert (await _one(await a_seat(payee_id, cents=2_000, programme="NL-B1"))).earned_cents == 0


async def test_a_line_without_contract_waits_until_there_is_one(now: datetime) -> None:
    payee_id = await a_payee(percent=None)
    charge = await a_seat(payee_id)
    await advance.advance(now=now)
    assert (await _one(charge)).state is LineState.WAITING
    assert await balance("partner_accrued") == 0
    await agreeing.agree(payee_id, NewContract(from_on=date(2026, 1, 1), percent=Decimal(15)), actor=SYSTEM, now=now)
    assert (await _one(charge)).state is LineState.ACCRUED
    await advance.advance(now=now)
    assert (await _one(charge)).state is LineState.PAYABLE
    assert await balance("partner_accrued") == -54_825


async def test_two_contracts_never_hold_on_one_day(now: datetime) -> None:
    payee_id = await a_payee()
    with pytest.raises(Conflict, match="Another contract"):
        await agreeing.agree(payee_id, NewContract(from_on=date(2025, 1, 1), percent=Decimal(1)), actor=SYSTEM, now=now)
    for wrong in (NewContract(from_on=date(2027, 1, 1)), NewContract(from_on=date(2027, 1, 1), percent=Decimal(1), fixed=Money(1))):
        with pytest.raises(Invalid):
            await agreeing.agree(payee_id, wrong, actor=SYSTEM, now=now)


async def test_it_is_payable_after_delivery_and_hold_days(clock: FakeClock, now: datetime) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id, ended_on=date(2026, 11, 22), invoiced=False)
    await advance.advance(now=now)
    line = await _one(charge)
    assert (line.state, line.booked_on, line.payable_on) == (LineState.ACCRUED, date(2026, 11, 22), date(2026, 12, 7))
    clock.move(timedelta(days=13))
    await advance.advance(now=clock.now())
    assert (await _one(charge)).state is LineState.ACCRUED
    clock.move(timedelta(days=1))
    await advance.advance(now=clock.now())
    assert (await _one(charge)).state is LineState.PAYABLE


async def test_it_is_booked_with_the_invoice_or_at_delivery(now: datetime) -> None:
    payee_id = await a_payee()
    later = date(2027, 3, 1)
    billed, open_one = await a_seat(payee_id, ended_on=later, invoiced=True), await a_seat(payee_id, ended_on=later, invoiced=False)
    await advance.advance(now=now)
    assert (await _one(billed)).booked_on == date(2026, 11, 23)
    assert (await _one(open_one)).booked_on is None
    assert [await balance(name) for name in ("partner_cost", "commission", "partner_accrued")] == [64_500, -9_675, -54_825]


@pytest.mark.parametrize("first", ["seat", "cancellation"])
async def test_a_cancelled_seat_earns_nothing_in_either_order(now: datetime, first: str) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id, ended_on=date(2027, 3, 1), invoiced=True)
    if first == "seat":
        await advance.advance(now=now)
    await lines.cancel(charge, kept_cents=0, now=now)
    await lines.cancel(charge, kept_cents=0, now=now)
    await advance.advance(now=now)
    assert {line.state for line in await lines.of_charge(charge)} == {LineState.CANCELLED}
    assert sum(line.earned_cents for line in await lines.of_charge(charge)) == 0
    assert await balance("partner_accrued") == 0


async def test_a_cancellation_that_comes_before_its_line_counts(now: datetime) -> None:
    payee_id = await a_payee()
    known = await _one(await a_seat(payee_id))
    other = await a_seat(payee_id)
    await kit_db.execute("ALTER TABLE settlement_line DISABLE TRIGGER settlement_line_kept")
    await kit_db.execute("DELETE FROM settlement_line WHERE charge_id = $1", other)
    await lines.cancel(other, kept_cents=0, now=now)
    again = await _again(known)
    await lines.accrue([type(again)(**{name: getattr(again, name) for name in again.__struct_fields__} | {"charge_id": other})], now=now)
    assert {line.state for line in await lines.of_charge(other)} == {LineState.CANCELLED}


async def test_a_fee_that_is_kept_is_shared_and_a_waived_one_given_back(now: datetime) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id, ended_on=date(2027, 3, 1), invoiced=True)
    await advance.advance(now=now)
    await lines.cancel(charge, kept_cents=32_250, now=now)
    assert sum(line.earned_cents for line in await lines.of_charge(charge)) == 32_250 - 4_838
    assert -await balance("partner_accrued") == 32_250 - 4_838
    await lines.cancel(charge, kept_cents=0, now=now)
    assert sum(line.earned_cents for line in await lines.of_charge(charge)) == 0
    assert await balance("partner_accrued") == await balance("commission") == 0


async def test_who_doesnt_share_fees_gets_none(now: datetime) -> None:
    payee_id = await a_payee(shares_fees=False)
    charge = await a_seat(payee_id, ended_on=date(2027, 3, 1), invoiced=True)
    await lines.cancel(charge, kept_cents=32_250, now=now)
    assert sum(line.earned_cents for line in await lines.of_charge(charge)) == 0


async def test_what_was_on_a_statement_comes_back_on_the_next(now: datetime) -> None:
    payee_id = await a_payee(self_billing=False)
    statement = await a_statement(payee_id, 64_500)
    (line,) = await kit_db.records("SELECT charge_id FROM settlement_line WHERE statement_id = $1", statement.id)
    await lines.cancel(line["charge_id"], kept_cents=0, now=now)
    seat, back = await lines.of_charge(line["charge_id"])
    assert (seat.state, back.state, back.earned_cents) == (LineState.STATED, LineState.PAYABLE, -seat.earned_cents)
    assert back.booked_on == date(2026, 11, 23)


async def test_an_incident_holds_a_line_until_it_is_closed(now: datetime, cast: Cast) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id)
    await advance.advance(now=now)
    line = await _one(charge)
    with pytest.raises(Forbidden):
        await incidents.report(line.id, reason="No lesson", actor=cast.partner_a, now=now)
    incident = await incidents.report(line.id, reason="Two lessons were not given", actor=cast.ecl, now=now)
    await advance.advance(now=now)
    assert (await _one(charge)).state is LineState.ACCRUED
    with pytest.raises(Conflict):
        await incidents.report(line.id, reason="Again", actor=cast.ecl, now=now)
    await incidents.close(incident, outcome="They were given a week later", actor=cast.ecl, now=now)
    assert (await _one(charge)).state is LineState.PAYABLE


async def test_moved_dates_move_the_day_of_payment(now: datetime) -> None:
    payee_id = await a_payee()
    charge = await a_seat(payee_id, invoiced=False)
    await advance.advance(now=now)
    await lines.redate(charge, from_on=date(2026, 12, 1), to_on=date(2026, 12, 20), now=now)
    line = await _one(charge)
    assert (line.state, line.payable_on) == (LineState.ACCRUED, date(2027, 1, 4))
    await advance.advance(now=now)
    assert (await _one(charge)).state is LineState.ACCRUED
