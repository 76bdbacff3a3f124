"""The VAT return: every case in its box, figures that were worked out by hand, rounding in whole euros."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import ledger
from billing.books import vat_return
from billing.books.vat_return import Taxed
from billing.ledger import Account, Entry, Event, Posting
from billing.vat import BuyerFacts, VatBasis, VatCategory, VatDecision
from marketplace.kit import clock as kit_clock
from marketplace.kit import ids
from tests.builders.billing import a_debtor, a_decision, an_invoice

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock

asynchronous = pytest.mark.asyncio(loop_scope="session")
NONE, STANDARD, REDUCED = Decimal(0), Decimal(21), Decimal(9)
QUARTER = (date(2026, 10, 1), date(2026, 12, 31))


def taxed(account: Account, cents: int, category: str, rate: Decimal = NONE, **who: object) -> Taxed:
    return Taxed(account=account, cents=cents, vat_category=category, vat_rate=rate, **who)  # type: ignore[arg-type]


# Worked out by hand: turnover at 21 % 1,000.55 less a credit of 100.05; at 9 % 50.10; exempt 3,000; Germany 650.75 and 99.25 under one
# id, Belgium 200 credited in full; 0 % 80; input VAT 31.51.
CASES = [
    taxed(Account.REVENUE, -100_055, "S", STANDARD), taxed(Account.VAT, -21_012, "S", STANDARD),
    taxed(Account.REVENUE, 10_005, "S", STANDARD), taxed(Account.VAT, 2_101, "S", STANDARD),
    taxed(Account.REVENUE, -5_010, "S", REDUCED), taxed(Account.VAT, -451, "S", REDUCED),
    taxed(Account.REVENUE, -300_000, "E"), taxed(Account.REVENUE, -8_000, "Z"),
    taxed(Account.REVENUE, -65_075, "AE", country="DE", vat_id="DE 111 111 111", name="Rhein GmbH"),
    taxed(Account.REVENUE, -9_925, "AE", country="DE", vat_id="DE111111111", name="Rhein AG"),
    taxed(Account.REVENUE, -20_000, "AE", country="BE", vat_id="BE0222", name="Maas"), taxed(Account.REVENUE, 20_000, "AE", country="BE", vat_id="BE0222", name="Maas"),
    taxed(Account.INPUT_VAT, 3_151, "S", STANDARD),
]  # fmt: skip


def test_a_return_of_all_cases_is_as_by_hand() -> None:
    found = vat_return.fill(CASES, from_on=QUARTER[0], until_on=QUARTER[1])
    boxes = {one.box: (one.net, one.vat, one.net_euros, one.vat_euros) for one in found.boxes}
    assert boxes == {
        "1a": (90_050, 18_911, 900, 189),
        "1b": (5_010, 451, 50, 4),
        "1c": (0, 0, 0, 0),
        "1e": (8_000, 0, 80, 0),
        "3b": (75_000, 0, 750, 0),
        "5a": (0, 19_362, 0, 193),
        "5b": (0, 3_151, 0, 32),
        "5c": (0, 16_211, 0, 161),
    }
    assert found.exempt == 300_000
    assert [(one.vat_id, one.net, one.net_euros) for one in found.services] == [("DE111111111", 75_000, 750)]
    assert (found.due, found.due_euros, found.rounding, found.problems) == (16_211, 161, 111, [])


@pytest.mark.parametrize(
    ("category", "rate", "country", "box"),
    [
        ("S", STANDARD, "NL", "1a"),
        ("S", REDUCED, "NL", "1b"),
        ("S", Decimal("13.5"), "NL", "1c"),
        ("Z", NONE, "NL", "1e"),
        ("AE", NONE, "DE", "3b"),
        ("AE", NONE, "EL", "3b"),
        ("AE", NONE, "NL", "1e"),
        ("AE", NONE, "XI", "1e"),
        ("AE", NONE, None, "1e"),
        ("E", NONE, "NL", "exempt"),
    ],
)
def test_each_treatment_has_its_box(category: str, rate: Decimal, country: str | None, box: str) -> None:
    assert vat_return.box_of(category, rate, country) == box


def test_what_cannot_be_sent_in_is_said() -> None:
    rows = [taxed(Account.REVENUE, -1_000, "AE", country="DE"), taxed(Account.VAT, -210, "E")]
    assert len(vat_return.fill(rows, from_on=QUARTER[0], until_on=QUARTER[1]).problems) == 2


@given(some.lists(some.tuples(some.sampled_from(["1a", "1b", "in"]), some.integers(-(10**9), 10**9))))
def test_whole_euros_favour_the_taxpayer_and_leave_little(amounts: list[tuple[str, int]]) -> None:
    kinds = {"1a": (Account.VAT, STANDARD, -1), "1b": (Account.VAT, REDUCED, -1), "in": (Account.INPUT_VAT, STANDARD, 1)}
    rows = [taxed(kinds[kind][0], kinds[kind][2] * cents, "S", kinds[kind][1]) for kind, cents in amounts]
    found = vat_return.fill(rows, from_on=QUARTER[0], until_on=QUARTER[1])
    assert found.box("5a").vat == found.box("1a").vat + found.box("1b").vat
    assert found.due == found.box("5a").vat - found.box("5b").vat
    assert found.due_euros == sum(found.box(box).vat_euros for box in ("1a", "1b")) - found.box("5b").vat_euros
    assert 0 <= found.rounding < 300


async def _credit(net: int, vat: int, debtor: object, on: date) -> None:
    """Book a credit note's postings as issuing a credit note does."""
    lines = [
        Posting(account=Account.REVENUE, cents=net, debtor_id=debtor, vat_category="S", vat_rate=STANDARD),  # type: ignore[arg-type]
        Posting(account=Account.VAT, cents=vat, debtor_id=debtor, vat_category="S", vat_rate=STANDARD),  # type: ignore[arg-type]
        Posting(account=Account.RECEIVABLE, cents=-net - vat, debtor_id=debtor),  # type: ignore[arg-type]
    ]
    await ledger.book(Entry(event=Event.CREDIT_ISSUED, source_id=ids.new_id(), on=on, reference="C2026-000001"), lines, now=kit_clock.now())


