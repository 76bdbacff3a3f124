"""Credit notes and refunds."""

from __future__ import annotations

import msgspec

from billing.sandbox import invoice_shapes as shapes
from billing.sandbox import store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, ListParams, Params, Refusal


class CreditLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A line to credit: one of the invoice's, or one described here. Amounts in cents, positive."""

    type: str
    amount: int | None = None
    description: str | None = None
    invoice_line_item: str | None = None
    quantity: int | None = None
    unit_amount: int | None = None


class CreateCreditNote(Params, kw_only=True):
    """What a credit note may carry."""

    invoice: str
    lines: list[CreditLine] | None = None
    amount: int | None = None
    refund_amount: int | None = None
    credit_amount: int | None = None
    out_of_band_amount: int | None = None
    reason: str | None = None
    memo: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class CreateRefund(Params, kw_only=True):
    """What a refund may carry; the amount defaults to what was received and not refunded."""

    payment_intent: str
    amount: int | None = None
    reason: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


@operation("credit_notes.create", "POST /v1/credit_notes", CreateCreditNote)
async def create_credit_note(call: Call, params: CreateCreditNote) -> Json:
    """Credit part of a final invoice: before payment it lowers what is due."""
    invoice = await store.get("invoice", params.invoice, lock=True, param="invoice")
    if invoice["status"] not in {"open", "paid"}:
        raise Refusal(400, f"Credit notes need an open or paid invoice; this one is {invoice['status']}.", param="invoice")
    lines = [_line(line) for line in params.lines or []]
    total = sum(line["amount"] for line in lines) if lines else params.amount or 0
    paid = invoice["status"] == "paid"
    already = invoice["post_payment_credit_notes_amount"] if paid else invoice["pre_payment_credit_notes_amount"]
    if total <= 0 or total > (invoice["total"] - already):
        raise Refusal(
            400, "The credit note amount must be above zero and at most what is left of the invoice.", param="lines" if lines else "amount"
        )
    back = [amount or 0 for amount in (params.refund_amount, params.credit_amount, params.out_of_band_amount)]
    if paid and sum(back) != total:
        raise Refusal(400, "The sum of refund, credit and out of band amounts must equal the credit note total.")
    note = _credit_note(call, invoice, params, lines, total)
    field = "post_payment_credit_notes_amount" if paid else "pre_payment_credit_notes_amount"
    invoice[field] += total
    await store.put(note, parent=invoice["id"])
    await store.save(shapes.add_up(invoice))
    await emit(call, "credit_note.created", note)
    await emit(call, "invoice.updated", invoice, {field: invoice[field] - total})
    return note


def _line(given: CreditLine) -> Json:
    quantity = given.quantity or 1
    amount = given.amount if given.amount is not None else (given.unit_amount or 0) * quantity
    line: Json = {
        "id": store.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": given.description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": [],
        "type": given.type,
        "unit_amount": given.unit_amount,
        "unit_amount_decimal": str(given.unit_amount) if given.unit_amount is not None else None,
    }
    if given.invoice_line_item:
        line["invoice_line_item"] = given.invoice_line_item
    return line


def _credit_note(call: Call, invoice: Json, params: CreateCreditNote, lines: list[Json], total: int) -> Json:
    paid = invoice["status"] == "paid"
    note_id = store.new_id("cn")
    return {
        "id": note_id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": call.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": call.now,
        "invoice": invoice["id"],
        "lines": {"object": "list", "data": lines[:10], "has_more": len(lines) > 10, "url": f"/v1/credit_notes/{note_id}/lines"},
        "livemode": False,
        "memo": params.memo,
        "metadata": params.metadata,
        "number": f"{invoice['number']}-CN-{note_id[-4:]}",
        "out_of_band_amount": params.out_of_band_amount,
        "pdf": f"{call.base}/i/{invoice['_token']}",
        "post_payment_amount": total if paid else 0,
        "pre_payment_amount": 0 if paid else total,
        "pretax_credit_amounts": [],
        "reason": params.reason,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        "total_taxes": [],
        "type": "post_payment" if paid else "pre_payment",
        "voided_at": None,
    }


@operation("credit_notes.retrieve", "GET /v1/credit_notes/{id}")
async def retrieve_credit_note(call: Call, params: Params, note_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a credit note."""
    return await store.get("credit_note", note_id)


@operation("refunds.create", "POST /v1/refunds", CreateRefund)
async def create_refund(call: Call, params: CreateRefund) -> Json:
    """Send back what a payment intent received, in part or whole."""
    intent = await store.get("payment_intent", params.payment_intent, lock=True, param="payment_intent")
    left = intent["amount_received"] - sum(found["amount"] for found in await store.children("refund", intent["id"]))
    amount = left if params.amount is None else params.amount
    if not 0 < amount <= left:
        raise Refusal(400, f"Refund amount ({amount}) is greater than what is left to refund ({left}), or not above zero.", param="amount")
    refund = {
        "id": store.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": None,
        "created": call.now,
        "currency": intent["currency"],
        "metadata": params.metadata,
        "payment_intent": intent["id"],
        "reason": params.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    await store.put(refund, parent=intent["id"])
    await emit(call, "refund.created", refund)
    return refund


@operation("refunds.retrieve", "GET /v1/refunds/{refund}", Params)
async def retrieve_refund(call: Call, params: Params, refund_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a refund."""
    return await store.get("refund", refund_id)


@operation("refunds.list", "GET /v1/refunds", ListParams)
async def list_refunds(call: Call, params: ListParams) -> Json:  # noqa: ARG001 - the port's shape
    """Return refunds, newest first."""
    return await store.page("refund", params, url="/v1/refunds")
