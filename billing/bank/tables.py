"""Tables of the bank: files as they came, their statements, each entry once, what each entry was given to, and known accounts.

Files, statements and allocations are append-only; of an entry only how much of it was given away moves (triggers in the migration).
"""

from __future__ import annotations

from typing import Any

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Date, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Debtor, Invoice, Payment, Refund
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class BankFile(Table, db=DB, tablename="bank_file"):
    """A file as it was sent, once per content."""

    id = UUID(primary_key=True, default=new_id)
    name = Text(null=False, default="")
    content = Bytea(null=False, default=b"")
    sha256 = Bytea(null=False, default=b"")
    entries = Integer(null=False, default=0)
    new_entries = Integer(null=False, default=0)
    sent_by = UUID(null=True, default=None)
    sent_at = Timestamptz(null=False, default=None)

    bank_file_content = Unique(["sha256"])
    bank_file_counts = Check("new_entries BETWEEN 0 AND entries")


class BankStatement(Table, db=DB, tablename="bank_statement"):
    """One account over one period, as a file tells it; cents, below zero when overdrawn."""

    id = UUID(primary_key=True, default=new_id)
    file_id = ForeignKey(BankFile, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    iban = Text(null=False, default="")
    reference = Text(null=False, default="")
    number = Text(null=False, default="")
    opening_on = Date(null=False, default=None)
    closing_on = Date(null=False, default=None)
    opening_cents = BigInt(null=False, default=0)
    closing_cents = BigInt(null=False, default=0)
    entries = Integer(null=False, default=0)
    new_entries = Integer(null=False, default=0)

    bank_statement_counts = Check("new_entries BETWEEN 0 AND entries")


class BankEntry(Table, db=DB, tablename="bank_entry"):
    """Money in (``cents`` above zero) or out, once per account and ``entry_key``; ``allocated_cents`` has the same sign."""

    id = UUID(primary_key=True, default=new_id)
    statement_id = ForeignKey(BankStatement, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    account = Text(null=False, default="")
    entry_key = Text(null=False, default="")
    cents = BigInt(null=False, default=0)
    booked_on = Date(null=False, default=None)
    value_on = Date(null=False, default=None)
    name = Text(null=False, default="")
    iban = Text(null=False, default="")
    text = Text(null=False, default="")
    refs = JSONB(null=False, default="[]")
    servicer_reference = Text(null=False, default="")
    end_to_end_id = Text(null=False, default="")
    code = Text(null=False, default="")
    returned = Text(null=False, default="")
    of_batch = Boolean(null=False, default=False)
    state = Text(null=False, default="open")
    allocated_cents = BigInt(null=False, default=0)
    recorded_at = Timestamptz(null=False, default=None)

    bank_entry_once = Unique(["account", "entry_key"])
    bank_entry_cents = Check("cents <> 0")
    bank_entry_state = Check("state IN ('open', 'settled')")
    bank_entry_allocated = Check("abs(allocated_cents) <= abs(cents) AND allocated_cents * sign(cents) >= 0")
    bank_entry_settled = Check("(state = 'settled') = (allocated_cents = cents)")


class BankAllocation(Table, db=DB, tablename="bank_allocation"):
    """What a part of an entry was for. Undoing one is another row with the opposite amount (``undoes_id``)."""

    id = UUID(primary_key=True, default=new_id)
    entry_id = ForeignKey(BankEntry, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    kind = Text(null=False, default="invoices")
    cents = BigInt(null=False, default=0)
    invoice_id = ForeignKey(Invoice, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    payment_id = ForeignKey(Payment, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    refund_id = ForeignKey(Refund, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    subject = Text(null=False, default="")
    note = Text(null=False, default="")
    undoes_id: ForeignKey[Any] = ForeignKey("self", null=True, default=None, on_delete=OnDelete.restrict)
    made_by = UUID(null=True, default=None)
    made_at = Timestamptz(null=False, default=None)

    bank_allocation_undone_once = Unique(["undoes_id"])
    bank_allocation_kind = Check("kind IN ('invoices', 'stripe_payout', 'payout', 'payout_returned', 'refund', 'fees', 'interest')")
    bank_allocation_cents = Check("cents <> 0")
    bank_allocation_invoice = Check("(kind = 'invoices') = (invoice_id IS NOT NULL)")


class DebtorAccount(Table, db=DB, tablename="debtor_account"):
    """An account from which a debtor paid before, learnt when somebody confirmed it."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    iban = Text(null=False, default="")
    learnt_at = Timestamptz(null=False, default=None)

    debtor_account_once = Unique(["iban", "debtor_id"])
