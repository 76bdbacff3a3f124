"""Every operation of the sandbox is called once, well, and held against the official spec by the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing.sandbox.operations import OPERATIONS
from tests.stripe.spec import object_violations

if TYPE_CHECKING:
    import httpx

    from tests.stripe.spec import Judge

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _make(raw: httpx.AsyncClient, path: str, **data: str) -> dict[str, object]:
    answer = await raw.post(path, data=data)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


_TAX = {
    "lines[0][tax_amounts][0][amount]": "1050",
    "lines[0][tax_amounts][0][taxable_amount]": "5000",
    "lines[0][tax_amounts][0][tax_rate_data][display_name]": "VAT",
    "lines[0][tax_amounts][0][tax_rate_data][percentage]": "21",
    "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
}


async def _final(raw: httpx.AsyncClient, customer: object) -> str:
    made = (await _make(raw, "/v1/invoices", customer=str(customer), collection_method="send_invoice", days_until_due="14"))["id"]
    await _make(raw, f"/v1/invoices/{made}", description="Course", footer="Thank you")
    await _make(raw, f"/v1/invoices/{made}/add_lines", **{"lines[0][amount]": "5000", "lines[0][description]": "Dutch", **_TAX})
    await _make(raw, f"/v1/invoices/{made}/finalize", auto_advance="false")
    return str(made)


async def test_every_operation_agrees_with_the_official_spec(raw: httpx.AsyncClient, judge: Judge) -> None:
    judge.operations.clear()
    customer = (await _make(raw, "/v1/customers", name="Acme", **{"address[city]": "Leiden", "metadata[a]": "b"}))["id"]
    await _make(raw, f"/v1/customers/{customer}", email="ap@acme.example", **{"preferred_locales[0]": "nl"})
    draft = (await _make(raw, "/v1/invoices", customer=str(customer)))["id"]
    await raw.delete(f"/v1/invoices/{draft}")
    paid, void, lost = [await _final(raw, customer) for _ in range(3)]
    assert (await raw.get("/v1/credit_notes/preview", params={"invoice": void, "amount": "100"})).json()["total"] == 100
    note = (await _make(raw, "/v1/credit_notes", invoice=void, amount="100"))["id"]
    await _make(raw, f"/v1/credit_notes/{note}/void")
    await _make(raw, f"/v1/invoices/{void}/void")
    await _make(raw, f"/v1/invoices/{lost}/mark_uncollectible")
    await _pay_on_the_page(raw, paid)
    tie = (await raw.get("/v1/invoice_payments", params={"invoice": paid})).json()["data"][0]
    intent = tie["payment"]["payment_intent"]
    await _make(raw, f"/v1/invoices/{await _final(raw, customer)}/pay", paid_out_of_band="true")
    refund = (await _make(raw, "/v1/refunds", payment_intent=intent, amount="1000"))["id"]
    await _make(raw, f"/v1/refunds/{refund}", **{"metadata[a]": "b"})
    await _make(raw, f"/v1/refunds/{refund}/cancel")
    charge = (await raw.get("/v1/charges", params={"payment_intent": intent})).json()["data"][0]["id"]
    dispute = await _dispute(raw, charge)
    endpoint = (await _make(raw, "/v1/webhook_endpoints", url="http://127.0.0.1:9/x", **{"enabled_events[0]": "invoice.paid"}))["id"]
    event = (await raw.get("/v1/events", params={"limit": "1"})).json()["data"][0]["id"]
    rate = (await raw.get(f"/v1/invoices/{paid}")).json()["total_taxes"][0]["tax_rate_details"]["tax_rate"]
    for path in (
        f"tax_rates/{rate}",
        "account", "balance", "customers", f"customers/{customer}", "invoices", f"invoices/{paid}", f"invoices/{paid}/lines", f"invoice_payments/{tie['id']}",
        f"payment_intents/{intent}", f"credit_notes/{note}", "credit_notes", f"credit_notes/{note}/lines", "payment_intents",
        f"charges/{charge}", "disputes", f"disputes/{dispute}", f"customers/{customer}/cash_balance", "refunds", f"refunds/{refund}", "webhook_endpoints", f"webhook_endpoints/{endpoint}", "events", f"events/{event}",
    ):  # fmt: skip
        assert (await raw.get(f"/v1/{path}")).status_code == 200, path
    await raw.delete(f"/v1/webhook_endpoints/{endpoint}")
    events = (await raw.get("/v1/events", params={"limit": "100"})).json()["data"]
    assert {"charge.dispute.closed", "charge.refunded", "refund.updated", "credit_note.voided"} <= {found["type"] for found in events}
    assert [problem for found in events for problem in object_violations(found["data"]["object"])] == []
    called = {operation.split(" ")[0] + " " + operation.split(" ")[1] for operation in judge.operations}
    assert {f"{known.method} {known.template}" for known in OPERATIONS} <= called
    assert judge.violations == []


async def _dispute(raw: httpx.AsyncClient, charge: str) -> str:
    assert (await raw.post(f"/o/{charge}", data={"action": "dispute"})).status_code == 200
    dispute = str((await raw.get("/v1/disputes", params={"charge": charge})).json()["data"][0]["id"])
    await _make(raw, f"/v1/disputes/{dispute}", **{"evidence[product_description]": "Dutch A1", "submit": "true"})
    await _make(raw, f"/v1/disputes/{dispute}/close")
    return dispute


async def _pay_on_the_page(raw: httpx.AsyncClient, invoice: str) -> None:
    url = (await raw.get(f"/v1/invoices/{invoice}")).json()["hosted_invoice_url"]
    assert (await raw.post(url, data={"method": "ideal", "outcome": "ok"})).status_code == 303


async def test_the_judge_sees_a_wrong_field_and_a_wrong_parameter() -> None:
    from tests.stripe.spec import violations

    assert violations("POST", "/v1/customers", "nmae=x", 200, b'{"id":"cus_1","object":"customer","created":1,"livemode":false}')
    assert violations("GET", "/v1/customers/cus_1", "", 200, b'{"id":"cus_1","object":"customer","created":"now","livemode":false}')
    assert not violations("POST", "/v1/customers", "name=x", 200, b'{"id":"cus_1","object":"customer","created":1,"livemode":false}')
