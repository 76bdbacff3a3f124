"""The one frozen model of an invoice, credit note or self-billed invoice, from which its PDF, UBL and CII are written.

It holds everything that article 35a of the Dutch VAT act asks for, as it was when the number was given: nothing here is looked
up again, no clock is read, and a document whose sums don't hold can't be made. No database and no layout in this module.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from billing.documents.parts import (
    NEEDS_REASON,
    Address,
    DocumentError,
    DocumentLine,
    InvoiceReference,
    Party,
    Seller,
    VatCategory,
    VatTotal,
    add_up,
    euros,
    half_up,
    line_faults,
    refuse,
    total_faults,
)

__all__ = [
    "Address",
    "DocumentError",
    "DocumentKind",
    "DocumentLine",
    "InvoiceDocument",
    "InvoiceReference",
    "Party",
    "Rendered",
    "Seller",
    "VatCategory",
    "VatTotal",
    "add_up",
    "euros",
    "half_up",
]

BUYER_REFERENCE_LIMIT = 200


class DocumentKind(StrEnum):
    """What the document is. Self-billed: written by the buyer in the name of the seller, who is the partner."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    SELF_BILLED = "self_billed"
    SELF_BILLED_CREDIT = "self_billed_credit"


CREDITS = frozenset({DocumentKind.CREDIT_NOTE, DocumentKind.SELF_BILLED_CREDIT})
SELF_BILLED = frozenset({DocumentKind.SELF_BILLED, DocumentKind.SELF_BILLED_CREDIT})


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True, tag="invoice"):
    """An invoice, a credit note, or either of them self-billed, ready to be written in any format.

    Amounts are whole euro cents. ``language`` is ``nl`` or ``en``. ``due_on`` is given on invoices only, ``credits`` on credit
    notes only; ``replaces`` is the invoice that a corrected one stands for (BT-25). ``payment_reference`` defaults to the
    number; ``payment_link`` is printed as it is, without a scheme if you want it short; ``payment_url`` makes it clickable.
    ``conditions_on`` is the date of the general terms.

    **Credit notes** are positive. Their VAT per code may differ by one cent from rate times net: several partial credits
    together give exactly the invoice's VAT, each one alone needn't.

    **Self-billed** (``seller`` is the partner, with the IBAN that is paid to; ``buyer`` is the operator, whose letterhead it
    is, so give it ``tagline``, ``email`` and ``phone``): ``due_on`` is the day of the payout, ``agreement_on`` the date of
    the self-billing agreement, ``objection_until_on`` the last day to object, ``statement_number`` the statement that it
    belongs to. Write one line a session at the net price after commission, and the commission into ``detail``: that is the
    price the partner charges. What is taken back is a line with a negative quantity; is the total below zero, make
    it a ``SELF_BILLED_CREDIT``.

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
    credits: tuple[InvoiceReference, ...] = ()
    replaces: InvoiceReference | None = None
    reason: str = ""
    agreement_on: date | None = None
    objection_until_on: date | None = None
    statement_number: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a document that the law or arithmetic would refuse."""
        refuse(self.number, _faults(self))

    @property
    def is_credit(self) -> bool:
        """Tell whether this is a credit note, self-billed or not."""
        return self.kind in CREDITS

    @property
    def is_self_billed(self) -> bool:
        """Tell whether the buyer wrote it."""
        return self.kind in SELF_BILLED

    @property
    def sender(self) -> Party:
        """Whose letterhead it is: who wrote it."""
        return self.buyer if self.is_self_billed else self.seller

    @property
    def addressee(self) -> Party:
        """Who gets it."""
        return self.seller if self.is_self_billed else self.buyer

    @property
    def preceding(self) -> tuple[InvoiceReference, ...]:
        """Earlier invoices that the e-invoice names (BT-25): what is credited or replaced."""
        return (*self.credits, self.replaces) if self.replaces else self.credits

    @property
    def full_note(self) -> str:
        """The note of the e-invoice (BT-22): ours, and the legal ground of 0 % VAT, which has no field of its own there."""
        grounds = [total.text for total in self.vat if total.category is VatCategory.ZERO]
        return " ".join(dict.fromkeys(part.strip() for part in (self.note, self.reason, *grounds) if part.strip()))

    @property
    def reference(self) -> str:
        """What the payer quotes: the payment reference, else the number."""
        return self.payment_reference or self.number

    @property
    def reference_for_buyer(self) -> str:
        """The buyer's reference (BT-10), never empty: e-invoice networks refuse a document that has neither it nor a PO."""
        given = self.buyer_reference or self.cost_centre or self.purchase_order or self.ordered_by
        return (given or ", ".join(self.order_numbers) or self.statement_number or self.number)[:BUYER_REFERENCE_LIMIT]

    @property
    def supply(self) -> tuple[date, date] | None:
        """First and last day of delivery over all lines, or None when no line has one."""
        spans = [(start, line.supply_to_on or start) for line in self.lines if (start := line.supply_from_on)]
        return (min(start for start, _end in spans), max(end for _start, end in spans)) if spans else None

    @property
    def delivered_on(self) -> date:
        """The day on which the supply is complete (BT-72): the last one, or the document's own date when no line has one."""
        return self.supply[1] if self.supply else self.dated_on


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
    if not document.seller.legal_id and document.seller.address.country == "NL":
        faults.append("seller has no KvK number")
    return faults


def _kind_faults(document: InvoiceDocument) -> list[str]:
    faults = []
    if document.is_self_billed and not document.buyer.vat_id:
        faults.append("a self-billed invoice needs the buyer's VAT id")
    if document.is_credit:
        faults += [] if document.credits else ["a credit note names the invoice it credits"]
        return faults + (["a credit note has no due date"] if document.due_on else [])
    faults += [] if document.due_on else ["due date is missing"]
    if not document.seller.iban:
        faults.append("seller has no IBAN")
    return faults + (["an invoice credits nothing"] if document.credits else [])


def _sum_faults(document: InvoiceDocument) -> list[str]:
    faults = line_faults(document.lines)
    faults += total_faults(document.lines, document.vat, tolerance=1 if document.is_credit else 0)
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
        if total.category in NEEDS_REASON and not total.text:
            faults.append(f"category {total.category} needs its text")
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
