"""Finance's and HR's pages: the list of invoices with its CSV, one invoice, and its stored documents.

A company's members see their company's, ECL sees every one; another company's invoice is as unknown as one that isn't.
"""

from __future__ import annotations

from datetime import date, datetime

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing import archive, csv_file, invoices, payments, refunds, story, vat
from billing import credits as credit_notes
from billing.archive import BeingMade, Format
from billing.dunning import sent as reminders
from billing.invoices import Filter, Standing
from billing.states import NAMES
from billing.transport import deliveries
from marketplace.kit import audit
from marketplace.kit.clock import today
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, paging, redirect, render, spreadsheet

_CSV_ROWS = 10_000


@get("/invoices", opt={"access": "company"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    show: FromQuery[str | None] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show the company's invoices, newest first, with what is to be paid."""
    require(actor, Permission.SEE_INVOICES)
    wanted = Filter(standing=_standing(show), text=q[:100])
    page = await invoices.page(wanted, paging.read(cursor, date, str), actor=actor, today=today(now))
    return render(
        request,
        "billing/invoice_list.html",
        page=page,
        reminded=await reminders.last_of([one.id for one in page.items]),
        sums=await invoices.sums(actor=actor, today=today(now)),
        wanted=wanted,
        names=NAMES,
        today=today(now),
        Money=Money,
    )


@get("/invoices.csv", opt={"access": "company+ecl"})
async def list_file(
    actor: NamedDependency[Actor], now: NamedDependency[datetime], show: FromQuery[str | None] = None, q: FromQuery[str] = ""
) -> Response[bytes]:
    """Send the same list as a file, at most the newest ten thousand."""
    wanted = Filter(standing=_standing(show), text=q[:100])
    page = await invoices.page(wanted, paging.read(None, date, str, size=_CSV_ROWS), actor=actor, today=today(now))
    return spreadsheet.answer(f"invoices-{today(now).isoformat()}.csv", csv_file.header(), csv_file.rows(page.items))


@get("/invoices/{name:str}", opt={"access": "company+ecl", "noun": "invoice"})
async def show(
    request: WebRequest, name: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[str] | Response[bytes]:
    """Show an invoice by its number, or send one of its stored documents: number.pdf, .ubl or .xml."""
    number, dot, ending = name.partition(".")
    invoice = await invoices.get(number, actor=actor)
    if dot:
        try:
            return await document_answer(invoice, ending)
        except BeingMade as early:
            return render(request, "billing/document_waiting.html", status_code=404, invoice=invoice, reason=early)
    received, sent = await payments.of(invoice.id), await deliveries.of_invoice(invoice.id)
    return render(
        request,
        "billing/invoice_show.html",
        invoice=invoice,
        state=_(NAMES[invoice.state]),
        explain=vat.explain,
        question=vat.question,
        legal_text=vat.note,
        sent=sent,
        tries=await deliveries.tries(sent) if actor.is_ecl else [],
        steps=story.tell(invoice, await audit.of("invoice", invoice.id), received, today=today(now), sent=sent),
        documents=await archive.kinds(invoice.id),
        overdue=invoice.is_overdue(today(now)),
        may_pay=actor.may(Permission.PAY_INVOICES),
        notes=await credit_notes.of(invoice.id),
        ties=await credit_notes.ties(invoice.id),
        targets=await refunds.targets(invoice.id) if invoice.overpaid else [],
    )


@post("/invoices/{number:str}/send", opt={"access": "ecl", "noun": "invoice"}, status_code=303)
async def send_again(request: WebRequest, number: FromPath[str], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Send a document again, by the channel and to the address that its debtor has today."""
    require(actor, Permission.MANAGE_INVOICES)
    invoice = await invoices.get(number, actor=actor)
    channel = await deliveries.resend(invoice.id, actor=actor, now=now)
    by = _("by Peppol") if channel is deliveries.Channel.PEPPOL else _("by mail")
    flash(request, _("{number} is sent again, {by}.", number=number, by=by), _("What comes of it stands on this page."))
    return redirect(f"/invoices/{number}")


async def document_answer(invoice: invoices.Invoice, ending: str) -> Response[bytes]:
    """Return a stored document, byte for byte. ``ubl`` is the debtor's profile, ``xml`` the CII inside the PDF.

    Raises ``NotFound`` for another ending, ``BeingMade`` while the document is made.
    """
    kind = format_of(invoice, ending)
    content = await invoices.stored_document(invoice.number, kind)
    shown = "pdf" if kind is Format.PDF else "xml"
    place = "inline" if kind is Format.PDF else "attachment"
    headers = {
        "Content-Disposition": f'{place}; filename="{invoice.number}{"-ubl" if ending == "ubl" else ""}.{shown}"',
        "Cache-Control": "private, max-age=0, must-revalidate",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=kind.media_type, headers=headers)


def format_of(invoice: invoices.Invoice, ending: str) -> Format:
    """Return which stored document an ending means. Raises ``NotFound``."""
    profile = {"nlcius": Format.UBL_NLCIUS}.get(invoice.buyer.get("ubl_profile", ""), Format.UBL_PEPPOL)
    kinds = {"pdf": Format.PDF, "ubl": profile, "xml": Format.CII}
    if ending not in kinds:
        raise invoices.unknown()
    return kinds[ending]


def _standing(show: str | None) -> Standing | None:
    return show if show in {"unpaid", "overdue", "paid", "credit", "overpaid"} else None  # type: ignore[return-value]


HANDLERS = [show_list, list_file, show, send_again]
