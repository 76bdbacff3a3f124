"""Customers, and the account and balance that the product only looks at."""

from __future__ import annotations

import msgspec

from billing.sandbox import store
from billing.sandbox.events import emit
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import Json, Params, TimedListParams


class Address(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A postal address."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state: str | None = None
    country: str | None = None


class WriteCustomer(Params, kw_only=True):
    """What can be set on a customer."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    description: str | None = None
    address: Address | None = None
    preferred_locales: list[str] | None = None
    tax_exempt: str | None = None
    metadata: dict[str, str] | None = None


class ListCustomers(TimedListParams, kw_only=True):
    """Filters of the customer list."""

    email: str | None = None


_PLAIN = ("name", "email", "phone", "description", "preferred_locales", "tax_exempt")


@operation("customers.create", "POST /v1/customers", WriteCustomer)
async def create_customer(call: Call, params: WriteCustomer) -> Json:
    """Make a customer."""
    body: Json = {
        "id": store.new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": store.new_id("x")[-8:].upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    await store.put(_write(body, params))
    await emit(call, "customer.created", body)
    return body


@operation("customers.update", "POST /v1/customers/{customer}", WriteCustomer)
async def update_customer(call: Call, params: WriteCustomer, customer_id: str) -> Json:
    """Change a customer."""
    body = await store.get("customer", customer_id, lock=True)
    before = {field: body[field] for field in _PLAIN if getattr(params, field) is not None}
    await store.save(_write(body, params))
    await emit(call, "customer.updated", body, before)
    return body


def _write(body: Json, params: WriteCustomer) -> Json:
    for field in _PLAIN:
        value = getattr(params, field)
        if value is not None:
            body[field] = value
    if params.address is not None:
        empty = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        body["address"] = {**empty, **msgspec.to_builtins(params.address)}
    if params.metadata is not None:
        body["metadata"] = {**body["metadata"], **params.metadata}
    return body


@operation("customers.retrieve", "GET /v1/customers/{customer}")
async def retrieve_customer(call: Call, params: Params, customer_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return a customer."""
    return await store.get("customer", customer_id)


@operation("customers.list", "GET /v1/customers", ListCustomers)
async def list_customers(call: Call, params: ListCustomers) -> Json:  # noqa: ARG001 - the port's shape
    """Return customers, newest first."""
    return await store.page("customer", params, url="/v1/customers", where={"email": params.email})


@operation("customers.cash_balance", "GET /v1/customers/{customer}/cash_balance")
async def retrieve_cash(call: Call, params: Params, customer_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return what bank transfers brought for a customer and no invoice has used."""
    customer = await store.get("customer", customer_id)
    return {
        "object": "cash_balance",
        "available": customer.get("_cash") or None,
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


@operation("account.retrieve", "GET /v1/account")
async def retrieve_account(call: Call, params: Params) -> Json:  # noqa: ARG001 - the port's shape
    """Return the account that the key belongs to."""
    return {
        "id": "acct_1sandbox",
        "object": "account",
        "charges_enabled": True,
        "country": "NL",
        "created": call.now,
        "default_currency": "eur",
        "details_submitted": True,
        "metadata": {},
        "payouts_enabled": True,
    }


@operation("balance.retrieve", "GET /v1/balance")
async def retrieve_balance(call: Call, params: Params) -> Json:  # noqa: ARG001 - the port's shape
    """Return an empty balance: no money is ever here."""
    nothing = [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}]
    return {"object": "balance", "available": nothing, "livemode": False, "pending": nothing}
