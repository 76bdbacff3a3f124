"""What a template shows of any document: its title, references, letterhead and pay box, in the language of the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from billing.documents import wording
from billing.documents.model import DocumentKind, InvoiceDocument
from billing.documents.sheet import Paper, PayRequest
from marketplace.kit.i18n import _, fmt_date, n_

if TYPE_CHECKING:
    from billing.documents.parts import Party, Seller

INVOICE_TEMPLATE = "documents/invoice.html"


class View(NamedTuple):
    """One document as its template sees it. ``subheading`` stands under the title; ``payee`` is whom the pay box pays."""

    template: str
    kind: str
    heading: str
    subheading: str
    number: str
    about: str
    facts: list[tuple[str, str]]
    sender: Party
    payee: Seller
    pay: PayRequest | None

    @property
    def title(self) -> str:
        """The title with the number, for the metadata and the head of later pages."""
        return f"{self.heading} {self.number}".strip()


def view(document: InvoiceDocument | Paper) -> View:
    """Return the view of a document; facts without a value are left out."""
    if isinstance(document, InvoiceDocument):
        return _invoice(document)
    return View(
        template=document.template,
        kind=document.template.rpartition("/")[2].removesuffix(".html"),
        heading=document.heading,
        subheading="",
        number=document.number,
        about=document.about,
        facts=[(label, value) for label, value in document.facts if value],
        sender=document.sender,
        payee=document.sender,
        pay=document.pay,
    )


def _invoice(document: InvoiceDocument) -> View:
    return View(
        template=INVOICE_TEMPLATE,
        kind=document.kind.value,
        heading=invoice_heading(document.kind),
        subheading=wording.self_billed_mark() if document.is_self_billed else "",
        number=document.number,
        about=document.addressee.name,
        facts=[(label, value) for label, value in _facts(document) if value],
        sender=document.sender,
        payee=document.seller,
        pay=_pay(document),
    )


def invoice_heading(kind: DocumentKind) -> str:
    """Return the title of an invoice or credit note."""
    names = {
        DocumentKind.INVOICE: _("Invoice"),
        DocumentKind.CREDIT_NOTE: _("Credit note"),
        DocumentKind.SELF_BILLED: _("Self-billed invoice"),
        DocumentKind.SELF_BILLED_CREDIT: _("Self-billed credit note"),
    }
    return names[kind]


def _pay(document: InvoiceDocument) -> PayRequest | None:
    """Return what an invoice asks for: nothing on credit notes, on what the buyer wrote itself, or when the total is nothing."""
    if document.is_credit or document.is_self_billed or document.total_cents <= 0:
        return None
    return PayRequest(
        cents=document.total_cents,
        reference=document.reference,
        by_on=document.due_on,
        link=document.payment_link,
        url=document.payment_url,
    )


def _facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    reverse = any(total.category == "AE" for total in document.vat)
    credited = ", ".join(wording.invoice_reference(it) for it in document.credits)
    return [
        (_("Date") if document.is_credit else _("Invoice date"), fmt_date(document.dated_on, "long")),
        *_own_facts(document),
        (_("Credits invoice"), credited),
        (_("Replaces invoice"), wording.invoice_reference(document.replaces) if document.replaces else ""),
        (_("Your PO number"), document.purchase_order),
        (_("Your reference"), document.buyer_reference),
        (_("Cost centre"), document.cost_centre),
        (_("Ordered by"), document.ordered_by),
        (n_("Our order", "Our orders", len(document.order_numbers)), wording.orders(document.order_numbers)),
        (_("Your VAT number"), document.buyer.vat_id if reverse and not document.is_self_billed else ""),
        (_("Delivered on"), "" if document.supply else fmt_date(document.dated_on, "long")),
    ]


def _own_facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """Return what differs: when to pay us, or which statement the partner's invoice belongs to and its own numbers."""
    if not document.is_self_billed:
        return [(_("Due date"), fmt_date(document.due_on, "long") if document.due_on else "")]
    return [
        (_("Paid out on"), fmt_date(document.due_on, "long") if document.due_on else ""),
        (_("Statement"), document.statement_number),
        (_("Customer"), document.buyer.name),
        (_("Supplier's VAT number"), document.seller.vat_id),
        (_("Supplier's KvK number"), document.seller.legal_id),
    ]
