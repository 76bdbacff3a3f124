"""Exemption certificates: the list, a new one with its PDF, one of them with its end, and the PDF itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from billing import debtors
from billing.vies import certificates
from billing.vies.certificates import NewCertificate
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError, Invalid
from marketplace.kit.i18n import N_, _, fmt_date
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

STATES = {
    "coming": (N_("Not yet"), "", "clock"),
    "counts": (N_("Counts"), "ok", "check"),
    "ending": (N_("Ends soon"), "warn", "warn"),
    "over": (N_("Over"), "", ""),
}
LABELS = {
    "debtor_id": N_("Company"),
    "number": N_("Number of the certificate"),
    "issuer": N_("Issued by"),
    "from_on": N_("First day"),
    "until_on": N_("Last day"),
    "paper": N_("The certificate as PDF"),
}


class CertificateForm(msgspec.Struct, frozen=True):
    """The form of a new certificate; its file comes apart."""

    debtor_id: UUID
    number: Annotated[str, msgspec.Meta(max_length=60)]
    issuer: Annotated[str, msgspec.Meta(max_length=120)]
    from_on: date
    until_on: date


class EndForm(msgspec.Struct, frozen=True):
    """The last day on which a certificate counts."""

    last_on: date


@get("/vat-certificates", opt={"access": "ecl"})
async def show_list(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show every certificate, those that end last on top."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await certificates.every()
    return render(
        request,
        "billing/vat/certificate_list.html",
        found=found,
        states=STATES,
        today=today(now),
        ending=await certificates.ending(now=now),
    )


@get("/vat-certificates/new", opt={"access": "ecl"})
async def show_new(request: WebRequest, actor: NamedDependency[Actor], debtor: FromQuery[str | None] = None) -> Html:
    """Show an empty form, for a company when its debtor is named."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _form(request, forms.blank(debtor_id=debtor or ""))


@post("/vat-certificates/new", opt={"access": "ecl"}, status_code=303, request_max_body_size=certificates.MAX_BYTES + 1_000_000)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Keep a certificate; whoever sends this accepts it."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, CertificateForm)
    try:
        file = await forms.upload(request, "paper", max_bytes=certificates.MAX_BYTES)
    except Invalid as refusal:
        return await _form(request, form.refuse(refusal), status_code=422)
    if form.data is not None:
        facts = msgspec.structs.asdict(form.data)
        try:
            made = await certificates.add(NewCertificate(**facts, file_name=file.name, content=file.content), actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The certificate is kept."), _("What is supplied in its days and not invoiced yet is 0% from now on."))
            return redirect(f"/vat-certificates/{made}")
    return await _form(request, form, status_code=422)


async def _form(request: WebRequest, form: forms.Form[Any], *, status_code: int = 200) -> Html:
    labels = {name: _(word) for name, word in LABELS.items()}
    options = [(str(row.id), row.legal_name) for row in await debtors.names()]
    return render(request, "billing/vat/certificate_new.html", status_code=status_code, form=form, labels=labels, options=options)


@get("/vat-certificates/{certificate_id:uuid}", opt={"access": "ecl", "noun": "vat_certificate"})
async def show(request: WebRequest, certificate_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show a certificate, and the form that ends it."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _page(request, certificate_id, forms.blank(last_on=""), now)


@post("/vat-certificates/{certificate_id:uuid}/end", opt={"access": "ecl", "noun": "vat_certificate"}, status_code=303)
async def end(
    request: WebRequest, certificate_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """End a certificate before its last day."""
    require(actor, Permission.MANAGE_INVOICES)
    await certificates.get(certificate_id)
    form = await forms.read(request, EndForm)
    if form.data is not None:
        last_on = form.data.last_on
        try:
            await certificates.end(certificate_id, last_on=last_on, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The certificate counts until {day}.", day=fmt_date(last_on, "long")))
            return redirect(f"/vat-certificates/{certificate_id}")
    return await _page(request, certificate_id, form, now, status_code=422)


async def _page(request: WebRequest, certificate_id: UUID, form: forms.Form[Any], now: datetime, *, status_code: int = 200) -> Html:
    found = await certificates.get(certificate_id)
    return render(
        request, "billing/vat/certificate_show.html", status_code=status_code, form=form, certificate=found, states=STATES, today=today(now)
    )


@get("/vat-certificates/{certificate_id:uuid}/paper", opt={"access": "ecl", "noun": "vat_certificate"})
async def paper(certificate_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send the PDF that was kept, as a download."""
    require(actor, Permission.MANAGE_INVOICES)
    name, content = await certificates.paper(certificate_id)
    shown = "".join(letter for letter in name if letter.isascii() and letter not in '"\\') or "certificate.pdf"
    headers = {
        "Content-Disposition": f'attachment; filename="{shown}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/pdf", headers=headers)


HANDLERS = [show_list, show_new, create, show, end, paper]
