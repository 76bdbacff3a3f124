"""What documents say, in both languages."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from billing.documents import wording
from billing.documents.model import VatCategory, VatTotal
from marketplace.kit.i18n import LOCALE_ROOT, use_locale
from marketplace.kit.templating import TEMPLATES
from tests.builders.documents import EXEMPT_TEXT, REVERSE_TEXT, a_credit_note, a_line


def total(category: VatCategory, rate: int, text: str = "") -> VatTotal:
    return VatTotal(category=category, rate=Decimal(rate), net_cents=100, vat_cents=0, text=text)


@pytest.mark.parametrize(
    ("category", "rate", "dutch", "english"),
    [("S", 21, "H", "S"), ("S", 9, "L", "L"), ("S", 20, "20%", "20%"), ("E", 0, "V", "E"), ("AE", 0, "R", "R"), ("Z", 0, "N", "Z")],
)
def test_each_vat_rate_has_its_letter(category: str, rate: int, dutch: str, english: str) -> None:
    for language, letter in (("nl", dutch), ("en", english)):
        with use_locale(language):
            assert wording.letter(VatCategory(category), Decimal(rate)) == letter


def test_the_legal_text_stands_under_its_label_without_repeating_it() -> None:
    exempt = total(VatCategory.EXEMPT, 0, EXEMPT_TEXT)
    with use_locale("nl"):
        assert (wording.vat_label(exempt), wording.vat_reason(exempt)) == ("Vrijgesteld van btw", "art. 11 lid 1 onderdeel o Wet OB 1968")
        assert wording.vat_reason(total(VatCategory.REVERSE_CHARGE, 0, REVERSE_TEXT)) == "/ VAT reverse charge"
    with use_locale("en"):
        assert wording.vat_reason(exempt) == EXEMPT_TEXT


def test_amounts_and_counts_follow_the_language() -> None:
    with use_locale("nl"):
        assert (wording.figure(258_000), wording.euro(-5), wording.count(Decimal("1.50"))) == (
            "2.580,00",
            "€\N{NO-BREAK SPACE}−0,05",
            "1,5",
        )
    with use_locale("en"):
        assert (wording.figure(258_000), wording.euro(-5), wording.count(Decimal(100))) == ("2,580.00", "−€0.05", "100")


def test_a_period_names_the_year_once_when_it_can() -> None:
    spans = [
        (date(2027, 1, 18), date(2027, 4, 5), "18 januari t/m 5 april 2027"),
        (date(2026, 12, 14), date(2027, 1, 4), "14 december 2026 t/m 4 januari 2027"),
        (date(2027, 1, 18), None, "18 januari 2027"),
    ]
    with use_locale("nl"):
        assert [wording.period(a_line(supply_from_on=start, supply_to_on=end)) for start, end, _text in spans] == [
            text for *_span, text in spans
        ]


def test_a_credit_note_says_what_happens_with_the_money() -> None:
    with use_locale("nl"):
        assert wording.terms_sentence(a_credit_note()).startswith("Dit bedrag wordt verrekend met factuur 2026-000417")


def test_every_sentence_of_documents_is_there_in_dutch() -> None:
    sources = [*(TEMPLATES / "documents").glob("*.html"), *Path(wording.__file__).parent.glob("*.py")]
    used = {found for path in sources for found in re.findall(r'\b(?:_|n_|N_)\(\s*"([^"]+)"', path.read_text())}
    with (LOCALE_ROOT / "nl" / "documents.po").open("rb") as file:
        known = {message.id if isinstance(message.id, str) else message.id[0]: message.string for message in read_po(file) if message.id}
    assert used
    assert used == set(known)
    assert all(known.values())
