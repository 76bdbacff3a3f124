"""Lost replies, silence and slowness over a real socket, with real commits: one invoice, the same end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from billing import refunds, stripe_steps
from billing.sandbox import control
from billing.stripe_gateway import GatewayError, gateway
from marketplace.kit import db, work
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import an_invoice
from tests.stripe.conftest import KEY
from tests.stripe.test_mirror import STEPS, copy, pay, standing, work_off
from tests.stripe.test_steps import credit, in_order, opened, settle, theirs

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("kind", ["lost_reply", "timeout", "slow"])
async def test_trouble_on_the_wire_at_each_step_makes_one_invoice(live_sandbox: str, now: datetime, kind: str) -> None:
    for step in STEPS:
        invoice_id = await an_invoice()
        await control.order_fault(control.FaultOrder(kind=kind, operation=step, seconds=1))
        with pytest.raises(GatewayError) as caught:
            await copy(invoice_id, now)
        assert caught.value.again
        await copy(invoice_id, now, attempts=2)
        assert await standing(invoice_id) == ("open", 0)
        await pay(invoice_id)
        await work_off(now)
        assert await standing(invoice_id) == ("paid", 64_500)
    found = await db.records("SELECT body FROM sandbox_object WHERE kind = 'invoice'")
    assert [(row["body"]["status"], len(row["body"]["_lines"])) for row in found] == [("paid", 1)] * len(STEPS)


async def test_the_library_itself_repeats_a_lost_reply_with_the_same_key(live_sandbox: str, now: datetime) -> None:
    gateway()._stripe._requestor._options.max_network_retries = 2
    invoice_id = await an_invoice()
    await control.order_fault(control.FaultOrder(kind="lost_reply", operation="invoices.create"))
    await copy(invoice_id, now)
    assert await standing(invoice_id) == ("open", 0)
    assert await db.value("SELECT count(*) FROM sandbox_object WHERE kind = 'invoice'") == 1
    assert await db.value("SELECT count(*) FROM sandbox_call WHERE operation = 'invoices.create'") == 2


async def test_two_workers_on_the_same_invoice_make_one_copy(live_sandbox: str, now: datetime) -> None:
    invoice_id = await an_invoice()
    outcomes = await asyncio.gather(*(copy(invoice_id, now) for _ in range(4)), return_exceptions=True)
    assert any(outcome is None for outcome in outcomes)
    await copy(invoice_id, now, attempts=2)
    assert await standing(invoice_id) == ("open", 0)
    found = await db.records("SELECT body FROM sandbox_object WHERE kind = 'invoice'")
    assert [(row["body"]["status"], len(row["body"]["_lines"])) for row in found] == [("open", 1)]


async def test_twenty_requests_with_one_key_make_one_object(live_sandbox: str) -> None:
    headers = {"authorization": f"Bearer {KEY}", "idempotency-key": "once"}
    async with httpx.AsyncClient(base_url=live_sandbox, headers=headers) as client:
        answers = await asyncio.gather(*(client.post("/v1/customers", data={"name": "A"}) for _ in range(20)))
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 19
    assert await db.value("SELECT count(*) FROM sandbox_object WHERE kind = 'customer'") == 1


@pytest.mark.parametrize("kind", ["lost_reply", "timeout"])
async def test_a_reply_lost_after_opening_credits_and_refunds_once(live_sandbox: str, clock: FakeClock, kind: str) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await settle(clock)
    await credit(invoice_id, 3_333)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    for step in ("credit_notes.preview", "credit_notes.create", "refunds.create"):
        await control.order_fault(control.FaultOrder(kind=kind, operation=step, seconds=1))
    await settle(clock)
    assert ([body["total"] for body in await theirs("credit_note")], [body["amount"] for body in await theirs("refund")]) == (
        [4_033],
        [4_033],
    )
    await in_order(invoice_id, clock)


async def test_two_workers_on_the_same_step_do_it_once(live_sandbox: str, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await settle(clock)
    note = await credit(invoice_id, 3_333)
    made = (await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now()))[0]
    for step, payload in ((stripe_steps.credit, {"credit_note": str(note)}), (stripe_steps.refund, {"refund": str(made)})):
        row = (await db.records("SELECT id, created_at FROM due_work WHERE payload = $1::jsonb", msgspec.json.encode(payload).decode()))[0]
        item = work.WorkItem(
            id=row["id"], kind="", payload=payload, attempts=1, run_at=clock.now(), created_at=clock.now(), lease_token=note
        )
        outcomes = await asyncio.gather(*(step(payload, item=item, now=clock.now()) for _ in range(4)), return_exceptions=True)
        assert None in outcomes
        await db.execute("UPDATE due_work SET state = 'done' WHERE id = $1", row["id"])
    assert (len(await theirs("credit_note")), len(await theirs("refund"))) == (1, 1)
    await in_order(invoice_id, clock)
