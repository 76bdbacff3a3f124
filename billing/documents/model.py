"""The one frozen model of an invoice or credit note, from which its PDF, UBL and CII are written.

It holds everything that article 35a of the Dutch VAT act asks for, as it was when the number was given: nothing here is looked
up again, no clock is read, and a document whose sums don't hold can't be made. No database and no layout in this module.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

CENT = Decimal("0.01")
BUYER_REFERENCE_LIMIT = 200


class DocumentError(ValueError):
    """The rows don't make a lawful or consistent document; the message names the first fault."""


class DocumentKind(StrEnum):
    """What the document is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class VatCategory(StrEnum):
    """VAT categories by their UNCL5305 code."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"


NEEDS_REASON = frozenset({VatCategory.EXEMPT, VatCategory.REVERSE_CHARGE})


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address; ``extra`` is a second line such as a building or a post box."""

    street: str
    postcode: str
    city: str
    country: str = "NL"
    extra: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A seller or buyer. ``legal_scheme`` is 0106 (KvK) or 0190 (OIN) for Dutch parties, empty for others.

    ``endpoint_id`` with ``endpoint_scheme`` is the Peppol address; when empty it is derived from the legal or VAT id.
    """

    name: str
    address: Address
    vat_id: str = ""
    legal_id: str = ""
    legal_scheme: str = ""
    endpoint_id: str = ""
    endpoint_scheme: str = ""
    attention: str = ""
    email: str = ""
    phone: str = ""


class Seller(Party, frozen=True, kw_only=True):
    """The party that sells, with the account to be paid on. ``tagline`` stands under its name on paper."""

    iban: str
    bic: str = ""
    account_name: str = ""
    tagline: str = ""


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``net_cents`` is quantity times price, half up to a cent; a credit note's lines are positive too.

    ``detail`` is what else the reader needs ("ten lessons, Leiden"), ``people`` the names or staff numbers, whichever the
    company wants. ``unit_code`` is from UN/ECE recommendation 20: C62 one, HUR hour. ``supply_to_on`` may equal the first day.
    """

    title: str
    quantity: Decimal
    unit_price_cents: int
    net_cents: int
    vat_category: VatCategory
    vat_rate: Decimal
    supply_from_on: date | None = None
    supply_to_on: date | None = None
    detail: str = ""
    people: tuple[str, ...] = ()
    unit_code: str = "C62"
    order_number: str = ""
    purchase_order: str = ""
    cost_centre: str = ""


class VatTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of one VAT category and rate: ``vat_cents`` is the rate over the summed net, half up, once a document.

    ``text`` is the exemption or reverse-charge sentence in the document's language, ``exemption_code`` its VATEX code.
    """

    category: VatCategory
    rate: Decimal
    net_cents: int
    vat_cents: int
    exemption_code: str = ""
    text: str = ""


class CreditedInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """The invoice that a credit note takes back, wholly or in part."""

    number: str
    dated_on: date


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or a credit note, ready to be written in any format.

    Amounts are whole euro cents. ``language`` is ``nl`` or ``en``. ``due_on`` is given on invoices only, ``credits`` on credit
    notes only. ``payment_reference`` defaults to the number; ``payment_link`` is printed as it is, without a scheme if you
    want it short; ``payment_url`` makes it clickable. ``conditions_on`` is the date of the general terms.
    Raises ``DocumentError`` when a required part is missing or a sum doesn't hold.
    """

    kind: DocumentKind
    number: str
    language: str
    dated_on: date
    seller: Seller
    buyer: Party
    lines: tuple[DocumentLine, ...]
    vat: tuple[VatTotal, ...]
    net_cents: int
    vat_cents: int
    total_cents: int
    due_on: date | None = None
    terms_days: int = 30
    purchase_order: str = ""
    cost_centre: str = ""
    buyer_reference: str = ""
    ordered_by: str = ""
    order_numbers: tuple[str, ...] = ()
    payment_reference: str = ""
    payment_link: str = ""
    payment_url: str = ""
    conditions_on: date | None = None
    credits: tuple[CreditedInvoice, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a document that the law or arithmetic would refuse."""
        for fault in _faults(self):
            raise DocumentError(f"{self.number or 'document without number'}: {fault}")

    @property
    def is_credit(self) -> bool:
        """Tell whether this is a credit note."""
        return self.kind is DocumentKind.CREDIT_NOTE

    @property
    def reference(self) -> str:
        """What the payer quotes: the payment reference, else the number."""
        return self.payment_reference or self.number

    @property
    def reference_for_buyer(self) -> str:
        """The buyer's reference (BT-10), never empty: e-invoice networks refuse a document that has neither it nor a PO."""
        given = self.buyer_reference or self.cost_centre or self.purchase_order or self.ordered_by
        return (given or ", ".join(self.order_numbers) or self.number)[:BUYER_REFERENCE_LIMIT]

    @property
    def supply(self) -> tuple[date, date] | None:
        """First and last day of delivery over all lines, or None when no line has one."""
        spans = [(start, line.supply_to_on or start) for line in self.lines if (start := line.supply_from_on)]
        return (min(start for start, _end in spans), max(end for _start, end in spans)) if spans else None

    @property
    def delivered_on(self) -> date:
        """The day on which the supply is complete (BT-72): the last one, or the document's own date when no line has one."""
        return self.supply[1] if self.supply else self.dated_on


