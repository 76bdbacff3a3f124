"""Every way that a document went out: one row a delivery, one a try; and the stand-in access point's own pigeonholes."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from billing.tables import Invoice
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class Delivery(Table, db=DB, tablename="delivery"):
    """One document on its way to its debtor by one channel. ``id`` is the document id that the other side sees."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = ForeignKey(Invoice, null=False, default=None, on_delete=OnDelete.restrict)
    round = Integer(null=False, default=1)
    channel = Text(null=False, default="mail")
    address = Text(null=False, default="")
    cause = Text(null=False, default="issued")
    state = Text(null=False, default="queued")
    reference = Text(null=True, default=None)
    message = Text(null=False, default="")
    asked_by = UUID(null=True, default=None)
    made_at = Timestamptz(null=False, default=None)
    state_at = Timestamptz(null=False, default=None)

    delivery_round = Unique(["invoice_id", "round"])
    delivery_channel = Check("channel IN ('mail', 'peppol')")
    delivery_cause = Check("cause IN ('issued', 'again', 'fallback')")
    delivery_state = Check("state IN ('queued', 'under_way', 'delivered', 'failed')")


class DeliveryTry(Table, db=DB, tablename="delivery_try"):
    """One attempt of a delivery, or one answer about it. Never changed."""

    id = UUID(primary_key=True, default=new_id)
    delivery_id = ForeignKey(Delivery, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    channel = Text(null=False, default="mail")
    address = Text(null=False, default="")
    outcome = Text(null=False, default="accepted")
    message = Text(null=False, default="")
    reference = Text(null=True, default=None)
    tried_at = Timestamptz(null=False, default=None)

    delivery_try_channel = Check("channel IN ('mail', 'peppol')")
    delivery_try_outcome = Check("outcome IN ('accepted', 'delivered', 'rejected', 'unavailable', 'unknown')")


class AccessPointDocument(Table, db=DB, tablename="access_point_document"):
    """What the stand-in access point received, by the sender's document id: once, however often it is sent."""

    id = UUID(primary_key=True, default=None)
    sender = Text(null=False, default="")
    receiver = Text(null=False, default="")
    document_type = Text(null=False, default="")
    content = Bytea(null=False, default=b"")
    status = Text(null=False, default="accepted")
    message = Text(null=False, default="")
    reference = Text(null=False, default="")
    received_at = Timestamptz(null=False, default=None)
    final_at = Timestamptz(null=True, default=None)

    access_point_document_status = Check("status IN ('accepted', 'delivered', 'rejected')")
