"""Money that goes back: never more than the debtor has with us, never twice, by whatever road."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import credits as credit_notes
from billing import invoices, ledger, payments, refunds, states
from billing.credits import Credit
from billing.states import InvoiceState
from marketplace.kit import db as kit_db
from marketplace.kit import ids
from marketplace.kit.clock import today
from marketplace.kit.errors import Conflict, DomainError, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_debtor, an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _paid(*payments_cents: int, credit: int, now: datetime, source: str = "stripe", debtor: UUID | None = None) -> UUID:
    """Make an invoice of what was paid, and credit a part of it."""
    invoice = await an_invoice(debtor, amounts=(sum(payments_cents),))
    for at, cents in enumerate(payments_cents):
        await payments.record(
            invoice, source=source, external_id=f"{source}-{invoice}-{at}", cents=cents, method="ideal",
            received_at=now + timedelta(minutes=at), now=now,
        )  # type: ignore[arg-type]  # fmt: skip
    [line] = await credit_notes.creditable(invoice)
    await credit_notes.credit(
        Credit(invoice_id=invoice, lines=[(line.id, credit)], reason="Lesson fell out", cause="goodwill", key=str(ids.new_id())),
        actor=SYSTEM,
        now=now,
    )
    return invoice


async def _queued(kind: str) -> int:
    return int(await kit_db.value("SELECT count(*) FROM due_work WHERE kind = $1", kind))


async def test_stripe_gives_back_to_the_payments_it_came_by(db: None, now: datetime) -> None:
    invoice = await _paid(30_000, 20_000, credit=25_000, now=now)
    assert await refunds.available(invoice) == 25_000
    made = await refunds.by_stripe(invoice, actor=SYSTEM, now=now)
    assert [one.cents for one in await refunds.of(invoice)] == [20_000, 5_000]
    assert await refunds.available(invoice) == 0
    assert await _queued("billing.stripe_refund") == 2
    assert (await states.standing(invoice)).refunded_cents == 0
    for at, refund in enumerate(made):
        await refunds.sent(refund, external_id=f"re_{at}", now=now)
        assert await refunds.done(refund, now=now)
        assert not await refunds.done(refund, now=now)
    found = await invoices.get(await number_of(invoice), actor=SYSTEM)
    assert (found.state, found.overpaid.cents, found.to_pay.cents) == (InvoiceState.PAID, 0, 0)
    assert (await ledger.check()).right


async def test_a_refund_that_fails_is_to_be_paid_back_again(db: None, now: datetime) -> None:
    invoice = await _paid(30_000, credit=10_000, now=now)
    [refund] = await refunds.by_stripe(invoice, actor=SYSTEM, now=now)
    assert await refunds.failed(refund, failure="The card was closed", now=now)
    assert await refunds.available(invoice) == 10_000
    assert not await refunds.done(refund, now=now)
    await refunds.by_bank(invoice, cents=10_000, on=today(now), actor=SYSTEM, now=now)
    assert await refunds.available(invoice) == 0
    assert (await ledger.check()).right


async def test_money_that_came_by_bank_does_not_go_back_by_stripe(db: None, now: datetime) -> None:
    invoice = await _paid(30_000, credit=10_000, now=now, source="bank")
    with pytest.raises(Conflict, match="not_by_stripe"):
        await refunds.by_stripe(invoice, actor=SYSTEM, now=now)


@pytest.mark.parametrize("cents", [0, -1, 10_001])
async def test_nobody_gets_more_than_they_have_with_us(db: None, now: datetime, cents: int) -> None:
    invoice = await _paid(30_000, credit=10_000, now=now)
    with pytest.raises(Invalid, match="refund_too_large"):
        await refunds.by_bank(invoice, cents=cents, on=today(now), actor=SYSTEM, now=now)
    with pytest.raises(Invalid, match="refund_too_large"):
        await refunds.by_stripe(invoice, cents=cents, actor=SYSTEM, now=now)
    assert await kit_db.value("SELECT count(*) FROM refund") == 0


async def test_who_paid_nothing_too_much_gets_nothing_back(db: None, now: datetime) -> None:
    invoice = await an_invoice(amounts=(30_000,))
    with pytest.raises(Conflict, match="nothing_to_refund"):
        await refunds.by_bank(invoice, cents=1, on=today(now), actor=SYSTEM, now=now)
    with pytest.raises(Invalid):
        await refunds.by_bank(invoice, cents=1, on=today(now) + timedelta(days=1), actor=SYSTEM, now=now)


async def test_setting_off_pays_the_other_invoice_without_the_bank(db: None, now: datetime) -> None:
    debtor = await a_debtor()
    invoice = await _paid(30_000, credit=10_000, now=now, debtor=debtor)
    other = await an_invoice(debtor, amounts=(6_000,))
    [target] = await refunds.targets(invoice)
    assert (target.number, target.open_cents) == (await number_of(other), 6_000)
    await refunds.set_off(invoice, target.number, actor=SYSTEM, now=now)
    assert (await states.standing(other)).state is InvoiceState.PAID
    assert await refunds.available(invoice) == 4_000
    books = await ledger.check()
    assert books.right
    assert {one.account: one.balance for one in books.trial_balance}["bank"] == 0
    with pytest.raises(Conflict, match="not_open"):
        await refunds.set_off(invoice, target.number, actor=SYSTEM, now=now)


async def test_another_debtors_invoice_is_not_there(db: None, now: datetime) -> None:
    invoice, foreign = await _paid(30_000, credit=10_000, now=now), await an_invoice()
    for number in (await number_of(foreign), "2026-999999", await number_of(invoice)):
        with pytest.raises(NotFound):
            await refunds.set_off(invoice, number, actor=SYSTEM, now=now)


async def test_a_dispute_is_a_fact_and_opens_the_invoice_again(db: None, now: datetime) -> None:
    invoice = await an_invoice(amounts=(30_000,))
    await payments.record(invoice, source="stripe", external_id="py_1", cents=30_000, method="card", received_at=now, now=now)
    assert await refunds.taken_back(invoice, source="dispute", external_id="dp_1", cents=30_000, at=now, now=now)
    assert not await refunds.taken_back(invoice, source="dispute", external_id="dp_1", cents=30_000, at=now, now=now)
    at = await states.standing(invoice)
    assert (at.state, at.open_cents) == (InvoiceState.OPEN, 30_000)
    assert (await ledger.check()).right
    with pytest.raises(Invalid):
        await refunds.taken_back(invoice, source="dispute", external_id="dp_2", cents=1, at=now, now=now)


async def test_what_went_back_is_not_rewritten(db: None, now: datetime) -> None:
    invoice = await _paid(30_000, credit=10_000, now=now)
    await refunds.by_bank(invoice, cents=10_000, on=today(now), actor=SYSTEM, now=now)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with kit_db.atomic():
            await kit_db.execute("UPDATE refund SET cents = 1")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with kit_db.atomic():
            await kit_db.execute("UPDATE refund SET state = 'failed', done_at = NULL")


async def test_twenty_roads_back_at_once_give_back_once(committed: str, now: datetime) -> None:
    debtor = await a_debtor()
    invoice = await _paid(30_000, credit=10_000, now=now, debtor=debtor)
    others = [await number_of(await an_invoice(debtor, amounts=(4_000,))) for _n in range(7)]

    async def go(at: int) -> bool:
        try:
            if at % 3 == 0:
                await refunds.by_stripe(invoice, cents=4_000, actor=SYSTEM, now=now)
            elif at % 3 == 1:
                await refunds.by_bank(invoice, cents=4_000, on=today(now), actor=SYSTEM, now=now)
            else:
                await refunds.set_off(invoice, others[at // 3], cents=4_000, actor=SYSTEM, now=now)
        except DomainError:
            return False
        return True

    assert sum(await asyncio.gather(*(go(at) for at in range(20)))) == 2
    assert await refunds.available(invoice) == 2_000
    assert (await ledger.check()).right


async def test_control_without_counting_what_is_under_way_it_would_go_twice(db: None, now: datetime) -> None:
    """The danger is real: by what was paid and refunded alone, the same amount stands to be paid back until Stripe answers."""
    invoice = await _paid(30_000, credit=10_000, now=now)
    await refunds.by_stripe(invoice, actor=SYSTEM, now=now)
    assert -(await states.standing(invoice)).open_cents == 10_000
    assert await refunds.available(invoice) == 0


async def test_setting_off_both_ways_at_once_does_not_lock_up(committed: str, now: datetime) -> None:
    debtor = await a_debtor()
    one, two = [await _paid(30_000, credit=10_000, now=now, debtor=debtor) for _n in range(2)]
    third = await an_invoice(debtor, amounts=(50_000,))
    number = await number_of(third)
    await asyncio.gather(*(refunds.set_off(each, number, cents=5_000, actor=SYSTEM, now=now) for each in (one, two, one, two)))
    assert (await states.standing(third)).open_cents == 30_000
    assert (await ledger.check()).right


@pytest.mark.parametrize("way", ["stripe", "bank", "setoff"])
async def test_pressing_twice_pays_a_part_back_once(committed: str, now: datetime, way: str) -> None:
    debtor = await a_debtor()
    invoice = await _paid(30_000, credit=10_000, now=now, debtor=debtor)
    against = await number_of(await an_invoice(debtor, amounts=(9_000,)))

    async def press() -> object:
        if way == "stripe":
            return (await refunds.by_stripe(invoice, cents=2_000, actor=SYSTEM, now=now, key="k"))[0]
        if way == "bank":
            return await refunds.by_bank(invoice, cents=2_000, on=today(now), actor=SYSTEM, now=now, key="k")
        return await refunds.set_off(invoice, against, cents=2_000, actor=SYSTEM, now=now, key="k")

    assert len(set(await asyncio.gather(*(press() for _each in range(4))))) == 1
    assert await refunds.available(invoice) == 8_000
    assert (await ledger.check()).right
