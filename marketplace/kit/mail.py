"""Mail: written as a row in the business transaction, sent by the worker over SMTP.

A mail can't leave before its commit, and it is rendered when it was decided, in the recipient's language. A crash between
sending and remembering repeats it with the same Message-ID, which is how a receiver knows the copy.
"""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiosmtplib
import msgspec

from marketplace.kit import db, i18n, work
from marketplace.kit.ids import new_id
from marketplace.kit.settings import settings
from marketplace.kit.templating import render_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes along: where its bytes come from when the mail leaves, and its name and media type."""

    source: str
    id: str
    name: str
    media_type: str = "application/pdf"


class Message(msgspec.Struct, frozen=True):
    """A stored mail."""

    id: UUID
    recipient: str
    locale: str
    template: str
    subject: str
    text: str
    html: str
    calendar: bytes | None
    attachments: list[Attachment]
    state: str
    created_at: datetime
    sent_at: datetime | None


_sources: dict[str, Callable[[str], Awaitable[bytes]]] = {}
_COLUMNS = "id, recipient, locale, template, subject, text, html, calendar, attachments, state, created_at, sent_at"


def attachment_source(name: str) -> Callable[[Callable[[str], Awaitable[bytes]]], Callable[[str], Awaitable[bytes]]]:
    """Register where attachments of a source get their bytes, by id."""

    def register(function: Callable[[str], Awaitable[bytes]]) -> Callable[[str], Awaitable[bytes]]:
        _sources[name] = function
        return function

    return register


async def send(
    *,
    template: str,
    to: str,
    locale: str,
    context: Mapping[str, object],
    now: datetime,
    dedupe_key: str | None = None,
    attachments: Sequence[Attachment] = (),
    calendar: bytes | None = None,
) -> UUID | None:
    """Put a mail in the outbox, in the current transaction; return its id, or None when ``dedupe_key`` was used before.

    ``template`` names a folder under ``templates/email`` with ``subject.txt``, ``body.txt`` and ``body.html``.
    """
    own = settings()
    with i18n.use_locale(locale):
        full = {"operator": own.operator, "base_url": own.base_url, "locale": locale, **context}
        subject, text, html = (render_text(f"email/{template}/{part}", **full) for part in ("subject.txt", "body.txt", "body.html"))
    mail_id = new_id()
    sql = (
        "INSERT INTO mail_message (id, dedupe_key, recipient, locale, template, subject, text, html, calendar, attachments, state, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11) ON CONFLICT DO NOTHING"
    )
    files = msgspec.json.encode(list(attachments)).decode()
    args = (mail_id, dedupe_key, to, locale, template, " ".join(subject.split()), text.strip() + "\n", html, calendar, files, now)
    if await db.execute(sql, *args) == 0:
        return None
    await work.enqueue("mail.send", {"mail_id": mail_id}, run_at=now, dedupe_key=f"mail:{mail_id}")
    return mail_id


async def message(mail_id: UUID) -> Message | None:
    """Return a stored mail."""
    return await db.row(Message, f"SELECT {_COLUMNS} FROM mail_message WHERE id = $1", mail_id)  # noqa: S608 - constant


async def sent_to(recipient: str) -> list[Message]:
    """Return the mails for an address, oldest first; for the desk's log and for tests."""
    return await db.rows(Message, f"SELECT {_COLUMNS} FROM mail_message WHERE recipient = $1 ORDER BY id", recipient)  # noqa: S608


@work.handler("mail.send", outside=True)
async def deliver(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Hand one mail to the SMTP server. Temporary refusals are retried; a refused address goes to the dead letters."""
    stored = await message(UUID(payload["mail_id"]))
    if stored is None or stored.state == "sent":
        return
    own = settings().smtp
    try:
        await aiosmtplib.send(
            await compose(stored),
            hostname=own.host,
            port=own.port,
            username=own.user or None,
            password=own.password or None,
            start_tls=own.starttls,
            use_tls=own.tls,
            timeout=own.timeout,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(one.code >= 500 for one in error.recipients):
            raise work.GiveUp(f"The address was refused: {error.recipients[0].message}") from error
        raise
    await db.execute("UPDATE mail_message SET state = 'sent', sent_at = $2 WHERE id = $1", stored.id, now)


async def compose(stored: Message) -> EmailMessage:
    """Return the message as it goes over the wire: text, HTML, calendar invitation and attachments."""
    own = settings()
    made = EmailMessage()
    made["From"] = own.smtp.sender
    made["To"] = stored.recipient
    if own.operator.email:
        made["Reply-To"] = own.operator.email
    made["Subject"] = stored.subject
    made["Date"] = format_datetime(stored.created_at)
    made["Message-ID"] = f"<{stored.id}@{parseaddr(own.smtp.sender)[1].rpartition('@')[2]}>"
    made["Content-Language"] = stored.locale
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(stored.text)
    made.add_alternative(stored.html, subtype="html")
    if stored.calendar is not None:
        method = "CANCEL" if b"METHOD:CANCEL" in stored.calendar else "REQUEST"
        made.add_alternative(stored.calendar, maintype="text", subtype="calendar", params={"method": method})
    for file in stored.attachments:
        main, _, sub = file.media_type.partition("/")
        made.add_attachment(await _sources[file.source](file.id), maintype=main, subtype=sub, filename=file.name)
    return made
