"""Tables of partners' money: payees and their accounts, contracts, settlement lines, statements, objections, payouts.

Amounts are whole cents; a line's are signed, so that a reversal is a line below zero. What is frozen and who may not be the
same person is held by triggers and checks in the migrations too.
"""

from __future__ import annotations

from typing import Any

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Date, ForeignKey, Integer, Numeric, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Charge
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id

_KEEP = OnDelete.restrict


class Payee(Table, db=DB, tablename="payee"):
    """Who is paid, as it is today, and what was agreed for all its lines. ``owner_id`` is the partner's id, opaque here."""

    id = UUID(primary_key=True, default=new_id)
    owner_id = UUID(null=False, default=None)
    code = Text(null=False, default="")
    legal_name = Text(null=False, default="")
    street = Text(null=False, default="")
    postcode = Text(null=False, default="")
    city = Text(null=False, default="")
    country = Text(null=False, default="NL")
    vat_id = Text(null=True, default=None)
    kvk = Text(null=True, default=None)
    email = Text(null=False, default="")
    language = Text(null=False, default="nl")
    small_business = Boolean(null=False, default=False)
    self_billing_from_on = Date(null=True, default=None)
    self_billing_until_on = Date(null=True, default=None)
    objection_days = Integer(null=False, default=14)
    shares_fees = Boolean(null=False, default=True)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)

    payee_owner = Unique(["owner_id"])
    payee_code = Unique(["code"])
    payee_code_form = Check("code ~ '^[A-Z0-9]{1,12}$'")
    payee_language = Check("language IN ('nl', 'en')")
    payee_objection_days = Check("objection_days BETWEEN 0 AND 60")
    payee_self_billing = Check(
        "self_billing_until_on IS NULL OR self_billing_from_on IS NOT NULL AND self_billing_until_on >= self_billing_from_on"
    )


class PayeeAccount(Table, db=DB, tablename="payee_account"):
    """A bank account of a payee: proposed by one, approved by another. Its number never changes; a new one is a new row."""

    id = UUID(primary_key=True, default=new_id)
    payee_id = ForeignKey(Payee, null=False, default=None, index=True, on_delete=_KEEP)
    iban = Text(null=False, default="")
    bic = Text(null=True, default=None)
    holder_name = Text(null=False, default="")
    state = Text(null=False, default="pending")
    proposed_by = UUID(null=False, default=None)
    proposed_at = Timestamptz(null=False, default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)

    payee_account_state = Check("state IN ('pending', 'approved', 'refused', 'replaced')")
    payee_account_decided = Check("(state = 'pending') = (decided_at IS NULL)")
    payee_account_four_eyes = Check("state IN ('pending', 'refused') OR decided_by IS NOT NULL AND decided_by <> proposed_by")


class PartnerContract(Table, db=DB, tablename="partner_contract"):
    """What ECL keeps of a partner's price, from a day on; for one programme (its code), or for all that have none of their own."""

    id = UUID(primary_key=True, default=new_id)
    payee_id = ForeignKey(Payee, null=False, default=None, index=True, on_delete=_KEEP)
    programme = Text(null=True, default=None)
    percent = Numeric((5, 2), null=True, default=None)
    fixed_cents = BigInt(null=True, default=None)
    from_on = Date(null=False, default=None)
    until_on = Date(null=True, default=None)
    hold_days = Integer(null=False, default=14)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)

    partner_contract_commission = Check("num_nonnulls(percent, fixed_cents) = 1")
    partner_contract_percent = Check("percent BETWEEN 0 AND 100")
    partner_contract_fixed = Check("fixed_cents >= 0")
    partner_contract_period = Check("until_on IS NULL OR until_on >= from_on")
    partner_contract_hold = Check("hold_days BETWEEN 0 AND 90")


