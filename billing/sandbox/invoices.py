"""Invoices: drafts, lines, finalising, and the ways out other than being paid on the page (``payments`` has that)."""

from __future__ import annotations

import secrets
from datetime import timedelta

import msgspec

from billing.sandbox import invoice_shapes as shapes
from billing.sandbox import payments, store
from billing.sandbox.events import emit
from billing.sandbox.invoice_params import AddLines, CreateInvoice, Finalize, ListInvoices, TaxAmount, TaxRateData, WriteInvoice
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, ListParams, Params, Refusal
from marketplace.kit import db

MAX_LINES = 250
_DAY = int(timedelta(days=1).total_seconds())


@operation("invoices.create", "POST /v1/invoices", CreateInvoice)
async def create_invoice(call: Call, params: CreateInvoice) -> Json:
    """Make a draft."""
    customer = await store.get("customer", params.customer, param="customer")
    invoice = shapes.blank_invoice(now=call.now, currency=params.currency.lower(), customer=customer, metadata={})
    if params.collection_method != "send_invoice" and (params.days_until_due or params.due_date):
        raise Refusal(400, "You can only specify days_until_due if collection_method is send_invoice.", param="days_until_due")
    await _write(invoice, params)
    invoice["_token"] = secrets.token_urlsafe(24)
    await store.put(invoice, parent=customer["id"], lookup=invoice["_token"])
    await emit(call, "invoice.created", invoice)
    return invoice


async def _write(invoice: Json, params: WriteInvoice) -> None:
    if params.number and params.number != invoice["number"]:
        taken = "SELECT 1 FROM sandbox_object WHERE kind = 'invoice' AND body->>'number' = $1"
        if await db.value(taken, params.number):
            raise Refusal(400, f"An invoice with the number {params.number} exists already.", param="number")
    for field in ("auto_advance", "collection_method", "description", "due_date", "footer", "number"):
        value = getattr(params, field)
        if value is not None:
            invoice[field] = value
    if params.days_until_due is not None:
        invoice["_days_until_due"] = params.days_until_due
        invoice["due_date"] = invoice["created"] + params.days_until_due * _DAY
    if params.metadata is not None:
        invoice["metadata"] = {**invoice["metadata"], **params.metadata}
    if params.custom_fields is not None:
        invoice["custom_fields"] = msgspec.to_builtins(params.custom_fields)
    if params.payment_settings is not None:
        invoice["payment_settings"] = {**invoice["payment_settings"], "payment_method_types": params.payment_settings.payment_method_types}


@operation("invoices.update", "POST /v1/invoices/{invoice}", WriteInvoice)
async def update_invoice(call: Call, params: WriteInvoice, invoice_id: str) -> Json:
    """Change a draft."""
    invoice = await _draft(invoice_id)
    await _write(invoice, params)
    await store.save(invoice)
    await emit(call, "invoice.updated", invoice, {})
    return invoice


async def _draft(invoice_id: str) -> Json:
    invoice = await store.get("invoice", invoice_id, lock=True)
    if invoice["status"] != "draft":
        raise Refusal(400, "This invoice is no longer editable: it was finalized.", code="invoice_not_editable")
    return invoice


