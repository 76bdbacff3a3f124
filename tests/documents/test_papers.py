"""Reminder, statements, quote and certificate: the sums that they refuse, and the ones that they work out."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.documents.account import Ageing, EntryKind, OpenItem, ageing
from billing.documents.papers import PAPERS, AnyDocument
from billing.documents.parts import DocumentError, VatCategory, half_up
from marketplace.kit.i18n import use_locale
from tests.builders.documents import a_credit_note, a_document, a_line, taxed
from tests.builders.papers import (
    ON,
    a_certificate,
    a_late_invoice,
    a_quote,
    a_reminder,
    a_settlement,
    a_share,
    an_account,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing.documents.sheet import Paper

MAKERS: tuple[Callable[..., Paper], ...] = (a_reminder, an_account, a_settlement, a_quote, a_certificate)


def test_every_kind_in_the_registry_has_its_template_and_a_maker_here() -> None:
    assert {type(make()) for make in MAKERS} == set(PAPERS)
    assert len({kind.template for kind in PAPERS}) == len(PAPERS)


@pytest.mark.parametrize("make", MAKERS)
def test_a_paper_survives_the_way_to_its_process_among_all_others(make: Callable[..., Paper]) -> None:
    paper = make()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(paper), type=AnyDocument) == paper
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(a_document()), type=AnyDocument) == a_document()


@pytest.mark.parametrize(
    ("make", "changes", "sentence"),
    [
        (a_reminder, {"language": "fr"}, "not nl or en"),
        (a_reminder, {"level": 4}, "level 4 is not"),
        (a_reminder, {"total_cents": 64_501}, "total is not open amounts"),
        (a_reminder, {"pay_by_on": ON - timedelta(days=1)}, "before the reminder"),
        (an_account, {"closing_cents": 1}, "closing balance is not"),
        (an_account, {"open_items": ()}, "open items don't add up"),
        (an_account, {"to_on": date(2026, 7, 2)}, "outside the period"),
        (a_settlement, {"number": ""}, "number is missing"),
        (a_settlement, {"total_cents": 1}, "total is not net plus VAT"),
        (a_settlement, {"closing_cents": 1}, "closing balance is not"),
        (a_settlement, {"payout_on": None}, "a payout needs its day"),
        (a_quote, {"valid_until_on": ON - timedelta(days=1)}, "ended before it was made"),
        (a_quote, {"total_cents": 1}, "total is not net plus VAT"),
        (a_quote, {"lines": ()}, "there are no lines"),
        (a_certificate, {"verify_code": " "}, "code to check it is missing"),
        (a_certificate, {"person": ""}, "person is missing"),
        (a_certificate, {"dated_on": date(2026, 11, 1)}, "before the course ended"),
        (a_certificate, {"hours": Decimal(0)}, "no hours"),
        (a_certificate, {"attended_percent": 101}, "between 1 and 100"),
    ],
)
def test_a_paper_that_does_not_hold_is_refused(make: Callable[..., Paper], changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        make(**changes)


@pytest.mark.parametrize(
    ("late", "sentence"),
    [
        (a_late_invoice(due_on=ON), "is not late"),
        (a_late_invoice(open_cents=0), "not between zero and its total"),
        (a_late_invoice(open_cents=64_501), "not between zero and its total"),
    ],
)
def test_a_reminder_asks_only_for_what_is_late_and_open(late: Any, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        a_reminder(late)


def test_several_invoices_are_paid_with_one_reference() -> None:
    with pytest.raises(DocumentError, match="payment reference"):
        a_reminder(a_late_invoice("1"), a_late_invoice("2"), payment_reference="")
    assert a_reminder(a_late_invoice("1"), a_late_invoice("2")).pay.reference == "RB-2026-12"
    assert a_reminder(a_late_invoice("1")).pay.reference == "1"


def test_each_level_of_a_reminder_is_firmer() -> None:
    with use_locale("en"):
        letters = [a_reminder(level=level).letter for level in (1, 2, 3)]
    assert "you need do nothing" in letters[0][1]
    assert "although we reminded you" in letters[1][0]
    assert letters[2][0].startswith("This is our last reminder. Invoice 2026-000417 is 30 days late")


def test_blocking_is_said_as_it_is_today() -> None:
    with use_locale("en"):
        assert a_reminder(blocked_on=ON).consequences == ["New orders wait until this is paid. Courses that were ordered before go on."]
        assert a_reminder(blocked_on=ON + timedelta(days=9)).consequences == ["From 10 December 2026 new orders wait until this is paid."]
        assert a_reminder().consequences == []


def test_the_balance_runs_from_entry_to_entry() -> None:
    statement = an_account(4)
    assert [balance for _entry, balance in statement.rows] == [96_750, 32_250, 96_950, 161_750]
    assert statement.rows[-1][1] == statement.closing_cents


@pytest.mark.parametrize(
    ("late", "bucket"),
    [
        (-1, "not_due"),
        (0, "not_due"),
        (1, "to_30"),
        (30, "to_30"),
        (31, "to_60"),
        (60, "to_60"),
        (61, "to_90"),
        (90, "to_90"),
        (91, "over_90"),
    ],
)
def test_open_amounts_age_by_days_past_their_due_date(late: int, bucket: str) -> None:
    item = OpenItem(number="1", dated_on=ON, due_on=ON - timedelta(days=late), total_cents=500, open_cents=300)
    assert ageing([item], on=ON) == Ageing(**{bucket: 300})


def test_an_account_asks_for_money_only_when_there_is_a_balance_and_a_reference() -> None:
    asked = an_account().pay
    assert asked is not None
    assert (asked.cents, asked.reference) == (an_account().closing_cents, "RB-10017")
    assert an_account(payment_reference="").pay is None
    assert an_account(2, opening_cents=-5_000, open_items=None, unallocated_cents=0).pay is None


def test_what_a_partner_gives_back_is_below_zero_and_carried_over() -> None:
    taken_back = a_settlement(a_share(reversal=True), a_share(cents=20_000), accrued=())
    assert (taken_back.net_cents, taken_back.payout_cents, taken_back.closing_cents) == (-202_300, 0, -202_300)
    with pytest.raises(DocumentError, match="only a reversal lies below zero"):
        a_settlement(msgspec.structs.replace(a_share(), reversal=True))
    with pytest.raises(DocumentError, match="share is not the price less commission"):
        a_settlement(msgspec.structs.replace(a_share(), share_cents=1))


def test_neither_quote_nor_certificate_nor_partners_statement_asks_for_money() -> None:
    assert [paper.pay for paper in (a_quote(), a_certificate(), a_settlement())] == [None, None, None]


KINDS = st.sampled_from([VatCategory.EXEMPT, VatCategory.ZERO, VatCategory.STANDARD])
AMOUNTS = st.integers(min_value=1, max_value=400_000)


@settings(max_examples=150, deadline=None)
@given(nets=st.lists(AMOUNTS, min_size=1, max_size=12), rate=st.sampled_from([9, 21]))
def test_partial_credits_together_are_exactly_the_invoice(nets: list[int], rate: int) -> None:
    whole = a_document(*[taxed(net, rate) for net in nets])
    credited = credited_vat = 0
    for net in nets:
        credited += net
        part = half_up(Decimal(rate) * credited / 100) - credited_vat
        alone = a_document(taxed(net, rate)).vat[0]
        total = msgspec.structs.replace(alone, vat_cents=part)
        a_credit_note(taxed(net, rate), vat=(total,), vat_cents=part, total_cents=net + part)
        credited_vat += part
    assert credited_vat == whole.vat_cents


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(st.tuples(KINDS, AMOUNTS), min_size=1, max_size=8), off=st.integers(min_value=-3, max_value=3))
def test_a_total_that_is_off_by_a_cent_is_no_invoice(lines: list[tuple[VatCategory, int]], off: int) -> None:
    made = a_document(*[a_line(cents=cents, vat_category=kind, vat_rate=Decimal(21 if kind == "S" else 0)) for kind, cents in lines])
    assert made.total_cents == sum(cents for _kind, cents in lines) + half_up(Decimal(sum(c for k, c in lines if k == "S")) * 21 / 100)
    if off:
        vat = (msgspec.structs.replace(made.vat[0], vat_cents=made.vat[0].vat_cents + off), *made.vat[1:])
        with pytest.raises(DocumentError):
            msgspec.structs.replace(made, vat=vat, vat_cents=made.vat_cents + off, total_cents=made.total_cents + off)


def test_a_credit_may_differ_by_one_cent_where_there_is_vat_and_nowhere_else() -> None:
    for line, off, lawful in ((taxed(11_500), 1, True), (taxed(11_500), -1, True), (taxed(11_500), 2, False), (a_line(), 1, False)):
        like = a_document(line)
        vat = (msgspec.structs.replace(like.vat[0], vat_cents=like.vat_cents + off),)
        changed = {"vat": vat, "vat_cents": like.vat_cents + off, "total_cents": like.total_cents + off}
        if lawful:
            assert a_credit_note(line, **changed).vat_cents == like.vat_cents + off
            continue
        with pytest.raises(DocumentError, match="VAT table"):
            a_credit_note(line, **changed)


@settings(max_examples=60, deadline=None)
@given(cents=st.lists(st.integers(min_value=1, max_value=300_000), min_size=1, max_size=9), carried=st.integers(-200_000, 200_000))
def test_every_cent_of_a_settlement_is_paid_or_carried(cents: list[int], carried: int) -> None:
    made = a_settlement(*[a_share(cents=amount) for amount in cents], opening_cents=carried)
    assert made.payout_cents + made.closing_cents == carried + made.total_cents
    assert made.net_cents == sum(line.price_cents - line.commission_cents for line in made.lines)


def test_every_kind_of_movement_has_a_word() -> None:
    with use_locale("nl"):
        names = {kind: msgspec.structs.replace(an_account().entries[0], kind=kind).name for kind in EntryKind}
    assert len(set(names.values())) == len(EntryKind)


def test_what_a_company_has_with_us_hides_nothing_that_is_late() -> None:
    items = [
        OpenItem(number="2026-000001", dated_on=ON, due_on=ON - timedelta(days=10), total_cents=500, open_cents=500),
        OpenItem(number="2026-000002", dated_on=ON, due_on=ON - timedelta(days=10), total_cents=900, open_cents=-200),
    ]
    assert ageing(items, on=ON) == Ageing(to_30=500, not_due=-200)
