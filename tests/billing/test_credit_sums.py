"""The VAT of credit notes: however an invoice is taken back, in whatever parts, it comes to the invoice's VAT to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from billing import credit_sums
from billing.credit_sums import Creditable, Taken
from billing.vat import VatLine, totals
from marketplace.kit import ids
from marketplace.kit.money import half_up

if TYPE_CHECKING:
    from uuid import UUID


def _creditable(net: int, rate: tuple[str, int]) -> Creditable:
    return Creditable(
        id=ids.new_id(), position=1, description="Course", person_label=None, quantity=Decimal(1), unit_price_cents=net, net_cents=net,
        credited_cents=0, vat_category=rate[0], vat_rate=Decimal(rate[1]),
    )  # fmt: skip


@given(
    nets=st.lists(st.tuples(st.integers(1, 300_000), st.sampled_from([("S", 21), ("S", 9), ("E", 0), ("AE", 0)])), min_size=1, max_size=6),
    cuts=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100_000)), max_size=12),
)
def test_many_small_credits_come_to_what_one_would(nets: list[tuple[int, tuple[str, int]]], cuts: list[tuple[int, int]]) -> None:
    lines = [_creditable(net, rate) for net, rate in nets]
    issued = totals(VatLine(net_cents=line.net_cents, vat_category=line.vat_category, vat_rate=line.vat_rate) for line in lines)
    before: dict[credit_sums.Rate, Taken] = {}

    def take(wanted: list[tuple[UUID, int | None]]) -> None:
        found = credit_sums.parts(lines, wanted)
        for share in credit_sums.shares(issued, before, found):
            key = (share.category.value, share.rate.normalize())
            earlier = before.get(key, Taken())
            assert share.vat_cents >= 0
            assert abs(share.vat_cents - half_up(share.rate * share.net_cents / 100)) <= 1
            before[key] = Taken(earlier.net_cents + share.net_cents, earlier.vat_cents + share.vat_cents)
            assert before[key].vat_cents == half_up(share.rate * before[key].net_cents / 100)
        for part in found:
            at = next(index for index, line in enumerate(lines) if line.id == part.line.id)
            lines[at] = replace(lines[at], credited_cents=lines[at].credited_cents + part.net_cents)

    for index, cents in cuts:
        line = lines[index % len(lines)]
        if line.left_cents:
            take([(line.id, min(cents, line.left_cents))])
    if any(line.left_cents for line in lines):
        take([(line.id, None) for line in lines])
    assert {key: (taken.net_cents, taken.vat_cents) for key, taken in before.items()} == {
        (share.category.value, share.rate.normalize()): (share.net_cents, share.vat_cents) for share in issued
    }
