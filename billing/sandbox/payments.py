"""Money arriving, or so it is said: payment intents, invoice payments, bank transfers on their way, paying out of band."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from billing.sandbox import invoice_shapes as shapes
from billing.sandbox import store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, ListParams, Params, Refusal
from marketplace.kit import db
from marketplace.kit.ids import new_id as row_id

TRANSFER_TAKES = timedelta(seconds=3)


class Pay(Params, kw_only=True):
    """Only payment outside Stripe can be asked for; the page does the rest."""

    paid_out_of_band: bool | None = None


class PaymentFilter(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which payment an invoice payment stands for."""

    type: str
    payment_intent: str | None = None


class ListPayments(ListParams, kw_only=True):
    """Filters of the list of invoice payments."""

    invoice: str | None = None
    payment: PaymentFilter | None = None
    status: str | None = None


async def expect(call: Call, invoice: Json) -> None:
    """Make the payment intent and the invoice payment that an open invoice waits for."""
    if invoice["amount_due"] == 0:
        return
    intent = shapes.payment_intent(invoice, now=call.now)
    await store.put(intent, parent=invoice["id"])
    await store.put(shapes.invoice_payment(invoice, intent, now=call.now), parent=invoice["id"])
    await emit(call, "payment_intent.created", intent)


async def default_intent(invoice_id: str) -> Json:
    """Return the payment intent of an open invoice."""
    found = await store.children("payment_intent", invoice_id)
    return await store.get("payment_intent", found[-1]["id"], lock=True)


