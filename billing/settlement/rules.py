"""What a partner earns, and when it is paid: commission, reversals, days. Pure: frozen facts in, cents and dates out.

Everything is on net amounts. ECL buys and sells in its own name, so what a partner supplies to ECL is worth the buyer's price
less the commission, and VAT is due over that (Wet OB 1968 art. 4 lid 4); there is no separate fee with VAT of its own.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from marketplace.kit.money import half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The commission of a contract: a percentage of the net price, or a fixed amount a seat (cents)."""

    percent: Decimal | None = None
    fixed_cents: int | None = None

    def commission(self, net_cents: int) -> int:
        """Return ECL's part of a seat's net price: never below zero, never above the price. Half up to a cent."""
        if net_cents <= 0:
            return 0
        if self.percent is not None:
            return half_up(Decimal(net_cents) * self.percent / 100)
        return min(self.fixed_cents or 0, net_cents)

    def commission_on_kept(self, kept_cents: int, net_cents: int) -> int:
        """Return ECL's part of what is kept of a cancelled seat: a fixed amount shrinks with the price. Half up."""
        if self.percent is not None or net_cents <= 0:
            return self.commission(kept_cents)
        return min(half_up(Decimal(self.commission(net_cents)) * kept_cents / net_cents), max(kept_cents, 0))


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as far as choosing one needs it. ``programme`` None serves every programme."""

    id: object
    programme: str | None
    from_on: date
    until_on: date | None

    def holds(self, programme: str, on: date) -> bool:
        """Tell whether it serves a programme on a day."""
        return self.programme in {None, programme} and self.from_on <= on and (self.until_on is None or on <= self.until_on)


def most_specific(contracts: Iterable[Offered], *, programme: str, on: date) -> Offered | None:
    """Return the contract for a programme on a day: its own before the general one, then the one that began last."""
    fitting = [one for one in contracts if one.holds(programme, on)]
    return max(fitting, key=lambda one: (one.programme is not None, one.from_on), default=None)


class Split(msgspec.Struct, frozen=True):
    """Amounts of a line in cents, signed: the buyer's net price, ECL's commission, and the rest, which the partner earns."""

    net_cents: int
    commission_cents: int

    @property
    def earned_cents(self) -> int:
        """The partner's part."""
        return self.net_cents - self.commission_cents

    def less(self, other: Split) -> Split:
        """Return the difference."""
        return Split(self.net_cents - other.net_cents, self.commission_cents - other.commission_cents)


def seat(net_cents: int, terms: Terms) -> Split:
    """Return what a seat earns."""
    return Split(net_cents, terms.commission(net_cents))


def cancelled(seat: Split, standing: Split, *, kept_cents: int, terms: Terms, shares_fees: bool) -> Split:
    """Return the reversal of a cancelled seat: from what stands of it now to what is left by the fee that the buyer still pays.

    Without ``shares_fees`` the partner keeps nothing of the fee. More kept than the price is the price.
    """
    kept = min(max(kept_cents, 0), max(seat.net_cents, 0)) if shares_fees else 0
    return Split(kept, terms.commission_on_kept(kept, seat.net_cents)).less(standing)


def payable_on(supply_to_on: date, hold_days: int) -> date:
    """Return the first day on which a line may be paid: the day after the last lesson, and the hold days."""
    return supply_to_on + timedelta(days=1 + hold_days)


def month_of(on: date) -> tuple[date, date]:
    """Return the first and last day of a day's month."""
    return on.replace(day=1), on.replace(day=monthrange(on.year, on.month)[1])


def month_before(on: date) -> date:
    """Return the first day of the month before a day's."""
    return (on.replace(day=1) - timedelta(days=1)).replace(day=1)


def sum_splits(splits: Sequence[Split]) -> Split:
    """Return the sum of lines."""
    return Split(sum(one.net_cents for one in splits), sum(one.commission_cents for one in splits))
