"""Sentences and figures that stand in documents, in the language of the moment.

The template and the e-invoice writers read them here, so that paper and file say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel import Locale

from billing.documents.model import VatCategory, half_up
from marketplace.kit.i18n import _, current_locale, fmt_date, n_

if TYPE_CHECKING:
    from decimal import Decimal

    from billing.documents.model import DocumentLine, InvoiceDocument, VatTotal

HIGH, LOW = 21, 9
NAMED_ORDERS = 6
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def figure(cents: int) -> str:
    """Return cents as ``2,580.00`` or ``2.580,00``, without a currency sign."""
    whole, rest = divmod(abs(cents), 100)
    sign = MINUS if cents < 0 else ""
    if current_locale() == "nl":
        return f"{sign}{_grouped(whole, '.')},{rest:02d}"
    return f"{sign}{_grouped(whole, ',')}.{rest:02d}"


def euro(cents: int) -> str:
    """Return cents as ``€2,580.00`` or ``€ 2.580,00``."""
    gap = NBSP if current_locale() == "nl" else ""
    return f"€{gap}{figure(cents)}"


def count(quantity: Decimal) -> str:
    """Return a quantity without needless decimals, with the language's separator."""
    text = f"{quantity.normalize():f}".replace("-", MINUS)
    return text.replace(".", ",") if current_locale() == "nl" else text


def _grouped(whole: int, separator: str) -> str:
    return f"{whole:,}".replace(",", separator)


def rate(value: Decimal) -> str:
    """Return a VAT rate as ``21%``."""
    return f"{count(value)}%"


def letter(category: VatCategory, percent: Decimal) -> str:
    """Return the mark that ties a line to the VAT table: Dutch V H L N R, English E S L Z R; other rates are themselves."""
    dutch = current_locale() == "nl"
    if category is VatCategory.EXEMPT:
        return "V" if dutch else "E"
    if category is VatCategory.REVERSE_CHARGE:
        return "R"
    if category is VatCategory.ZERO:
        return "N" if dutch else "Z"
    return {HIGH: "H" if dutch else "S", LOW: "L"}.get(half_up(percent) if percent == half_up(percent) else -1, rate(percent))


def vat_label(total: VatTotal) -> str:
    """Return what a row of the VAT table is called."""
    if total.category is VatCategory.EXEMPT:
        return _("Exempt from VAT")
    if total.category is VatCategory.REVERSE_CHARGE:
        return _("VAT reverse charge")
    if total.category is VatCategory.ZERO:
        return _("0% VAT")
    if total.rate == HIGH:
        return _("21% standard rate")
    return _("9% reduced rate") if total.rate == LOW else _("{rate} VAT", rate=rate(total.rate))


def vat_reason(total: VatTotal) -> str:
    """Return the legal text under the label, without repeating what the label said."""
    label = vat_label(total)
    text = total.text.strip()
    if text.lower().startswith(label.lower()):
        text = text[len(label) :].strip()
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
    return text


def period(line: DocumentLine) -> str:
    """Return the day or days of delivery: ``18 January to 5 April 2027``."""
    start, end = line.supply_from_on, line.supply_to_on or line.supply_from_on
    if start is None or end is None:
        return ""
    if start == end:
        return fmt_date(start, "long")
    first = fmt_date(start, "long")
    if start.year == end.year:
        first = first.removesuffix(f" {start.year}")
    return _("{first} to {last}", first=first, last=fmt_date(end, "long"))


def line_when(line: DocumentLine) -> str:
    """Return the second row of a line on paper: when, and what else there is to know."""
    return ", ".join(part for part in (period(line), line.detail) if part)


def line_description(line: DocumentLine) -> str:
    """Return the item description of the e-invoice (BT-154)."""
    return line.detail


def line_note(line: DocumentLine) -> str:
    """Return the line note of the e-invoice (BT-127): participants and our order number."""
    order = _("order {number}", number=line.order_number) if line.order_number else ""
    return ", ".join(part for part in (*line.people, order) if part)


def orders(numbers: tuple[str, ...]) -> str:
    """Return our order numbers, or how many there are when the list would be long."""
    return ", ".join(numbers) if len(numbers) <= NAMED_ORDERS else _("{n}, named on their lines", n=len(numbers))


def terms_sentence(document: InvoiceDocument) -> str:
    """Return the payment terms (BT-20)."""
    if document.is_credit:
        numbers = ", ".join(credited.number for credited in document.credits)
        return _("This amount is set off against invoice {numbers}, or paid back if that invoice is paid.", numbers=numbers)
    return n_("Payment term {n} day.", "Payment term {n} days.", document.terms_days)


def small_print(document: InvoiceDocument) -> str:
    """Return the sentences at the foot of the last page."""
    parts = [terms_sentence(document)]
    if document.is_credit:
        parts.append(_("Is something not right? Call or mail us."))
    else:
        parts.append(_("Is something not right? Call or mail us before the due date: payment then waits until it is solved."))
    parts.append(_("The e-invoice (EN 16931) is attached to this PDF."))
    if document.conditions_on:
        parts.append(_("Our terms of {date} apply.", date=fmt_date(document.conditions_on, "long")))
    return " ".join(parts)


def country(code: str) -> str:
    """Return the country's name in the language of the moment."""
    return str(Locale.parse(current_locale()).territories.get(code, code))