@asynchronous
async def test_the_books_fill_the_return(db: None, clock: FakeClock) -> None:
    german = await a_debtor(country="DE", vat_id="DE 136.695.976", city="Köln", postcode="50667", kvk=None)
    debtor = await a_debtor()
    await an_invoice(debtor, amounts=(10_000, 5_000), basis=VatBasis.COACHING)
    await an_invoice(debtor, amounts=(64_500,))
    reverse = a_decision(VatBasis.COACHING, buyer=BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True))
    assert reverse.category is VatCategory.REVERSE_CHARGE
    await an_invoice(german, amounts=(20_000,), vat=reverse)
    await an_invoice(debtor, amounts=(3_000,), vat=VatDecision(category=VatCategory.ZERO, rate=NONE, text="Certificate"))
    await _credit(5_000, 1_050, debtor, kit_clock.today(clock.now()))
    payee = ids.new_id()
    bought = [
        Posting(account=Account.PARTNER_ACCRUED, cents=40_000, payee_id=payee),
        Posting(account=Account.INPUT_VAT, cents=8_400, payee_id=payee, vat_category="S", vat_rate=STANDARD),
        Posting(account=Account.PARTNER_PAYABLE, cents=-48_400, payee_id=payee),
    ]
    entry = Entry(event=Event.STATEMENT_ISSUED, source_id=ids.new_id(), on=kit_clock.today(clock.now()))
    await ledger.book(entry, bought, now=clock.now())
    found = await vat_return.read(*QUARTER)
    boxes = {one.box: (one.net, one.vat) for one in found.boxes if one.net or one.vat}
    assert boxes == {
        "1a": (10_000, 2_100), "1e": (3_000, 0), "3b": (20_000, 0), "5a": (0, 2_100), "5b": (0, 8_400), "5c": (0, -6_300),
    }  # fmt: skip
    assert found.exempt == 64_500
    assert [(one.vat_id, one.net) for one in found.services] == [("DE136695976", 20_000)]


@asynchronous
async def test_a_period_ends_with_its_last_day(db: None, clock: FakeClock) -> None:
    clock.set(kit_clock.instant(date(2026, 12, 31), kit_clock.local(clock.now()).time()))
    await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    clock.move(timedelta(days=1))
    await an_invoice(amounts=(30_000,), basis=VatBasis.COACHING)
    assert (await vat_return.read(*QUARTER)).box("1a").net == 10_000
    assert (await vat_return.read(date(2027, 1, 1), date(2027, 3, 31))).box("1a").net == 30_000