class Statement(Table, db=DB, tablename="partner_statement"):
    """What a payee is owed for a month, as issued. Frozen by trigger, but for where it stands and what was paid."""

    id = UUID(primary_key=True, default=new_id)
    payee_id = ForeignKey(Payee, null=False, default=None, on_delete=_KEEP)
    number = Text(null=False, default="")
    period_from_on = Date(null=False, default=None)
    period_to_on = Date(null=False, default=None)
    dated_on = Date(null=False, default=None)
    objection_until_on = Date(null=False, default=None)
    language = Text(null=False, default="nl")
    payee = JSONB(null=False, default="{}")
    operator = JSONB(null=False, default="{}")
    self_billed = Boolean(null=False, default=False)
    invoice_number = Text(null=True, default=None)
    invoice_on = Date(null=True, default=None)
    net_cents = BigInt(null=False, default=0)
    commission_cents = BigInt(null=False, default=0)
    earned_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    carried_cents = BigInt(null=False, default=0)
    total_cents = BigInt(null=False, default=0)
    paid_out_cents = BigInt(null=False, default=0)
    carried_to_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=_KEEP)
    state = Text(null=False, default="issued")
    state_at = Timestamptz(null=False, default=None)
    issued_at = Timestamptz(null=False, default=None)

    partner_statement_number = Unique(["number"])
    partner_statement_month = Unique(["payee_id", "period_from_on"])
    partner_statement_state = Check("state IN ('issued', 'agreed', 'in_batch', 'paid', 'carried')")
    partner_statement_earned = Check("net_cents - commission_cents = earned_cents")
    partner_statement_total = Check("earned_cents + vat_cents + carried_cents = total_cents")
    partner_statement_carried = Check("carried_cents <= 0")
    partner_statement_paid = Check("paid_out_cents BETWEEN 0 AND greatest(total_cents, 0)")
    partner_statement_invoice = Check("(invoice_number IS NULL) = (invoice_on IS NULL)")
    partner_statement_language = Check("language IN ('nl', 'en')")
    partner_statement_moved_on = Check("(state = 'carried') = (carried_to_id IS NOT NULL)")


class StatementVat(Table, db=DB, tablename="partner_statement_vat"):
    """The VAT of one (category, rate) on a statement, over what the partner earned, rounded once."""

    id = UUID(primary_key=True, default=new_id)
    statement_id = ForeignKey(Statement, null=False, default=None, on_delete=_KEEP)
    vat_category = Text(null=False, default="S")
    vat_rate = Numeric((5, 2), null=False, default=None)
    earned_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    exemption_code = Text(null=True, default=None)

    partner_statement_vat_rate = Unique(["statement_id", "vat_category", "vat_rate"])
    partner_statement_vat_category = Check("vat_category IN ('S', 'E', 'AE', 'Z')")


class SettlementLine(Table, db=DB, tablename="settlement_line"):
    """What one billed seat earns a partner. A reversal or correction is a line of its own, under a key that comes once."""

    id = UUID(primary_key=True, default=new_id)
    payee_id = ForeignKey(Payee, null=False, default=None, on_delete=_KEEP)
    charge_id = ForeignKey(Charge, null=False, default=None, on_delete=_KEEP)
    key = Text(null=False, default="seat")
    of_line_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=_KEEP)
    contract_id = ForeignKey(PartnerContract, null=True, default=None, index=True, on_delete=_KEEP)
    order_number = Text(null=False, default="")
    programme = Text(null=False, default="")
    session = Text(null=False, default="")
    title_nl = Text(null=False, default="")
    title_en = Text(null=False, default="")
    placed_on = Date(null=False, default=None)
    supply_from_on = Date(null=False, default=None)
    supply_to_on = Date(null=False, default=None)
    vat_basis = Text(null=False, default="")
    teaching = Text(null=False, default="on_site")
    percent = Numeric((5, 2), null=True, default=None)
    fixed_cents = BigInt(null=True, default=None)
    net_cents = BigInt(null=False, default=0)
    commission_cents = BigInt(null=False, default=0)
    earned_cents = BigInt(null=False, default=0)
    payable_on = Date(null=True, default=None)
    booked_on = Date(null=True, default=None)
    statement_id = ForeignKey(Statement, null=True, default=None, index=True, on_delete=_KEEP)
    vat_category = Text(null=True, default=None)
    vat_rate = Numeric((5, 2), null=True, default=None)
    exemption_code = Text(null=True, default=None)
    state = Text(null=False, default="accrued")
    state_at = Timestamptz(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)

    settlement_line_once = Unique(["charge_id", "key"])
    settlement_line_state = Check("state IN ('waiting', 'accrued', 'payable', 'stated', 'paid', 'cancelled')")
    settlement_line_earned = Check("net_cents - commission_cents = earned_cents")
    settlement_line_contract = Check("state IN ('waiting', 'cancelled') OR contract_id IS NOT NULL AND payable_on IS NOT NULL")
    settlement_line_stated = Check("(state IN ('stated', 'paid')) = (statement_id IS NOT NULL)")
    settlement_line_vat = Check("statement_id IS NULL OR vat_category IS NOT NULL AND vat_rate IS NOT NULL")
    settlement_line_booked = Check("statement_id IS NULL OR booked_on IS NOT NULL")
    settlement_line_kind = Check("(key = 'seat') = (of_line_id IS NULL)")
    settlement_line_supply = Check("supply_to_on >= supply_from_on")
    settlement_line_vat_category = Check("vat_category IN ('S', 'E', 'AE', 'Z')")


