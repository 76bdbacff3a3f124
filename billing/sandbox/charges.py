"""Charges: what a payment intent that succeeded took from the payer. Refunds and disputes hang on them."""

from __future__ import annotations

from billing.sandbox import store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, Params, TimedListParams

_NOBODY = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


class ListCharges(TimedListParams, kw_only=True):
    """Filters of the list of charges."""

    customer: str | None = None
    payment_intent: str | None = None


async def take(call: Call, intent: Json) -> Json:
    """Make the charge of a payment intent that just succeeded; cents as received."""
    charge: Json = {
        "id": store.new_id("ch"),
        "object": "charge",
        "amount": intent["amount_received"],
        "amount_captured": intent["amount_received"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": _NOBODY,
        "captured": True,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "outcome": None,
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": None,
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded",
    }
    charge["_method"] = (await store.get("payment_method", intent["payment_method"]))["type"]
    intent["latest_charge"] = charge["id"]
    await store.put(charge, parent=intent["id"])
    await emit(call, "charge.succeeded", charge)
    return charge


async def of_intent(intent: Json) -> Json | None:
    """Return an intent's charge, locked, or None when nothing was taken."""
    return await store.find("charge", intent["latest_charge"], lock=True) if intent["latest_charge"] else None


@operation("charges.retrieve", "GET /v1/charges/{charge}")
async def retrieve_charge(call: Call, params: Params, charge_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a charge."""
    return await store.get("charge", charge_id)


@operation("charges.list", "GET /v1/charges", ListCharges)
async def list_charges(call: Call, params: ListCharges) -> Json:  # noqa: ARG001 - the port's shape
    """Return charges, newest first."""
    where = {"customer": params.customer, "payment_intent": params.payment_intent}
    return await store.page("charge", params, url="/v1/charges", where=where)
