"""The arithmetic of credit notes: how much of a line can still be taken back, and which VAT goes with it. Pure.

VAT is rounded over everything that was credited so far: many small credit notes together take back exactly what one would,
and all of them exactly the invoice's VAT.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.vat import VatCategory, VatTotal
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _, fmt_money
from marketplace.kit.money import Money, half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Rate = tuple[str, Decimal]


class Creditable(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an issued invoice with what credit notes took back of it already; cents without VAT."""

    id: UUID
    position: int
    description: str
    person_label: str | None
    quantity: Decimal
    unit_price_cents: int
    net_cents: int
    credited_cents: int
    vat_category: str
    vat_rate: Decimal

    @property
    def left_cents(self) -> int:
        """What can still be taken back."""
        return self.net_cents - self.credited_cents

    @property
    def left(self) -> Money:
        """The same as an amount."""
        return Money(self.left_cents)

    @property
    def field(self) -> str:
        """The name of this line's field in a form, and in a refusal."""
        return f"line_{self.id.hex}"

    @property
    def rate(self) -> Rate:
        """Under which VAT it was sold."""
        return (self.vat_category, self.vat_rate.normalize())


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a credit note takes back of one line. A whole line keeps its quantity and price; a part is one at that amount."""

    line: Creditable
    quantity: Decimal
    unit_price_cents: int
    net_cents: int


class Taken(msgspec.Struct, frozen=True):
    """What was credited of one (category, rate) before; cents."""

    net_cents: int = 0
    vat_cents: int = 0


def parts(lines: Sequence[Creditable], wanted: Sequence[tuple[UUID, int | None]]) -> list[Part]:
    """Return what to take back of each line, in the invoice's order; None takes all that is left of it.

    Raises ``Invalid`` for an amount that is nothing or more than is left (``fields`` by line id) and for a line that isn't
    on the invoice; ``Conflict`` ``nothing_to_credit`` when nothing is left to take back.
    """
    known = {line.id: line for line in lines}
    asked: dict[UUID, int | None] = {}
    wrong: dict[str, str] = {}
    for line_id, cents in wanted:
        line = known.get(line_id)
        if line is None or line_id in asked:
            raise Invalid("unknown_line", _("This line is not on the invoice, or stands here twice."))
        asked[line_id] = cents
        if cents is not None and not 0 < cents <= line.left_cents:
            wrong[line.field] = _too_much(line) if cents > 0 else _("A credit is more than nothing.")
    if wrong:
        raise Invalid("credit_too_large", next(iter(wrong.values())), fields=wrong)
    found = [_part(line, asked[line.id]) for line in lines if line.id in asked and (asked[line.id] or line.left_cents)]
    if not found:
        raise Conflict("nothing_to_credit", _("Everything on this invoice has been credited already."))
    return found


def _too_much(line: Creditable) -> str:
    if line.left_cents == 0:
        return _("This line has been credited already.")
    return _("At most {amount} of this line can still be credited.", amount=fmt_money(line.left))


def _part(line: Creditable, cents: int | None) -> Part:
    taken = line.left_cents if cents is None else cents
    if taken == line.net_cents:
        return Part(line=line, quantity=line.quantity, unit_price_cents=line.unit_price_cents, net_cents=taken)
    return Part(line=line, quantity=Decimal(1), unit_price_cents=taken, net_cents=taken)


def shares(issued: Iterable[VatTotal], before: Mapping[Rate, Taken], taken: Sequence[Part]) -> list[VatTotal]:
    """Return the VAT of a credit note per (category, rate), in the invoice's order: rate × all credited so far, less what was.

    ``issued`` are the invoice's own sums, ``before`` those of its earlier credit notes. Never below zero; with the last
    cent of a rate goes the last cent of its VAT.
    """
    nets: dict[Rate, int] = defaultdict(int)
    for part in taken:
        nets[part.line.rate] += part.net_cents
    found = []
    for share in issued:
        key = (share.category.value, share.rate.normalize())
        if key not in nets:
            continue
        earlier = before.get(key, Taken())
        all_net = earlier.net_cents + nets[key]
        all_vat = share.vat_cents if all_net == share.net_cents else half_up(share.rate * all_net / 100)
        found.append(msgspec.structs.replace(share, net_cents=nets[key], vat_cents=all_vat - earlier.vat_cents))
    return found


def total_of(category: str, rate: Decimal, net_cents: int, vat_cents: int, exemption_code: str | None) -> VatTotal:
    """Return a stored VAT row as the sums that ``shares`` reads."""
    return VatTotal(category=VatCategory(category), rate=rate, net_cents=net_cents, vat_cents=vat_cents, exemption_code=exemption_code)
