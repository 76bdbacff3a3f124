"""What an entry may pay: numbers however mangled, exact sums, subsets, part and too much; never more than there is."""

from __future__ import annotations

import time
from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.bank import matching, mentions
from billing.bank.matching import OpenInvoice, Paper, Payer, for_invoices, subsets

SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
RIJN, SLEUTEL = uuid5(SPACE, "rijn"), uuid5(SPACE, "sleutel")
PAYERS = [
    Payer(
        id=RIJN, name="Rijnvelde", names=("Rijnvelde Biosciences", "Rijnvelde Biosciences B.V."), ibans=frozenset({"NL20INGB0001234567"})
    ),
    Payer(id=SLEUTEL, name="Sleutelstad", names=("Sleutelstad Robotics",)),
]


def an_open(number: int, cents: int, debtor: UUID = RIJN, **more: str) -> OpenInvoice:
    name = f"2026-{number:06d}"
    return OpenInvoice(
        id=uuid5(SPACE, name), number=name, debtor_id=debtor, open_cents=cents, due_on=date(2026, 10, 1) + timedelta(days=number), **more
    )


def told(proposals: list[matching.Proposal], invoices: list[OpenInvoice]) -> list[tuple[dict[str, int], bool]]:
    names = {one.id: one.number[-2:] for one in invoices}
    return [({names[part.invoice_id]: part.cents for part in one.parts}, one.certain) for one in proposals]


@pytest.mark.parametrize(
    ("text", "sure", "perhaps"),
    [
        ("Factuur 2026-000012", {"2026-000012"}, set()),
        ("fact.nr:2026000012/2026000013", {"2026-000012", "2026-000013"}, set()),
        ("2026 000012 en 2026.000013", {"2026-000012", "2026-000013"}, set()),
        ("INV2026-000012KLANT44", {"2026-000012"}, set()),
        ("2026-0000 12", set(), {"2026-000012"}),
        ("202600 0012", set(), {"2026-000012"}),
        ("RF18 2026000012", {"2026-000012"}, set()),
        ("2026-12", set(), {"2026-000012"}),
        ("credit C2026-000003 op 2026-000012", {"2026-000012"}, set()),
        ("cursus november", set(), set()),
        ("20-11-2026 14:33", set(), set()),
    ],
)
def test_our_numbers_are_found_however_they_are_written(text: str, sure: set[str], perhaps: set[str]) -> None:
    found = mentions.read(text)
    assert found.sure == sure
    assert found.perhaps >= perhaps
    assert not found.all & {"2026-000003"}


def test_a_credit_note_is_not_read_as_an_invoice() -> None:
    assert mentions.read("C2026-000003 en c 2026 000004").credits == {"C2026-000003", "C2026-000004"}
    assert not mentions.read("C2026-000003").all


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("RIJNVELDE BIOSCIENCES BV", "Rijnvelde Biosciences B.V.", True),
        ("Stg. Rijnvelde", "Rijnvelde Biosciences", False),
        ("Rijnvelde", "Rijnvelde Biosciences", True),
        ("Gemeente Leiden", "Gemeente Leiderdorp", False),
        ("B.V.", "Holding B.V.", False),
        ("", "Rijnvelde", False),
    ],
)
def test_names_are_compared_by_their_telling_words(one: str, other: str, same: bool) -> None:
    assert mentions.same_name(one, [other]) is same


def test_a_named_invoice_of_exactly_this_amount_is_certain() -> None:
    own = [an_open(1, 64_500), an_open(2, 64_500)]
    best, *_rest = for_invoices(Paper(cents=64_500, text="factuur 2026-000002"), own, PAYERS)
    assert told([best], own) == [({"02": 64_500}, True)]
    assert "2026-000002" in best.why


def test_one_transfer_for_several_named_invoices_is_certain() -> None:
    own = [an_open(1, 64_500), an_open(2, 10_000), an_open(3, 5)]
    best, *_rest = for_invoices(Paper(cents=74_500, text="2026-000001, 2026-000002"), own, PAYERS)
    assert told([best], own) == [({"01": 64_500, "02": 10_000}, True)]


def test_a_name_from_another_companys_account_waits_for_a_person() -> None:
    own = [an_open(1, 64_500, SLEUTEL)]
    best, *_rest = for_invoices(Paper(cents=64_500, text="2026-000001", iban="NL20INGB0001234567"), own, PAYERS)
    assert told([best], own) == [({"01": 64_500}, False)]
    assert "another company's account" in best.why


