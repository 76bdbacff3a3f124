"""Tables of the comparison with Stripe: its rounds, what each still has to look at, what differs; and the pace of our calls."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Debtor, Invoice
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class StripeComparison(Table, db=DB, tablename="stripe_comparison"):
    """One round: every open and recent invoice looked up at Stripe."""

    id = UUID(primary_key=True, default=new_id)
    asked_by = Text(null=False, default="night")
    began_at = Timestamptz(null=False, default=None, index=True)
    ended_at = Timestamptz(null=True, default=None)
    invoices = Integer(null=False, default=0)

    stripe_comparison_asked = Check("asked_by IN ('night', 'person')")
    stripe_comparison_order = Check("ended_at IS NULL OR ended_at >= began_at")


class StripeCompared(Table, db=DB, tablename="stripe_compared"):
    """One thing that a round looks at, and whether it did: an invoice, or a debtor's unused money. Only the last rounds' are kept."""

    id = UUID(primary_key=True, default=new_id)
    comparison_id = ForeignKey(StripeComparison, null=False, default=None, on_delete=OnDelete.cascade)
    subject_id = UUID(null=False, default=None)
    kind = Text(null=False, default="invoice")
    state = Text(null=False, default="waiting")
    failure = Text(null=True, default=None)

    stripe_compared_once = Unique(["comparison_id", "subject_id"])
    stripe_compared_kind = Check("kind IN ('invoice', 'debtor')")
    stripe_compared_state = Check("state IN ('waiting', 'done', 'failed')")


class StripeDifference(Table, db=DB, tablename="stripe_difference"):
    """Something that our books and Stripe say differently of an invoice (or of a debtor's money), until they agree again."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    kind = Text(null=False, default="")
    external_id = Text(null=False, default="")
    ours_cents = BigInt(null=False, default=0)
    theirs_cents = BigInt(null=False, default=0)
    found_at = Timestamptz(null=False, default=None)
    seen_at = Timestamptz(null=False, default=None)
    resolved_at = Timestamptz(null=True, default=None)

    stripe_difference_kind = Check("kind <> ''")
    stripe_difference_order = Check("seen_at >= found_at AND (resolved_at IS NULL OR resolved_at >= found_at)")


class StripePace(Table, db=DB, tablename="stripe_pace"):
    """When the next request to Stripe may go, for all processes together; one row."""

    id = Integer(primary_key=True, default=1)
    next_at = Timestamptz(null=False, default=None)

    stripe_pace_one = Check("id = 1")
