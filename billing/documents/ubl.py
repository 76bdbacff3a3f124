"""The document as UBL 2.1: Peppol BIS Billing 3.0, or the Dutch NLCIUS, which differ in their first line only.

Element order is the schema's. Business terms (BT-…) are those of EN 16931.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from billing.documents import wording
from billing.documents.parts import Seller
from billing.documents.xml import (
    CREDIT_TRANSFER_SEPA,
    TYPE_CODES,
    Writer,
    amount,
    endpoint,
    exemption,
    plain,
    process,
    to_bytes,
)
from marketplace.kit.i18n import use_locale

if TYPE_CHECKING:
    from datetime import date

    from lxml import etree

    from billing.documents.model import InvoiceDocument
    from billing.documents.parts import DocumentLine, Party, VatTotal

_BASE = "urn:oasis:names:specification:ubl:schema:xsd:"
_PARTS = {"cac": f"{_BASE}CommonAggregateComponents-2", "cbc": f"{_BASE}CommonBasicComponents-2"}
_INVOICE = Writer({"": f"{_BASE}Invoice-2", **_PARTS})
_CREDIT_NOTE = Writer({"": f"{_BASE}CreditNote-2", **_PARTS})
CURRENCY = "EUR"


class Profile(StrEnum):
    """Whose rules the file says it follows (BT-24)."""

    PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
    NLCIUS = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"


SELF_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"


def write(document: InvoiceDocument, *, profile: Profile = Profile.PEPPOL) -> bytes:
    """Return the document as a UBL file, its sentences in the document's language. Source: Peppol BIS Billing and Self-Billing 3.0, NLCIUS 1.0."""
    with use_locale(document.language):
        return to_bytes(_tree(document, profile))


def _tree(document: InvoiceDocument, profile: Profile) -> etree._Element:
    w = _CREDIT_NOTE if document.is_credit else _INVOICE
    root = w.root("CreditNote" if document.is_credit else "Invoice")
    _head(w, root, document, profile)
    _references(w, root, document)
    _party(w, w.group(root, "cac:AccountingSupplierParty", "cac:Party"), document.seller)
    _party(w, w.group(root, "cac:AccountingCustomerParty", "cac:Party"), document.buyer)
    w.text(w.group(root, "cac:Delivery"), "cbc:ActualDeliveryDate", document.delivered_on.isoformat())
    _payment(w, root, document)
    _totals(w, root, document)
    for at, line in enumerate(document.lines, 1):
        _line(w, root, document, line, at)
    return root


def _head(w: Writer, root: etree._Element, document: InvoiceDocument, profile: Profile) -> None:
    self_billed = document.is_self_billed and profile is Profile.PEPPOL
    w.text(root, "cbc:CustomizationID", SELF_BILLING if self_billed else profile.value)
    w.text(root, "cbc:ProfileID", process(document))
    w.text(root, "cbc:ID", document.number)
    w.text(root, "cbc:IssueDate", document.dated_on.isoformat())
    if document.is_credit:
        w.text(root, "cbc:CreditNoteTypeCode", TYPE_CODES[document.kind])
    else:
        if document.due_on:
            w.text(root, "cbc:DueDate", document.due_on.isoformat())
        w.text(root, "cbc:InvoiceTypeCode", TYPE_CODES[document.kind])
    w.text(root, "cbc:Note", document.full_note)
    w.text(root, "cbc:DocumentCurrencyCode", CURRENCY)
    w.text(root, "cbc:AccountingCost", document.cost_centre)
    w.text(root, "cbc:BuyerReference", document.reference_for_buyer)
    if document.supply:
        _period(w, root, *document.supply)


def _references(w: Writer, root: etree._Element, document: InvoiceDocument) -> None:
    if document.purchase_order:
        order = w.group(root, "cac:OrderReference")
        w.text(order, "cbc:ID", document.purchase_order)
        if len(document.order_numbers) == 1:
            w.text(order, "cbc:SalesOrderID", document.order_numbers[0])
    for earlier in document.preceding:
        reference = w.group(root, "cac:BillingReference", "cac:InvoiceDocumentReference")
        w.text(reference, "cbc:ID", earlier.number)
        w.text(reference, "cbc:IssueDate", earlier.dated_on.isoformat())


def _period(w: Writer, parent: etree._Element, start: date, end: date) -> None:
    period = w.group(parent, "cac:InvoicePeriod")
    w.text(period, "cbc:StartDate", start.isoformat())
    w.text(period, "cbc:EndDate", end.isoformat())


