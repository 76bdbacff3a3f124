"""Where an invoice stands: payments add up once each, Stripe's word is followed forwards only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing import invoices, payments, states, story
from marketplace.kit import audit
from marketplace.kit.errors import Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.ids import new_id
from tests.builders.billing import an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _pay(invoice: UUID, cents: int, name: str, now: datetime) -> bool:
    return await payments.record(invoice, source="stripe", external_id=name, cents=cents, method="ideal", received_at=now, now=now)


async def _seen(invoice: UUID) -> invoices.Invoice:
    return await invoices.get(await number_of(invoice), actor=SYSTEM)


async def test_one_payment_counts_once(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    assert await _pay(made, 1_000, "py_1", now)
    assert not await _pay(made, 1_000, "py_1", now)
    seen = await _seen(made)
    assert (seen.state, seen.paid_cents, seen.to_pay.cents) == ("paid", 1_000, 0)
    assert [entry.event for entry in story.in_order(await audit.of("invoice", made))] == [
        "invoice.issued",
        "invoice.payment_received",
        "invoice.paid",
    ]


async def test_part_payments_add_up(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    await _pay(made, 400, "py_1", now)
    assert ((await _seen(made)).state, (await _seen(made)).to_pay.cents) == ("issued", 600)
    await _pay(made, 600, "py_2", now)
    assert (await _seen(made)).state == "paid"


async def test_too_much_stays_visible(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    await _pay(made, 1_500, "py_1", now)
    await _pay(made, 200, "py_2", now)
    seen = await _seen(made)
    assert (seen.state, seen.paid_cents, seen.overpaid.cents) == ("paid", 1_700, 700)


async def test_nothing_is_no_payment(db: None, now: datetime) -> None:
    with pytest.raises(Invalid):
        await _pay(await an_invoice(), 0, "py_1", now)
    with pytest.raises(NotFound):
        await _pay(new_id(), 1, "py_1", now)


async def test_stripe_moves_it_forwards_only(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    assert await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/1", now=now)
    assert not await states.project_stripe(made, "open", now=now)
    assert await states.project_stripe(made, "processing", now=now)
    assert not await states.project_stripe(made, "open", now=now)
    assert (await _seen(made)).state == "processing"
    await _pay(made, 1_000, "py_1", now)
    for late in ("open", "processing", "void", "uncollectible"):
        assert not await states.project_stripe(made, late, now=now)
    seen = await _seen(made)
    assert (seen.state, seen.hosted_payment_url) == ("paid", "https://pay.example/1")


async def test_paid_without_the_money_is_a_difference(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    assert not await states.project_stripe(made, "paid", now=now)
    assert (await _seen(made)).state == "issued"
    assert "invoice.differs" in {entry.event for entry in await audit.of("invoice", made)}


async def test_failed_payment_opens_it_again(db: None, now: datetime) -> None:
    made = await an_invoice()
    assert not await states.payment_failed(made, now=now)
    await states.project_stripe(made, "processing", now=now)
    assert await states.payment_failed(made, now=now)
    assert (await _seen(made)).state == "open"


async def test_paid_invoice_cannot_be_voided(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    await _pay(made, 1_000, "py_1", now)
    with pytest.raises(InvalidTransition):
        await states.void(made, actor=SYSTEM, now=now)


async def test_money_for_a_void_invoice_is_kept_in_sight(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    await states.void(made, actor=SYSTEM, now=now)
    await states.void(made, actor=SYSTEM, now=now)
    await _pay(made, 1_000, "py_1", now)
    seen = await _seen(made)
    assert (seen.state, seen.overpaid.cents) == ("void", 1_000)


async def test_a_transfer_that_brought_too_little_is_told(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(1_000,))
    assert await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/1", now=now)
    assert await states.project_stripe(made, "processing", now=now + timedelta(minutes=1))
    assert await states.payment_failed(made, now=now + timedelta(minutes=2))
    steps = story.tell(await _seen(made), await audit.of("invoice", made), [], today=now.date())
    assert [(step.mark, step.title) for step in steps[1:4]] == [
        ("done", "Can be paid online"),
        ("done", "Payment on its way"),
        ("stop", "The payment did not come in full"),
    ]