def half_up(amount: Decimal) -> int:
    """Round cents to a whole number, halves away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def euros(cents: int) -> Decimal:
    """Return cents as euros with two places."""
    return (Decimal(cents) / 100).quantize(CENT)


def add_up(lines: tuple[DocumentLine, ...]) -> dict[tuple[VatCategory, Decimal], tuple[int, int]]:
    """Return (net, VAT) in cents per category and rate: VAT once over the sum, half up."""
    nets: dict[tuple[VatCategory, Decimal], int] = defaultdict(int)
    for line in lines:
        nets[line.vat_category, line.vat_rate.normalize()] += line.net_cents
    return {key: (net, half_up(net * key[1] / 100)) for key, net in nets.items()}


def _faults(document: InvoiceDocument) -> list[str]:
    return [*_missing(document), *_kind_faults(document), *_sum_faults(document), *_vat_faults(document)]


def _missing(document: InvoiceDocument) -> list[str]:
    faults = [] if document.number else ["number is missing"]
    if not document.lines:
        faults.append("there are no lines")
    if document.language not in {"nl", "en"}:
        faults.append(f"language {document.language!r} is not nl or en")
    for role, party in (("seller", document.seller), ("buyer", document.buyer)):
        where = party.address
        required = {"name": party.name, "street": where.street, "city": where.city, "postcode": where.postcode}
        faults += [f"{role} has no {name}" for name, value in required.items() if not value.strip()]
        if where.country == "NL" and party.legal_id and party.legal_scheme not in {"0106", "0190"}:
            faults.append(f"{role}'s legal id needs scheme 0106 or 0190")
    if not document.seller.vat_id:
        faults.append("seller has no VAT id")
    if not document.seller.legal_id:
        faults.append("seller has no KvK number")
    return faults


def _kind_faults(document: InvoiceDocument) -> list[str]:
    if document.is_credit:
        faults = [] if document.credits else ["a credit note names the invoice it credits"]
        return faults + (["a credit note has no due date"] if document.due_on else [])
    faults = [] if document.due_on else ["due date is missing"]
    if not document.seller.iban:
        faults.append("seller has no IBAN")
    return faults + (["an invoice credits nothing"] if document.credits else [])


def _sum_faults(document: InvoiceDocument) -> list[str]:
    faults = []
    for at, line in enumerate(document.lines, 1):
        if line.unit_price_cents < 0:
            faults.append(f"line {at}: the price is below zero; make the quantity negative instead")
        if half_up(line.quantity * line.unit_price_cents) != line.net_cents:
            faults.append(f"line {at}: net is not quantity times price")
    expected = add_up(document.lines)
    stated = {(total.category, total.rate.normalize()): (total.net_cents, total.vat_cents) for total in document.vat}
    if expected != stated:
        faults.append("the VAT table doesn't follow from the lines")
    if len(stated) != len(document.vat):
        faults.append("a VAT rate stands in the table twice")
    if sum(total.net_cents for total in document.vat) != document.net_cents:
        faults.append("net is not the sum of the VAT table")
    if sum(total.vat_cents for total in document.vat) != document.vat_cents:
        faults.append("VAT is not the sum of the VAT table")
    if document.net_cents + document.vat_cents != document.total_cents:
        faults.append("total is not net plus VAT")
    return faults + (["the total is below zero"] if document.total_cents < 0 else [])


def _vat_faults(document: InvoiceDocument) -> list[str]:
    faults = []
    for total in document.vat:
        if (total.category is VatCategory.STANDARD) != (total.rate > 0):
            faults.append(f"category {total.category} with {total.rate} %")
        if total.category in NEEDS_REASON and not (total.text and total.exemption_code):
            faults.append(f"category {total.category} needs its text and code")
        if total.category is VatCategory.REVERSE_CHARGE and not document.buyer.vat_id:
            faults.append("reverse charge needs the buyer's VAT id")
    return faults


class Rendered(msgspec.Struct, frozen=True):
    """The finished bytes of one document: to be stored with their hashes and never made again.

    ``pdf`` is PDF/A-3a with ``cii`` inside; ``ubl`` is Peppol BIS Billing 3.0 and ``ubl_nlcius`` the same as NLCIUS.
    """

    pdf: bytes
    ubl: bytes
    ubl_nlcius: bytes
    cii: bytes