def test_short_and_too_much_are_proposed_but_never_certain() -> None:
    own = [an_open(1, 64_500), an_open(2, 10_000)]
    short, *_rest = for_invoices(Paper(cents=70_000, text="2026-000001 2026-000002"), own, [])
    assert told([short], own) == [({"01": 64_500, "02": 5_500}, False)]
    much, *_rest = for_invoices(Paper(cents=80_000, text="2026-000001 2026-000002"), own, [])
    assert told([much], own) == [({"01": 64_500, "02": 15_500}, False)]


def test_without_a_number_the_known_account_and_the_sum_of_several_speak() -> None:
    own = [an_open(1, 64_500), an_open(2, 10_000), an_open(3, 22_222)]
    best, *_rest = for_invoices(Paper(cents=32_222, text="cursussen", iban="NL20INGB0001234567"), own, PAYERS)
    assert told([best], own) == [({"02": 10_000, "03": 22_222}, False)]


def test_a_credit_that_the_payer_took_off_is_seen() -> None:
    own = [an_open(1, 64_500)]
    payer = Payer(id=RIJN, name="Rijnvelde", names=("Rijnvelde",), surplus_cents=4_500, surplus_note="C2026-000007")
    best, *_rest = for_invoices(Paper(cents=60_000, name="Rijnvelde B.V."), own, [payer])
    assert told([best], own) == [({"01": 60_000}, False)]
    assert "C2026-000007" in best.why


def test_a_purchase_order_in_the_text_helps() -> None:
    own = [an_open(1, 64_500, purchase_order="PO-88-1200"), an_open(2, 64_500)]
    best, *_rest = for_invoices(Paper(cents=64_500, text="uw order po 881200"), own, [])
    assert told([best], own) == [({"01": 64_500}, False)]


def test_nothing_is_proposed_where_nothing_speaks() -> None:
    assert for_invoices(Paper(cents=99, text="hartelijk dank"), [an_open(1, 64_500)], []) == []
    assert for_invoices(Paper(cents=-64_500, text="2026-000001"), [an_open(1, 64_500)], PAYERS) == []


def test_the_search_for_a_sum_is_bounded() -> None:
    started = time.perf_counter()
    many = [an_open(number, 100_000 + number * 7) for number in range(1, 90)]
    assert list(subsets(many, 1_234_567)) == []
    for_invoices(Paper(cents=1_234_567, name="Rijnvelde Biosciences"), many, PAYERS)
    assert time.perf_counter() - started < 5


_OPEN = st.lists(st.integers(1, 500_000), min_size=1, max_size=12)


@given(_OPEN, st.integers(1, 3_000_000), st.sets(st.integers(1, 12)), st.booleans(), st.integers(0, 50_000))
@settings(max_examples=300, deadline=None)
def test_never_more_than_the_entry_and_each_invoice_once(
    amounts: list[int], cents: int, named: set[int], known: bool, surplus: int
) -> None:
    own = [an_open(at, amount) for at, amount in enumerate(amounts, 1)]
    payer = Payer(id=RIJN, name="R", names=("Rijnvelde Biosciences",), ibans=frozenset({"X"}), surplus_cents=surplus)
    text = " ".join(f"2026-{number:06d}" for number in sorted(named))
    for one in for_invoices(Paper(cents=cents, text=text, iban="X" if known else "", name="Rijnvelde Biosciences"), own, [payer]):
        assert sum(part.cents for part in one.parts) == cents or one.score < 80
        assert 0 < sum(part.cents for part in one.parts) <= cents
        assert all(part.cents > 0 for part in one.parts)
        assert len({part.invoice_id for part in one.parts}) == len(one.parts)
        open_of = {each.id: each.open_cents for each in own}
        over = [part for part in one.parts if part.cents > open_of[part.invoice_id]]
        assert len(over) <= 1
        if one.certain:
            assert not over
            assert sum(part.cents for part in one.parts) == cents
            assert {own_.number for own_ in own if own_.id in {part.invoice_id for part in one.parts}} <= {f"2026-{n:06d}" for n in named}


@given(_OPEN, st.data())
@settings(max_examples=100, deadline=None)
def test_a_sum_of_open_invoices_is_always_found(amounts: list[int], data: st.DataObject) -> None:
    own = [an_open(at, amount) for at, amount in enumerate(amounts, 1)]
    chosen = data.draw(st.sets(st.sampled_from(own), min_size=1))
    wanted = sum(one.open_cents for one in chosen)
    found = next(subsets(own, wanted))
    assert sum(one.open_cents for one in found) == wanted
