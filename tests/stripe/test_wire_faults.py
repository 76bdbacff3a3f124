"""Lost replies, silence and slowness over a real socket, with real commits: one invoice, the same end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from billing.sandbox import control
from billing.stripe_gateway import GatewayError, gateway
from marketplace.kit import db
from tests.builders.billing import an_invoice
from tests.stripe.conftest import KEY
from tests.stripe.test_mirror import STEPS, copy, pay, standing, work_off

if TYPE_CHECKING:
    from datetime import datetime

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