def _party(w: Writer, parent: etree._Element, party: Party) -> None:
    identifier, scheme = endpoint(party)
    w.text(parent, "cbc:EndpointID", identifier, schemeID=scheme)
    w.text(w.group(parent, "cac:PartyName"), "cbc:Name", party.name)
    address = w.group(parent, "cac:PostalAddress")
    w.text(address, "cbc:StreetName", party.address.street)
    w.text(address, "cbc:AdditionalStreetName", party.address.extra)
    w.text(address, "cbc:CityName", party.address.city)
    w.text(address, "cbc:PostalZone", party.address.postcode)
    w.text(w.group(address, "cac:Country"), "cbc:IdentificationCode", party.address.country)
    if party.vat_id:
        tax = w.group(parent, "cac:PartyTaxScheme")
        w.text(tax, "cbc:CompanyID", party.vat_id)
        w.text(w.group(tax, "cac:TaxScheme"), "cbc:ID", "VAT")
    legal = w.group(parent, "cac:PartyLegalEntity")
    w.text(legal, "cbc:RegistrationName", party.name)
    extra = {"schemeID": party.legal_scheme} if party.legal_scheme else {}
    w.text(legal, "cbc:CompanyID", party.legal_id, **extra)
    if party.attention or party.phone or party.email:
        contact = w.group(parent, "cac:Contact")
        w.text(contact, "cbc:Name", party.name if isinstance(party, Seller) else party.attention)
        w.text(contact, "cbc:Telephone", party.phone)
        w.text(contact, "cbc:ElectronicMail", party.email)


def _payment(w: Writer, root: etree._Element, document: InvoiceDocument) -> None:
    seller = document.seller
    if not document.is_credit:
        means = w.group(root, "cac:PaymentMeans")
        w.text(means, "cbc:PaymentMeansCode", CREDIT_TRANSFER_SEPA)
        w.text(means, "cbc:PaymentID", document.reference)
        account = w.group(means, "cac:PayeeFinancialAccount")
        w.text(account, "cbc:ID", seller.iban.replace(" ", ""))
        w.text(account, "cbc:Name", seller.account_name or seller.name)
        if seller.bic:
            w.text(w.group(account, "cac:FinancialInstitutionBranch"), "cbc:ID", seller.bic)
    w.text(w.group(root, "cac:PaymentTerms"), "cbc:Note", wording.terms_sentence(document))


def _totals(w: Writer, root: etree._Element, document: InvoiceDocument) -> None:
    tax = w.group(root, "cac:TaxTotal")
    _money(w, tax, "cbc:TaxAmount", document.vat_cents)
    for total in document.vat:
        subtotal = w.group(tax, "cac:TaxSubtotal")
        _money(w, subtotal, "cbc:TaxableAmount", total.net_cents)
        _money(w, subtotal, "cbc:TaxAmount", total.vat_cents)
        _category(w, subtotal, total)
    sums = w.group(root, "cac:LegalMonetaryTotal")
    _money(w, sums, "cbc:LineExtensionAmount", document.net_cents)
    _money(w, sums, "cbc:TaxExclusiveAmount", document.net_cents)
    _money(w, sums, "cbc:TaxInclusiveAmount", document.total_cents)
    _money(w, sums, "cbc:PayableAmount", document.total_cents)


def _category(w: Writer, subtotal: etree._Element, total: VatTotal) -> None:
    category = w.group(subtotal, "cac:TaxCategory")
    w.text(category, "cbc:ID", total.category.value)
    w.text(category, "cbc:Percent", plain(total.rate))
    code, reason = exemption(total)
    w.text(category, "cbc:TaxExemptionReasonCode", code)
    w.text(category, "cbc:TaxExemptionReason", reason)
    w.text(w.group(category, "cac:TaxScheme"), "cbc:ID", "VAT")


def _line(w: Writer, root: etree._Element, document: InvoiceDocument, line: DocumentLine, at: int) -> None:
    credit = document.is_credit
    element = w.group(root, "cac:CreditNoteLine" if credit else "cac:InvoiceLine")
    w.text(element, "cbc:ID", str(at))
    w.text(element, "cbc:Note", wording.line_note(line))
    quantity = "cbc:CreditedQuantity" if credit else "cbc:InvoicedQuantity"
    w.text(element, quantity, plain(line.quantity), unitCode=line.unit_code)
    _money(w, element, "cbc:LineExtensionAmount", line.net_cents)
    w.text(element, "cbc:AccountingCost", line.cost_centre)
    if line.supply_from_on:
        _period(w, element, line.supply_from_on, line.supply_to_on or line.supply_from_on)
    item = w.group(element, "cac:Item")
    w.text(item, "cbc:Description", wording.line_description(line))
    w.text(item, "cbc:Name", line.title)
    category = w.group(item, "cac:ClassifiedTaxCategory")
    w.text(category, "cbc:ID", line.vat_category.value)
    w.text(category, "cbc:Percent", plain(line.vat_rate))
    w.text(w.group(category, "cac:TaxScheme"), "cbc:ID", "VAT")
    _money(w, w.group(element, "cac:Price"), "cbc:PriceAmount", line.unit_price_cents)


def _money(w: Writer, parent: etree._Element, name: str, cents: int) -> None:
    w.text(parent, name, amount(cents), currencyID=CURRENCY)
