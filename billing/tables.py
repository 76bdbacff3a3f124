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

_CATEGORIES = "vat_category IN ('S', 'E', 'AE', 'Z')"
_ACCOUNTS = (
    "receivable", "bank", "stripe", "payout_transit", "unallocated", "revenue", "vat", "input_vat", "partner_cost", "commission",
    "partner_accrued", "partner_payable", "bad_debt", "interest", "fees",
)  # fmt: skip
_EVENTS = (
    "invoice_issued", "credit_issued", "payment_received", "refund_made", "payment_returned", "written_off", "write_off_reversed",
    "set_off", "transfer_received", "transfer_allocated", "stripe_payout", "partner_accrued", "partner_reversed", "statement_issued",
    "payout_sent", "payout_returned", "manual",
)  # fmt: skip


def _one_of(column: str, words: tuple[str, ...]) -> str:
    """Return the condition that a column holds one of these words."""
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({quoted})"


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
    rhythm = Text(null=False, default="order")
    split_by = Text(null=False, default="none")
    acceptance_profile = Text(null=False, default="company")
    channel = Text(null=False, default="mail")
    peppol_scheme = Text(null=True, default=None)
    peppol_id = Text(null=True, default=None)
    reminders = Boolean(null=False, default=True)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)

    debtor_owner = Unique(["owner_id"])
    debtor_language = Check("language IN ('nl', 'en')")
    debtor_terms = Check("terms_days IN (14, 30)")
    debtor_ubl_profile = Check("ubl_profile IN ('peppol', 'nlcius')")
    debtor_moment = Check("billing_moment IN ('confirmation', 'start', 'delivery')")
    debtor_rhythm = Check("rhythm IN ('order', 'month')")
    debtor_split_by = Check("split_by IN ('none', 'cost_centre', 'purchase_order', 'department')")
    debtor_channel = Check("channel IN ('mail', 'peppol')")
    debtor_peppol = Check("(peppol_scheme IS NULL) = (peppol_id IS NULL)")


class CrkboPeriod(Table, db=DB, tablename="crkbo_period"):
    """When a seller stands in the CRKBO register; ``holder`` is ``operator`` or a partner's id."""

    id = UUID(primary_key=True, default=new_id)
    holder = Text(null=False, default="operator")
    from_on = Date(null=False, default=None)
    until_on = Date(null=True, default=None)

    crkbo_period_start = Unique(["holder", "from_on"])
    crkbo_period_order = Check("until_on IS NULL OR until_on >= from_on")


class Charge(Table, db=DB, tablename="charge"):
    """A billable item: something to be invoiced, exactly once. Its content never changes; its days of supply may until then.

    ``ready_at`` is when the order stood, ``billable_on`` the day from which the debtor's billing moment lets it be invoiced.
    """

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
    kind = Text(null=False, default="course")
    department = Text(null=True, default=None)
    ready_at = Timestamptz(null=True, default=None)
    billable_on = Date(null=True, default=None)

    charge_state = Check("state IN ('open', 'invoiced', 'dropped')")
    charge_vat_code = Check(_CATEGORIES)
    charge_kind = Check("kind IN ('course', 'cancellation_fee', 'interest', 'other')")
    charge_ready = Check("(ready_at IS NULL) = (billable_on IS NULL)")
    charge_supply = Check("supply_to_on >= supply_from_on")
    charge_amounts = Check("quantity > 0 AND unit_price_cents >= 0 AND net_cents >= 0")


class NumberSeries(Table, db=DB, tablename="number_series"):
    """The counter of one series of numbers: locked while a number is given, so that a rollback leaves no gap."""

    series = Text(primary_key=True, default="")
    last_number = Integer(null=False, default=0)
    last_on = Date(null=False, default=None)

    number_series_positive = Check("last_number >= 0")


