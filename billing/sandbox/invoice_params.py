"""What may be said about invoices: the parameters of their operations, as Structs that refuse anything else."""

from __future__ import annotations

import msgspec

from billing.sandbox.wire import Params, TimedListParams


class EuTransfer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which country's account number a payer sees."""

    country: str


class BankTransfer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A bank transfer's kind."""

    type: str | None = None
    eu_bank_transfer: EuTransfer | None = None


class CustomerBalance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How the customer's balance is funded."""

    funding_type: str | None = None
    bank_transfer: BankTransfer | None = None


class NoOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A method that has nothing to set here."""


class MethodOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Options by payment method."""

    customer_balance: CustomerBalance | None = None
    sepa_debit: NoOptions | None = None


class PaymentSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which methods the page offers."""

    payment_method_types: list[str] | None = None
    payment_method_options: MethodOptions | None = None


class CustomField(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A reference printed on the page, such as a purchase order number."""

    name: str
    value: str


class WriteInvoice(Params, kw_only=True):
    """What can be set on a draft."""

    auto_advance: bool | None = None
    collection_method: str | None = None
    custom_fields: list[CustomField] | None = None
    days_until_due: int | None = None
    description: str | None = None
    due_date: int | None = None
    footer: str | None = None
    metadata: dict[str, str] | None = None
    number: str | None = None
    payment_settings: PaymentSettings | None = None


class CreateInvoice(WriteInvoice, kw_only=True):
    """What a new draft may carry."""

    customer: str
    currency: str = "eur"
    pending_invoice_items_behavior: str = "exclude"


class TaxRateData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tax rate described on the spot."""

    display_name: str
    percentage: float
    inclusive: bool
    country: str | None = None
    description: str | None = None
    jurisdiction: str | None = None
    tax_type: str | None = None


class TaxAmount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tax that we computed ourselves, in cents."""

    amount: int
    taxable_amount: int
    tax_rate_data: TaxRateData
    taxability_reason: str | None = None


class Period(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When the line was supplied, seconds since 1970."""

    start: int
    end: int


class NewLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A line to add."""

    amount: int
    description: str | None = None
    discountable: bool | None = None
    metadata: dict[str, str] = {}
    period: Period | None = None
    tax_amounts: list[TaxAmount] = []


class AddLines(Params, kw_only=True):
    """The lines to add to a draft."""

    lines: list[NewLine]
    invoice_metadata: dict[str, str] | None = None


class Finalize(Params, kw_only=True):
    """Finalising may switch collection on."""

    auto_advance: bool | None = None


class ListInvoices(TimedListParams, kw_only=True):
    """Filters of the invoice list."""

    collection_method: str | None = None
    customer: str | None = None
    status: str | None = None
