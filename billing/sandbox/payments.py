"""Money arriving, or so it is said: payment intents, invoice payments, transfers and debits on their way, paying out of band."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from billing.sandbox import charges, store
from billing.sandbox import invoice_shapes as shapes
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, ListParams, Params, Refusal, TimedListParams
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


class ListIntents(TimedListParams, kw_only=True):
    """Filters of the list of payment intents."""

    customer: str | None = None


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


async def succeed(call: Call, invoice: Json, *, method: str) -> None:
    """Let a payment of ``method`` succeed with the whole amount due."""
    intent = await default_intent(invoice["id"])
    amount = invoice["amount_remaining"]
    intent |= {"status": "succeeded", "amount": amount, "amount_received": amount, "next_action": None, "last_payment_error": None}
    intent["payment_method"] = (await store.put(_method(method, now=call.now), parent=intent["id"]))["id"]
    await charges.take(call, intent)
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
        "sepa_debit": {
            "bank_code": "ABNA",
            "branch_code": None,
            "country": "NL",
            "fingerprint": None,
            "generated_from": None,
            "last4": "6789",
        },
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


async def start_transfer(call: Call, invoice: Json, *, cents: int, bounces: bool, method: str = "customer_balance") -> None:
    """Send a bank transfer or a direct debit on its way; it arrives a few seconds later on the sandbox's clock."""
    intent = await default_intent(invoice["id"])
    intent |= {"status": "processing", "last_payment_error": None, "_on_its_way": method}
    await store.save(intent)
    await emit(call, "payment_intent.processing", intent)
    due_at = datetime.fromtimestamp(call.now, UTC) + TRANSFER_TAKES
    sql = "INSERT INTO sandbox_transfer (id, invoice_id, amount_cents, bounces, due_at, state) VALUES ($1, $2, $3, $4, $5, 'under_way')"
    await db.execute(sql, row_id(), invoice["id"], cents, int(bounces), due_at)


async def arrive(call: Call, invoice: Json, *, cents: int) -> None:
    """Let a bank transfer or debit arrive. Too little leaves the invoice open until the rest comes; too much is the customer's."""
    intent = await default_intent(invoice["id"])
    method = intent.get("_on_its_way", "customer_balance")
    if method != "customer_balance":
        await succeed(call, invoice, method=method)
        return
    held = intent.get("_held", 0) + cents
    intent["_held"] = held
    due = invoice["amount_remaining"]
    if held >= due:
        intent["_held"] = 0
        await store.save(intent)
        await succeed(call, invoice, method="customer_balance")
        await keep(call, invoice, held - due)
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


async def keep(call: Call, invoice: Json, cents: int) -> None:
    """Keep money that no invoice needs as the customer's cash balance, and say so; cents."""
    if cents <= 0:
        return
    customer = await store.get("customer", invoice["customer"], lock=True)
    cash = customer.setdefault("_cash", {})
    cash[invoice["currency"]] = cash.get(invoice["currency"], 0) + cents
    await store.save(customer)
    transaction = {
        "id": store.new_id("ccsbtxn"),
        "object": "customer_cash_balance_transaction",
        "created": call.now,
        "currency": invoice["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "ending_balance": cash[invoice["currency"]],
        "funded": {
            "bank_transfer": {
                "eu_bank_transfer": {"bic": None, "iban_last4": None, "sender_name": None},
                "reference": invoice["number"],
                "type": "eu_bank_transfer",
            }
        },
        "livemode": False,
        "net_amount": cents,
        "type": "funded",
    }
    await emit(call, "customer_cash_balance_transaction.created", transaction)


async def too_late(call: Call, invoice: Json, *, cents: int) -> None:
    """Let a bank transfer arrive for an invoice that needs no money any more: it is the customer's. A debit was never taken."""
    found = await store.children("payment_intent", invoice["id"])
    if found and found[-1].get("_on_its_way") == "customer_balance":
        await keep(call, invoice, cents)


async def expect_less(call: Call, invoice: Json) -> None:
    """Bring what an open invoice waits for in line with a credit; nothing left to pay makes it paid."""
    if invoice["status"] not in {"open", "uncollectible"}:
        return
    left = invoice["amount_remaining"]
    if left == 0:
        await cancel(call, invoice)
        await close_as_paid(call, invoice)
        return
    intent = await default_intent(invoice["id"])
    await store.save(intent | {"amount": left})
    for tie in await store.children("invoice_payment", invoice["id"]):
        if tie["status"] == "open":
            await store.save(tie | {"amount_requested": left})
    if intent.get("_held", 0) >= left:
        await arrive(call, invoice, cents=0)


async def cancel(call: Call, invoice: Json) -> None:
    """Cancel what an invoice that needs no money any more waited for; what had come in is the customer's."""
    for intent in await store.children("payment_intent", invoice["id"]):
        if intent["status"] in {"succeeded", "canceled"}:
            continue
        await keep(call, invoice, intent.pop("_held", 0))
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


@operation("payment_intents.list", "GET /v1/payment_intents", ListIntents)
async def list_intents(call: Call, params: ListIntents) -> Json:  # noqa: ARG001 - the port's shape
    """Return payment intents, newest first."""
    return await store.page("payment_intent", params, url="/v1/payment_intents", where={"customer": params.customer})
