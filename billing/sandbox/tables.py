"""What the sandbox keeps. Objects are stored as the JSON that Stripe would answer with; keys that begin with ``_`` are ours."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial, Integer, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class SandboxObject(Table, db=DB, tablename="sandbox_object"):
    """A customer, invoice, payment, event, endpoint …; ``parent`` is the customer or invoice that it belongs to."""

    id = Text(primary_key=True, default="")
    seq = BigSerial()
    kind = Text(null=False, default="")
    parent = Text(null=True, default=None)
    lookup = Text(null=True, default=None)
    body = JSONB(null=False, default="{}")

    sandbox_object_seq = Unique(["seq"])
    sandbox_object_lookup = Unique(["kind", "lookup"])


class SandboxKey(Table, db=DB, tablename="sandbox_key"):
    """An idempotency key with the request that it came with and the answer that it got."""

    key = Text(primary_key=True, default="")
    fingerprint = Text(null=False, default="")
    status = Integer(null=False, default=0)
    body = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None)


class SandboxDelivery(Table, db=DB, tablename="sandbox_delivery"):
    """One event on its way to one endpoint."""

    id = UUID(primary_key=True, default=new_id)
    event_id = Text(null=False, default="")
    endpoint_id = Text(null=False, default="")
    state = Text(null=False, default="waiting")
    attempts = Integer(null=False, default=0)
    next_at = Timestamptz(null=False, default=None)
    last_answer = Text(null=True, default=None)

    sandbox_delivery_once = Unique(["event_id", "endpoint_id"])
    sandbox_delivery_state = Check("state IN ('waiting', 'delivered', 'failed')")


class SandboxTransfer(Table, db=DB, tablename="sandbox_transfer"):
    """A bank transfer on its way to an invoice; it arrives (or bounces) at ``due_at``."""

    id = UUID(primary_key=True, default=new_id)
    invoice_id = Text(null=False, default="")
    amount_cents = BigInt(null=False, default=0)
    bounces = Integer(null=False, default=0)
    due_at = Timestamptz(null=False, default=None)
    state = Text(null=False, default="under_way")

    sandbox_transfer_state = Check("state IN ('under_way', 'arrived', 'bounced')")


class SandboxFault(Table, db=DB, tablename="sandbox_fault"):
    """An order to misbehave at the next calls of an operation."""

    id = UUID(primary_key=True, default=new_id)
    operation = Text(null=False, default="*")
    kind = Text(null=False, default="")
    remaining = Integer(null=False, default=1)
    seconds = Integer(null=False, default=0)
    created_at = Timestamptz(null=False, default=None)

    sandbox_fault_kind = Check("kind IN ('429', '500', '500_done', '409', 'timeout', 'lost_reply', 'slow')")


class SandboxCall(Table, db=DB, tablename="sandbox_call"):
    """A request that the sandbox received, for its page and the tests; the newest thousand are kept."""

    seq = BigSerial(primary_key=True)
    operation = Text(null=False, default="")
    method = Text(null=False, default="")
    path = Text(null=False, default="")
    form = Text(null=False, default="")
    key = Text(null=True, default=None)
    status = Integer(null=False, default=0)
    body = Text(null=False, default="")
    at = Timestamptz(null=False, default=None)


class SandboxClock(Table, db=DB, tablename="sandbox_clock"):
    """How many seconds the sandbox's clock runs ahead of ours; one row."""

    id = Integer(primary_key=True, default=1)
    ahead_seconds = BigInt(null=False, default=0)
