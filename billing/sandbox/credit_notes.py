"""Credit notes: first they lower what is still due; what is more goes back by a refund, as a balance, or outside Stripe."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from billing.sandbox import invoice_shapes as shapes
from billing.sandbox import payments, refunds, store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, ListParams, Params, Refusal, TimedListParams
from marketplace.kit.money import half_up

_REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")


class CreditTax(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tax that the caller computed, at a rate that exists; cents."""

    amount: int
    tax_rate: str
    taxable_amount: int


class CreditLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A line to credit: one of the invoice's, or one described here. Amounts in cents, positive, without tax."""

    type: str
    amount: int | None = None
    description: str | None = None
    invoice_line_item: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    quantity: int | None = None
    tax_amounts: list[CreditTax] | None = None
    tax_rates: list[str] | None = None
    unit_amount: int | None = None


class LinkedRefund(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A refund that was made before."""

    refund: str
    amount_refunded: int | None = None
    type: str = "refund"


class CreateCreditNote(Params, kw_only=True):
    """What a credit note may carry."""

    invoice: str
    lines: list[CreditLine] | None = None
    amount: int | None = None
    refund_amount: int | None = None
    credit_amount: int | None = None
    out_of_band_amount: int | None = None
    refunds: list[LinkedRefund] = msgspec.field(default_factory=list)
    effective_at: int | None = None
    email_type: str | None = None
    reason: str | None = None
    memo: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class ListCreditNotes(TimedListParams, kw_only=True):
    """Filters of the list of credit notes."""

    customer: str | None = None
    invoice: str | None = None


@operation("credit_notes.preview", "GET /v1/credit_notes/preview", CreateCreditNote)
async def preview_credit_note(call: Call, params: CreateCreditNote) -> Json:
    """Return what a credit note would be, and make nothing."""
    return await _would_be(call, await store.get("invoice", params.invoice, param="invoice"), params)


@operation("credit_notes.create", "POST /v1/credit_notes", CreateCreditNote)
async def create_credit_note(call: Call, params: CreateCreditNote) -> Json:
    """Credit part or all of a final invoice."""
    invoice = await store.get("invoice", params.invoice, lock=True, param="invoice")
    note = await _would_be(call, invoice, params)
    await _give_back(call, invoice, params, note)
    await store.put(note, parent=invoice["id"])
    await emit(call, "credit_note.created", note)
    await _lower(call, invoice, before=note["pre_payment_amount"], after=note["post_payment_amount"])
    return note


async def _would_be(call: Call, invoice: Json, params: CreateCreditNote) -> Json:
    if invoice["status"] in {"draft", "void"}:
        raise Refusal(400, f"You can only create a credit note for a finalized invoice; this one is {invoice['status']}.", param="invoice")
    if params.reason is not None and params.reason not in _REASONS:
        raise Refusal(400, f"Invalid reason: must be one of {', '.join(_REASONS)}", param="reason")
    if (params.lines is None) == (params.amount is None):
        raise Refusal(400, "Exactly one of amount and lines must be given.", code="parameter_missing", param="lines")
    lines = [await _line(invoice, line, at) for at, line in enumerate(params.lines or [])]
    taxes = shapes.merged(tax for line in lines for tax in line["taxes"])
    net = sum(line["amount"] for line in lines) if lines else params.amount or 0
    total = net + sum(tax["amount"] for tax in taxes)
    left = invoice["total"] - invoice["pre_payment_credit_notes_amount"] - invoice["post_payment_credit_notes_amount"]
    if not 0 < total <= left:
        what = f"The credit note total ({total}) must be above zero and at most what is left of the invoice ({left})."
        raise Refusal(400, what, param="lines" if lines else "amount")
    before = min(total, invoice["amount_remaining"])
    _check_after(params, total - before)
    note = _credit_note(call, invoice, params, lines=lines, taxes=taxes, net=net, total=total, before=before)
    note["number"] = f"{invoice['number']}-CN-{len(await store.children('credit_note', invoice['id'])) + 1:02d}"
    return note


def _check_after(params: CreateCreditNote, after: int) -> None:
    linked = sum(one.amount_refunded or 0 for one in params.refunds)
    given = [params.refund_amount or 0, params.credit_amount or 0, params.out_of_band_amount or 0, linked]
    if min(given) < 0 or sum(given) != after:
        what = f"The sum of refunds, credit amount and out of band amount ({sum(given)}) must equal the post payment amount ({after})."
        raise Refusal(400, what, param="refund_amount" if params.refund_amount else "out_of_band_amount")


async def _line(invoice: Json, given: CreditLine, at: int) -> Json:
    where = f"lines[{at}]"
    quantity, amount = given.quantity or 1, given.amount
    unit, description = given.unit_amount, given.description
    if given.type == "invoice_line_item":
        origin = next((line for line in invoice["_lines"] if line["id"] == given.invoice_line_item), None)
        if origin is None:
            raise Refusal(
                400, f"No such invoice line item: '{given.invoice_line_item}'", code="resource_missing", param=f"{where}[invoice_line_item]"
            )
        amount = amount if amount is not None else origin["amount"]
        if amount > origin["amount"]:
            raise Refusal(400, "A line can't be credited for more than it is.", param=f"{where}[amount]")
        description = description or origin["description"]
        taxes = _shares(origin, amount) if given.tax_amounts is None and given.tax_rates is None else await _taxes(given, amount, where)
    elif given.type == "custom_line_item":
        if unit is None or given.amount is not None:
            raise Refusal(
                400, "A custom line item has a unit_amount and a quantity.", code="parameter_missing", param=f"{where}[unit_amount]"
            )
        amount = unit * quantity
        taxes = await _taxes(given, amount, where)
    else:
        raise Refusal(400, "Invalid type: must be one of custom_line_item, invoice_line_item", param=f"{where}[type]")
    line: Json = {
        "id": store.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": given.metadata,
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": taxes,
        "type": given.type,
        "unit_amount": unit,
        "unit_amount_decimal": str(unit) if unit is not None else None,
    }
    if given.type == "invoice_line_item":
        line["invoice_line_item"] = given.invoice_line_item
    return line


def _shares(origin: Json, amount: int) -> list[Json]:
    """Return an invoice line's taxes for part of it; cents."""
    if not origin["amount"]:
        return []
    return [
        {**tax, "amount": half_up(Decimal(tax["amount"]) * amount / origin["amount"]), "taxable_amount": amount} for tax in origin["taxes"]
    ]


async def _taxes(given: CreditLine, amount: int, where: str) -> list[Json]:
    if given.tax_amounts is not None and given.tax_rates is not None:
        raise Refusal(400, "You may only specify one of these parameters: tax_amounts, tax_rates.", param=f"{where}[tax_rates]")
    made = []
    for at, tax in enumerate(given.tax_amounts or []):
        rate = await store.get("tax_rate", tax.tax_rate, param=f"{where}[tax_amounts][{at}][tax_rate]")
        made.append(shapes.tax(tax.amount, tax.taxable_amount, rate["id"], "not_available"))
    for rate_id in given.tax_rates or []:
        rate = await store.get("tax_rate", rate_id, param=f"{where}[tax_rates]")
        made.append(shapes.tax(half_up(amount * Decimal(str(rate["percentage"])) / 100), amount, rate_id, "not_available"))
    return made


async def _give_back(call: Call, invoice: Json, params: CreateCreditNote, note: Json) -> None:
    """Do with the part after payment what the caller chose."""
    if params.refund_amount:
        intent = await payments.default_intent(invoice["id"])
        made = await refunds.send_back(call, intent, amount=params.refund_amount, reason=None, metadata={})
        note["refunds"].append(_refunded(made["id"], params.refund_amount))
    for one in params.refunds:
        await store.get("refund", one.refund, param="refunds")
        note["refunds"].append(_refunded(one.refund, one.amount_refunded or 0))
    if params.credit_amount:
        customer = await store.get("customer", invoice["customer"], lock=True)
        before = {"balance": customer["balance"]}
        customer["balance"] -= params.credit_amount
        note["customer_balance_transaction"] = store.new_id("cbtxn")
        await store.save(customer)
        await emit(call, "customer.updated", customer, before)


def _refunded(refund_id: str, cents: int) -> Json:
    return {"amount_refunded": cents, "payment_record_refund": None, "refund": refund_id, "type": "refund"}


async def _lower(call: Call, invoice: Json, *, before: int, after: int) -> None:
    """Bring the invoice up to date: what was credited before and after payment, and what is left to pay."""
    previous = {name: invoice[name] for name in ("pre_payment_credit_notes_amount", "post_payment_credit_notes_amount", "amount_remaining")}
    invoice["pre_payment_credit_notes_amount"] += before
    invoice["post_payment_credit_notes_amount"] += after
    shapes.add_up(invoice)
    if invoice["status"] == "paid":
        invoice["amount_remaining"] = 0
    await store.save(invoice)
    await emit(call, "invoice.updated", invoice, previous)
    if before:
        await payments.expect_less(call, invoice)


def _credit_note(
    call: Call, invoice: Json, params: CreateCreditNote, *, lines: list[Json], taxes: list[Json], net: int, total: int, before: int
) -> Json:
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
        "effective_at": params.effective_at or call.now,
        "invoice": invoice["id"],
        "livemode": False,
        "memo": params.memo,
        "metadata": params.metadata,
        "number": "",
        "out_of_band_amount": params.out_of_band_amount,
        "pdf": f"{call.base}/i/{invoice['_token']}",
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": params.reason,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": net,
        "subtotal_excluding_tax": net,
        "total": total,
        "total_excluding_tax": net,
        "total_taxes": taxes,
        "type": "pre_payment" if before == total else "mixed" if before else "post_payment",
        "voided_at": None,
        "_lines": lines,
    }


