"""Tells the catalogue which prices to show as exempt from VAT: the decision that an order makes, for a Dutch buyer, today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import seller, vat
from billing.vat import BuyerFacts, VatCategory, VatFacts
from catalog import vat_marks
from catalog.words import VatBasis
from marketplace.kit import clock

if TYPE_CHECKING:
    from datetime import datetime

    from billing.vat import SellerFacts


async def exempt(now: datetime) -> frozenset[VatBasis]:
    """Return the kinds of lines that ECL would invoice as exempt."""
    sells = await seller.facts()
    return frozenset(basis for basis in VatBasis if _is_exempt(basis, sells, now))


def _is_exempt(basis: VatBasis, sells: SellerFacts, now: datetime) -> bool:
    facts = VatFacts(basis=vat.VatBasis(basis.value), supply_on=clock.today(now))
    return vat.decide(facts, sells, BuyerFacts()).category is VatCategory.EXEMPT


vat_marks.set_vat_marks(exempt)
