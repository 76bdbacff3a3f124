"""What every document is made of: parties, lines, VAT totals, and the arithmetic that they share.

Pure: no database, no clock, no layout. A document that names something twice takes it from here.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

CENT = Decimal("0.01")
LANGUAGES = frozenset({"nl", "en"})


class DocumentError(ValueError):
    """The rows don't make a lawful or consistent document; the message names the first fault."""


def refuse(name: str, faults: Iterable[str]) -> None:
    """Raise ``DocumentError`` with the first fault, if there is one."""
    for fault in faults:
        raise DocumentError(f"{name or 'document without number'}: {fault}")


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
    ``tagline`` stands under the name where the party's letterhead is used.
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
    tagline: str = ""


class Seller(Party, frozen=True, kw_only=True):
    """The party that sells, with the account to be paid on."""

    iban: str
    bic: str = ""
    account_name: str = ""


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


class InvoiceReference(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier invoice that a document is about: the one that a credit note takes back, or that a correction replaces."""

    number: str
    dated_on: date


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


def line_faults(lines: Iterable[DocumentLine]) -> list[str]:
    """Return what is wrong with the lines by themselves."""
    faults = []
    for at, line in enumerate(lines, 1):
        if line.unit_price_cents < 0:
            faults.append(f"line {at}: the price is below zero; make the quantity negative instead")
        if half_up(line.quantity * line.unit_price_cents) != line.net_cents:
            faults.append(f"line {at}: net is not quantity times price")
    return faults


def total_faults(lines: tuple[DocumentLine, ...], vat: tuple[VatTotal, ...], *, tolerance: int = 0) -> list[str]:
    """Return how the VAT table differs from the lines; each VAT amount may be off by so many cents, never a net."""
    stated = {(total.category, total.rate.normalize()): (total.net_cents, total.vat_cents) for total in vat}
    expected = add_up(lines)
    agrees = stated.keys() == expected.keys() and all(
        net == stated[key][0] and abs(tax - stated[key][1]) <= (tolerance if key[1] else 0) for key, (net, tax) in expected.items()
    )
    faults = [] if agrees else ["the VAT table doesn't follow from the lines"]
    return faults if len(stated) == len(vat) else [*faults, "a VAT rate stands in the table twice"]
