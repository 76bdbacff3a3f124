"""The scheduled enrolment."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Date, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from catalog.tables import Programme, Session
from marketplace.kit.db import DB
from marketplace.kit.identity_tables import Account
from marketplace.kit.ids import new_id
from marketplace.orders.tables import Order
from marketplace.people.tables import Company, Person

_KEEP = OnDelete.restrict


class ScheduledEnrolment(Table, db=DB, tablename="scheduled_enrolment"):
    """Put this person on that session, or on the first session of that programme, at an instant.

    ``version`` grows with each edit, so that work queued for an older wish does nothing.
    """

    id = UUID(primary_key=True, default=new_id)
    company_id = ForeignKey(Company, null=False, default=None, on_delete=_KEEP)
    person_id = ForeignKey(Person, null=False, default=None, index=True, on_delete=_KEEP)
    session_id = ForeignKey(Session, null=True, default=None, index=True, on_delete=_KEEP)
    programme_id = ForeignKey(Programme, null=True, default=None, index=True, on_delete=_KEEP)
    starts_after_on = Date(null=True, default=None)
    run_at = Timestamptz(null=False, default=None)
    price_cap_cents = BigInt(null=True, default=None)
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    state = Text(null=False, default="planned")
    code = Text(null=True, default=None)
    order_id = ForeignKey(Order, null=True, default=None, index=True, on_delete=_KEEP)
    version = Integer(null=False, default=1)
    created_by = ForeignKey(Account, null=False, default=None, index=True, on_delete=_KEEP)
    created_at = Timestamptz(null=False, default=None)
    state_at = Timestamptz(null=False, default=None)

    scheduled_enrolment_state = Check("state IN ('planned', 'placed', 'waitlisted', 'needs_attention', 'withdrawn')")
    scheduled_enrolment_wish = Check("num_nonnulls(session_id, programme_id) = 1")
    scheduled_enrolment_placed = Check("(state = 'placed') = (order_id IS NOT NULL)")
    scheduled_enrolment_code = Check("(state = 'needs_attention') = (code IS NOT NULL)")
