"""Refunds: to a card at once, to a bank account after a while, and either may fail later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from billing.sandbox import charges, store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, Params, Refusal, TimedListParams
from marketplace.kit import db
from marketplace.kit.ids import new_id as row_id

TAKES = timedelta(seconds=3)
_OPEN = ("pending", "requires_action")
_GONE = ("failed", "canceled")


class CreateRefund(Params, kw_only=True):
    """What a refund may carry; the amount defaults to what was received and not refunded."""

    payment_intent: str | None = None
    charge: str | None = None
    amount: int | None = None
    reason: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class UpdateRefund(Params, kw_only=True):
    """Only the metadata can be changed."""

    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class ListRefunds(TimedListParams, kw_only=True):
    """Filters of the list of refunds."""

    charge: str | None = None
    payment_intent: str | None = None


@operation("refunds.create", "POST /v1/refunds", CreateRefund)
async def create_refund(call: Call, params: CreateRefund) -> Json:
    """Send back what a payment received, in part or whole."""
    if params.charge and not params.payment_intent:
        found = await store.get("charge", params.charge, param="charge")
        params.payment_intent = found["payment_intent"]
    if not params.payment_intent:
        raise Refusal(
            400,
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    intent = await store.get("payment_intent", params.payment_intent, lock=True, param="payment_intent")
    return await send_back(call, intent, amount=params.amount, reason=params.reason, metadata=params.metadata)


async def send_back(call: Call, intent: Json, *, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Json:
    """Refund an intent: cards at once, banks a few seconds later on the sandbox's clock. Raises ``Refusal``."""
    charge = await charges.of_intent(intent)
    if charge is None:
        raise Refusal(400, f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", param="payment_intent")
    if charge["disputed"]:
        raise Refusal(400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        raise Refusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    cents = left if amount is None else amount
    if not 0 < cents <= left:
        raise Refusal(400, f"Refund amount ({cents}) is greater than what is left to refund ({left}), or not above zero.", param="amount")
    instant = charge["_method"] == "card"
    refund: Json = {
        "id": store.new_id("re"),
        "object": "refund",
        "amount": cents,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": intent["currency"],
        "metadata": metadata,
        "payment_intent": intent["id"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded" if instant else "pending",
        "transfer_reversal": None,
    }
    await store.put(refund, parent=intent["id"])
    await _count(charge, cents)
    await emit(call, "refund.created", refund)
    await emit(call, "charge.refunded", charge)
    if not instant:
        sql = "INSERT INTO sandbox_transfer (id, invoice_id, amount_cents, bounces, due_at, state) VALUES ($1, $2, $3, 0, $4, 'under_way')"
        await db.execute(sql, row_id(), refund["id"], cents, datetime.fromtimestamp(call.now, UTC) + TAKES)
    return refund


async def _count(charge: Json, cents: int) -> None:
    charge["amount_refunded"] += cents
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    await store.save(charge)


async def arrive(call: Call, refund_id: str) -> None:
    """Let a refund reach its bank account."""
    refund = await store.find("refund", refund_id, lock=True)
    if refund is not None and refund["status"] in _OPEN:
        await store.save(refund | {"status": "succeeded"})
        await emit(call, "refund.updated", refund | {"status": "succeeded"}, {"status": refund["status"]})


async def fail(call: Call, refund_id: str, *, status: str = "failed") -> Json:
    """Let a refund come back, also one that had succeeded: the money is ours again. Raises ``Refusal`` when it did already."""
    refund = await store.get("refund", refund_id, lock=True)
    if refund["status"] in _GONE:
        raise Refusal(400, f"This refund is {refund['status']} already.")
    before = refund["status"]
    refund["status"] = status
    if status == "failed":
        refund["failure_reason"] = "unknown"
    await store.save(refund)
    charge = await store.get("charge", refund["charge"], lock=True)
    await _count(charge, -refund["amount"])
    await emit(call, "refund.updated", refund, {"status": before})
    if status == "failed":
        await emit(call, "refund.failed", refund, {"status": before})
    await emit(call, "charge.refund.updated", refund, {"status": before})
    return refund


@operation("refunds.cancel", "POST /v1/refunds/{refund}/cancel")
async def cancel_refund(call: Call, params: Params, refund_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Stop a refund that waits for the payer's bank details."""
    refund = await store.get("refund", refund_id)
    if refund["status"] not in _OPEN:
        raise Refusal(400, f"Only a refund that is on its way can be canceled; this one is {refund['status']}.")
    return await fail(call, refund_id, status="canceled")


@operation("refunds.update", "POST /v1/refunds/{refund}", UpdateRefund)
async def update_refund(call: Call, params: UpdateRefund, refund_id: str) -> Json:
    """Change a refund's metadata."""
    refund = await store.get("refund", refund_id, lock=True)
    before = {"metadata": dict(refund["metadata"])}
    refund["metadata"] |= params.metadata
    await store.save(refund)
    await emit(call, "refund.updated", refund, before)
    return refund


@operation("refunds.retrieve", "GET /v1/refunds/{refund}", Params)
async def retrieve_refund(call: Call, params: Params, refund_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a refund."""
    return await store.get("refund", refund_id)


@operation("refunds.list", "GET /v1/refunds", ListRefunds)
async def list_refunds(call: Call, params: ListRefunds) -> Json:  # noqa: ARG001 - the port's shape
    """Return refunds, newest first."""
    where = {"charge": params.charge, "payment_intent": params.payment_intent}
    return await store.page("refund", params, url="/v1/refunds", where=where)
