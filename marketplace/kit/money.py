"""Money: whole cents with a currency, never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

EUR = "EUR"


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in whole cents. Adding two currencies is a ``ValueError``."""

    cents: int
    currency: str = EUR

    def __add__(self, other: Money) -> Money:
        """Return the sum."""
        return Money(self.cents + self._same(other).cents, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference."""
        return Money(self.cents - self._same(other).cents, self.currency)

    def __neg__(self) -> Money:
        """Return the opposite amount."""
        return Money(-self.cents, self.currency)

    def __mul__(self, count: int) -> Money:
        """Return this amount ``count`` times."""
        return Money(self.cents * count, self.currency)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        """Tell whether there is any amount at all."""
        return self.cents != 0

    @property
    def is_zero(self) -> bool:
        """Tell whether the amount is nothing."""
        return self.cents == 0

    def _same(self, other: Money) -> Money:
        if self.currency != other.currency:
            message = f"cannot mix {self.currency} and {other.currency}"
            raise ValueError(message)
        return other


ZERO = Money(0)


def half_up(value: Decimal) -> int:
    """Round to a whole number, halves away from zero, as the Dutch tax office rounds VAT."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount: Money, percent: Decimal | int) -> Money:
    """Return ``percent`` per cent of an amount, rounded half up to a cent."""
    return Money(half_up(Decimal(amount.cents) * Decimal(percent) / 100), amount.currency)


def sum_money(amounts: Iterable[Money]) -> Money:
    """Return the sum of amounts; nothing adds up to zero euro."""
    total: Money | None = None
    for amount in amounts:
        total = amount if total is None else total + amount
    return ZERO if total is None else total


def euros(cents: int) -> Decimal:
    """Return cents as a decimal number of euros with two places, for documents and files."""
    return (Decimal(cents) / 100).quantize(Decimal("0.01"))
