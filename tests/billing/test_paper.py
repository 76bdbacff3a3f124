"""What the rows become on paper: alike lines together, sums kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from billing import paper
from billing.documents.model import DocumentLine, VatCategory

_LINE = DocumentLine(
    title="Dutch for newcomers",
    detail="10 lessons, Leiden",
    quantity=Decimal(1),
    unit_price_cents=64_500,
    net_cents=64_500,
    vat_category=VatCategory("E"),
    vat_rate=Decimal(0),
    supply_from_on=date(2027, 1, 18),
    supply_to_on=date(2027, 4, 5),
    people=("RB-1",),
)


def test_people_in_one_course_are_one_line() -> None:
    other = msgspec.structs.replace(_LINE, title="Working with the Dutch", people=("RB-2",))
    dearer = msgspec.structs.replace(_LINE, unit_price_cents=70_000, net_cents=70_000)
    second = msgspec.structs.replace(_LINE, people=("RB-2",))
    found = paper.grouped([_LINE, other, second, dearer])
    assert [(line.title, line.quantity, line.net_cents, line.people) for line in found] == [
        ("Dutch for newcomers", Decimal(2), 129_000, ("RB-1", "RB-2")),
        ("Working with the Dutch", Decimal(1), 64_500, ("RB-2",)),
        ("Dutch for newcomers", Decimal(1), 70_000, ("RB-1",)),
    ]


def test_somebody_without_a_number_still_counts() -> None:
    nameless = msgspec.structs.replace(_LINE, people=())
    (line,) = paper.grouped([_LINE, nameless])
    assert (line.quantity, line.net_cents, line.people) == (Decimal(2), 129_000, ("RB-1",))
