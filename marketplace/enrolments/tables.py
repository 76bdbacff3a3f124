"""The enrolment: a person's participation in a session, on a seat."""

from __future__ import annotations

from piccolo.columns import UUID, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from catalog.tables import Partner, Seat, Session
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id
from marketplace.people.tables import Company, Person

_KEEP = OnDelete.restrict


class Enrolment(Table, db=DB, tablename="enrolment"):
    """One person in one session. ``requested`` waits for the partner."""

    id = UUID(primary_key=True, default=new_id)
    session_id = ForeignKey(Session, null=False, default=None, index=True, on_delete=_KEEP)
    seat_id = ForeignKey(Seat, null=False, default=None, index=False, on_delete=_KEEP)
    person_id = ForeignKey(Person, null=False, default=None, index=True, on_delete=_KEEP)
    company_id = ForeignKey(Company, null=False, default=None, index=True, on_delete=_KEEP)
    partner_id = ForeignKey(Partner, null=False, default=None, index=True, on_delete=_KEEP)
    state = Text(null=False, default="requested")
    created_at = Timestamptz(null=False, default=None)
    state_at = Timestamptz(null=False, default=None)

    enrolment_seat = Unique(["seat_id"])
    enrolment_state = Check("state IN ('requested', 'confirmed', 'declined', 'cancelled')")
