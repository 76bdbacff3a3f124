"""The only module that knows the ``stripe`` library: our structs in, Stripe's answers out as our structs.

Every call may raise ``GatewayError``; it says whether trying again can help. Nothing here touches the database, and no
caller holds a transaction or lock meanwhile. The same code talks to Stripe and to our sandbox. The library is imported at
its first use: it is half of a process's start, and many never need it.
"""

from __future__ import annotations

import hmac
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import msgspec

from billing.stripe_back import MoneyBack
from billing.stripe_pace import Pace, SharedPace
from billing.stripe_port import InvoiceMirror, MirrorDebtor, MirrorLine, StripeEventRef, StripeInvoice, StripePayment
from billing.stripe_shapes import METADATA_KEY, event_ref, instant, invoice_from, invoice_params, line_params
from marketplace.kit.errors import Unavailable
from marketplace.kit.i18n import _
from marketplace.kit.money import Money
from marketplace.kit.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from stripe import StripeError

TIMEOUT_SECONDS = 20.0
NETWORK_RETRIES = 2
REQUESTS_A_SECOND = 10
SANDBOX_REQUESTS_A_SECOND = 100
TOLERANCE_SECONDS = 300
_BAD_REQUEST = 400
_STAMP_DIGITS = 12
_EXPAND = ["payments.data.payment.payment_intent"]
_METHODS = {"customer_balance": "bank_transfer"}
_LIVE = ("sk_live_", "rk_live_")

