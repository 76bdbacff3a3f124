"""Whether a price is shown as exempt from VAT. The decision is billing's; the catalogue only asks what it would be.

The package that knows both registers the answer at start (``set_vat_marks``); until then only what the law exempts whoever
sells it is marked.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

import msgspec

from catalog.words import VatBasis
from marketplace.kit import db

if TYPE_CHECKING:
    from datetime import datetime

ALWAYS_EXEMPT = frozenset({VatBasis.GENERAL_LANGUAGE})
_KEPT_SECONDS = 60


class VatMarks(Protocol):
    """Tells which kinds of lines the seller would invoice without VAT to a Dutch buyer."""

    async def __call__(self, now: datetime) -> frozenset[VatBasis]:
        """Return them."""
        ...


async def _by_law(now: datetime) -> frozenset[VatBasis]:  # noqa: ARG001 - the port's shape
    return ALWAYS_EXEMPT


_registered: list[VatMarks] = [_by_law]


def set_vat_marks(marks: VatMarks) -> None:
    """Register who knows; the last one counts."""
    _registered[0] = marks


class _Kept(msgspec.Struct, frozen=True):
    until: float
    marks: frozenset[VatBasis]


_kept: dict[int, _Kept] = {}


async def exempt(now: datetime) -> frozenset[VatBasis]:
    """Return the kinds of lines whose price is shown as exempt; up to a minute old, fresh within a transaction."""
    if db.in_transaction():
        return await _registered[0](now)
    key, moment = id(db.DB.pool), monotonic()
    found = _kept.get(key)
    if found is None or found.until < moment:
        _kept.clear()
        found = _kept[key] = _Kept(moment + _KEPT_SECONDS, await _registered[0](now))
    return found.marks
