"""Sentences and figures that stand in documents, in the language of the moment.

The template and the e-invoice writers read them here, so that paper and file say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel import Locale

from billing.documents.parts import VatCategory, half_up
from marketplace.kit.i18n import _, current_locale, fmt_date, n_

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from billing.documents.model import InvoiceDocument
    from billing.documents.parts import DocumentLine, InvoiceReference, VatTotal

HIGH, LOW = 21, 9
NAMED_ORDERS = 6
ISO_GROUP = 4
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
    if current_locale() == "nl":
        return f"€{NBSP}{figure(cents)}"
    return f"{MINUS if cents < 0 else ''}€{figure(abs(cents))}"


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
    return span(line.supply_from_on, line.supply_to_on)


def span(start: date | None, end: date | None) -> str:
    """Return a day or a period in words; the year is named once when it can be. Empty without a first day."""
    if start is None:
        return ""
    end = end or start
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


def invoice_reference(reference: InvoiceReference) -> str:
    """Return an earlier invoice as ``2026-000417 (1 Dec 2026)``."""
    return f"{reference.number} ({fmt_date(reference.dated_on, 'medium')})"


def self_billed_mark() -> str:
    """Return the words that the law wants beside the title of what the buyer wrote. Source: Wet OB 1968 art. 35a(1)(k)."""
    return "uitgereikt door afnemer (self-billing)" if current_locale() == "nl" else "Factuur uitgereikt door afnemer (self-billing)"


def self_billed_print(document: InvoiceDocument) -> str:
    """Return the sentences at the foot of what we wrote in the partner's name."""
    names = {"buyer": document.buyer.name, "seller": document.seller.name}
    parts = [_("{buyer} issues this document in the name and on behalf of {seller}.", **names)]
    if document.agreement_on:
        parts = [
            _(
                "{buyer} issues this document in the name and on behalf of {seller}, as agreed on {date}.",
                **names,
                date=fmt_date(document.agreement_on, "long"),
            )
        ]
    if document.objection_until_on:
        parts.append(_("Not right? Tell us by {date} at the latest.", date=fmt_date(document.objection_until_on, "long")))
    return " ".join(parts)


def many_orders(lines: tuple[DocumentLine, ...]) -> bool:
    """Tell whether the lines come from several orders, so that each names its own."""
    return len({line.order_number for line in lines if line.order_number}) > 1


def total_label(document: InvoiceDocument) -> str:
    """Return what the total of an invoice is called."""
    if document.is_credit:
        return _("Total credited")
    return _("We pay") if document.is_self_billed else _("To pay")


def terms_sentence(document: InvoiceDocument) -> str:
    """Return the payment terms (BT-20)."""
    if document.is_self_billed:
        return _payout_sentence(document)
    if document.is_credit:
        numbers = ", ".join(credited.number for credited in document.credits)
        return _("This amount is set off against invoice {numbers}, or paid back if that invoice is paid.", numbers=numbers)
    return n_("Payment term {n} day.", "Payment term {n} days.", document.terms_days)


def _payout_sentence(document: InvoiceDocument) -> str:
    if document.is_credit:
        return _("This amount is set off against what we pay you next.")
    return _("We pay this on {date}.", date=fmt_date(document.due_on, "long")) if document.due_on else ""


def small_print(document: InvoiceDocument) -> str:
    """Return the sentences at the foot of the last page."""
    if document.is_self_billed:
        return " ".join((self_billed_print(document), _("The e-invoice (EN 16931) is attached to this PDF.")))
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


def iban(number: str) -> str:
    """Return an IBAN in groups of four."""
    packed = number.replace(" ", "")
    return " ".join(packed[at : at + ISO_GROUP] for at in range(0, len(packed), ISO_GROUP))
