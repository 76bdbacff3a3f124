"""Disputes: a payer's bank takes a payment back, and later says who was right."""

from __future__ import annotations

import msgspec

from billing.sandbox import store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, Params, Refusal, TimedListParams

_DAYS_TO_ANSWER = 9 * 86_400
_UNDECIDED = ("needs_response", "under_review")
_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
    "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


class Evidence(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What can be brought against a dispute; of Stripe's long list, the part that a course needs."""

    customer_communication: str | None = None
    customer_email_address: str | None = None
    customer_name: str | None = None
    product_description: str | None = None
    service_date: str | None = None
    service_documentation: str | None = None
    uncategorized_text: str | None = None


class UpdateDispute(Params, kw_only=True):
    """Evidence; ``submit`` sends it to the bank."""

    evidence: Evidence | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    submit: bool | None = None


class ListDisputes(TimedListParams, kw_only=True):
    """Filters of the list of disputes."""

    charge: str | None = None
    payment_intent: str | None = None


async def open_on(call: Call, charge_id: str, *, reason: str = "product_not_received") -> Json:
    """Let the payer's bank take a charge back. Raises ``Refusal`` when there is nothing left to take."""
    charge = await store.get("charge", charge_id, lock=True)
    cents = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] or cents <= 0:
        raise Refusal(400, "This charge was disputed or refunded already.")
    dispute: Json = {
        "id": store.new_id("dp"),
        "object": "dispute",
        "amount": cents,
        "balance_transactions": [],
        "charge": charge_id,
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": call.now + _DAYS_TO_ANSWER,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }
    await store.put(dispute, parent=charge["payment_intent"])
    charge["disputed"] = True
    await store.save(charge)
    await emit(call, "charge.dispute.created", dispute)
    await emit(call, "charge.dispute.funds_withdrawn", dispute)
    await emit(call, "charge.updated", charge, {"disputed": False})
    return dispute


async def decide(call: Call, dispute_id: str, *, won: bool) -> Json:
    """Let the bank decide: won brings the money back, lost leaves it with the payer. Raises ``Refusal`` when it did."""
    dispute = await store.get("dispute", dispute_id, lock=True)
    if dispute["status"] not in _UNDECIDED:
        raise Refusal(400, f"This dispute is already {dispute['status']}.", code="dispute_already_closed")
    before = {"status": dispute["status"]}
    dispute["status"] = "won" if won else "lost"
    await store.save(dispute)
    if won:
        await emit(call, "charge.dispute.funds_reinstated", dispute)
    await emit(call, "charge.dispute.closed", dispute, before)
    return dispute


@operation("disputes.retrieve", "GET /v1/disputes/{dispute}")
async def retrieve_dispute(call: Call, params: Params, dispute_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a dispute."""
    return await store.get("dispute", dispute_id)


@operation("disputes.list", "GET /v1/disputes", ListDisputes)
async def list_disputes(call: Call, params: ListDisputes) -> Json:  # noqa: ARG001 - the port's shape
    """Return disputes, newest first."""
    where = {"charge": params.charge, "payment_intent": params.payment_intent}
    return await store.page("dispute", params, url="/v1/disputes", where=where)


@operation("disputes.update", "POST /v1/disputes/{dispute}", UpdateDispute)
async def update_dispute(call: Call, params: UpdateDispute, dispute_id: str) -> Json:
    """Bring evidence, and send it in."""
    dispute = await store.get("dispute", dispute_id, lock=True)
    before = {"status": dispute["status"]}
    if params.evidence is not None:
        dispute["evidence"] |= msgspec.to_builtins(params.evidence)
        dispute["evidence_details"]["has_evidence"] = True
    dispute["metadata"] |= params.metadata
    if params.evidence is not None and params.submit is not False and dispute["status"] == "needs_response":
        dispute["status"] = "under_review"
        dispute["evidence_details"]["submission_count"] += 1
    await store.save(dispute)
    await emit(call, "charge.dispute.updated", dispute, before)
    return dispute


@operation("disputes.close", "POST /v1/disputes/{dispute}/close")
async def close_dispute(call: Call, params: Params, dispute_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Give in: the payer keeps the money."""
    return await decide(call, dispute_id, won=False)
