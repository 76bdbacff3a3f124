"""What a partner is asked: one question an order line, with a deadline."""

from __future__ import annotations

from piccolo.columns import UUID, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from catalog.tables import Partner
from marketplace.kit.db import DB
from marketplace.kit.identity_tables import Account
from marketplace.kit.ids import new_id
from marketplace.orders.tables import OrderLine

_KEEP = OnDelete.restrict


class Acceptance(Table, db=DB, tablename="acceptance"):
    """Will the partner take this person? ``expired`` is a decline by silence; ``withdrawn``: the buyer cancelled first."""

    id = UUID(primary_key=True, default=new_id)
    order_line_id = ForeignKey(OrderLine, null=False, default=None, index=False, on_delete=_KEEP)
    partner_id = ForeignKey(Partner, null=False, default=None, index=False, on_delete=_KEEP)
    state = Text(null=False, default="waiting")
    reason = Text(null=True, default=None)
    asked_at = Timestamptz(null=False, default=None)
    decide_by_at = Timestamptz(null=False, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decided_by = ForeignKey(Account, null=True, default=None, index=True, on_delete=_KEEP)

    acceptance_line = Unique(["order_line_id"])
    acceptance_states = Check("state IN ('waiting', 'accepted', 'declined', 'expired', 'withdrawn')")
    acceptance_decided = Check("(state = 'waiting') = (decided_at IS NULL)")
