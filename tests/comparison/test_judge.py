"""What differs, kind by kind, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.comparison.judge import Found, Kind, Ours, of_invoice, of_refunds
from billing.states import InvoiceState as S
from billing.stripe_port import RefundState, StripeInvoice, StripeRefund, StripeState
from marketplace.kit import ids
from marketplace.kit.money import Money

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TOTAL = 10_000


def ours(**values: Any) -> Ours:
    """Describe an open invoice of €100 by our books."""
    given = {
        "id": ids.new_id(), "number": "2026-000001", "debtor_id": ids.new_id(), "state": S.OPEN, "total_cents": TOTAL, "credited_cents": 0,
        "written_off_cents": 0, "paid_cents": 0, "refunded_cents": 0, "by_stripe_cents": 0, "back_cents": 0, **values,
    }  # fmt: skip
    return Ours(**given)


def theirs(state: StripeState = StripeState.OPEN, **values: Any) -> StripeInvoice:
    """Describe its copy at Stripe."""
    amounts = {name: Money(values.pop(name, 0)) for name in ("paid", "credited", "paid_elsewhere")}
    left = values.pop("left", TOTAL - amounts["paid"].cents - amounts["credited"].cents)
    given = {
        "stripe_id": "in_1", "state": state, "number": "2026-000001", "our_id": None, "lines": 1, "more_lines": False, "net_cents": TOTAL,
        "vat_cents": 0, "total": Money(TOTAL), "hosted_url": None, "at": NOW, "left": Money(left), **amounts, **values,
    }  # fmt: skip
    return StripeInvoice(**given)


PAID = {"state": S.PAID, "paid_cents": TOTAL, "by_stripe_cents": TOTAL}
AGREE = [
    (ours(), theirs()),
    (ours(), theirs(StripeState.PROCESSING)),
    (ours(**PAID), theirs(StripeState.PAID, paid=TOTAL)),
    (ours(state=S.CREDITED, credited_cents=TOTAL), theirs(StripeState.PAID, credited=TOTAL)),
    (ours(state=S.VOID, credited_cents=TOTAL), theirs(StripeState.VOID)),
    (ours(state=S.UNCOLLECTIBLE, written_off_cents=TOTAL), theirs(StripeState.UNCOLLECTIBLE)),
    (ours(state=S.PAID, paid_cents=TOTAL), theirs(StripeState.PAID, paid=TOTAL, paid_elsewhere=TOTAL)),
    (ours(**PAID | {"state": S.OPEN, "refunded_cents": TOTAL, "back_cents": TOTAL}), theirs(StripeState.PAID, paid=TOTAL)),
    (
        ours(state=S.PAID, credited_cents=4_000, paid_cents=6_000, by_stripe_cents=6_000),
        theirs(StripeState.PAID, credited=4_000, paid=6_000),
    ),
]
DIFFER = [
    (ours(), None, Kind.GONE, TOTAL, 0),
    (ours(), theirs(total=Money(9_999)), Kind.TOTAL, TOTAL, 9_999),
    (ours(), theirs(number="2026-000002"), Kind.TOTAL, TOTAL, TOTAL),
    (ours(), theirs(total=Money(TOTAL, "USD")), Kind.TOTAL, TOTAL, TOTAL),
    (ours(), theirs(StripeState.VOID), Kind.VOIDED_THERE, TOTAL, 0),
    (ours(state=S.VOID, credited_cents=TOTAL), theirs(), Kind.NOT_VOIDED, 0, TOTAL),
    (ours(), theirs(StripeState.UNCOLLECTIBLE), Kind.GIVEN_UP_THERE, TOTAL, 0),
    (ours(state=S.UNCOLLECTIBLE, written_off_cents=TOTAL), theirs(), Kind.NOT_GIVEN_UP, 0, TOTAL),
    (ours(), theirs(credited=2_000), Kind.CREDITED_THERE, 0, 2_000),
    (ours(credited_cents=2_000), theirs(), Kind.CREDIT_MISSING, 2_000, 0),
    (ours(), theirs(paid=5_000), Kind.PAYMENT_MISSING, 0, 5_000),
    (ours(paid_cents=5_000, by_stripe_cents=5_000), theirs(), Kind.PAYMENT_GONE, 5_000, 0),
    (ours(), theirs(StripeState.PAID, paid=TOTAL, paid_elsewhere=TOTAL), Kind.PAID_OUTSIDE, 0, TOTAL),
    (ours(state=S.PAID, paid_cents=TOTAL), theirs(), Kind.NOT_SETTLED, 0, TOTAL),
]


@pytest.mark.parametrize(("here", "there"), AGREE)
def test_what_agrees_is_no_difference(here: Ours, there: StripeInvoice) -> None:
    assert of_invoice(here, there) == []


@pytest.mark.parametrize(("here", "there", "kind", "ours_cents", "theirs_cents"), DIFFER)
def test_each_difference_has_its_kind(here: Ours, there: StripeInvoice | None, kind: Kind, ours_cents: int, theirs_cents: int) -> None:
    assert [(one.kind, one.ours_cents, one.theirs_cents) for one in of_invoice(here, there)] == [(kind, ours_cents, theirs_cents)]


def refund(name: str, cents: int, state: RefundState = RefundState.ARRIVED) -> StripeRefund:
    """Describe a refund at Stripe."""
    return StripeRefund(stripe_id=name, our_id=None, intent_id="pi_1", amount=Money(cents), state=state, failure="", at=NOW)


def test_refunds_are_ours_or_strange_or_missing() -> None:
    assert of_refunds(ours(back_cents=500), {"re_1"}, [refund("re_1", 500)], disputed_cents=0) == []
    assert of_refunds(ours(back_cents=700), {"re_1"}, [refund("re_1", 500)], disputed_cents=200) == []
    assert of_refunds(ours(), set(), [refund("re_2", 300), refund("re_3", 9, RefundState.FAILED)], disputed_cents=0) == [
        Found(Kind.REFUNDED_THERE, 0, 300, "re_2")
    ]
    assert of_refunds(ours(back_cents=500), {"re_1"}, [refund("re_1", 500, RefundState.FAILED)], disputed_cents=0) == [
        Found(Kind.REFUND_MISSING, 500, 0)
    ]
