"""Tables of billing: who owes, what is owed, the issued documents, what was received, and the ties to Stripe.

What was issued is append-only; the triggers that hold it are in the migration. Amounts are whole cents.
"""

from __future__ import annotations

from typing import Any

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Date, ForeignKey, Integer, Numeric, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from marketplace.kit.db import DB
from marketplace.kit.ids import new_id

_CATEGORIES = "vat_category IN ('S', 'E', 'AE')"


class Debtor(Table, db=DB, tablename="debtor"):
    """Who pays: name, address and wishes as they are today. ``owner_id`` is the company's id, opaque here."""

    id = UUID(primary_key=True, default=new_id)
    owner_id = UUID(null=False, default=None)
    name = Text(null=False, default="")
    legal_name = Text(null=False, default="")
    attention = Text(null=True, default=None)
    street = Text(null=False, default="")
    postcode = Text(null=False, default="")
    city = Text(null=False, default="")
    country = Text(null=False, default="NL")
    email = Text(null=False, default="")
    vat_id = Text(null=True, default=None)
    vat_id_valid = Boolean(null=False, default=False)
    kvk = Text(null=True, default=None)
    oin = Text(null=True, default=None)
    language = Text(null=False, default="nl")
    terms_days = Integer(null=False, default=30)
    buyer_reference = Text(null=True, default=None)
    wants_names = Boolean(null=False, default=False)
    wants_ubl = Boolean(null=False, default=False)
    ubl_profile = Text(null=False, default="peppol")
    billing_moment = Text(null=False, default="confirmation")
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)

    debtor_owner = Unique(["owner_id"])
    debtor_language = Check("language IN ('nl', 'en')")
    debtor_terms = Check("terms_days IN (14, 30)")
    debtor_ubl_profile = Check("ubl_profile IN ('peppol', 'nlcius')")
    debtor_billing_moment = Check("billing_moment IN ('confirmation')")


class CrkboPeriod(Table, db=DB, tablename="crkbo_period"):
    """When a seller stands in the CRKBO register; ``holder`` is ``operator`` or a partner's id."""

    id = UUID(primary_key=True, default=new_id)
    holder = Text(null=False, default="operator")
    from_on = Date(null=False, default=None)
    until_on = Date(null=True, default=None)

    crkbo_period_start = Unique(["holder", "from_on"])
    crkbo_period_order = Check("until_on IS NULL OR until_on >= from_on")


class Charge(Table, db=DB, tablename="charge"):
    """A billable item: something to be invoiced, exactly once. Its content never changes."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    group_key = Text(null=False, default="", index=True)
    position = Integer(null=False, default=0)
    description = Text(null=False, default="")
    detail = Text(null=False, default="")
    quantity = Numeric((12, 3), null=False, default=None)
    unit_price_cents = BigInt(null=False, default=0)
    net_cents = BigInt(null=False, default=0)
    vat_category = Text(null=False, default="S")
    vat_rate = Numeric((5, 2), null=False, default=None)
    exemption_code = Text(null=True, default=None)
    exemption_text = Text(null=True, default=None)
    trace = JSONB(null=False, default="[]")
    supply_from_on = Date(null=False, default=None)
    supply_to_on = Date(null=False, default=None)
    order_number = Text(null=True, default=None)
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    person_label = Text(null=True, default=None)
    ordered_by = Text(null=True, default=None)
    state = Text(null=False, default="open")
    created_at = Timestamptz(null=False, default=None)

    charge_state = Check("state IN ('open', 'invoiced', 'dropped')")
    charge_vat_category = Check(_CATEGORIES)
    charge_supply = Check("supply_to_on >= supply_from_on")
    charge_amounts = Check("quantity > 0 AND unit_price_cents >= 0 AND net_cents >= 0")


class NumberSeries(Table, db=DB, tablename="number_series"):
    """The counter of one series of numbers: locked while a number is given, so that a rollback leaves no gap."""

    series = Text(primary_key=True, default="")
    last_number = Integer(null=False, default=0)
    last_on = Date(null=False, default=None)

    number_series_positive = Check("last_number >= 0")


class Invoice(Table, db=DB, tablename="invoice"):
    """An issued invoice or credit note. Frozen by trigger, but for where it stands and what was paid."""

    id = UUID(primary_key=True, default=new_id)
    kind = Text(null=False, default="invoice")
    series = Text(null=False, default="")
    number = Text(null=False, default="")
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    group_key = Text(null=True, default=None)
    credits_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=OnDelete.restrict)
    dated_on = Date(null=False, default=None)
    due_on = Date(null=True, default=None)
    language = Text(null=False, default="nl")
    currency = Text(null=False, default="EUR")
    seller = JSONB(null=False, default="{}")
    buyer = JSONB(null=False, default="{}")
    order_number = Text(null=True, default=None)
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    ordered_by = Text(null=True, default=None)
    net_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    total_cents = BigInt(null=False, default=0)
    issued_at = Timestamptz(null=False, default=None)
    state = Text(null=False, default="issued")
    paid_cents = BigInt(null=False, default=0)
    hosted_payment_url = Text(null=True, default=None)
    state_at = Timestamptz(null=False, default=None)

    invoice_number = Unique(["number"])
    invoice_group = Unique(["group_key"])
    invoice_kind = Check("kind IN ('invoice', 'credit_note')")
    invoice_state = Check("state IN ('issued', 'open', 'processing', 'paid', 'void', 'uncollectible')")
    invoice_sums = Check("net_cents + vat_cents = total_cents")
    invoice_credit = Check("(kind = 'credit_note') = (credits_id IS NOT NULL)")
    invoice_due = Check("(kind = 'invoice') = (due_on IS NOT NULL)")


class InvoiceLine(Table, db=DB, tablename="invoice_line"):
    """One line of an issued document: of one charge, or of one line that it credits."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    position = Integer(null=False, default=0)
    charge_id = ForeignKey(Charge, null=True, default=None, on_delete=OnDelete.restrict)
    credits_line_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=OnDelete.restrict)
    description = Text(null=False, default="")
    detail = Text(null=False, default="")
    quantity = Numeric((12, 3), null=False, default=None)
    unit_price_cents = BigInt(null=False, default=0)
    net_cents = BigInt(null=False, default=0)
    vat_category = Text(null=False, default="S")
    vat_rate = Numeric((5, 2), null=False, default=None)
    exemption_code = Text(null=True, default=None)
    exemption_text = Text(null=True, default=None)
    trace = JSONB(null=False, default="[]")
    supply_from_on = Date(null=False, default=None)
    supply_to_on = Date(null=False, default=None)
    order_number = Text(null=True, default=None)
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    person_label = Text(null=True, default=None)

    invoice_line_charge = Unique(["charge_id"])
    invoice_line_position = Unique(["invoice_id", "position"])
    invoice_line_vat_category = Check(_CATEGORIES)
    invoice_line_origin = Check("num_nonnulls(charge_id, credits_line_id) = 1")


