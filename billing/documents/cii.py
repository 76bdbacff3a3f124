"""The document as UN/CEFACT Cross Industry Invoice, profile EN 16931: the file that Factur-X carries inside the PDF.

Element order is the schema's. Business terms (BT-…) are those of EN 16931.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.documents import wording
from billing.documents.model import Seller
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

    from billing.documents.model import DocumentLine, InvoiceDocument, Party

_DATA = "urn:un:unece:uncefact:data:standard:"
_WRITER = Writer(
    {
        "rsm": f"{_DATA}CrossIndustryInvoice:100",
        "ram": f"{_DATA}ReusableAggregateBusinessInformationEntity:100",
        "qdt": f"{_DATA}QualifiedDataType:100",
        "udt": f"{_DATA}UnqualifiedDataType:100",
    }
)
GUIDELINE = "urn:cen.eu:en16931:2017"
CURRENCY = "EUR"
DAY_FORMAT = "102"


def write(document: InvoiceDocument) -> bytes:
    """Return the document as a CII file, its sentences in the document's language. Source: EN 16931-3-3, Factur-X 1.0."""
    with use_locale(document.language):
        return to_bytes(_tree(document))


def _tree(document: InvoiceDocument) -> etree._Element:
    w = _WRITER
    root = w.root("rsm:CrossIndustryInvoice")
    context = w.group(root, "rsm:ExchangedDocumentContext")
    w.text(w.group(context, "ram:BusinessProcessSpecifiedDocumentContextParameter"), "ram:ID", process(document))
    w.text(w.group(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", GUIDELINE)
    head = w.group(root, "rsm:ExchangedDocument")
    w.text(head, "ram:ID", document.number)
    w.text(head, "ram:TypeCode", TYPE_CODES[document.kind])
    _day(w, head, "ram:IssueDateTime", document.dated_on)
    if document.full_note:
        w.text(w.group(head, "ram:IncludedNote"), "ram:Content", document.full_note)
    trade = w.group(root, "rsm:SupplyChainTradeTransaction")
    for at, line in enumerate(document.lines, 1):
        _line(w, trade, line, at)
    _agreement(w, trade, document)
    delivery = w.group(trade, "ram:ApplicableHeaderTradeDelivery", "ram:ActualDeliverySupplyChainEvent")
    _day(w, delivery, "ram:OccurrenceDateTime", document.delivered_on)
    _settlement(w, trade, document)
    return root


def _day(w: Writer, parent: etree._Element, name: str, on: date) -> None:
    w.text(w.group(parent, name), "udt:DateTimeString", on.strftime("%Y%m%d"), format=DAY_FORMAT)


def _period(w: Writer, parent: etree._Element, start: date, end: date) -> None:
    period = w.group(parent, "ram:BillingSpecifiedPeriod")
    _day(w, period, "ram:StartDateTime", start)
    _day(w, period, "ram:EndDateTime", end)


def _line(w: Writer, trade: etree._Element, line: DocumentLine, at: int) -> None:
    element = w.group(trade, "ram:IncludedSupplyChainTradeLineItem")
    head = w.group(element, "ram:AssociatedDocumentLineDocument")
    w.text(head, "ram:LineID", str(at))
    note = wording.line_note(line)
    if note:
        w.text(w.group(head, "ram:IncludedNote"), "ram:Content", note)
    product = w.group(element, "ram:SpecifiedTradeProduct")
    w.text(product, "ram:Name", line.title)
    w.text(product, "ram:Description", wording.line_description(line))
    price = w.group(element, "ram:SpecifiedLineTradeAgreement", "ram:NetPriceProductTradePrice")
    w.text(price, "ram:ChargeAmount", amount(line.unit_price_cents))
    delivery = w.group(element, "ram:SpecifiedLineTradeDelivery")
    w.text(delivery, "ram:BilledQuantity", plain(line.quantity), unitCode=line.unit_code)
    settlement = w.group(element, "ram:SpecifiedLineTradeSettlement")
    tax = w.group(settlement, "ram:ApplicableTradeTax")
    w.text(tax, "ram:TypeCode", "VAT")
    w.text(tax, "ram:CategoryCode", line.vat_category.value)
    w.text(tax, "ram:RateApplicablePercent", plain(line.vat_rate))
    if line.supply_from_on:
        _period(w, settlement, line.supply_from_on, line.supply_to_on or line.supply_from_on)
    sums = w.group(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    w.text(sums, "ram:LineTotalAmount", amount(line.net_cents))
    if line.cost_centre:
        w.text(w.group(settlement, "ram:ReceivableSpecifiedTradeAccountingAccount"), "ram:ID", line.cost_centre)


def _agreement(w: Writer, trade: etree._Element, document: InvoiceDocument) -> None:
    agreement = w.group(trade, "ram:ApplicableHeaderTradeAgreement")
    w.text(agreement, "ram:BuyerReference", document.reference_for_buyer)
    _party(w, w.group(agreement, "ram:SellerTradeParty"), document.seller)
    _party(w, w.group(agreement, "ram:BuyerTradeParty"), document.buyer)
    if len(document.order_numbers) == 1:
        order = w.group(agreement, "ram:SellerOrderReferencedDocument")
        w.text(order, "ram:IssuerAssignedID", document.order_numbers[0])
    if document.purchase_order:
        order = w.group(agreement, "ram:BuyerOrderReferencedDocument")
        w.text(order, "ram:IssuerAssignedID", document.purchase_order)


def _party(w: Writer, parent: etree._Element, party: Party) -> None:
    w.text(parent, "ram:Name", party.name)
    if party.legal_id:
        scheme = {"schemeID": party.legal_scheme} if party.legal_scheme else {}
        w.text(w.group(parent, "ram:SpecifiedLegalOrganization"), "ram:ID", party.legal_id, **scheme)
    if party.attention or party.phone or party.email:
        contact = w.group(parent, "ram:DefinedTradeContact")
        w.text(contact, "ram:PersonName", party.name if isinstance(party, Seller) else party.attention)
        if party.phone:
            w.text(w.group(contact, "ram:TelephoneUniversalCommunication"), "ram:CompleteNumber", party.phone)
        if party.email:
            w.text(w.group(contact, "ram:EmailURIUniversalCommunication"), "ram:URIID", party.email)
    address = w.group(parent, "ram:PostalTradeAddress")
    w.text(address, "ram:PostcodeCode", party.address.postcode)
    w.text(address, "ram:LineOne", party.address.street)
    w.text(address, "ram:LineTwo", party.address.extra)
    w.text(address, "ram:CityName", party.address.city)
    w.text(address, "ram:CountryID", party.address.country)
    identifier, scheme_id = endpoint(party)
    if identifier:
        w.text(w.group(parent, "ram:URIUniversalCommunication"), "ram:URIID", identifier, schemeID=scheme_id)
    if party.vat_id:
        w.text(w.group(parent, "ram:SpecifiedTaxRegistration"), "ram:ID", party.vat_id, schemeID="VA")


def _settlement(w: Writer, trade: etree._Element, document: InvoiceDocument) -> None:
    settlement = w.group(trade, "ram:ApplicableHeaderTradeSettlement")
    if not document.is_credit:
        w.text(settlement, "ram:PaymentReference", document.reference)
    w.text(settlement, "ram:InvoiceCurrencyCode", CURRENCY)
    if not document.is_credit:
        _means(w, settlement, document.seller)
    for total in document.vat:
        tax = w.group(settlement, "ram:ApplicableTradeTax")
        code, reason = exemption(total)
        w.text(tax, "ram:CalculatedAmount", amount(total.vat_cents))
        w.text(tax, "ram:TypeCode", "VAT")
        w.text(tax, "ram:ExemptionReason", reason)
        w.text(tax, "ram:BasisAmount", amount(total.net_cents))
        w.text(tax, "ram:CategoryCode", total.category.value)
        w.text(tax, "ram:ExemptionReasonCode", code)
        w.text(tax, "ram:RateApplicablePercent", plain(total.rate))
    if document.supply:
        _period(w, settlement, *document.supply)
    terms = w.group(settlement, "ram:SpecifiedTradePaymentTerms")
    w.text(terms, "ram:Description", wording.terms_sentence(document))
    if document.due_on:
        _day(w, terms, "ram:DueDateDateTime", document.due_on)
    _sums(w, settlement, document)
    for earlier in document.preceding:
        reference = w.group(settlement, "ram:InvoiceReferencedDocument")
        w.text(reference, "ram:IssuerAssignedID", earlier.number)
        when = w.group(reference, "ram:FormattedIssueDateTime")
        w.text(when, "qdt:DateTimeString", earlier.dated_on.strftime("%Y%m%d"), format=DAY_FORMAT)
    if document.cost_centre:
        w.text(w.group(settlement, "ram:ReceivableSpecifiedTradeAccountingAccount"), "ram:ID", document.cost_centre)


def _means(w: Writer, settlement: etree._Element, seller: Seller) -> None:
    means = w.group(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
    w.text(means, "ram:TypeCode", CREDIT_TRANSFER_SEPA)
    account = w.group(means, "ram:PayeePartyCreditorFinancialAccount")
    w.text(account, "ram:IBANID", seller.iban.replace(" ", ""))
    w.text(account, "ram:AccountName", seller.account_name or seller.name)
    if seller.bic:
        w.text(w.group(means, "ram:PayeeSpecifiedCreditorFinancialInstitution"), "ram:BICID", seller.bic)


def _sums(w: Writer, settlement: etree._Element, document: InvoiceDocument) -> None:
    sums = w.group(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    w.text(sums, "ram:LineTotalAmount", amount(document.net_cents))
    w.text(sums, "ram:TaxBasisTotalAmount", amount(document.net_cents))
    w.text(sums, "ram:TaxTotalAmount", amount(document.vat_cents), currencyID=CURRENCY)
    w.text(sums, "ram:GrandTotalAmount", amount(document.total_cents))
    w.text(sums, "ram:DuePayableAmount", amount(document.total_cents))