class Invoice(Table, db=DB, tablename="invoice"):
    """An issued invoice or credit note. Frozen by trigger, but for where it stands and the money that moved.

    ``credited_cents`` is what credit notes took back, ``refunded_cents`` what went back of ``paid_cents``. A credit note's
    ``reason`` is for the debtor to read; ``cause`` is its kind. ``replaces_id`` is the invoice that this one corrects.
    """

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
    credited_cents = BigInt(null=False, default=0)
    refunded_cents = BigInt(null=False, default=0)
    written_off_cents = BigInt(null=False, default=0)
    department = Text(null=True, default=None)
    reason = Text(null=True, default=None)
    cause = Text(null=True, default=None)
    credit_key = Text(null=True, default=None)
    run_id = UUID(null=True, default=None, index=True)
    replaces_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=OnDelete.restrict)

    invoice_number = Unique(["number"])
    invoice_credit_key = Unique(["credit_key"])
    invoice_cause = Check("cause IN ('cancellation', 'correction', 'goodwill', 'withdrawal')")
    invoice_reasoned = Check("kind = 'invoice' OR (reason IS NOT NULL AND cause IS NOT NULL AND credit_key IS NOT NULL)")
    invoice_moved = Check(
        "credited_cents BETWEEN 0 AND total_cents AND refunded_cents BETWEEN 0 AND paid_cents AND written_off_cents BETWEEN 0 AND total_cents"
    )
    invoice_group = Unique(["group_key"])
    invoice_kind = Check("kind IN ('invoice', 'credit_note')")
    invoice_standing = Check("state IN ('issued', 'open', 'processing', 'paid', 'credited', 'void', 'uncollectible')")
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
    department = Text(null=True, default=None)

    invoice_line_charge = Unique(["charge_id"])
    invoice_line_position = Unique(["invoice_id", "position"])
    invoice_line_vat_code = Check(_CATEGORIES)
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
    invoice_vat_code = Check(_CATEGORIES)


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
    payment_origin = Check("source IN ('stripe', 'bank', 'manual', 'setoff')")
    payment_cents = Check("cents > 0")


class Refund(Table, db=DB, tablename="refund"):
    """Money that goes back to a debtor, or was taken back (``dispute``). Only ``done`` counts; the amount never changes."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    credit_note_id = ForeignKey(Invoice, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    payment_id = ForeignKey(Payment, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    source = Text(null=False, default="stripe")
    external_id = Text(null=True, default=None)
    cents = BigInt(null=False, default=0)
    state = Text(null=False, default="requested")
    reason = Text(null=False, default="")
    requested_at = Timestamptz(null=False, default=None)
    requested_by = UUID(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
    failure = Text(null=True, default=None)

    refund_external = Unique(["source", "external_id"])
    refund_source = Check("source IN ('stripe', 'bank', 'dispute', 'setoff')")
    refund_state = Check("state IN ('requested', 'sent', 'done', 'failed')")
    refund_cents = Check("cents > 0")
    refund_done = Check("(state = 'done') = (done_at IS NOT NULL)")


class IssuedPaper(Table, db=DB, tablename="issued_paper"):
    """The bytes of an issued document that isn't an invoice (reminder, statement, self-billed invoice, …), with their SHA-256."""

    id = UUID(primary_key=True, default=new_id)
    subject_kind = Text(null=False, default="")
    subject_id = UUID(null=False, default=None)
    kind = Text(null=False, default="pdf")
    name = Text(null=False, default="")
    media_type = Text(null=False, default="application/pdf")
    content = Bytea(null=False, default=b"")
    sha256 = Bytea(null=False, default=b"")
    made_at = Timestamptz(null=False, default=None)

    issued_paper_once = Unique(["subject_kind", "subject_id", "kind"])
    issued_paper_named = Check("subject_kind <> '' AND name <> ''")


class LedgerEntry(Table, db=DB, tablename="ledger_entry"):
    """One event in the books: what happened to which row, on which day. Append-only; its postings add up to zero."""

    id = UUID(primary_key=True, default=new_id)
    event = Text(null=False, default="")
    source_id = UUID(null=False, default=None)
    booked_on = Date(null=False, default=None, index=True)
    recorded_at = Timestamptz(null=False, default=None)
    reference = Text(null=False, default="")

    ledger_entry_once = Unique(["event", "source_id"])
    ledger_entry_known = Check(_one_of("event", _EVENTS))


class LedgerPosting(Table, db=DB, tablename="ledger_posting"):
    """One side of an entry: cents on an account, debit above zero, credit below."""

    id = UUID(primary_key=True, default=new_id)
    entry_id = ForeignKey(LedgerEntry, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    account = Text(null=False, default="")
    cents = BigInt(null=False, default=0)
    debtor_id = ForeignKey(Debtor, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    vat_category = Text(null=True, default=None)
    vat_rate = Numeric((5, 2), null=True, default=None)
    payee_id = UUID(null=True, default=None, index=True)

    ledger_posting_known = Check(_one_of("account", _ACCOUNTS))
    ledger_posting_cents = Check("cents <> 0")
    ledger_posting_vat_code = Check(_CATEGORIES)
    ledger_posting_party = Check(
        "account NOT IN ('receivable', 'partner_accrued', 'partner_payable') OR num_nonnulls(debtor_id, payee_id) = 1"
    )


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
