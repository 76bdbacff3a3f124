"""Amounts in a search, as Dutch and English readers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import amounts
from marketplace.kit.i18n import fmt_money, use_locale
from marketplace.kit.money import Money


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("€ 1.234,50", 123_450), ("1,234.50", 123_450), ("1234.50", 123_450), ("1234,5", 123_450), ("1 234,50", 123_450), ("1234", 123_400),
        ("1.234", 123_400), ("EUR 12", 1_200), ("12,00 €", 1_200), ("0,05", 5), ("1.234.567,89", 123_456_789), ("€ 645,-", 64_500),
        ("\u20ac\u00a0645,00", 64_500),
    ],
)  # fmt: skip
def test_an_amount_is_read(text: str, cents: int) -> None:
    assert amounts.cents(text) == cents


@pytest.mark.parametrize("text", ["", "2026-000001", "PO-7", "12,345,6", "1.234,567.8", "twelve", "-5", "1.2.3", "€", "12.34.56", "9" * 30])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert amounts.cents(text) is None


@given(some.integers(0, 10**11 - 1), some.sampled_from(["en", "nl"]))
def test_what_we_print_is_found_again(cents: int, locale: str) -> None:
    with use_locale(locale):
        assert amounts.cents(fmt_money(Money(cents))) == cents
