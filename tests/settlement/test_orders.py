"""From an order to what its partner earns, through the worker: once, not before the order stands, taken back when cancelled."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from billing.settlement import agreeing, lines, payees
from billing.settlement.agreeing import NewContract
from billing.settlement.lines import Line, LineState
from marketplace.fulfilment import acceptances
from marketplace.kit import clock, work
from marketplace.kit import db as kit_db
from marketplace.kit.identity import SYSTEM
from marketplace.orders import redate
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.builders.settlement import CONTRACT_FROM

if TYPE_CHECKING:
    from uuid import UUID

    from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")
KINDS = ("settlement.partner_added", "orders.accrue", "settlement.line_cancelled", "fulfilment.ask_partner")


async def _lines(order_id: UUID) -> list[Line]:
    charges = await kit_db.records("SELECT charge_id FROM order_line WHERE order_id = $1 ORDER BY position", order_id)
    return [line for row in charges for line in await lines.of_charge(row["charge_id"])]


async def _contract(cast: Cast) -> None:
    await work.drain(clock.now(), only=KINDS)
    payee_id = await kit_db.value("SELECT id FROM payee WHERE owner_id = $1", cast.partner_a_id)
    assert (await payees.get(payee_id)).legal_name == "Taalhuis Rapenburg"
    await agreeing.agree(payee_id, NewContract(from_on=CONTRACT_FROM, percent=Decimal(15)), actor=SYSTEM, now=clock.now())


async def test_an_order_that_stands_earns_its_partner_once(cast: Cast) -> None:
    await _contract(cast)
    session = await a_session(programme_id=await a_programme(partner_id=cast.partner_a_id))
    people = [(await a_person(cast.company_a.id)).id for _each in range(2)]
    order = await an_order(session.id, *people, actor=cast.hr_a)
    await work.drain(clock.now(), only=KINDS)
    await kit_db.execute("UPDATE due_work SET state = 'queued' WHERE kind = 'orders.accrue'")
    await work.drain(clock.now(), only=KINDS)
    found = await _lines(order.id)
    assert [line.state for line in found] == [LineState.ACCRUED] * 2
    assert {line.commission_cents for line in found} == {round(line.net_cents * 15 / 100) for line in found}
    assert {line.session for line in found} == {session.code}
    assert found[0].supply_to_on == clock.today(session.ends_at)


async def test_nothing_is_earned_before_the_partner_accepts(cast: Cast) -> None:
    await _contract(cast)
    session = await a_session(programme_id=await a_programme(partner_id=cast.partner_a_id, published_capacity=False))
    order = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(clock.now(), only=KINDS)
    assert await _lines(order.id) == []
    acceptance = await kit_db.value("SELECT id FROM acceptance WHERE partner_id = $1", cast.partner_a_id)
    await acceptances.accept(acceptance, actor=cast.partner_a, now=clock.now())
    await work.drain(clock.now(), only=KINDS)
    assert [line.state for line in await _lines(order.id)] == [LineState.ACCRUED]


async def test_a_cancelled_seat_is_taken_back_by_its_work_row(cast: Cast) -> None:
    await _contract(cast)
    session = await a_session(programme_id=await a_programme(partner_id=cast.partner_a_id))
    order = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    charge = await kit_db.value("SELECT charge_id FROM order_line WHERE order_id = $1", order.id)
    for _twice in range(2):
        await work.enqueue("settlement.line_cancelled", {"charge_id": charge, "kept_cents": 0}, run_at=clock.now())
    await work.drain(clock.now(), only=KINDS)
    found = await _lines(order.id)
    assert {line.state for line in found} == {LineState.CANCELLED}
    assert sum(line.earned_cents for line in found) == 0


async def test_a_moved_session_moves_the_day_of_payment(cast: Cast) -> None:
    await _contract(cast)
    session = await a_session(programme_id=await a_programme(partner_id=cast.partner_a_id))
    order = await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(clock.now(), only=KINDS)
    (before,) = await _lines(order.id)
    await kit_db.execute(
        "UPDATE session SET starts_at = starts_at + interval '7 days', ends_at = ends_at + interval '7 days' WHERE id = $1", session.id
    )
    await redate.follow(session.id, now=clock.now())
    (after,) = await _lines(order.id)
    assert before.payable_on is not None
    assert after.payable_on is not None
    assert (after.payable_on - before.payable_on).days == (after.supply_to_on - before.supply_to_on).days == 7