class InvoiceVat(Table, db=DB, tablename="invoice_vat"):
    """The VAT of one (category, rate) on a document, rounded once."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, on_delete=OnDelete.restrict)
    vat_category = Text(null=False, default="S")
    vat_rate = Numeric((5, 2), null=False, default=None)
    net_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    exemption_code = Text(null=True, default=None)
    exemption_text = Text(null=True, default=None)

    invoice_vat_rate = Unique(["invoice_id", "vat_category", "vat_rate"])
    invoice_vat_category = Check(_CATEGORIES)


class Document(Table, db=DB, tablename="document"):
    """The bytes that were issued, with their SHA-256. Never made again."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, on_delete=OnDelete.restrict)
    kind = Text(null=False, default="pdf")
    media_type = Text(null=False, default="application/pdf")
    content = Bytea(null=False, default=b"")
    sha256 = Bytea(null=False, default=b"")
    made_at = Timestamptz(null=False, default=None)

    document_invoice_kind = Unique(["invoice_id", "kind"])
    document_kind = Check("kind IN ('pdf', 'ubl-peppol', 'ubl-nlcius', 'cii')")


class Payment(Table, db=DB, tablename="payment"):
    """Money that was received for an invoice, once per outside id. Never changed; what goes back is a row of its own."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    source = Text(null=False, default="stripe")
    external_id = Text(null=False, default="")
    cents = BigInt(null=False, default=0)
    method = Text(null=False, default="")
    received_at = Timestamptz(null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)

    payment_external = Unique(["source", "external_id"])
    payment_source = Check("source IN ('stripe', 'bank', 'manual')")
    payment_cents = Check("cents > 0")


class LedgerEntry(Table, db=DB, tablename="ledger_entry"):
    """One event in the books: what happened to which row, on which day. Append-only; its postings add up to zero."""

    id = UUID(primary_key=True, default=new_id)
    event = Text(null=False, default="")
    source_id = UUID(null=False, default=None)
    booked_on = Date(null=False, default=None, index=True)
    recorded_at = Timestamptz(null=False, default=None)

    ledger_entry_once = Unique(["event", "source_id"])
    ledger_entry_event = Check("event IN ('invoice_issued', 'payment_received')")


class LedgerPosting(Table, db=DB, tablename="ledger_posting"):
    """One side of an entry: cents on an account, debit above zero, credit below."""

    id = UUID(primary_key=True, default=new_id)
    entry_id = ForeignKey(LedgerEntry, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    account = Text(null=False, default="")
    cents = BigInt(null=False, default=0)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    vat_category = Text(null=True, default=None)
    vat_rate = Numeric((5, 2), null=True, default=None)

    ledger_posting_account = Check("account IN ('receivable', 'stripe', 'bank', 'revenue', 'vat')")
    ledger_posting_cents = Check("cents <> 0")
    ledger_posting_vat_category = Check("vat_category IN ('S', 'E', 'AE')")


class StripeLink(Table, db=DB, tablename="stripe_link"):
    """Which object at Stripe stands for which row of ours."""

    id = UUID(primary_key=True, default=new_id)
    kind = Text(null=False, default="")
    our_id = UUID(null=False, default=None)
    stripe_id = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None)

    stripe_link_ours = Unique(["kind", "our_id"])
    stripe_link_theirs = Unique(["kind", "stripe_id"])


class StripeEvent(Table, db=DB, tablename="stripe_event"):
    """An event from Stripe as it arrived, once per id, and whether it was worked on."""

    id = Text(primary_key=True, default="")
    type = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None, index=True)
    payload = JSONB(null=False, default="{}")
    state = Text(null=False, default="received")
    received_at = Timestamptz(null=False, default=None)
    done_at = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)

    stripe_event_state = Check("state IN ('received', 'done', 'ignored')")


class StripeCursor(Table, db=DB, tablename="stripe_cursor"):
    """Up to where the reconciler has read Stripe's events; one row."""

    id = Integer(primary_key=True, default=1)
    event_id = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None)
    read_at = Timestamptz(null=False, default=None)

    stripe_cursor_one = Check("id = 1")
