"""Our structs as Stripe's parameters, and Stripe's JSON as our structs. Pure; doesn't know the ``stripe`` library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing.stripe_port import (
    CreditMirror,
    DisputeState,
    InvoiceMirror,
    MirrorLine,
    RefundState,
    StripeCredit,
    StripeDispute,
    StripeEventRef,
    StripeInvoice,
    StripePayment,
    StripeRefund,
    StripeState,
    StripeTax,
)  # fmt: skip
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from billing.stripe_port import CreditLine

METADATA_KEY = "marketplace_invoice"
CREDIT_KEY = "marketplace_credit_note"
REFUND_KEY = "marketplace_refund"
_CAUSES = {"cancellation": "order_change", "correction": "order_change", "withdrawal": "order_change", "goodwill": "product_unsatisfactory"}
_REFUNDS = {
    "pending": RefundState.ON_ITS_WAY,
    "requires_action": RefundState.ON_ITS_WAY,
    "succeeded": RefundState.ARRIVED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
_TAKEN = ("needs_response", "under_review", "lost")
_REASONS = {"S": "standard_rated", "E": "product_exempt", "AE": "reverse_charge"}


def invoice_params(mirror: InvoiceMirror, customer_id: str, *, debit: bool = False) -> dict[str, Any]:
    """Return the parameters of a draft: ours to send, ours to number, without anybody's pending items.

    ``debit`` offers SEPA direct debit too, which can be taken back for eight weeks.
    """
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
            "payment_method_types": ["ideal", "card", "customer_balance", *(["sepa_debit"] if debit else [])],
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
    return StripeInvoice(
        stripe_id=body["id"],
        state=_state(body),
        number=body["number"],
        our_id=_ours(body, METADATA_KEY),
        lines=len(lines["data"]),
        more_lines=bool(lines["has_more"]),
        net_cents=body["total_excluding_tax"] if body.get("total_excluding_tax") is not None else body["subtotal"],
        vat_cents=sum(tax["amount"] for tax in body.get("total_taxes") or []),
        total=Money(body["total"], currency),
        paid=Money(body["amount_paid"], currency),
        hosted_url=body.get("hosted_invoice_url"),
        at=instant(max(value for value in (body["created"], *(body["status_transitions"] or {}).values()) if value)),
        payments=payments,
        left=Money(body["amount_remaining"], currency),
        credited=Money(body["pre_payment_credit_notes_amount"] + body["post_payment_credit_notes_amount"], currency),
        paid_elsewhere=Money(body.get("amount_paid_off_stripe") or 0, currency),
        held=Money(_held(body), currency),
        taxes=tuple(_taxes(body)),
    )


def _held(body: Mapping[str, Any]) -> int:
    """Return what a transfer that was too small brought, in cents: what the invoice wants less what the transfer still lacks."""
    for intent in _intents(body):
        lacking = ((intent.get("next_action") or {}).get("display_bank_transfer_instructions") or {}).get("amount_remaining")
        if lacking is not None and body["status"] == "open":
            return max(0, int(body["amount_remaining"]) - int(lacking))
    return 0


def _intents(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the payment intents that came along with an invoice, where they were expanded."""
    found = [tie["payment"].get("payment_intent") for tie in body.get("payments", {}).get("data", [])]
    return [intent for intent in found if isinstance(intent, dict)]


def _ours(body: Mapping[str, Any], key: str) -> UUID | None:
    """Return our id in an object's metadata; what isn't one was not written by us."""
    try:
        return UUID((body.get("metadata") or {})[key])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _taxes(body: Mapping[str, Any]) -> Iterator[StripeTax]:
    for tax in body.get("total_taxes") or []:
        if tax.get("tax_rate_details"):
            rate_id = tax["tax_rate_details"]["tax_rate"]
            yield StripeTax(rate_id=rate_id, net_cents=tax["taxable_amount"] or 0, vat_cents=tax["amount"])


def credit_params(note: CreditMirror, stripe_id: str, rates: Mapping[Decimal, str], *, after_cents: int) -> dict[str, Any]:
    """Return the parameters of a credit note: lines of our own with the VAT that we decided, our number as its note.

    ``rates`` are the invoice's tax rates at Stripe by percentage. ``after_cents`` is the part of what was paid already: how
    that goes back is for our books to say, so Stripe is told "outside".
    """
    params: dict[str, Any] = {
        "invoice": stripe_id,
        "lines": [_credit_line(line, rates) for line in note.lines],
        "memo": note.number,
        "metadata": {CREDIT_KEY: str(note.note_id), "number": note.number},
        "reason": _CAUSES.get(note.cause, "order_change"),
        "email_type": "none",
    }
    if after_cents:
        params["out_of_band_amount"] = after_cents
    return params


def _credit_line(line: CreditLine, rates: Mapping[Decimal, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "custom_line_item",
        "description": line.description[:500],
        "quantity": 1,
        "unit_amount": line.net_cents,
    }
    if line.vat_cents:
        made["tax_amounts"] = [{"amount": line.vat_cents, "taxable_amount": line.net_cents, "tax_rate": rates[line.vat_rate]}]
    return made


def credit_from(body: Mapping[str, Any]) -> StripeCredit:
    """Return a credit note's JSON as our struct."""
    return StripeCredit(
        stripe_id=body["id"],
        invoice_id=str(_id_of(body["invoice"])),
        our_id=_ours(body, CREDIT_KEY),
        net_cents=body["total_excluding_tax"] if body.get("total_excluding_tax") is not None else body["subtotal"],
        vat_cents=sum(tax["amount"] for tax in body.get("total_taxes") or []),
        total=Money(body["total"], body["currency"].upper()),
        void=body["status"] == "void",
    )


def refund_from(body: Mapping[str, Any]) -> StripeRefund:
    """Return a refund's JSON as our struct."""
    return StripeRefund(
        stripe_id=body["id"],
        our_id=_ours(body, REFUND_KEY),
        intent_id=_id_of(body.get("payment_intent")),
        amount=Money(body["amount"], body["currency"].upper()),
        state=_REFUNDS.get(str(body.get("status")), RefundState.ON_ITS_WAY),
        failure=str(body.get("failure_reason") or body.get("status") or ""),
        at=instant(body["created"]),
    )


def dispute_from(body: Mapping[str, Any]) -> StripeDispute:
    """Return a dispute's JSON as our struct. A warning has not moved money yet."""
    status = body["status"]
    return StripeDispute(
        stripe_id=body["id"],
        intent_id=_id_of(body.get("payment_intent")),
        amount=Money(body["amount"], body["currency"].upper()),
        state=DisputeState.TAKEN if status in _TAKEN else DisputeState.WON if status == "won" else DisputeState.ASKED,
        reason=str(body.get("reason") or ""),
        at=instant(body["created"]),
    )


def _id_of(value: Any) -> str | None:  # noqa: ANN401 - an id, or the object when it was expanded
    found = value["id"] if isinstance(value, dict) else value
    return str(found) if found else None


def _state(body: Mapping[str, Any]) -> StripeState:
    state = StripeState(body["status"])
    if state is not StripeState.OPEN:
        return state
    return StripeState.PROCESSING if any(intent["status"] == "processing" for intent in _intents(body)) else state


class _Subject(msgspec.Struct):
    object: str = ""
    id: str = ""
    invoice: Any = None
    payment_intent: Any = None


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
        intent_id=subject.payment_intent if isinstance(subject.payment_intent, str) else None,
        payload=raw.decode(),
    )