@operation("credit_notes.void", "POST /v1/credit_notes/{id}/void")
async def void_credit_note(call: Call, params: Params, note_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Take back a credit note of an invoice that is still open."""
    note = await store.get("credit_note", note_id, lock=True)
    invoice = await store.get("invoice", note["invoice"], lock=True)
    if note["status"] != "issued" or note["type"] != "pre_payment" or invoice["status"] != "open":
        raise Refusal(400, "Only a credit note that lowered an invoice that is still open can be voided.")
    note |= {"status": "void", "voided_at": call.now}
    await store.save(note)
    await emit(call, "credit_note.voided", note)
    await _lower(call, invoice, before=-note["amount"], after=0)
    return note


@operation("credit_notes.retrieve", "GET /v1/credit_notes/{id}")
async def retrieve_credit_note(call: Call, params: Params, note_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a credit note."""
    return await store.get("credit_note", note_id)


@operation("credit_notes.list", "GET /v1/credit_notes", ListCreditNotes)
async def list_credit_notes(call: Call, params: ListCreditNotes) -> Json:  # noqa: ARG001 - the port's shape
    """Return credit notes, newest first."""
    where = {"customer": params.customer, "invoice": params.invoice}
    return await store.page("credit_note", params, url="/v1/credit_notes", where=where)


@operation("credit_notes.lines", "GET /v1/credit_notes/{credit_note}/lines", ListParams)
async def list_lines(call: Call, params: ListParams, note_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a credit note's lines in their order, a page at a time."""
    return store.slice_of((await store.get("credit_note", note_id))["_lines"], params, url=f"/v1/credit_notes/{note_id}/lines")
