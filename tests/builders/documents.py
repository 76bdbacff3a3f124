"""Document models for tests: one by hand, or many at random from a seed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from billing.documents.model import (
    Address,
    DocumentKind,
    DocumentLine,
    InvoiceDocument,
    InvoiceReference,
    Party,
    Seller,
    VatCategory,
    VatTotal,
    add_up,
    half_up,
)

if TYPE_CHECKING:
    from random import Random

ZERO_TEXT = "Btw-tarief 0% (art. 39 Uitvoeringsbesluit OB 1968 en het certificaat van vrijstelling)"
EXEMPT_TEXT = "Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)"
REVERSE_TEXT = "Btw verlegd / VAT reverse charge"
CODES = {
    VatCategory.EXEMPT: ("VATEX-EU-132-1I", EXEMPT_TEXT),
    VatCategory.REVERSE_CHARGE: ("VATEX-EU-AE", REVERSE_TEXT),
    VatCategory.ZERO: ("", ZERO_TEXT),
}
NAMES = ("Nguyễn Thị Ánh", "Łukasz", "Şahin", "Ștefan", "Γιώργος", "Иван", "محمد", "王小明", "O'Neil & <Zoon>", "RB-2207")
RATES = ((VatCategory.STANDARD, 21), (VatCategory.STANDARD, 9), (VatCategory.EXEMPT, 0), (VatCategory.ZERO, 0))

SELLER = Seller(
    name="Expat Centre Leiden",
    tagline="for internationals and their employers",
    address=Address(street="Voorbeeldgracht 1", postcode="2312 AB", city="Leiden"),
    vat_id="NL000099998B57",
    legal_id="90000011",
    legal_scheme="0106",
    email="invoices@ecl.example",
    phone="+31 71 000 0000",
    iban="NL02 ABNA 0123 4567 89",
    bic="ABNANL2A",
)
BUYER = Party(
    name="Rijnvelde Biosciences B.V.",
    attention="Crediteurenadministratie",
    address=Address(street="Proefstation 12", postcode="2333 XX", city="Leiden"),
    vat_id="NL000099995B57",
    legal_id="90000012",
    legal_scheme="0106",
    email="facturen@rijnvelde.example",
)


def a_line(title: str = "Dutch for newcomers, A0 → A1", *, quantity: str = "1", cents: int = 64_500, **values: Any) -> DocumentLine:
    given = {"vat_category": VatCategory.EXEMPT, "vat_rate": Decimal(0), "supply_from_on": date(2027, 1, 18), **values}
    amount = Decimal(quantity)
    return DocumentLine(title=title, quantity=amount, unit_price_cents=cents, net_cents=half_up(amount * cents), **given)


def taxed(cents: int, rate: int = 21, **values: Any) -> DocumentLine:
    return a_line("Career coaching", cents=cents, vat_category=VatCategory.STANDARD, vat_rate=Decimal(rate), **values)


def a_document(*lines: DocumentLine, **values: Any) -> InvoiceDocument:
    """Make a document from its lines; VAT table, sums and due date follow unless given."""
    chosen = lines or (a_line(), taxed(11_500))
    vat = tuple(_total(category, rate, *sums) for (category, rate), sums in add_up(chosen).items())
    net, tax = sum(total.net_cents for total in vat), sum(total.vat_cents for total in vat)
    given: dict[str, Any] = {
        "kind": DocumentKind.INVOICE, "number": "2026-000417", "language": "en", "dated_on": date(2026, 12, 1),
        "due_on": date(2026, 12, 31), "seller": SELLER, "buyer": BUYER, "lines": chosen, "vat": vat,
        "net_cents": net, "vat_cents": tax, "total_cents": net + tax, **values,
    }  # fmt: skip
    return InvoiceDocument(**given)


def a_credit_note(*lines: DocumentLine, **values: Any) -> InvoiceDocument:
    given = {**values, "kind": DocumentKind.CREDIT_NOTE, "due_on": values.get("due_on")}
    given = {"number": "C2026-000003", "credits": (A_PRECEDING,), **given}
    return a_document(*lines, **given)


A_PRECEDING = InvoiceReference(number="2026-000417", dated_on=date(2026, 12, 1))
OPERATOR = Party(
    name="Expat Centre Leiden",
    tagline="for internationals and their employers",
    address=SELLER.address,
    vat_id=SELLER.vat_id,
    legal_id=SELLER.legal_id,
    legal_scheme="0106",
    email="partners@ecl.example",
    phone=SELLER.phone,
)
PARTNER = Seller(
    name="Taalatelier de Vliet",
    attention="Administratie",
    address=Address(street="Vlietweg 4", postcode="2323 LA", city="Leiden"),
    vat_id="NL000099997B33",
    legal_id="90000027",
    legal_scheme="0106",
    email="admin@vliet.example",
    iban="NL20 INGB 0001 2345 67",
)


def a_self_billed(*lines: DocumentLine, **values: Any) -> InvoiceDocument:
    """Make a self-billed invoice of a partner, or with ``credits`` its credit note."""
    credit = "credits" in values
    given: dict[str, Any] = {
        "kind": DocumentKind.SELF_BILLED_CREDIT if credit else DocumentKind.SELF_BILLED,
        "number": "SB-VLIET-2026-000004", "seller": PARTNER, "buyer": OPERATOR, "agreement_on": date(2026, 1, 5),
        "objection_until_on": date(2026, 12, 11), "statement_number": "2026-11", **({"due_on": None} if credit else {}), **values,
    }  # fmt: skip
    return a_document(*lines, **given)


def a_random_document(random: Random) -> InvoiceDocument:
    """Make any lawful document: every kind and VAT category, odd quantities, buyers at home and abroad, corrections, partial credits."""
    abroad = random.random() < 0.25
    buyer = _abroad(random) if abroad else _at_home(random)
    rates = (*RATES, (VatCategory.REVERSE_CHARGE, 0)) if abroad else RATES
    lines = tuple(_random_line(random, *random.choice(rates)) for _line in range(random.randint(1, 5)))
    if sum(line.net_cents * (100 + line.vat_rate) for line in lines) < 0 or random.random() < 0.3:
        lines = (*lines, a_line("Deposit", cents=9_999_999))
    chance = random.random()
    if chance < 0.2:
        return _random_self_billed(random, lines, abroad=abroad)
    values: dict[str, Any] = {
        "buyer": buyer,
        "language": random.choice(("nl", "en")),
        "number": f"2026-{random.randint(1, 999_999):06d}",
        "purchase_order": random.choice(("", "4500128834", "PO <7> & co")),
        "cost_centre": random.choice(("", "3120")),
        "buyer_reference": random.choice(("", "12345678901")),
        "ordered_by": random.choice(("", "F. de Wit")),
        "order_numbers": tuple(str(100_000 + at) for at in range(random.randint(0, 3))),
        "note": random.choice(("", "Thank you.\nSee you in January.")),
        "seller": SELLER if random.random() < 0.9 else Seller(**_without_bic()),
    }
    if chance < 0.4:
        older = InvoiceReference(number="2025-001207", dated_on=date(2025, 12, 30))
        named = random.choice(((A_PRECEDING,), (A_PRECEDING, older)))
        return a_credit_note(*lines, **values, **_partial(random, lines), reason=random.choice(("", "Wrong price")), credits=named)
    return a_document(*lines, **values, replaces=random.choice((None, None, A_PRECEDING)))


def _random_self_billed(random: Random, lines: tuple[DocumentLine, ...], *, abroad: bool) -> InvoiceDocument:
    home = {"country": "DE", "vat_id": "DE123456789", "legal_id": "HRB 1234"} if abroad else {}
    seller = PARTNER
    if home:
        address = msgspec.structs.replace(PARTNER.address, country="DE")
        seller = msgspec.structs.replace(PARTNER, address=address, vat_id=home["vat_id"], legal_id=home["legal_id"], legal_scheme="")
    values: dict[str, Any] = {"seller": seller, "language": random.choice(("nl", "en")), "statement_number": random.choice(("", "2026-11"))}
    if random.random() < 0.35:
        values["reason"] = random.choice(("", "Cancelled"))
        return a_self_billed(*lines, **values, **_partial(random, lines), credits=(A_PRECEDING,))
    made = a_self_billed(*lines, **values, replaces=random.choice((None, A_PRECEDING)))
    if random.random() < 0.5:
        return made
    small = tuple(msgspec.structs.replace(it, exemption_code="") if it.category == "E" else it for it in made.vat)
    return msgspec.structs.replace(made, vat=small)


def _partial(random: Random, lines: tuple[DocumentLine, ...]) -> dict[str, Any]:
    """Return VAT table and sums as after earlier partial credits: the VAT is what the rounded sum of all credits grows by."""
    vat = []
    for (category, rate), (net, tax) in add_up(lines).items():
        before = random.randint(0, 100_000)
        grown = half_up(rate * (before + net) / 100) - half_up(rate * before / 100)
        vat.append(_total(category, rate, net, grown if net > 0 else tax))
    net, tax = sum(total.net_cents for total in vat), sum(total.vat_cents for total in vat)
    return {"vat": tuple(vat), "net_cents": net, "vat_cents": tax, "total_cents": net + tax}


def _without_bic() -> dict[str, Any]:
    return {name: getattr(SELLER, name) for name in SELLER.__struct_fields__ if name not in {"bic", "phone", "email"}}


def _total(category: VatCategory, rate: Decimal, net: int, tax: int) -> VatTotal:
    code, text = CODES.get(category, ("", ""))
    return VatTotal(category=category, rate=rate, net_cents=net, vat_cents=tax, exemption_code=code, text=text)


def _random_line(random: Random, category: VatCategory, rate: int) -> DocumentLine:
    start = date(2026, 11, 1) + timedelta(days=random.randint(0, 200))
    return a_line(
        random.choice(("Dutch A1 → A2", "Werken met Nederlanders", "Coaching «één-op-één»", "Q&A <live>")),
        quantity=random.choice(("1", "2", "12", "0.5", "1.75", "0.333", "-1")),
        cents=random.choice((0, 1, 333, 11_500, 29_550, 64_500, random.randint(1, 400_000))),
        vat_category=category,
        vat_rate=Decimal(rate),
        supply_from_on=random.choice((None, start)),
        supply_to_on=random.choice((None, start + timedelta(days=random.randint(0, 90)))),
        detail=random.choice(("", "ten lessons, Leiden")),
        people=tuple(random.sample(NAMES, random.randint(0, 3))),
        unit_code=random.choice(("C62", "HUR", "EA")),
        order_number=random.choice(("", "100388")),
        cost_centre=random.choice(("", "3121")),
    )


def _at_home(random: Random) -> Party:
    kvk, oin = {"legal_id": "90000012", "legal_scheme": "0106"}, {"legal_id": "00000001234567890000", "legal_scheme": "0190"}
    ids = random.choice((kvk, oin, {}))
    return Party(
        name=random.choice(("Rijnvelde Biosciences B.V.", "Gemeente Voorbeeld", "Łukasz & Zonen")),
        address=Address(street="Proefstation 12", postcode="2333 XX", city="Leiden", extra=random.choice(("", "Gebouw C"))),
        vat_id=random.choice(("", "NL000099995B57")),
        email="facturen@rijnvelde.example",
        attention=random.choice(("", "Crediteurenadministratie")),
        **ids,
    )


def _abroad(random: Random) -> Party:
    country, vat_id, city = random.choice((("DE", "DE123456789", "Köln"), ("BE", "BE0123456789", "Gent"), ("GR", "EL123456789", "Αθήνα")))
    return Party(name="Nachbar GmbH", address=Address(street="Hauptstraße 1", postcode="50667", city=city, country=country), vat_id=vat_id)
