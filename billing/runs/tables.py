"""Tables of invoice runs: the run, its groups (one invoice each), the charges in them, what is held, and what debtors accept.

A preview is working paper and may be made anew; what a run issued is told by the invoices themselves.
"""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Date, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Charge, Debtor, Invoice
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class InvoiceRun(Table, db=DB, tablename="invoice_run"):
    """One round of billing: everything that may be billed until a day, of the monthly debtors, of all or of chosen ones."""

    id = UUID(primary_key=True, default=new_id)
    state = Text(null=False, default="collecting")
    until_on = Date(null=False, default=None)
    scope = Text(null=False, default="monthly")
    debtor_ids = JSONB(null=False, default="[]")
    proposed = Boolean(null=False, default=False)
    made_by = Text(null=False, default="")
    made_at = Timestamptz(null=False, default=None, index=True)
    collected_at = Timestamptz(null=True, default=None)
    issued_by = Text(null=True, default=None)
    issued_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    invoice_run_state = Check("state IN ('collecting', 'preview', 'issuing', 'done', 'cancelled')")
    invoice_run_scope = Check("scope IN ('monthly', 'all', 'chosen')")
    invoice_run_ended = Check("(state IN ('done', 'cancelled')) = (ended_at IS NOT NULL)")


class InvoiceRunGroup(Table, db=DB, tablename="invoice_run_group"):
    """What becomes one invoice: a debtor's charges of one split, at most 250 of them. Sums are those of the preview, or as issued."""

    id = UUID(primary_key=True, default=new_id)
    run_id = ForeignKey(InvoiceRun, null=False, default=None, on_delete=OnDelete.cascade)
    position = Integer(null=False, default=0)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    split_by = Text(null=False, default="none")
    split_value = Text(null=False, default="")
    part = Integer(null=False, default=1)
    parts = Integer(null=False, default=1)
    state = Text(null=False, default="ready")
    findings = JSONB(null=False, default="[]")
    changed = JSONB(null=True, default=None)
    lines = Integer(null=False, default=0)
    net_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    total_cents = BigInt(null=False, default=0)
    invoice_id = ForeignKey(Invoice, null=True, default=None, on_delete=OnDelete.restrict)
    state_at = Timestamptz(null=False, default=None)

    invoice_run_group_place = Unique(["run_id", "position"])
    invoice_run_group_invoice = Unique(["invoice_id"])
    invoice_run_group_split = Check("split_by IN ('none', 'order', 'cost_centre', 'purchase_order', 'department')")
    invoice_run_group_state = Check("state IN ('ready', 'blocked', 'queued', 'issued', 'empty', 'cancelled')")
    invoice_run_group_issued = Check("(state = 'issued') = (invoice_id IS NOT NULL)")
    invoice_run_group_part = Check("part BETWEEN 1 AND parts")


class InvoiceRunCharge(Table, db=DB, tablename="invoice_run_charge"):
    """A charge in a group of a run: in one group of it, never two."""

    id = UUID(primary_key=True, default=new_id)
    run_id = ForeignKey(InvoiceRun, null=False, default=None, on_delete=OnDelete.cascade)
    group_id = ForeignKey(InvoiceRunGroup, null=False, default=None, index=True, on_delete=OnDelete.cascade)
    charge_id = ForeignKey(Charge, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    position = Integer(null=False, default=0)

    invoice_run_charge_once = Unique(["run_id", "charge_id"])


class InvoiceHold(Table, db=DB, tablename="invoice_hold"):
    """The invoice of one order that is not made, because its debtor would send it back; on ECL's list until somebody mends it."""

    id = UUID(primary_key=True, default=new_id)
    group_key = Text(null=False, default="")
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    state = Text(null=False, default="held")
    findings = JSONB(null=False, default="[]")
    held_at = Timestamptz(null=False, default=None)
    released_at = Timestamptz(null=True, default=None)
    released_by = Text(null=True, default=None)
    reason = Text(null=True, default=None)

    invoice_hold_group = Unique(["group_key"])
    invoice_hold_state = Check("state IN ('held', 'released')")
    invoice_hold_released = Check("(state = 'released') = (released_at IS NOT NULL)")


class AcceptanceProfile(Table, db=DB, tablename="acceptance_profile"):
    """What a kind of debtor asks of an invoice before it pays; data that ECL keeps. ``code`` is what a debtor carries."""

    code = Text(primary_key=True, default="")
    name_en = Text(null=False, default="")
    name_nl = Text(null=False, default="")
    about_en = Text(null=False, default="")
    about_nl = Text(null=False, default="")
    wants = Text(null=False, default="nothing")
    order_starts = Text(null=True, default=None)
    order_digits = Integer(null=True, default=None)
    project_digits = Integer(null=True, default=None)
    one_order = Boolean(null=False, default=False)
    wants_orderer = Boolean(null=False, default=False)
    wants_buyer_reference = Boolean(null=False, default=False)
    wants_ubl = Boolean(null=False, default=False)
    wants_certificate = Boolean(null=False, default=False)
    schemes = JSONB(null=False, default="[]")
    terms_days = Integer(null=True, default=None)
    changed_at = Timestamptz(null=False, default=None)

    acceptance_profile_wants = Check("wants IN ('nothing', 'order', 'project', 'order_or_project')")
    acceptance_profile_terms = Check("terms_days IN (14, 30)")
    acceptance_profile_named = Check("code <> '' AND name_en <> '' AND name_nl <> ''")
    acceptance_profile_digits = Check("order_digits BETWEEN 1 AND 30 AND project_digits BETWEEN 1 AND 30")
    acceptance_profile_project = Check("wants NOT IN ('project', 'order_or_project') OR project_digits IS NOT NULL")
