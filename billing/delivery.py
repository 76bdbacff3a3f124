"""After issuing: the documents are made and kept, then the debtor gets them by mail.

The mail wants the PDF and would like Stripe's payment link. It leaves as soon as both are there; without the link it
leaves half a minute after the PDF, with the link to the invoice's own page only. It leaves once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from billing import archive, paper
from billing.archive import Format
from billing.documents import renderer
from billing.documents.model import DocumentError
from billing.transport import deliveries
from billing.transport.deliveries import Channel
from marketplace.kit import audit, db, mail, work
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

PATIENCE = timedelta(seconds=30)


@work.handler("billing.render", outside=True)
async def make_documents(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Make an invoice's PDF and XML once and keep them; then the mail may go."""
    invoice_id = UUID(payload["invoice"])
    if not await archive.kinds(invoice_id):
        contents = await _made(invoice_id)
        async with db.atomic():
            await archive.store(invoice_id, contents, now=now)
            await _deliver(invoice_id, now=now)
    else:
        async with db.atomic():
            await _deliver(invoice_id, now=now)


async def _deliver(invoice_id: UUID, *, now: datetime) -> None:
    """Let the document go by its debtor's channel; a mail may wait for the payment link, Peppol doesn't."""
    if await deliveries.deliver(invoice_id, now=now) is Channel.MAIL:
        await mail_when_ready(invoice_id, now=now)


async def _made(invoice_id: UUID) -> dict[Format, bytes]:
    try:
        rendered = await renderer.render(await paper.document(invoice_id))
    except (DocumentError, renderer.RenderError) as error:
        message = f"The documents of invoice {invoice_id} can't be made: {error}"
        raise work.GiveUp(message) from error
    return {
        Format.PDF: rendered.pdf,
        Format.UBL_PEPPOL: rendered.ubl,
        Format.UBL_NLCIUS: rendered.ubl_nlcius,
        Format.CII: rendered.cii,
    }


async def mail_when_ready(invoice_id: UUID, *, now: datetime) -> None:
    """Queue the mail of an invoice: now when PDF and payment link are there, after a moment's patience with the PDF only.

    Called when either arrives, in that transaction; without a PDF it does nothing, nor where Peppol has the document.
    """
    if await deliveries.goes_by_peppol(invoice_id):
        return
    sql = "SELECT i.hosted_payment_url IS NOT NULL OR i.state <> 'issued' OR i.kind = 'credit_note' FROM invoice i JOIN document m ON m.invoice_id = i.id AND m.kind = 'pdf' WHERE i.id = $1"
    complete = await db.value(sql, invoice_id)
    if complete is None:
        return
    key = f"billing.mail_invoice:{invoice_id}:{'complete' if complete else 'late'}"
    run_at = now if complete else now + PATIENCE
    await work.enqueue("billing.mail_invoice", {"invoice": str(invoice_id)}, run_at=run_at, now=now, dedupe_key=key)


@work.handler("billing.link_arrived")
async def link_arrived(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Let the mail go that waited for the payment link."""
    await mail_when_ready(UUID(payload["invoice"]), now=now)


class _Letter(msgspec.Struct, frozen=True):
    number: str
    kind: str
    language: str
    email: str
    ubl: str | None
    dated_on: date
    due_on: date | None
    total_cents: int
    currency: str
    order_number: str | None
    purchase_order: str | None
    state: str
    hosted_payment_url: str | None
    reason: str | None
    credited_number: str | None
    left_cents: int | None


_LETTER = """
    SELECT i.number, i.kind, i.language, i.buyer ->> 'email' AS email, i.dated_on, i.due_on, i.total_cents, i.currency, i.order_number,
           i.purchase_order, i.state, CASE WHEN (i.buyer ->> 'wants_ubl')::boolean THEN 'ubl-' || (i.buyer ->> 'ubl_profile') END AS ubl,
           i.hosted_payment_url, i.reason, o.number AS credited_number,
           (o.total_cents - o.credited_cents - o.written_off_cents - o.paid_cents + o.refunded_cents)::bigint AS left_cents
    FROM invoice i LEFT JOIN invoice o ON o.id = i.credits_id WHERE i.id = $1
"""


@work.handler("billing.mail_invoice")
async def mail_invoice(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001
    """Write the mail with the PDF (and the UBL, when the debtor wants it) into the outbox; once per invoice, and once per later delivery."""
    invoice_id = UUID(payload["invoice"])
    again = await deliveries.lock(UUID(payload["delivery"])) if "delivery" in payload else None
    letter = await db.row(_Letter, _LETTER, invoice_id)
    if letter is None:
        message = f"There is no invoice {invoice_id}."
        raise work.GiveUp(message)
    sent = await mail.send(
        template="billing/credit_note" if letter.kind == "credit_note" else "billing/invoice",
        to=again.address if again else letter.email,
        locale=letter.language,
        context={
            "invoice": letter,
            "total": Money(letter.total_cents, letter.currency),
            "left": Money(letter.left_cents or 0, letter.currency),
            "page_url": f"{settings().base_url}/invoices/{letter.number}",
        },
        dedupe_key=f"invoice:{invoice_id}:{again.id}" if again else f"invoice:{invoice_id}",
        attachments=await _attachments(invoice_id, letter),
        now=now,
    )
    if sent is not None:
        address = again.address if again else letter.email
        delivered = await deliveries.mailed(invoice_id, again.id if again else None, mail_id=sent, address=address, now=now)
        data = {"mail": sent, "delivery": delivered}
        await audit.record("invoice.sent", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)


async def _attachments(invoice_id: UUID, letter: _Letter) -> list[mail.Attachment]:
    files = [(Format.PDF, f"{letter.number}.pdf")]
    if letter.ubl:
        files.append((Format(letter.ubl), f"{letter.number}.xml"))
    made: list[mail.Attachment] = []
    for kind, name in files:
        document_id = await archive.document_id(invoice_id, kind)
        if document_id is None:
            message = f"invoice {letter.number} has no {kind.value} yet"
            raise RuntimeError(message)
        made.append(mail.Attachment(source="billing.document", id=str(document_id), name=name, media_type=kind.media_type))
    return made
