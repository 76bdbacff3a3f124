"""Tables of dunning: the rules, what was sent, what is held back, passes for blocked debtors, and the legal interest rates."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Date, ForeignKey, Integer, Numeric, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Debtor, Invoice
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class DunningPolicy(Table, db=DB, tablename="dunning_policy"):
    """ECL's rules for all debtors; one row. Days are calendar days after the due date, no limit is None."""

    id = Integer(primary_key=True, default=1)
    first_days = Integer(null=False, default=1)
    second_days = Integer(null=False, default=14)
    third_days = Integer(null=False, default=30)
    block_after_days = Integer(null=True, default=None)
    block_over_cents = BigInt(null=True, default=None)
    interest = Boolean(null=False, default=False)
    costs = Boolean(null=False, default=False)
    changed_by = UUID(null=True, default=None)
    changed_at = Timestamptz(null=False, default=None)

    dunning_policy_one = Check("id = 1")
    dunning_policy_days = Check(
        "first_days BETWEEN 1 AND 365 AND second_days > first_days AND third_days > second_days AND third_days <= 365"
    )
    dunning_policy_block = Check("coalesce(block_after_days, 1) BETWEEN 1 AND 730 AND coalesce(block_over_cents, 0) >= 0")


class DebtorDunning(Table, db=DB, tablename="debtor_dunning"):
    """One debtor's own limits, in place of the policy's."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, on_delete=OnDelete.restrict)
    never_blocks = Boolean(null=False, default=False)
    block_after_days = Integer(null=True, default=None)
    block_over_cents = BigInt(null=True, default=None)
    changed_by = UUID(null=True, default=None)
    changed_at = Timestamptz(null=False, default=None)

    debtor_dunning_debtor = Unique(["debtor_id"])
    debtor_dunning_block = Check("coalesce(block_after_days, 1) BETWEEN 1 AND 730 AND coalesce(block_over_cents, 0) >= 0")


class BlockPass(Table, db=DB, tablename="block_pass"):
    """ECL lets a blocked debtor order until a day, with a reason."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    until_on = Date(null=False, default=None)
    reason = Text(null=False, default="")
    given_by = UUID(null=True, default=None)
    given_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)

    block_pass_reason = Check("reason <> ''")


class ReminderHold(Table, db=DB, tablename="reminder_hold"):
    """An invoice for which nobody is reminded or blocked, until a day or until it is lifted."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    reason = Text(null=False, default="")
    until_on = Date(null=True, default=None)
    held_by = UUID(null=True, default=None)
    held_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)

    reminder_hold_reason = Check("reason <> ''")


class Reminder(Table, db=DB, tablename="reminder"):
    """One reminder to one debtor at one level; ``dropped`` when all of it was paid before it left."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    level = Integer(null=False, default=1)
    dated_on = Date(null=False, default=None)
    language = Text(null=False, default="nl")
    state = Text(null=False, default="due")
    mailed_to = Text(null=False, default="")
    costs_cents = BigInt(null=False, default=0)
    made_at = Timestamptz(null=False, default=None)
    sent_at = Timestamptz(null=True, default=None)

    reminder_level = Check("level IN (1, 2, 3)")
    reminder_state = Check("state IN ('due', 'sent', 'dropped')")
    reminder_sent = Check("(state = 'sent') = (sent_at IS NOT NULL)")


class ReminderItem(Table, db=DB, tablename="reminder_item"):
    """An invoice on a reminder: once per invoice and level, ever."""

    id = UUID(primary_key=True, default=new_id)
    reminder_id = ForeignKey(Reminder, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    invoice_id = ForeignKey(Invoice, null=False, default=None, on_delete=OnDelete.restrict)
    level = Integer(null=False, default=1)
    open_cents = BigInt(null=False, default=0)
    interest_cents = BigInt(null=False, default=0)

    reminder_item_once = Unique(["invoice_id", "level"])
    reminder_item_cents = Check("open_cents > 0 AND interest_cents >= 0")


class InterestRate(Table, db=DB, tablename="interest_rate"):
    """The statutory interest from a day on, per cent a year; ``commercial`` is art. 6:119a BW, ``ordinary`` 6:119."""

    id = UUID(primary_key=True, default=new_id)
    kind = Text(null=False, default="commercial")
    from_on = Date(null=False, default=None)
    percent = Numeric((5, 2), null=False, default=None)
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(null=False, default=None)

    interest_rate_start = Unique(["kind", "from_on"])
    interest_rate_kind = Check("kind IN ('commercial', 'ordinary')")
    interest_rate_percent = Check("percent BETWEEN 0 AND 50")
