"""The shapes of invoices, lines and payments as Stripe answers them, and their sums. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.sandbox import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing.sandbox.wire import Json

INLINE_LINES = 10


def blank_invoice(*, now: int, currency: str, customer: Json, metadata: dict[str, str]) -> Json:
    """Return a draft invoice without lines."""
    return {
        "id": store.new_id("in"),
        "object": "invoice",
        "account_country": "NL",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "send_invoice",
        "created": now,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": metadata,
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
        "_lines": [],
    }


def visible(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return an answer as Stripe shows it: our own keys gone, the first ten lines of an invoice or credit note inline."""
    if isinstance(value, list):
        return [visible(item) for item in value]
    if not isinstance(value, dict):
        return value
    body = {key: visible(item) for key, item in value.items() if not key.startswith("_")}
    if "_lines" in value:
        lines = value["_lines"]
        body["lines"] = {
            "object": "list",
            "data": visible(lines[:INLINE_LINES]),
            "has_more": len(lines) > INLINE_LINES,
            "url": f"/v1/{'invoices' if value['object'] == 'invoice' else 'credit_notes'}/{value['id']}/lines",
        }
    return body


def tax(amount: int, taxable: int, rate_id: str, reason: str) -> Json:
    """Return a tax as lines and totals carry it."""
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate_id},
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def line(
    invoice: Json, *, amount: int, description: str | None, period: tuple[int, int], metadata: dict[str, str], taxes: list[Json]
) -> Json:
    """Return a line item of quantity 1."""
    return {
        "id": store.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": invoice["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": False,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": metadata,
        "parent": {
            "invoice_item_details": {
                "invoice_item": store.new_id("ii"),
                "proration": False,
                "proration_details": None,
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "subtotal": amount,
        "taxes": taxes,
    }


def add_up(invoice: Json) -> Json:
    """Set the sums of an invoice from its lines; amounts in cents."""
    lines = invoice["_lines"]
    net = sum(item["amount"] for item in lines)
    taxes = merged(tax for item in lines for tax in item["taxes"])
    total = net + sum(found["amount"] for found in taxes)
    paid = invoice["amount_paid"]
    due = max(total - invoice["pre_payment_credit_notes_amount"], 0)
    invoice |= {
        "subtotal": net,
        "subtotal_excluding_tax": net,
        "total": total,
        "total_excluding_tax": net,
        "total_taxes": taxes,
        "amount_due": due,
        "amount_remaining": max(due - paid, 0),
    }
    return invoice


def merged(taxes: Iterable[Json]) -> list[Json]:
    """Return taxes summed by rate and reason."""
    sums: dict[tuple[Any, ...], Json] = {}
    for found in taxes:
        key = (found["tax_rate_details"]["tax_rate"], found["taxability_reason"])
        if key in sums:
            sums[key]["amount"] += found["amount"]
            sums[key]["taxable_amount"] += found["taxable_amount"]
        else:
            sums[key] = {**found}
    return list(sums.values())


def payment_intent(invoice: Json, *, now: int) -> Json:
    """Return the payment intent that waits for an open invoice's money."""
    return {
        "id": store.new_id("pi"),
        "object": "payment_intent",
        "amount": invoice["amount_due"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "description": f"Payment for invoice {invoice['number']}",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": invoice["payment_settings"]["payment_method_types"] or ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_invoice": invoice["id"],
    }


def invoice_payment(invoice: Json, intent: Json, *, now: int) -> Json:
    """Return the tie between an invoice and its payment intent."""
    return {
        "id": store.new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
