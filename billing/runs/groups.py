"""Which charges share an invoice. Pure: charges and their debtors' wishes in, groups out; every charge is in exactly one.

A debtor by the month gets one invoice per value of its split; a debtor by the order one per order (and split). No
invoice has more than 250 lines, which is Stripe's limit: the rest goes to another invoice of the same run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

from billing.stripe_port import MAX_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SplitBy = Literal["none", "cost_centre", "purchase_order", "department"]


class Groupable(Protocol):
    """What grouping needs of a charge."""

    # ruff: noqa: D102 - the names say it
    @property
    def debtor_id(self) -> UUID: ...
    @property
    def group_key(self) -> str: ...
    @property
    def order_number(self) -> str | None: ...
    @property
    def cost_centre(self) -> str | None: ...
    @property
    def purchase_order(self) -> str | None: ...
    @property
    def department(self) -> str | None: ...


T = TypeVar("T", bound=Groupable)


class Wish(msgspec.Struct, frozen=True):
    """How a debtor wants its charges put together."""

    rhythm: Literal["order", "month"] = "order"
    split_by: SplitBy = "none"


class Group(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One invoice to be: ``split_by`` names what ``split_value`` is, ``part`` counts where one invoice was not enough."""

    debtor_id: UUID
    split_by: str
    split_value: str
    part: int
    parts: int
    charges: tuple[T, ...]


def plan(charges: Sequence[T], wishes: Mapping[UUID, Wish], *, most: int = MAX_LINES) -> list[Group[T]]:
    """Return the groups: debtors in the order of ``wishes``, their splits in order of value, charges in the order given.

    Raises ``KeyError`` for a charge whose debtor has no wish.
    """
    bundles: dict[UUID, dict[tuple[str, str], list[T]]] = {debtor_id: {} for debtor_id in wishes}
    for charge in charges:
        bundles[charge.debtor_id].setdefault(_key(charge, wishes[charge.debtor_id]), []).append(charge)
    return [
        group
        for debtor_id, of_debtor in bundles.items()
        for (_order, value), found in sorted(of_debtor.items())
        for group in _parts(debtor_id, wishes[debtor_id], value, found, most)
    ]


def split_value(charge: Groupable, split_by: SplitBy) -> str:
    """Return what a charge is told apart by, "" where it has none of it."""
    return "" if split_by == "none" else (getattr(charge, split_by) or "").strip()


def _key(charge: Groupable, wish: Wish) -> tuple[str, str]:
    value = split_value(charge, wish.split_by)
    if wish.rhythm == "month":
        return "", value
    return charge.group_key, " · ".join(part for part in (charge.order_number or "", value) if part)


def _parts(debtor_id: UUID, wish: Wish, value: str, found: list[T], most: int) -> Iterator[Group[T]]:
    cuts = [tuple(found[at : at + most]) for at in range(0, len(found), most)]
    split_by = "order" if wish.rhythm == "order" else wish.split_by
    for number, cut in enumerate(cuts, 1):
        yield Group(debtor_id=debtor_id, split_by=split_by, split_value=value, part=number, parts=len(cuts), charges=cut)
