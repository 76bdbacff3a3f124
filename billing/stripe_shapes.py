"""Our structs as Stripe's parameters, and Stripe's JSON as our structs. Pure; doesn't know the ``stripe`` library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing.stripe_port import InvoiceMirror, MirrorLine, StripeEventRef, StripeInvoice, StripePayment, StripeState
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA_KEY = "marketplace_invoice"
_REASONS = {"S": "standard_rated", "E": "product_exempt", "AE": "reverse_charge"}


def invoice_params(mirror: InvoiceMirror, customer_id: str) -> dict[str, Any]:
    """Return the parameters of a draft: ours to send, ours to number, without anybody's pending items."""
    params: dict[str, Any] = {
        "customer": customer_id,
        "currency": mirror.currency.lower(),
        "collection_method": "send_invoice",
        "auto_advance": False,
        "days_until_due": mirror.due_days,
        "number": mirror.number,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {METADATA_KEY: str(mirror.invoice_id)},
        "payment_settings": {
            "payment_method_types": ["ideal", "card", "customer_balance"],
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "NL"}},
                },
            },
        },
    }
    if mirror.purchase_order:
        label = "Inkoopnummer" if mirror.debtor.language == "nl" else "Purchase order"
        params["custom_fields"] = [{"name": label, "value": mirror.purchase_order[:140]}]
    return params


def line_params(line: MirrorLine) -> dict[str, Any]:
    """Return a line with the VAT that we decided; amounts in cents."""
    rate = line.vat_rate
    return {
        "description": line.description[:500],
        "amount": line.net_cents,
        "tax_amounts": [
            {
                "amount": line.vat_cents,
                "taxable_amount": line.net_cents,
                "taxability_reason": _REASONS.get(line.vat_category, "standard_rated"),
                "tax_rate_data": {
                    "display_name": "BTW/VAT",
                    "percentage": int(rate) if rate == int(rate) else float(rate),
                    "inclusive": False,
                    "country": "NL",
                },
            }
        ],
    }


def instant(seconds: int) -> datetime:
    """Return the UTC instant of Stripe's seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def invoice_from(body: Mapping[str, Any], *, payments: tuple[StripePayment, ...] = ()) -> StripeInvoice:
    """Return an invoice's JSON as our struct; ``payments`` are looked up by the caller."""
    currency = body["currency"].upper()
    lines = body["lines"]
    our_id = (body["metadata"] or {}).get(METADATA_KEY)
    return StripeInvoice(
        stripe_id=body["id"],
        state=_state(body),
        number=body["number"],
        our_id=UUID(our_id) if our_id else None,
        lines=len(lines["data"]),
        more_lines=bool(lines["has_more"]),
        net_cents=body["total_excluding_tax"] if body.get("total_excluding_tax") is not None else body["subtotal"],
        vat_cents=sum(tax["amount"] for tax in body.get("total_taxes") or []),
        total=Money(body["total"], currency),
        paid=Money(body["amount_paid"], currency),
        hosted_url=body.get("hosted_invoice_url"),
        at=instant(max(value for value in (body["created"], *(body["status_transitions"] or {}).values()) if value)),
        payments=payments,
    )


def _state(body: Mapping[str, Any]) -> StripeState:
    state = StripeState(body["status"])
    if state is not StripeState.OPEN:
        return state
    intents = [tie["payment"].get("payment_intent") for tie in body.get("payments", {}).get("data", [])]
    processing = any(isinstance(intent, dict) and intent["status"] == "processing" for intent in intents)
    return StripeState.PROCESSING if processing else state


class _Subject(msgspec.Struct):
    object: str = ""
    id: str = ""
    invoice: Any = None


class _Data(msgspec.Struct):
    object: _Subject


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Data


_events = msgspec.json.Decoder(_Event)


def event_ref(raw: bytes) -> StripeEventRef:
    """Return what the inbox needs of an event's bytes. Raises ``msgspec.DecodeError`` when they aren't one."""
    event = _events.decode(raw)
    subject = event.data.object
    invoice = subject.id if subject.object == "invoice" else subject.invoice
    return StripeEventRef(
        id=event.id,
        type=event.type,
        created_at=instant(event.created),
        object_id=subject.id,
        object_kind=subject.object,
        invoice_id=invoice if isinstance(invoice, str) else None,
        payload=raw.decode(),
    )