async def succeed(call: Call, invoice: Json, *, method: str, received: int | None = None) -> None:
    """Let a payment of ``method`` succeed: the whole amount due, or ``received`` cents (more is kept as the customer's balance)."""
    intent = await default_intent(invoice["id"])
    amount = invoice["amount_remaining"]
    intent |= {"status": "succeeded", "amount_received": received or amount, "next_action": None, "last_payment_error": None}
    intent["payment_method"] = (await store.put(_method(method, now=call.now), parent=intent["id"]))["id"]
    await store.save(intent)
    await emit(call, "payment_intent.succeeded", intent)
    for tie in await store.children("invoice_payment", invoice["id"]):
        if tie["status"] == "open":
            tie |= {"status": "paid", "amount_paid": amount}
            tie["status_transitions"]["paid_at"] = call.now
            await store.save(tie)
            await emit(call, "invoice_payment.paid", tie)
    invoice |= {"amount_paid": invoice["amount_paid"] + amount, "attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    await close_as_paid(call, invoice)


def _method(kind: str, *, now: int) -> Json:
    details: dict[str, Json] = {
        "ideal": {"bank": None, "bic": None},
        "customer_balance": {},
        "card": {
            "brand": "visa",
            "checks": None,
            "country": "NL",
            "display_brand": "visa",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": None,
            "funding": "debit",
            "generated_from": None,
            "last4": "4242",
            "networks": None,
            "regulated_status": None,
            "three_d_secure_usage": None,
            "wallet": None,
        },
    }
    billing = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    return {
        "id": store.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: details[kind],
    }


async def close_as_paid(call: Call, invoice: Json) -> None:
    """Make the invoice paid and say so."""
    invoice |= {"status": "paid", "amount_remaining": 0, "status_transitions": {**invoice["status_transitions"], "paid_at": call.now}}
    await store.save(invoice)
    await emit(call, "invoice.paid", invoice)
    await emit(call, "invoice.payment_succeeded", invoice)
    await emit(call, "invoice.updated", invoice, {"status": "open"})


async def fail(call: Call, invoice: Json, *, method: str) -> None:
    """Let a payment fail; the invoice stays open and can be paid again."""
    intent = await default_intent(invoice["id"])
    problem = {
        "type": "card_error",
        "code": "card_declined" if method == "card" else "payment_intent_payment_attempt_failed",
        "message": "The payment was not completed.",
    }
    intent |= {"status": "requires_payment_method", "next_action": None, "last_payment_error": problem}
    await store.save(intent)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    await store.save(invoice)
    await emit(call, "payment_intent.payment_failed", intent)
    await emit(call, "invoice.payment_failed", invoice)


async def start_transfer(call: Call, invoice: Json, *, cents: int, bounces: bool) -> None:
    """Send a bank transfer on its way; it arrives a few seconds later on the sandbox's clock."""
    intent = await default_intent(invoice["id"])
    intent |= {"status": "processing", "payment_method_types": ["customer_balance"], "last_payment_error": None}
    await store.save(intent)
    await emit(call, "payment_intent.processing", intent)
    due_at = datetime.fromtimestamp(call.now, UTC) + TRANSFER_TAKES
    sql = "INSERT INTO sandbox_transfer (id, invoice_id, amount_cents, bounces, due_at, state) VALUES ($1, $2, $3, $4, $5, 'under_way')"
    await db.execute(sql, row_id(), invoice["id"], cents, int(bounces), due_at)


async def arrive(call: Call, invoice: Json, *, cents: int) -> None:
    """Let a bank transfer arrive. Too little leaves the invoice open and is kept until the rest comes."""
    intent = await default_intent(invoice["id"])
    held = intent.get("_held", 0) + cents
    intent["_held"] = held
    due = invoice["amount_remaining"]
    if held >= due:
        await store.save(intent)
        await succeed(call, invoice, method="customer_balance", received=due)
        return
    instructions = {
        "amount_remaining": due - held,
        "currency": invoice["currency"],
        "hosted_instructions_url": invoice["hosted_invoice_url"],
        "reference": invoice["number"],
        "type": "eu_bank_transfer",
    }
    intent |= {
        "status": "requires_action",
        "next_action": {"type": "display_bank_transfer_instructions", "display_bank_transfer_instructions": instructions},
    }
    await store.save(intent)
    await emit(call, "payment_intent.partially_funded", intent)


async def cancel(call: Call, invoice: Json) -> None:
    """Cancel what an invoice that was voided waited for."""
    for intent in await store.children("payment_intent", invoice["id"]):
        intent |= {"status": "canceled", "canceled_at": call.now, "cancellation_reason": "void_invoice"}
        await store.save(intent)
        await emit(call, "payment_intent.canceled", intent)
    for tie in await store.children("invoice_payment", invoice["id"]):
        if tie["status"] == "open":
            tie["status"] = "canceled"
            tie["status_transitions"]["canceled_at"] = call.now
            await store.save(tie)


@operation("invoices.pay", "POST /v1/invoices/{invoice}/pay", Pay)
async def pay(call: Call, params: Pay, invoice_id: str) -> Json:
    """Note that an open invoice was paid outside Stripe."""
    invoice = await store.get("invoice", invoice_id, lock=True)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise Refusal(400, f"Invoice is {invoice['status']}, so it can't be paid.", code="invoice_not_payable")
    if not params.paid_out_of_band:
        raise Refusal(
            402,
            "There is no payment method here: pay on the hosted page.",
            code="invoice_payment_intent_requires_action",
            kind="card_error",
        )
    await cancel(call, invoice)
    invoice["amount_paid_off_stripe"] = invoice["amount_paid"] = invoice["amount_due"]
    await close_as_paid(call, invoice)
    return invoice


@operation("invoice_payments.list", "GET /v1/invoice_payments", ListPayments)
async def list_payments(call: Call, params: ListPayments) -> Json:  # noqa: ARG001 - the port's shape
    """Return the ties between invoices and payments."""
    where = {"invoice": params.invoice, "status": params.status}
    if params.payment and params.payment.payment_intent:
        intent = await store.get("payment_intent", params.payment.payment_intent, param="payment[payment_intent]")
        where["invoice"] = intent["_invoice"]
    return await store.page("invoice_payment", params, url="/v1/invoice_payments", where=where)


@operation("invoice_payments.retrieve", "GET /v1/invoice_payments/{invoice_payment}")
async def retrieve_payment(call: Call, params: Params, payment_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return one tie."""
    return await store.get("invoice_payment", payment_id)


@operation("payment_intents.retrieve", "GET /v1/payment_intents/{intent}")
async def retrieve_intent(call: Call, params: Params, intent_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a payment intent."""
    return await store.get("payment_intent", intent_id)