@operation("invoices.retrieve", "GET /v1/invoices/{invoice}")
async def retrieve_invoice(call: Call, params: Params, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return an invoice."""
    return await store.get("invoice", invoice_id)


@operation("invoices.list", "GET /v1/invoices", ListInvoices)
async def list_invoices(call: Call, params: ListInvoices) -> Json:  # noqa: ARG001 - the port's shape
    """Return invoices, newest first."""
    where = {"customer": params.customer, "status": params.status, "collection_method": params.collection_method}
    return await store.page("invoice", params, url="/v1/invoices", where=where)


@operation("invoices.delete", "DELETE /v1/invoices/{invoice}")
async def delete_invoice(call: Call, params: Params, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Delete a draft."""
    invoice = await _draft(invoice_id)
    await store.drop(invoice_id)
    await emit(call, "invoice.deleted", invoice)
    return {"id": invoice_id, "object": "invoice", "deleted": True}


@operation("invoices.add_lines", "POST /v1/invoices/{invoice}/add_lines", AddLines)
async def add_lines(call: Call, params: AddLines, invoice_id: str) -> Json:
    """Add lines to a draft, each with the tax that the caller computed."""
    invoice = await _draft(invoice_id)
    if len(invoice["_lines"]) + len(params.lines) > MAX_LINES:
        raise Refusal(400, f"An invoice can have at most {MAX_LINES} line items.", code="invoice_line_limit_exceeded", param="lines")
    for new in params.lines:
        taxes = [await _tax(call, amount) for amount in new.tax_amounts]
        period = (new.period.start, new.period.end) if new.period else (call.now, call.now)
        invoice["_lines"].append(
            shapes.line(invoice, amount=new.amount, description=new.description, period=period, metadata=new.metadata, taxes=taxes)
        )
    invoice["metadata"] |= params.invoice_metadata or {}
    await store.save(shapes.add_up(invoice))
    await emit(call, "invoice.updated", invoice, {})
    return invoice


async def _tax(call: Call, given: TaxAmount) -> Json:
    data = given.tax_rate_data
    lookup = "/".join(
        str(part) for part in (data.display_name, data.percentage, data.inclusive, data.country, data.jurisdiction, data.description)
    )
    rate = await store.by_lookup("tax_rate", lookup)
    if rate is None:
        rate = await store.put(_tax_rate(call, data), lookup=lookup)
    return shapes.tax(given.amount, given.taxable_amount, rate["id"], given.taxability_reason or "not_available")


def _tax_rate(call: Call, data: TaxRateData) -> Json:
    return {
        "id": store.new_id("txr"),
        "object": "tax_rate",
        "active": False,
        "country": data.country,
        "created": call.now,
        "description": data.description,
        "display_name": data.display_name,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": data.inclusive,
        "jurisdiction": data.jurisdiction,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": data.percentage,
        "rate_type": "percentage",
        "state": None,
        "tax_type": data.tax_type,
    }


@operation("tax_rates.retrieve", "GET /v1/tax_rates/{tax_rate}")
async def retrieve_tax_rate(call: Call, params: Params, rate_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a tax rate."""
    return await store.get("tax_rate", rate_id)


@operation("invoices.lines", "GET /v1/invoices/{invoice}/lines", ListParams)
async def list_lines(call: Call, params: ListParams, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return an invoice's lines in their order, a page at a time."""
    return store.slice_of((await store.get("invoice", invoice_id))["_lines"], params, url=f"/v1/invoices/{invoice_id}/lines")


@operation("invoices.finalize", "POST /v1/invoices/{invoice}/finalize", Finalize)
async def finalize(call: Call, params: Finalize, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Make a draft final: it gets its page, its payment intent and, when it had none, a number."""
    invoice = await store.get("invoice", invoice_id, lock=True)
    if invoice["status"] != "draft":
        raise Refusal(400, "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable")
    if not invoice["_lines"]:
        raise Refusal(400, "Nothing to invoice: the invoice has no line items.", code="invoice_no_customer_line_items")
    invoice |= {
        "status": "open",
        "number": invoice["number"] or f"SANDBOX-{secrets.randbelow(10**8):08d}",
        "effective_at": call.now,
        "hosted_invoice_url": f"{call.base}/i/{invoice['_token']}",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": call.now},
    }
    if "_days_until_due" in invoice:
        invoice["due_date"] = call.now + invoice["_days_until_due"] * _DAY
    await payments.expect(call, invoice)
    await store.save(invoice)
    await emit(call, "invoice.finalized", invoice)
    await emit(call, "invoice.updated", invoice, {"status": "draft"})
    if invoice["amount_due"] == 0:
        await payments.close_as_paid(call, invoice)
    return invoice


@operation("invoices.void", "POST /v1/invoices/{invoice}/void")
async def void_invoice(call: Call, params: Params, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Void an open or uncollectible invoice."""
    return await _end(call, invoice_id, "void", "voided", "voided_at", ("open", "uncollectible"))


@operation("invoices.mark_uncollectible", "POST /v1/invoices/{invoice}/mark_uncollectible")
async def mark_uncollectible(call: Call, params: Params, invoice_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Give up on an open invoice."""
    return await _end(call, invoice_id, "uncollectible", "marked_uncollectible", "marked_uncollectible_at", ("open",))


async def _end(call: Call, invoice_id: str, status: str, event: str, mark: str, allowed: tuple[str, ...]) -> Json:
    invoice = await store.get("invoice", invoice_id, lock=True)
    if invoice["status"] not in allowed:
        raise Refusal(400, f"You can only do this with an invoice that is {' or '.join(allowed)}; this one is {invoice['status']}.")
    before = {"status": invoice["status"]}
    invoice |= {"status": status, "status_transitions": {**invoice["status_transitions"], mark: call.now}}
    await store.save(invoice)
    if status == "void":
        await payments.cancel(call, invoice)
    await emit(call, f"invoice.{event}", invoice)
    await emit(call, "invoice.updated", invoice, before)
    return invoice
