"""Sending reminders: on working days at half past eight, once per invoice and level whatever restarts or the clock do.

The job finds whom to remind and queues one item a debtor; that item writes the reminders and its invoices in one
transaction (a unique key per invoice and level); then each is made as a PDF outside, kept, and mailed in the
transaction that marks it sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import archive, debtors
from billing.documents import renderer
from billing.documents.parts import DocumentError
from billing.dunning import due, letter, policy
from marketplace.kit import audit, clock, db, ids, mail, work
from marketplace.kit.calendar import is_working_day
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money
from marketplace.kit.periodic import periodic
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import date, datetime

    from billing.dunning.due import Due


@periodic("billing.reminders", cron="30 8 * * *")
async def find(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the day on which it really runs counts
    """Queue a look at each debtor for whom a reminder is due today; on a day without work nothing goes out."""
    today = clock.today(now)
    if not is_working_day(today):
        return
    for debtor_id in dict.fromkeys(one.debtor_id for one in await due.on(today)):
        await work.enqueue("billing.remind", {"debtor": str(debtor_id)}, run_at=now, dedupe_key=f"billing.remind:{debtor_id}:{today}")


@work.handler("billing.remind")
async def remind(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Write what is due for one debtor today; what was paid since is not."""
    await write(UUID(payload["debtor"]), now=now)


async def write(debtor_id: UUID, *, now: datetime) -> list[UUID]:
    """Write the reminders that are due for a debtor today and return their ids. A second time there is nothing due."""
    today = clock.today(now)
    if not is_working_day(today):
        return []
    async with db.atomic():
        await db.execute("SELECT 1 FROM debtor WHERE id = $1 FOR UPDATE", debtor_id)
        rules = await policy.get()
        return [await _write(one, rules, today=today, now=now) for one in await due.on(today, debtor_id=debtor_id, policy=rules)]


async def _write(one: Due, rules: policy.Policy, *, today: date, now: datetime) -> UUID:
    debtor, reminder_id = await debtors.get(one.debtor_id), ids.new_id()
    claims = await letter.claims(one, rules, today=today)
    await db.execute(
        "INSERT INTO reminder (id, debtor_id, level, dated_on, language, state, mailed_to, costs_cents, made_at) VALUES ($1, $2, $3, $4, $5, 'due', $6, $7, $8)",
        reminder_id, debtor.id, one.level, today, debtor.language, debtor.email, claims.costs_cents, now,
    )  # fmt: skip
    await db.execute_many(
        "INSERT INTO reminder_item (id, reminder_id, invoice_id, level, open_cents, interest_cents) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (ids.new_id(), reminder_id, each.invoice_id, one.level, each.open_cents, claims.interest_of(each.number))
            for each in one.invoices
        ],
    )
    data = {"level": one.level, "reminder": reminder_id}
    for each in one.invoices:
        await audit.record("invoice.reminded", actor=SYSTEM, subject=("invoice", each.invoice_id), data=data, now=now)
    await work.enqueue(
        "billing.reminder_mail", {"reminder": str(reminder_id)}, run_at=now, dedupe_key=f"billing.reminder_mail:{reminder_id}"
    )
    return reminder_id


class _Head(msgspec.Struct, frozen=True):
    state: str
    level: int
    language: str
    mailed_to: str


_HEAD = "SELECT state, level, language, mailed_to FROM reminder WHERE id = $1"


@work.handler("billing.reminder_mail", outside=True)
async def make_and_mail(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Make a reminder's PDF once, keep it, and put the mail in the outbox; dropped when all of it was paid meanwhile."""
    reminder_id = UUID(payload["reminder"])
    head = await db.row(_Head, _HEAD, reminder_id)
    if head is None or head.state != "due":
        return
    document = await letter.document(reminder_id)
    if document is None:
        await _drop(reminder_id, now=now)
        return
    try:
        pdf = await renderer.paper(document)
    except (DocumentError, renderer.RenderError) as error:
        message = f"Reminder {reminder_id} can't be made: {error}"
        raise work.GiveUp(message) from error
    await _send(reminder_id, pdf, document, now=now)


async def _drop(reminder_id: UUID, *, now: datetime) -> None:
    async with db.atomic():
        if await db.execute("UPDATE reminder SET state = 'dropped' WHERE id = $1 AND state = 'due'", reminder_id):
            await audit.record("reminder.dropped", actor=SYSTEM, subject=("reminder", reminder_id), now=now)


async def _send(reminder_id: UUID, pdf: bytes, document: letter.Document, *, now: datetime) -> None:
    """Keep the PDF, write the mail and mark the reminder sent, in one transaction; whoever comes second does nothing."""
    async with db.atomic():
        head = await db.row(_Head, f"{_HEAD} FOR UPDATE", reminder_id)
        if head is None or head.state != "due":
            return
        name = f"{letter.file_name(head.level, head.language)}-{document.dated_on.isoformat()}.pdf"
        paper_id = await archive.store_paper(("reminder", reminder_id), kind="pdf", name=name, content=pdf, now=now)
        sent = await mail.send(
            template="billing/reminder",
            to=head.mailed_to,
            locale=head.language,
            context={
                "level": head.level,
                "reminder": document,
                "total": Money(document.total_cents),
                "invoices": [(one.number, one.due_on, Money(one.open_cents)) for one in document.invoices],
                "page_url": f"{settings().base_url}/invoices?show=overdue",
            },
            dedupe_key=f"reminder:{reminder_id}",
            attachments=[mail.Attachment(source="billing.paper", id=str(paper_id), name=name)],
            now=now,
        )
        await db.execute("UPDATE reminder SET state = 'sent', sent_at = $2 WHERE id = $1", reminder_id, now)
        await audit.record("reminder.sent", actor=SYSTEM, subject=("reminder", reminder_id), data={"mail": sent}, now=now)
