"""The quote: what we offer a company, until when, and how to say yes. Pure."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from billing.documents.parts import DocumentLine, Party, VatTotal, line_faults, refuse, total_faults
from billing.documents.sheet import Paper, paper_faults
from marketplace.kit.i18n import _, fmt_date


class Quote(Paper, frozen=True, kw_only=True, tag="quote"):
    """An offer with the lines, VAT and sums that the invoice would have. It asks for no money, so it has no pay code.

    ``introduction`` stands above the lines, ``conditions`` are sentences beneath the sums (one each), ``conditions_on`` the date
    of the general terms. ``accept_link`` is printed as it is, ``accept_url`` makes it clickable. ``customer_reference`` is
    what the company called its request, ``requested_by`` who asked, ``contact`` our person.
    Raises ``DocumentError`` when a part is missing or a sum doesn't hold.
    """

    template: ClassVar[str] = "documents/quote.html"

    addressee: Party
    lines: tuple[DocumentLine, ...]
    vat: tuple[VatTotal, ...]
    net_cents: int
    vat_cents: int
    total_cents: int
    valid_until_on: date
    title: str = ""
    introduction: str = ""
    conditions: tuple[str, ...] = ()
    conditions_on: date | None = None
    accept_link: str = ""
    accept_url: str = ""
    customer_reference: str = ""
    requested_by: str = ""
    contact: str = ""

    def __post_init__(self) -> None:
        """Refuse an offer that doesn't add up or has ended before it was made."""
        refuse(self.number, [*paper_faults(self, addressee=self.addressee), *_faults(self)])

    @property
    def small_print(self) -> str:
        """The foot of the last page."""
        parts = [_("This quote holds until {date}. You owe nothing until you accept it.", date=fmt_date(self.valid_until_on, "long"))]
        if self.conditions_on:
            parts.append(_("Our terms of {date} apply.", date=fmt_date(self.conditions_on, "long")))
        return " ".join(parts)

    @property
    def heading(self) -> str:
        """Its title."""
        return _("Quote")

    @property
    def about(self) -> str:
        """The company."""
        return self.addressee.name

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Date, how long it holds, whose request."""
        return [
            (_("Date"), fmt_date(self.dated_on, "long")),
            (_("Valid until"), fmt_date(self.valid_until_on, "long")),
            (_("Your reference"), self.customer_reference),
            (_("Requested by"), self.requested_by),
            (_("Your contact"), self.contact),
        ]


def _faults(quote: Quote) -> list[str]:
    faults = [] if quote.number else ["number is missing"]
    if not quote.lines:
        faults.append("there are no lines")
    if quote.valid_until_on < quote.dated_on:
        faults.append("it has ended before it was made")
    faults += [*line_faults(quote.lines), *total_faults(quote.lines, quote.vat)]
    if quote.net_cents != sum(total.net_cents for total in quote.vat) or quote.vat_cents != sum(total.vat_cents for total in quote.vat):
        faults.append("the sums are not those of the VAT table")
    if quote.net_cents + quote.vat_cents != quote.total_cents:
        faults.append("total is not net plus VAT")
    return faults
