"""The VAT decision table, row by row, and what holds for any sum."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing.vat import (
    BuyerFacts,
    Period,
    SellerFacts,
    TeachingForm,
    VatBasis,
    VatCategory,
    VatFacts,
    VatLine,
    decide,
    explain,
    line_net,
    totals,
)
from catalog.words import Format
from catalog.words import VatBasis as CatalogueBasis
from marketplace.kit.i18n import use_locale

ON = date(2027, 1, 18)
REGISTERED = SellerFacts(vat_id="NL000099998B57", crkbo=(Period(date(2026, 1, 1), date(2027, 6, 30)),))
UNREGISTERED = SellerFacts(vat_id="NL000099998B57")
DUTCH = BuyerFacts()
GERMAN = BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True)

TABLE = [
    (VatBasis.GENERAL_LANGUAGE, TeachingForm.ON_SITE, UNREGISTERED, "E", 0),
    (VatBasis.GENERAL_LANGUAGE, TeachingForm.ONLINE, UNREGISTERED, "E", 0),
    (VatBasis.GENERAL_LANGUAGE, TeachingForm.SELF_PACED, REGISTERED, "S", 21),
    (VatBasis.PROFESSIONAL_COURSE, TeachingForm.ON_SITE, REGISTERED, "E", 0),
    (VatBasis.PROFESSIONAL_COURSE, TeachingForm.BLENDED, REGISTERED, "E", 0),
    (VatBasis.PROFESSIONAL_COURSE, TeachingForm.IN_COMPANY, UNREGISTERED, "S", 21),
    (VatBasis.PROFESSIONAL_COURSE, TeachingForm.SELF_PACED, REGISTERED, "S", 21),
    (VatBasis.COACHING, TeachingForm.ON_SITE, REGISTERED, "S", 21),
    (VatBasis.E_LEARNING, TeachingForm.ONLINE, REGISTERED, "S", 21),
    (VatBasis.SERVICE, TeachingForm.ON_SITE, REGISTERED, "S", 21),
    (VatBasis.REDUCED, TeachingForm.ON_SITE, REGISTERED, "S", 9),
    (VatBasis.PLATFORM_FEE, TeachingForm.ON_SITE, REGISTERED, "S", 21),
]


@pytest.mark.parametrize(("basis", "teaching", "seller", "category", "rate"), TABLE)
def test_table_for_a_dutch_buyer(basis: VatBasis, teaching: TeachingForm, seller: SellerFacts, category: str, rate: int) -> None:
    made = decide(VatFacts(basis=basis, supply_on=ON, teaching=teaching), seller, DUTCH)
    assert (made.category, made.rate) == (category, rate)
    assert (made.exemption_code == "VATEX-EU-132-1I") == (category == "E")
    assert (made.text == "Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)") == (category == "E")
    assert made.trace


@pytest.mark.parametrize(
    ("on", "category"), [(date(2025, 12, 31), "S"), (date(2026, 1, 1), "E"), (date(2027, 6, 30), "E"), (date(2027, 7, 1), "S")]
)
def test_register_counts_on_the_day_of_supply(on: date, category: str) -> None:
    assert decide(VatFacts(basis=VatBasis.PROFESSIONAL_COURSE, supply_on=on), REGISTERED, DUTCH).category == category


@pytest.mark.parametrize(
    ("course", "category"), [(VatBasis.GENERAL_LANGUAGE, "E"), (VatBasis.COACHING, "S"), (None, "S"), (VatBasis.MATERIAL, "S")]
)
def test_material_follows_its_course(course: VatBasis | None, category: str) -> None:
    assert decide(VatFacts(basis=VatBasis.MATERIAL, supply_on=ON, course=course), UNREGISTERED, DUTCH).category == category


@pytest.mark.parametrize("basis", list(VatBasis))
def test_business_elsewhere_in_the_eu_with_a_valid_id_is_reverse_charged(basis: VatBasis) -> None:
    made = decide(VatFacts(basis=basis, supply_on=ON), REGISTERED, GERMAN)
    assert (made.category, made.rate, made.exemption_code) == ("AE", 0, "VATEX-EU-AE")
    assert made.text == "Btw verlegd / VAT reverse charge"


@pytest.mark.parametrize(
    ("buyer", "seller"),
    [
        (BuyerFacts(country="DE"), REGISTERED),
        (BuyerFacts(country="DE", vat_id="DE1", vat_id_valid=False), REGISTERED),
        (GERMAN, SellerFacts(vat_id="")),
        (BuyerFacts(country="GB", vat_id="GB1", vat_id_valid=True), REGISTERED),
    ],
)
def test_without_both_valid_ids_or_outside_the_eu_dutch_vat_is_charged(buyer: BuyerFacts, seller: SellerFacts) -> None:
    assert decide(VatFacts(basis=VatBasis.COACHING, supply_on=ON), seller, buyer).category == "S"


def test_a_dutch_vat_id_changes_nothing_at_home() -> None:
    buyer = BuyerFacts(vat_id="NL123456782B90", vat_id_valid=True)
    assert decide(VatFacts(basis=VatBasis.COACHING, supply_on=ON), REGISTERED, buyer).rate == 21


@pytest.mark.parametrize("basis", list(VatBasis))
@pytest.mark.parametrize("teaching", list(TeachingForm))
@pytest.mark.parametrize("seller", [REGISTERED, UNREGISTERED])
@pytest.mark.parametrize("buyer", [DUTCH, GERMAN, BuyerFacts(country="FR"), BuyerFacts(country="US")])
def test_every_trace_is_said_in_both_languages(basis: VatBasis, teaching: TeachingForm, seller: SellerFacts, buyer: BuyerFacts) -> None:
    made = decide(VatFacts(basis=basis, supply_on=ON, teaching=teaching), seller, buyer)
    said = {}
    for locale in ("en", "nl"):
        with use_locale(locale):
            said[locale] = explain(made.trace)
        assert all(sentence.endswith(".") and "{" not in sentence for sentence in said[locale])
    assert not set(said["en"]) & set(said["nl"])


def test_catalogue_words_are_known_here() -> None:
    assert {basis.value for basis in CatalogueBasis} <= {basis.value for basis in VatBasis}
    assert {form.value for form in Format} <= {form.value for form in TeachingForm}


def test_vat_is_rounded_once_over_the_sum() -> None:
    lines = [VatLine(net_cents=10_001, vat_category="S", vat_rate=Decimal(21)) for _ in range(3)]
    [total] = totals(lines)
    assert (total.net_cents, total.vat_cents) == (30_003, 6_301)  # per line it would be 3 × 2,100 = 6,300


@pytest.mark.parametrize(("net", "vat"), [(50, 11), (49, 10), (250, 53), (0, 0)])
def test_half_a_cent_goes_up(net: int, vat: int) -> None:
    [total] = totals([VatLine(net_cents=net, vat_category="S", vat_rate=Decimal(21))])
    assert total.vat_cents == vat


def test_line_net_is_rounded_half_up() -> None:
    assert line_net(Decimal("1.5"), 333) == 500
    assert line_net(Decimal("0.5"), 1) == 1


_lines = some.lists(
    some.builds(
        VatLine,
        net_cents=some.integers(0, 5_000_000),
        vat_category=some.just("S"),
        vat_rate=some.sampled_from([Decimal(21), Decimal("21.00"), Decimal(9)]),
    )
    | some.builds(
        VatLine, net_cents=some.integers(0, 5_000_000), vat_category=some.sampled_from(["E", "AE"]), vat_rate=some.just(Decimal(0))
    ),
    max_size=40,
)


@given(_lines)
def test_totals_keep_every_cent_and_are_never_half_a_cent_off(lines: list[VatLine]) -> None:
    found = totals(lines)
    assert sum(total.net_cents for total in found) == sum(line.net_cents for line in lines)
    assert len({(total.category, total.rate) for total in found}) == len(found)
    for total in found:
        exact = Fraction(total.net_cents) * Fraction(total.rate) / 100
        assert -Fraction(1, 2) < total.vat_cents - exact <= Fraction(1, 2)
        assert total.category is VatCategory.STANDARD or total.vat_cents == 0


@given(_lines, some.randoms())
def test_order_of_lines_does_not_matter(lines: list[VatLine], random: object) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert totals(shuffled) == totals(lines)