class SeatCancellation(Table, db=DB, tablename="settlement_cancellation"):
    """That a seat was cancelled, and what the buyer still pays for it: kept whether or not its line was there already."""

    charge_id = ForeignKey(Charge, null=False, default=None, primary_key=True, on_delete=_KEEP)
    kept_cents = BigInt(null=False, default=0)
    told_at = Timestamptz(null=False, default=None)

    settlement_cancellation_kept = Check("kept_cents >= 0")


class Incident(Table, db=DB, tablename="settlement_incident"):
    """Why a line isn't paid for now. While one is open, the line stays where it is."""

    id = UUID(primary_key=True, default=new_id)
    line_id = ForeignKey(SettlementLine, null=False, default=None, index=True, on_delete=_KEEP)
    reason = Text(null=False, default="")
    opened_by = UUID(null=True, default=None)
    opened_at = Timestamptz(null=False, default=None)
    outcome = Text(null=True, default=None)
    closed_by = UUID(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)

    settlement_incident_reason = Check("reason <> ''")
    settlement_incident_closed = Check("(closed_at IS NULL) = (outcome IS NULL)")


class Objection(Table, db=DB, tablename="statement_objection"):
    """What a partner finds wrong with a line of its statement, and what ECL answered. Until then the line isn't paid."""

    id = UUID(primary_key=True, default=new_id)
    statement_id = ForeignKey(Statement, null=False, default=None, index=True, on_delete=_KEEP)
    line_id = ForeignKey(SettlementLine, null=False, default=None, on_delete=_KEEP)
    reason = Text(null=False, default="")
    made_by = UUID(null=True, default=None)
    made_at = Timestamptz(null=False, default=None)
    state = Text(null=False, default="open")
    answer = Text(null=True, default=None)
    answered_by = UUID(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)

    statement_objection_line = Unique(["line_id"])
    statement_objection_reason = Check("reason <> ''")
    statement_objection_state = Check("state IN ('open', 'stands', 'corrected')")
    statement_objection_answered = Check("(state = 'open') = (answer IS NULL) AND (answer IS NULL) = (answered_at IS NULL)")


class PayoutBatch(Table, db=DB, tablename="payout_batch"):
    """Payments that leave together, in one file for the bank. One person drafts it, another approves it."""

    id = UUID(primary_key=True, default=new_id)
    number = Text(null=False, default="")
    state = Text(null=False, default="draft")
    pay_on = Date(null=False, default=None)
    debit_iban = Text(null=False, default="")
    debit_bic = Text(null=False, default="")
    debit_name = Text(null=False, default="")
    drafted_by = UUID(null=False, default=None)
    drafted_at = Timestamptz(null=False, default=None)
    approved_by = UUID(null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    file = Bytea(null=True, default=None)
    file_sha256 = Bytea(null=True, default=None)
    exported_at = Timestamptz(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    state_at = Timestamptz(null=False, default=None)

    payout_batch_number = Unique(["number"])
    payout_batch_state = Check("state IN ('draft', 'approved', 'exported', 'sent', 'paid', 'cancelled')")
    payout_batch_approved = Check("state IN ('draft', 'cancelled') OR approved_by IS NOT NULL AND approved_at IS NOT NULL")
    payout_batch_four_eyes = Check("approved_by <> drafted_by")
    payout_batch_file = Check("(file IS NULL) = (file_sha256 IS NULL) AND (file IS NULL) = (exported_at IS NULL)")
    payout_batch_exported = Check("state NOT IN ('exported', 'sent', 'paid') OR file IS NOT NULL")


class PayoutItem(Table, db=DB, tablename="payout_item"):
    """One payment of a batch: to the account that was approved, for one statement."""

    id = UUID(primary_key=True, default=new_id)
    batch_id = ForeignKey(PayoutBatch, null=False, default=None, on_delete=_KEEP)
    position = Integer(null=False, default=0)
    statement_id = ForeignKey(Statement, null=False, default=None, index=True, on_delete=_KEEP)
    payee_id = ForeignKey(Payee, null=False, default=None, index=True, on_delete=_KEEP)
    account_id = ForeignKey(PayeeAccount, null=False, default=None, index=True, on_delete=_KEEP)
    cents = BigInt(null=False, default=0)
    end_to_end = Text(null=False, default="")
    state = Text(null=False, default="planned")
    paid_on = Date(null=True, default=None)
    return_reason = Text(null=True, default=None)
    state_at = Timestamptz(null=False, default=None)

    payout_item_position = Unique(["batch_id", "position"])
    payout_item_end_to_end = Unique(["end_to_end"])
    payout_item_cents = Check("cents > 0")
    payout_item_state = Check("state IN ('planned', 'sent', 'paid', 'returned', 'dropped')")
    payout_item_returned = Check("(state = 'returned') = (return_reason IS NOT NULL)")
