"""Tables of the kit: durable work, periodic slots, the audit trail and its chain, the mail outbox."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Integer, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class DueWork(Table, db=DB, tablename="due_work"):
    """Something to do at or after an instant, at least once, fenced by a lease."""

    id = UUID(primary_key=True, default=new_id)
    kind = Text(null=False, default="")
    dedupe_key = Text(null=True, default=None)
    payload = JSONB(null=False, default="{}")
    run_at = Timestamptz(null=False, default=None)
    state = Text(null=False, default="queued")
    attempts = Integer(null=False, default=0)
    lease_until = Timestamptz(null=True, default=None)
    lease_token = UUID(null=True, default=None)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    done_at = Timestamptz(null=True, default=None)

    due_work_dedupe = Unique(["dedupe_key"])
    due_work_state = Check("state IN ('queued', 'running', 'done', 'dead')")


class JobRun(Table, db=DB, tablename="job_run"):
    """One nominal slot of a periodic job; inserting it is claiming it."""

    id = UUID(primary_key=True, default=new_id)
    name = Text(null=False, default="")
    slot = Timestamptz(null=False, default=None)
    claimed_at = Timestamptz(null=False, default=None)
    finished_at = Timestamptz(null=True, default=None)

    job_run_slot = Unique(["name", "slot"])


class AuditEntry(Table, db=DB, tablename="audit_entry"):
    """What somebody did to what, and when. Ids and field names only; append-only by trigger."""

    id = UUID(primary_key=True, default=new_id)
    at = Timestamptz(null=False, default=None)
    event = Text(null=False, default="")
    actor_kind = Text(null=False, default="")
    actor_id = UUID(null=True, default=None)
    company_id = UUID(null=True, default=None)
    partner_id = UUID(null=True, default=None)
    subject_kind = Text(null=False, default="")
    subject_id = Text(null=False, default="")
    data = JSONB(null=False, default="{}")


class AuditLink(Table, db=DB, tablename="audit_link"):
    """One link of the hash chain over the audit entries; append-only by trigger."""

    position = BigInt(primary_key=True, default=0)
    entry_id = UUID(null=False, default=None)
    hash = Bytea(null=False, default=b"")

    audit_link_entry = Unique(["entry_id"])


class MailMessage(Table, db=DB, tablename="mail_message"):
    """A mail as it will leave, or has left. Rendered when it was decided, in the recipient's language."""

    id = UUID(primary_key=True, default=new_id)
    dedupe_key = Text(null=True, default=None)
    recipient = Text(null=False, default="")
    locale = Text(null=False, default="en")
    template = Text(null=False, default="")
    subject = Text(null=False, default="")
    text = Text(null=False, default="")
    html = Text(null=False, default="")
    calendar = Bytea(null=True, default=None)
    attachments = JSONB(null=False, default="[]")
    state = Text(null=False, default="queued")
    created_at = Timestamptz(null=False, default=None)
    sent_at = Timestamptz(null=True, default=None)

    mail_message_dedupe = Unique(["dedupe_key"])
    mail_message_state = Check("state IN ('queued', 'sent')")
