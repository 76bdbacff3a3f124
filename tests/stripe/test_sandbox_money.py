"""Money that goes on and back in the sandbox, as Stripe documents it: credit notes, refunds, disputes, debits, balances."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from billing.sandbox import control, hosted, store
from tests.stripe.test_sandbox_api import _invoice

if TYPE_CHECKING:
    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _open(raw: httpx.AsyncClient, **data: str) -> dict[str, Any]:
    """Return a final invoice of €100.00 and €21.00 VAT."""
    invoice = await _invoice(raw, number=data.pop("number", "2026-000001"))
    if data:
        await raw.post(f"/v1/invoices/{invoice}", data=data)
    return dict((await raw.post(f"/v1/invoices/{invoice}/finalize")).json())


async def _pay(raw: httpx.AsyncClient, invoice: dict[str, Any], **data: str) -> dict[str, Any]:
    answer = await raw.post(invoice["hosted_invoice_url"], data={"method": "card", "outcome": "ok", **data})
    assert answer.status_code == 303
    return await _now(raw, invoice)


async def _now(raw: httpx.AsyncClient, invoice: dict[str, Any]) -> dict[str, Any]:
    return dict((await raw.get(f"/v1/invoices/{invoice['id']}")).json())


async def _intent(raw: httpx.AsyncClient, invoice: dict[str, Any]) -> dict[str, Any]:
    tie = (await raw.get("/v1/invoice_payments", params={"invoice": invoice["id"]})).json()["data"][0]
    return dict((await raw.get(f"/v1/payment_intents/{tie['payment']['payment_intent']}")).json())


async def _types(raw: httpx.AsyncClient) -> list[str]:
    return [event["type"] for event in (await raw.get("/v1/events", params={"limit": 100})).json()["data"]][::-1]


def _lines(invoice: dict[str, Any], net: int, vat: int) -> dict[str, str]:
    rate = invoice["total_taxes"][0]["tax_rate_details"]["tax_rate"]
    return {
        "invoice": invoice["id"],
        "lines[0][type]": "custom_line_item",
        "lines[0][description]": "Left early",
        "lines[0][quantity]": "1",
        "lines[0][unit_amount]": str(net),
        "lines[0][tax_amounts][0][amount]": str(vat),
        "lines[0][tax_amounts][0][taxable_amount]": str(net),
        "lines[0][tax_amounts][0][tax_rate]": rate,
    }


async def test_a_credit_with_our_own_vat_lowers_what_is_due(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    note = (await raw.post("/v1/credit_notes", data=_lines(invoice, 2_000, 421))).json()
    assert (note["subtotal"], note["total"], note["pre_payment_amount"], note["type"], note["number"]) == (
        2_000, 2_421, 2_421, "pre_payment", f"{invoice['number']}-CN-01",
    )  # fmt: skip
    after = await _now(raw, invoice)
    assert (after["status"], after["amount_remaining"], after["pre_payment_credit_notes_amount"]) == ("open", 12_100 - 2_421, 2_421)
    assert (await _intent(raw, invoice))["amount"] == 12_100 - 2_421
    assert (await _pay(raw, invoice))["amount_paid"] == 12_100 - 2_421


async def test_a_whole_credit_before_payment_closes_the_invoice_without_money(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    line = invoice["lines"]["data"][0]
    data = {"invoice": invoice["id"], "lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": line["id"]}
    note = (await raw.post("/v1/credit_notes", data=data)).json()
    after = await _now(raw, invoice)
    assert (note["total"], after["status"], after["amount_paid"]) == (12_100, "paid", 0)
    assert (await _intent(raw, invoice))["status"] == "canceled"
    again = await raw.post("/v1/credit_notes", data=_lines(invoice, 1, 0))
    assert again.status_code == 400


@pytest.mark.parametrize("how", ["refund_amount", "credit_amount", "out_of_band_amount"])
async def test_a_credit_after_payment_says_where_the_money_goes(raw: httpx.AsyncClient, how: str) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice)
    nowhere = await raw.post("/v1/credit_notes", data=_lines(invoice, 1_000, 210))
    assert nowhere.status_code == 400
    note = (await raw.post("/v1/credit_notes", data={**_lines(invoice, 1_000, 210), how: "1210"})).json()
    assert (note["type"], note["post_payment_amount"]) == ("post_payment", 1_210)
    after = await _now(raw, invoice)
    assert (after["status"], after["post_payment_credit_notes_amount"], after["amount_remaining"]) == ("paid", 1_210, 0)
    refunds = (await raw.get("/v1/refunds")).json()["data"]
    customer = (await raw.get(f"/v1/customers/{invoice['customer']}")).json()
    assert ([made["amount"] for made in refunds], customer["balance"]) == (
        [1_210] if how == "refund_amount" else [], -1_210 if how == "credit_amount" else 0,
    )  # fmt: skip


async def test_a_refund_made_before_can_be_tied_to_the_credit(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice)
    refund = (await raw.post("/v1/refunds", data={"payment_intent": (await _intent(raw, invoice))["id"], "amount": "1210"})).json()
    data = {**_lines(invoice, 1_000, 210), "refunds[0][refund]": refund["id"], "refunds[0][amount_refunded]": "1210"}
    note = (await raw.post("/v1/credit_notes", data=data)).json()
    assert note["refunds"][0]["refund"] == refund["id"]


async def test_a_credit_of_an_open_invoice_can_be_taken_back(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    note = (await raw.post("/v1/credit_notes", data=_lines(invoice, 2_000, 420))).json()
    assert (await raw.post(f"/v1/credit_notes/{note['id']}/void")).json()["status"] == "void"
    assert (await _now(raw, invoice))["amount_remaining"] == 12_100
    assert (await raw.post(f"/v1/credit_notes/{note['id']}/void")).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"lines[0][nope]": "1"}, "lines[0][nope]"),
        ({"lines[0][tax_amounts][0][tax_rate]": "txr_none"}, "lines[0][tax_amounts][0][tax_rate]"),
        ({"lines[0][type]": "gift"}, "lines[0][type]"),
        ({"reason": "because"}, "reason"),
        ({"invoice": "in_none"}, "invoice"),
    ],
)
async def test_a_wrong_credit_is_refused_by_the_name_of_its_parameter(raw: httpx.AsyncClient, wrong: dict[str, str], param: str) -> None:
    invoice = await _open(raw)
    answer = await raw.post("/v1/credit_notes", data={**_lines(invoice, 1_000, 210), **wrong})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_card_refund_is_there_at_once_and_never_more_than_was_paid(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    intent = (await _intent(raw, invoice))["id"]
    assert (await raw.post("/v1/refunds", data={"payment_intent": intent})).status_code == 400
    await _pay(raw, invoice)
    first = (await raw.post("/v1/refunds", data={"payment_intent": intent, "amount": "100"})).json()
    assert (first["status"], first["payment_intent"]) == ("succeeded", intent)
    assert (await raw.post("/v1/refunds", data={"payment_intent": intent, "amount": "12001"})).json()["error"]["param"] == "amount"
    assert (await raw.post("/v1/refunds", data={"charge": first["charge"]})).json()["amount"] == 12_000
    assert (await raw.post("/v1/refunds", data={"payment_intent": intent})).json()["error"]["code"] == "charge_already_refunded"


async def test_a_bank_refund_is_pending_then_there_and_may_come_back(raw: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice, method="ideal")
    refund = (await raw.post("/v1/refunds", data={"payment_intent": (await _intent(raw, invoice))["id"]})).json()
    assert refund["status"] == "pending"
    clock.move(timedelta(seconds=5))
    assert await hosted.settle_due() == 1
    assert (await raw.get(f"/v1/refunds/{refund['id']}")).json()["status"] == "succeeded"
    failed = (await raw.post(f"/o/{refund['id']}", data={"action": "fail_refund"})).json()
    charge = (await raw.get(f"/v1/charges/{refund['charge']}")).json()
    assert (failed["status"], charge["amount_refunded"], charge["refunded"]) == ("failed", 0, False)
    assert (await _types(raw))[-3:] == ["refund.updated", "refund.failed", "charge.refund.updated"]


@pytest.mark.parametrize(("action", "status"), [("win", "won"), ("lose", "lost")])
async def test_a_dispute_is_opened_by_a_bank_and_decided(raw: httpx.AsyncClient, action: str, status: str) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice)
    charge = (await _intent(raw, invoice))["latest_charge"]
    assert (await raw.post(f"/o/{charge}", data={"action": "dispute"})).json()["disputed"] is True
    dispute = (await raw.get("/v1/disputes", params={"charge": charge})).json()["data"][0]
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 12_100)
    assert (await raw.post("/v1/refunds", data={"charge": charge})).json()["error"]["code"] == "charge_disputed"
    assert (await raw.post(f"/o/{dispute['id']}", data={"action": action})).json()["status"] == status
    assert (await raw.post(f"/v1/disputes/{dispute['id']}/close")).status_code == 400
    assert (await _types(raw)).count("charge.dispute.funds_reinstated") == (status == "won")


async def test_a_direct_debit_is_offered_when_asked_for_and_takes_a_while(raw: httpx.AsyncClient, clock: FakeClock) -> None:
    plain = await _open(raw)
    assert "direct debit" not in (await raw.get(plain["hosted_invoice_url"])).text
    asked = {
        "payment_settings[payment_method_types][0]": "ideal",
        "payment_settings[payment_method_types][1]": "sepa_debit",
        "number": "D-1",
    }
    invoice = await _open(raw, **asked)
    assert "direct debit" in (await raw.get(invoice["hosted_invoice_url"])).text
    await _pay(raw, invoice, method="sepa_debit")
    assert (await _intent(raw, invoice))["status"] == "processing"
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    assert (await _now(raw, invoice))["status"] == "paid"


async def test_what_a_transfer_brings_too_much_is_the_customers(raw: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice, method="bank_transfer", amount="over")
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    assert ((await _now(raw, invoice))["status"], (await _intent(raw, invoice))["amount_received"]) == ("paid", 12_100)
    cash = (await raw.get(f"/v1/customers/{invoice['customer']}/cash_balance")).json()
    assert cash["available"] == {"eur": 1_210}


async def test_a_credit_may_complete_a_transfer_that_was_short(raw: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice, method="bank_transfer", amount="short")
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    await raw.post("/v1/credit_notes", data=_lines(invoice, 2_000, 420))
    after = await _now(raw, invoice)
    assert (after["status"], after["amount_paid"]) == ("paid", 9_680)
    assert (await raw.get(f"/v1/customers/{invoice['customer']}/cash_balance")).json()["available"] == {"eur": 1_210}


async def test_a_key_is_forgotten_after_a_day(raw: httpx.AsyncClient) -> None:
    async def made() -> str:
        return str((await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "daily"})).json()["id"])

    first = await made()
    await store.advance(23 * 3_600)
    assert await made() == first
    await store.advance(2 * 3_600)
    assert await made() != first


async def test_lists_can_be_narrowed_by_when_things_were_made(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    for bound, count in (({"created[gte]": invoice["created"]}, 1), ({"created[lt]": invoice["created"]}, 0), ({"created[gt]": "x"}, None)):
        answer = await raw.get("/v1/invoices", params=bound)
        assert (answer.status_code, len(answer.json().get("data", []))) == ((200, count) if count is not None else (400, 0))


async def test_every_object_has_a_page_with_what_can_be_done(raw: httpx.AsyncClient) -> None:
    invoice = await _open(raw)
    await _pay(raw, invoice)
    for kind in control.SHOWN[:2]:
        for seen in await control.objects(kind):
            assert f'href="/o/{seen.id}"' in (await raw.get("/", params={"kind": kind})).text
            assert seen.id in (await raw.get(f"/o/{seen.id}")).text
    charge = (await control.objects("charge"))[0].id
    assert "take it back" in (await raw.get(f"/o/{charge}")).text
    assert (await raw.post(f"/o/{invoice['id']}", data={"action": "void"})).status_code == 422
    assert (await raw.post(f"/o/{invoice['id']}", data={"action": "credit"}, headers={"accept": "text/html"})).status_code == 303
    assert (await raw.get("/o/in_none")).status_code == 404


async def test_by_hand_works_for_each_state(raw: httpx.AsyncClient) -> None:
    ends = []
    for number, actions in enumerate((("void",), ("give_up", "pay"), ("credit",), ("give_up", "void"))):
        invoice = await _invoice(raw, number=f"H-{number}")
        for action in ("finalize", *actions):
            assert (await raw.post(f"/o/{invoice}", data={"action": action})).status_code == 200
        ends.append((await raw.get(f"/v1/invoices/{invoice}")).json()["status"])
    draft = await _invoice(raw, number="H-9")
    assert (await raw.post(f"/o/{draft}", data={"action": "delete"})).json()["deleted"] is True
    assert ends == ["void", "paid", "paid", "void"]