for _name in ("stripe", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class GatewayError(Exception):
    """A call did not do what it should. ``again``: the same call may succeed later. ``replayed``: a stored failure came back."""

    def __init__(self, message: str, *, again: bool, code: str | None = None, status: int | None = None, replayed: bool = False) -> None:
        super().__init__(message)
        self.again = again
        self.code = code
        self.status = status
        self.replayed = replayed


class BadSignature(Exception):
    """A webhook isn't Stripe's, or is too old or from the future."""


class Gateway(MoneyBack):
    """Stripe's HTTP API, as far as billing needs it. Made for one event loop."""

    def __init__(
        self,
        *,
        api_key: str,
        base: str = "",
        timeout: float = TIMEOUT_SECONDS,
        retries: int = NETWORK_RETRIES,
        a_second: float = REQUESTS_A_SECOND,
        pace: Pace | None = None,
        debit: bool = False,
        http: Any = None,  # noqa: ANN401 - an httpx.AsyncClient, for tests without a socket
    ) -> None:
        from stripe import HTTPXClient, StripeClient

        addresses: Any = {"api": base} if base else {}
        transport = HTTPXClient(timeout=timeout)
        if http is not None:
            transport._client_async = http  # noqa: SLF001 - the library offers no other way
        self._stripe = StripeClient(api_key, base_addresses=addresses, http_client=transport, max_network_retries=retries)
        self._pace = pace or Pace(a_second)
        self._debit = debit

    async def create_customer(self, debtor: MirrorDebtor, *, key: str) -> str:
        """Return the id of a new customer; the same key gives the same one. ``update_customer`` fills it in."""
        async with self._call():
            made = await self._stripe.v1.customers.create_async(
                {"metadata": {"marketplace_debtor": str(debtor.id)}}, {"idempotency_key": key}
            )
        return str(made.id)

    async def update_customer(self, customer_id: str, debtor: MirrorDebtor) -> None:
        """Write the debtor's name, addresses and language to the customer; repeating it changes nothing."""
        params: Any = {
            "name": debtor.name,
            "email": debtor.email,
            "address": {"line1": debtor.street, "postal_code": debtor.postcode, "city": debtor.city, "country": debtor.country},
            "preferred_locales": [debtor.language],
        }
        async with self._call():
            await self._stripe.v1.customers.update_async(customer_id, params)

    async def create_invoice(self, mirror: InvoiceMirror, *, customer_id: str, key: str) -> StripeInvoice:
        """Make the draft: sent by us, never advanced by Stripe, with our number, without anybody's pending items."""
        async with self._call():
            made = await self._stripe.v1.invoices.create_async(
                cast("Any", invoice_params(mirror, customer_id, debit=self._debit)), {"idempotency_key": key}
            )
        return invoice_from(made.to_dict())

    async def add_lines(self, stripe_id: str, lines: tuple[MirrorLine, ...], *, key: str) -> StripeInvoice:
        """Add the lines with the VAT that we decided, in cents."""
        async with self._call():
            made = await self._stripe.v1.invoices.add_lines_async(
                stripe_id, cast("Any", {"lines": [line_params(line) for line in lines]}), {"idempotency_key": key}
            )
        return invoice_from(made.to_dict())

    async def line_count(self, copy: StripeInvoice) -> int:
        """Return how many lines an invoice has; Stripe sends ten along and the rest by pages."""
        if not copy.more_lines:
            return copy.lines
        async with self._call():
            page = await self._stripe.v1.invoices.line_items.list_async(copy.stripe_id, {"limit": 100})
        count = len(page.data)
        while page.has_more:
            async with self._call():
                page = await page.next_page_async()
            count += len(page.data)
        return count

    async def finalise(self, stripe_id: str, *, key: str) -> StripeInvoice:
        """Make the draft final; Stripe keeps waiting for us to collect."""
        async with self._call():
            made = await self._stripe.v1.invoices.finalize_invoice_async(stripe_id, {"auto_advance": False}, {"idempotency_key": key})
        return invoice_from(made.to_dict())

    async def invoice(self, stripe_id: str) -> StripeInvoice | None:
        """Return the invoice as it is now, with its payments, or None when Stripe has no such invoice."""
        try:
            async with self._call():
                found = await self._stripe.v1.invoices.retrieve_async(stripe_id, cast("Any", {"expand": _EXPAND}))
        except GatewayError as error:
            if error.code == "resource_missing":
                return None
            raise
        body = found.to_dict()
        return invoice_from(body, payments=await self._payments(body))

    async def _payments(self, body: Mapping[str, Any]) -> tuple[StripePayment, ...]:
        inline = body.get("payments", {})
        ties = inline.get("data", [])
        if inline.get("has_more"):
            params = {"invoice": body["id"], "expand": ["data.payment.payment_intent"]}
            ties = [tie async for tie in self._all(self._stripe.v1.invoice_payments.list_async, params)]
        return tuple([await self._payment(tie) for tie in ties if tie["status"] == "paid"])

    async def _payment(self, tie: Mapping[str, Any]) -> StripePayment:
        intent = tie["payment"].get("payment_intent")
        method = "other"
        if isinstance(intent, dict) and intent.get("payment_method"):
            async with self._call():
                found = await self._stripe.v1.payment_intents.retrieve_async(intent["id"], {"expand": ["payment_method"]})
            method = str((found.to_dict().get("payment_method") or {}).get("type", "other"))
        at = instant(tie["status_transitions"]["paid_at"] or tie["created"])
        paid = Money(tie["amount_paid"] or 0, tie["currency"].upper())
        intent_id = intent["id"] if isinstance(intent, dict) else intent
        return StripePayment(stripe_id=tie["id"], paid=paid, method=_METHODS.get(method, method), at=at, intent_id=intent_id)

    async def find_invoice(self, mirror: InvoiceMirror, *, customer_id: str) -> StripeInvoice | None:
        """Look for the copy of our invoice among the customer's, by our id or our number; None when it isn't there."""
        async with self._call():
            page = await self._stripe.v1.invoices.list_async({"customer": customer_id, "limit": 100})
        while True:
            for found in page.data:
                body = found.to_dict()
                if body["metadata"].get(METADATA_KEY) == str(mirror.invoice_id) or body["number"] == mirror.number:
                    return invoice_from(body)
            if not page.has_more:
                return None
            async with self._call():
                page = await page.next_page_async()

    async def invoice_of_payment(self, intent_id: str) -> str | None:
        """Return the id of the invoice that a payment intent pays, or None."""
        params: Any = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
        async with self._call():
            page = await self._stripe.v1.invoice_payments.list_async(params)
        return next((str(found.to_dict()["invoice"]) for found in page.data), None)

    async def events_since(self, created_at: datetime) -> AsyncIterator[list[StripeEventRef]]:
        """Give Stripe's events made at or after an instant, newest first, by pages that aren't empty (Stripe keeps thirty days)."""
        params: Any = {"created": {"gte": int(created_at.timestamp())}, "limit": 100}
        async with self._call():
            page = await self._stripe.v1.events.list_async(params)
        while page.data:
            yield [event_ref(msgspec.json.encode(found.to_dict())) for found in page.data]
            if not page.has_more:
                return
            async with self._call():
                page = await page.next_page_async()

    async def register_endpoint(self, url: str, *, events: list[str]) -> tuple[str, str]:
        """Register a webhook address and return (id, secret). Stripe tells the secret this once only."""
        async with self._call():
            made = await self._stripe.v1.webhook_endpoints.create_async(cast("Any", {"url": url, "enabled_events": events}))
        return str(made.id), str(made.secret)

    async def account(self) -> str:
        """Return the account's id: the cheapest proof that address and key work (``doctor``)."""
        async with self._call():
            found = await self._stripe.v1.accounts.retrieve_current_async()
        return str(found.id)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        from stripe import StripeError

        await self._pace.wait()
        try:
            yield
        except StripeError as error:
            raise _failure(error) from error


def _failure(error: StripeError) -> GatewayError:
    status = error.http_status
    again = status is None or status in {409, 429} or status >= 500
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    # A key that was used for other parameters (a setting changed in between) says as little as a stored failure.
    replayed = headers.get("idempotent-replayed") == "true" or (status == _BAD_REQUEST and error.__class__.__name__ == "IdempotencyError")
    return GatewayError(str(error), again=again, code=error.code, status=status, replayed=replayed)


def verify(payload: bytes, header: str, *, secret: str, now: datetime) -> None:
    """Hold that Stripe signed these bytes with our secret, within five minutes of ``now`` either way. Raises ``BadSignature``.

    Source: docs.stripe.com/webhooks#verify-manually, scheme v1; several signatures come while a secret is being rolled. By hand
    because the library's own check takes no clock, accepts any time to come, and would load the library into every web process.
    """
    if not secret:
        message = "no webhook secret is set, so nothing can be believed"
        raise BadSignature(message)
    parts = [part.partition("=") for part in header.split(",")]
    stamp = next((value for name, _is, value in parts if name == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS) or abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        message = "the signature's time is missing, or more than five minutes away from ours"
        raise BadSignature(message)
    expected = hmac.digest(secret.encode(), stamp.encode() + b"." + payload, "sha256").hex().encode()
    given = [value.encode("latin-1", "replace") for name, _is, value in parts if name == "v1"]
    if not any(hmac.compare_digest(expected, one) for one in given):
        message = "no signature fits"
        raise BadSignature(message)


def from_settings(given: Settings) -> Gateway:
    """Return a gateway for these settings. Raises ``Unavailable`` without a key, or for a live key that wasn't meant."""
    if not given.stripe_api_key:
        raise Unavailable(
            "stripe_not_set", _("Payments are not set up here."), next_step=_("Start with “marketplace up”, or set STRIPE_API_KEY.")
        )
    if given.stripe_api_key.startswith(_LIVE) and not given.live:
        raise Unavailable("stripe_live_key", _("This is a live Stripe key."), next_step=_("Set MARKETPLACE_LIVE=1 to move real money."))
    pace = Pace(SANDBOX_REQUESTS_A_SECOND) if given.stripe_base else SharedPace(REQUESTS_A_SECOND)
    return Gateway(api_key=given.stripe_api_key, base=given.stripe_base, pace=pace, debit=given.stripe_sepa_debit)


_installed: list[Gateway | None] = [None]


def install(made: Gateway | None) -> None:
    """Make this the process's gateway; None forgets it, so that the next use reads the settings."""
    _installed[0] = made


def gateway() -> Gateway:
    """Return the process's gateway, made at the first use from the settings. Raises ``Unavailable``."""
    made = _installed[0] or from_settings(settings())
    _installed[0] = made
    return made
