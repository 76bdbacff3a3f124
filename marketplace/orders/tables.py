"""The basket, the order, its lines with everything frozen at placing, and the keys that make a re-sent order one order."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Bytea, ForeignKey, Integer, Numeric, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Charge
from catalog.tables import Partner, Seat, Session
from marketplace.enrolments.tables import Enrolment
from marketplace.kit.db import DB
from marketplace.kit.identity_tables import Account
from marketplace.kit.ids import new_id
from marketplace.people.tables import Company, Person

_KEEP = OnDelete.restrict


class Basket(Table, db=DB, tablename="basket"):
    """What one member is choosing: held seats that nobody has ordered yet. One a member."""

    id = UUID(primary_key=True, default=new_id)
    company_id = ForeignKey(Company, null=False, default=None, index=True, on_delete=_KEEP)
    account_id = ForeignKey(Account, null=False, default=None, on_delete=_KEEP)
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    held_until = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    basket_account = Unique(["account_id"])


class BasketLine(Table, db=DB, tablename="basket_line"):
    """One person for one session in a basket, with the seat that is held for them."""

    id = UUID(primary_key=True, default=new_id)
    basket_id = ForeignKey(Basket, null=False, default=None, on_delete=OnDelete.cascade)
    session_id = ForeignKey(Session, null=False, default=None, index=True, on_delete=_KEEP)
    person_id = ForeignKey(Person, null=False, default=None, index=True, on_delete=_KEEP)
    seat_id = ForeignKey(Seat, null=False, default=None, index=True, on_delete=_KEEP)

    basket_line_once = Unique(["basket_id", "session_id", "person_id"])


class Order(Table, db=DB, tablename="placed_order"):
    """A placed order. ``number`` is for people; a row is never deleted."""

    id = UUID(primary_key=True, default=new_id)
    number = BigInt(null=False, default=0)
    company_id = ForeignKey(Company, null=False, default=None, on_delete=_KEEP)
    placed_by = ForeignKey(Account, null=True, default=None, index=True, on_delete=_KEEP)
    ordered_by = Text(null=False, default="")
    purchase_order = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    state = Text(null=False, default="placed")
    net_cents = BigInt(null=False, default=0)
    vat_cents = BigInt(null=False, default=0)
    total_cents = BigInt(null=False, default=0)
    placed_at = Timestamptz(null=False, default=None)
    decided_at = Timestamptz(null=True, default=None)

    placed_order_number = Unique(["number"])
    placed_order_states = Check("state IN ('placed', 'confirmed', 'declined', 'cancelled')")
    placed_order_sums = Check("net_cents + vat_cents = total_cents")


class OrderLine(Table, db=DB, tablename="order_line"):
    """One person in one session, with title, price, VAT and cancellation terms as they were at placing.

    Once cancelled it says for whom, when and what that cost; ``fee_charge_id`` bills a fee where the line was not invoiced yet.
    """

    id = UUID(primary_key=True, default=new_id)
    order_id = ForeignKey(Order, null=False, default=None, on_delete=_KEEP)
    position = Integer(null=False, default=0)
    company_id = ForeignKey(Company, null=False, default=None, index=True, on_delete=_KEEP)
    partner_id = ForeignKey(Partner, null=False, default=None, index=True, on_delete=_KEEP)
    session_id = ForeignKey(Session, null=False, default=None, index=True, on_delete=_KEEP)
    person_id = ForeignKey(Person, null=False, default=None, index=True, on_delete=_KEEP)
    enrolment_id = ForeignKey(Enrolment, null=False, default=None, on_delete=_KEEP)
    charge_id = ForeignKey(Charge, null=False, default=None, on_delete=_KEEP)
    state = Text(null=False, default="awaiting_partner")
    decline_reason = Text(null=True, default=None)
    programme_version = Integer(null=False, default=1)
    title_nl = Text(null=False, default="")
    title_en = Text(null=False, default="")
    starts_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=False, default=None)
    price_cents = BigInt(null=False, default=0)
    vat_category = Text(null=False, default="S")
    vat_rate = Numeric((5, 2), null=False, default=None)
    policy = JSONB(null=False, default="[]")
    state_at = Timestamptz(null=False, default=None)
    cancelled_for = Text(null=True, default=None)
    cancel_reason = Text(null=True, default=None)
    fee_cents = BigInt(null=True, default=None)
    fee_charge_id = ForeignKey(Charge, null=True, default=None, index=True, on_delete=_KEEP)

    order_line_position = Unique(["order_id", "position"])
    order_line_enrolment = Unique(["enrolment_id"])
    order_line_charge = Unique(["charge_id"])
    order_line_states = Check("state IN ('awaiting_partner', 'accepted', 'declined', 'cancelled')")
    order_line_cancelled = Check("(state = 'cancelled') = (cancelled_for IS NOT NULL AND fee_cents IS NOT NULL)")
    order_line_cancelled_for = Check("cancelled_for IN ('buyer', 'operator', 'session')")
    order_line_fee = Check("fee_cents BETWEEN 0 AND price_cents")


class OrderKey(Table, db=DB, tablename="order_key"):
    """An idempotency key that a company has used, and the order that it stands for."""

    id = UUID(primary_key=True, default=new_id)
    company_id = ForeignKey(Company, null=False, default=None, on_delete=_KEEP)
    key = Text(null=False, default="")
    digest = Bytea(null=False, default=b"")
    order_id = UUID(null=False, default=None)
    used_at = Timestamptz(null=False, default=None)

    order_key_once = Unique(["company_id", "key"])
