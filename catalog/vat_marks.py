"""Whether a price is shown as exempt from VAT. The decision is billing's; the catalogue only asks what it would be.

The package that knows both registers the answer at start (``set_vat_marks``); until then only what the law exempts whoever
sells it is marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from catalog.words import VatBasis

if TYPE_CHECKING:
    from datetime import datetime

ALWAYS_EXEMPT = frozenset({VatBasis.GENERAL_LANGUAGE, VatBasis.MATERIAL})


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


async def exempt(now: datetime) -> frozenset[VatBasis]:
    """Return the kinds of lines whose price is shown as exempt."""
    return await _registered[0](now)
