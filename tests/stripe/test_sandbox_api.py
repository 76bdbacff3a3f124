"""The sandbox answers as Stripe does: keys, parameters, idempotency, paging, sums. Raw HTTP, no library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _customer(raw: httpx.AsyncClient) -> str:
    made = await raw.post("/v1/customers", data={"name": "Acme", "email": "ap@acme.example"})
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


async def _invoice(raw: httpx.AsyncClient, *, number: str = "2026-000001", cents: int = 10_000, vat: int = 2_100) -> str:
    data = {"customer": await _customer(raw), "collection_method": "send_invoice", "days_until_due": "30", "number": number}
    made = (await raw.post("/v1/invoices", data=data)).json()
    line = {
        "lines[0][amount]": str(cents),
        "lines[0][description]": "Dutch A1",
        "lines[0][tax_amounts][0][amount]": str(vat),
        "lines[0][tax_amounts][0][taxable_amount]": str(cents),
        "lines[0][tax_amounts][0][tax_rate_data][display_name]": "VAT",
        "lines[0][tax_amounts][0][tax_rate_data][percentage]": "21",
        "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
    }
    filled = await raw.post(f"/v1/invoices/{made['id']}/add_lines", data=line)
    assert filled.status_code == 200, filled.text
    return str(made["id"])


@pytest.mark.parametrize(("headers", "status"), [({"authorization": ""}, 401), ({"authorization": "Bearer sk_live_x"}, 401), ({}, 200)])
async def test_only_test_keys_open_the_door(raw: httpx.AsyncClient, headers: dict[str, str], status: int) -> None:
    assert (await raw.get("/v1/customers", headers=headers)).status_code == status


async def test_an_unknown_parameter_is_named(raw: httpx.AsyncClient) -> None:
    answer = await raw.post("/v1/customers", data={"address[planet]": "Mars"})
    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == ("parameter_unknown", "address[planet]")


async def test_a_missing_parameter_is_named(raw: httpx.AsyncClient) -> None:
    answer = await raw.post("/v1/invoices", data={"currency": "eur"})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]) == (400, "parameter_missing", "customer")


async def test_an_unknown_object_is_404_and_an_unknown_address_too(raw: httpx.AsyncClient) -> None:
    missing = await raw.get("/v1/invoices/in_nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "resource_missing")
    assert (await raw.get("/v1/unicorns")).status_code == 404


async def test_the_same_key_gives_the_same_answer_again(raw: httpx.AsyncClient) -> None:
    first = await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k1"})
    again = await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k1"})
    assert first.json() == again.json()
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")


async def test_a_key_with_other_parameters_is_refused(raw: httpx.AsyncClient) -> None:
    await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k2"})
    other = await raw.post("/v1/customers", data={"name": "B"}, headers={"idempotency-key": "k2"})
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


async def test_a_refused_request_leaves_its_key_free(raw: httpx.AsyncClient) -> None:
    bad = await raw.post("/v1/customers", data={"nope": "A"}, headers={"idempotency-key": "k3"})
    good = await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k3"})
    assert (bad.status_code, good.status_code) == (400, 200)


async def test_a_stored_500_is_replayed(raw: httpx.AsyncClient) -> None:
    await raw.post("/_sandbox/faults", json={"kind": "500", "operation": "customers.create"})
    first = await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k4"})
    again = await raw.post("/v1/customers", data={"name": "A"}, headers={"idempotency-key": "k4"})
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (500, 500, "true")


async def test_lists_page_by_the_last_id_newest_first(raw: httpx.AsyncClient) -> None:
    made = [await _customer(raw) for _ in range(5)]
    first = (await raw.get("/v1/customers", params={"limit": 2})).json()
    rest = (await raw.get("/v1/customers", params={"limit": 10, "starting_after": first["data"][-1]["id"]})).json()
    assert [found["id"] for found in first["data"] + rest["data"]] == made[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    before = (await raw.get("/v1/customers", params={"limit": 2, "ending_before": made[0]})).json()
    assert [found["id"] for found in before["data"]] == [made[2], made[1]]


async def test_only_ten_lines_come_inline_and_the_rest_by_pages(raw: httpx.AsyncClient) -> None:
    invoice = (await raw.post("/v1/invoices", data={"customer": await _customer(raw), "collection_method": "send_invoice"})).json()["id"]
    lines = {f"lines[{n}][amount]": str(100 + n) for n in range(14)}
    answer = (await raw.post(f"/v1/invoices/{invoice}/add_lines", data=lines)).json()
    assert (len(answer["lines"]["data"]), answer["lines"]["has_more"]) == (10, True)
    rest = (await raw.get(f"/v1/invoices/{invoice}/lines", params={"starting_after": answer["lines"]["data"][-1]["id"]})).json()
    assert [line["amount"] for line in rest["data"]] == [110, 111, 112, 113]


async def test_sums_follow_the_lines_and_our_tax(raw: httpx.AsyncClient) -> None:
    invoice = (await raw.get(f"/v1/invoices/{await _invoice(raw)}")).json()
    assert (invoice["subtotal"], invoice["total"], invoice["amount_due"], invoice["total_taxes"][0]["amount"]) == (
        10_000,
        12_100,
        12_100,
        2_100,
    )


async def test_a_number_is_given_once_only(raw: httpx.AsyncClient) -> None:
    await _invoice(raw, number="2026-000009")
    again = await raw.post("/v1/invoices", data={"customer": await _customer(raw), "number": "2026-000009"})
    assert (again.status_code, again.json()["error"]["param"]) == (400, "number")


async def test_a_final_invoice_cannot_be_edited_deleted_or_finalised_again(raw: httpx.AsyncClient) -> None:
    invoice = await _invoice(raw)
    final = (await raw.post(f"/v1/invoices/{invoice}/finalize")).json()
    assert (final["status"], final["hosted_invoice_url"].startswith("http://sandbox.test/i/")) == ("open", True)
    assert [
        (await raw.post(f"/v1/invoices/{invoice}/finalize")).status_code,
        (await raw.post(f"/v1/invoices/{invoice}", data={"description": "x"})).status_code,
        (await raw.delete(f"/v1/invoices/{invoice}")).status_code,
    ] == [400, 400, 400]


async def test_a_draft_can_be_deleted(raw: httpx.AsyncClient) -> None:
    invoice = await _invoice(raw)
    assert (await raw.delete(f"/v1/invoices/{invoice}")).json()["deleted"] is True
    assert (await raw.get(f"/v1/invoices/{invoice}")).status_code == 404


async def test_payments_and_intents_can_be_expanded(raw: httpx.AsyncClient) -> None:
    invoice = await _invoice(raw)
    await raw.post(f"/v1/invoices/{invoice}/finalize")
    found = (await raw.get(f"/v1/invoices/{invoice}", params={"expand[]": "payments.data.payment.payment_intent"})).json()
    tie = found["payments"]["data"][0]
    assert (tie["status"], tie["payment"]["payment_intent"]["status"]) == ("open", "requires_payment_method")
    bad = await raw.get(f"/v1/invoices/{invoice}", params={"expand[]": "nonsense"})
    assert (bad.status_code, bad.json()["error"]["param"]) == (400, "expand")


async def test_an_invoice_can_be_paid_outside_voided_or_given_up(raw: httpx.AsyncClient) -> None:
    states = []
    for number, action, data in (("1", "pay", {"paid_out_of_band": "true"}), ("2", "void", {}), ("3", "mark_uncollectible", {})):
        invoice = await _invoice(raw, number=number)
        await raw.post(f"/v1/invoices/{invoice}/finalize")
        states.append((await raw.post(f"/v1/invoices/{invoice}/{action}", data=data)).json()["status"])
    assert states == ["paid", "void", "uncollectible"]


async def test_a_credit_note_lowers_what_is_due_and_never_below_nothing(raw: httpx.AsyncClient) -> None:
    invoice = await _invoice(raw)
    await raw.post(f"/v1/invoices/{invoice}/finalize")
    line = {
        "invoice": invoice,
        "lines[0][type]": "custom_line_item",
        "lines[0][quantity]": "1",
        "lines[0][unit_amount]": "2100",
        "lines[0][description]": "Left",
    }
    note = await raw.post("/v1/credit_notes", data=line)
    assert (note.status_code, note.json()["type"]) == (200, "pre_payment")
    assert (await raw.get(f"/v1/invoices/{invoice}")).json()["amount_remaining"] == 10_000
    too_much = await raw.post("/v1/credit_notes", data={**line, "lines[0][unit_amount]": "10001"})
    assert too_much.status_code == 400


async def test_events_tell_what_happened_in_order(raw: httpx.AsyncClient) -> None:
    invoice = await _invoice(raw)
    await raw.post(f"/v1/invoices/{invoice}/finalize")
    events = (await raw.get("/v1/events", params={"limit": 100})).json()["data"]
    assert [event["type"] for event in reversed(events)] == [
        "customer.created", "invoice.created", "invoice.updated", "payment_intent.created", "invoice.finalized", "invoice.updated",
    ]  # fmt: skip
    only = (await raw.get("/v1/events", params={"types[0]": "invoice.finalized"})).json()["data"]
    assert [event["data"]["object"]["id"] for event in only] == [invoice]


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"name=x%00y", b"name=x\x00y", b"[[[=1", b"=", b"a[][][b]=1"])
async def test_bytes_that_make_no_form_are_refused_not_broken(raw: httpx.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await raw.post("/v1/customers", content=body, headers=headers)).status_code == 400
    assert (await raw.get("/v1/customers", params={"limit": "\x00"})).status_code == 400
