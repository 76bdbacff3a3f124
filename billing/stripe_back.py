"""The half of the gateway where money goes back: credit notes, refunds, disputes, and ending an invoice's collection.

A part of ``stripe_gateway.Gateway``, by itself for its length; the same promises hold.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from billing.stripe_shapes import REFUND_KEY, credit_from, credit_params, dispute_from, invoice_from, refund_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from uuid import UUID

    from billing.stripe_port import CreditMirror, StripeCredit, StripeDispute, StripeInvoice, StripeRefund

_PAGE = 100


class MoneyBack:
    """What ``Gateway`` can do after an invoice is open. ``_stripe`` is the library's client, ``_call`` paces and translates."""

    _stripe: Any

    def _call(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError

    async def void(self, stripe_id: str, *, key: str) -> StripeInvoice:
        """Take a final, unpaid invoice out of collection."""
        async with self._call():
            made = await self._stripe.v1.invoices.void_invoice_async(stripe_id, {}, {"idempotency_key": key})
        return invoice_from(made.to_dict())

    async def delete_draft(self, stripe_id: str) -> None:
        """Delete a draft. Once only; a second time it is missing."""
        async with self._call():
            await self._stripe.v1.invoices.delete_async(stripe_id)

    async def give_up(self, stripe_id: str, *, key: str) -> StripeInvoice:
        """Mark an open invoice as uncollectible; its payment page goes on taking money."""
        async with self._call():
            made = await self._stripe.v1.invoices.mark_uncollectible_async(stripe_id, {}, {"idempotency_key": key})
        return invoice_from(made.to_dict())

    async def paid_elsewhere(self, stripe_id: str, *, key: str) -> StripeInvoice:
        """Note that the rest of an open invoice was paid outside Stripe, so that nobody pays it twice."""
        async with self._call():
            made = await self._stripe.v1.invoices.pay_async(stripe_id, {"paid_out_of_band": True}, {"idempotency_key": key})
        return invoice_from(made.to_dict())

    async def tax_rates(self, copy: StripeInvoice) -> dict[Decimal, str]:
        """Return the ids of an invoice's tax rates by percentage."""
        found: dict[Decimal, str] = {}
        for tax in copy.taxes:
            async with self._call():
                rate = await self._stripe.v1.tax_rates.retrieve_async(tax.rate_id)
            found[Decimal(str(rate.percentage)).normalize()] = tax.rate_id
        return found

    async def preview_credit(self, note: CreditMirror, stripe_id: str, rates: dict[Decimal, str], *, after_cents: int) -> StripeCredit:
        """Return what the credit note would be, to the cent; nothing is made."""
        params = credit_params(note, stripe_id, rates, after_cents=after_cents)
        async with self._call():
            made = await self._stripe.v1.credit_notes.preview_async(cast("Any", params))
        return credit_from(made.to_dict())

    async def create_credit(
        self, note: CreditMirror, stripe_id: str, rates: dict[Decimal, str], *, after_cents: int, key: str
    ) -> StripeCredit:
        """Make the credit note. Without a draft: compare the preview first."""
        params = credit_params(note, stripe_id, rates, after_cents=after_cents)
        async with self._call():
            made = await self._stripe.v1.credit_notes.create_async(cast("Any", params), {"idempotency_key": key})
        return credit_from(made.to_dict())

    async def credits_of(self, stripe_id: str) -> list[StripeCredit]:
        """Return an invoice's credit notes, void ones too, newest first."""
        listed = self._stripe.v1.credit_notes.list_async
        return [credit_from(body) async for body in self._all(listed, {"invoice": stripe_id})]

    async def intent_of(self, payment_id: str) -> str | None:
        """Return the payment intent behind an invoice payment, or None when it is no such payment."""
        async with self._call():
            found = await self._stripe.v1.invoice_payments.retrieve_async(payment_id)
        intent = found.to_dict()["payment"].get("payment_intent")
        return str(intent["id"] if isinstance(intent, dict) else intent) if intent else None

    async def create_refund(self, refund_id: UUID, *, intent_id: str, cents: int, key: str) -> StripeRefund:
        """Send part of a payment back."""
        params: Any = {"payment_intent": intent_id, "amount": cents, "metadata": {REFUND_KEY: str(refund_id)}}
        async with self._call():
            made = await self._stripe.v1.refunds.create_async(params, {"idempotency_key": key})
        return refund_from(made.to_dict())

    async def refund(self, refund_id: str) -> StripeRefund:
        """Return a refund as it is now."""
        async with self._call():
            found = await self._stripe.v1.refunds.retrieve_async(refund_id)
        return refund_from(found.to_dict())

    async def refunds_of(self, intent_id: str) -> list[StripeRefund]:
        """Return the refunds of a payment intent, newest first."""
        listed = self._stripe.v1.refunds.list_async
        return [refund_from(body) async for body in self._all(listed, {"payment_intent": intent_id})]

    async def dispute(self, dispute_id: str) -> StripeDispute:
        """Return a dispute as it is now."""
        async with self._call():
            found = await self._stripe.v1.disputes.retrieve_async(dispute_id)
        return dispute_from(found.to_dict())

    async def disputes_of(self, intent_id: str) -> list[StripeDispute]:
        """Return the disputes of a payment intent, newest first."""
        listed = self._stripe.v1.disputes.list_async
        return [dispute_from(body) async for body in self._all(listed, {"payment_intent": intent_id})]

    async def unused_cash(self, customer_id: str) -> dict[str, int]:
        """Return what bank transfers brought for a customer and no invoice used: cents by currency (lower case)."""
        async with self._call():
            found = await self._stripe.v1.customers.cash_balance.retrieve_async(customer_id)
        return dict(found.to_dict().get("available") or {})

    async def _all(self, listed: Any, params: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401 - the library's method
        async with self._call():
            page = await listed({**params, "limit": _PAGE})
        while True:
            for found in page.data:
                yield found.to_dict()
            if not page.has_more:
                return
            async with self._call():
                page = await page.next_page_async()
