"""When a VAT id decides anything."""

from __future__ import annotations

from billing.vat import EU
from marketplace.kit.settings import settings


def matters(country: str, vat_id: str | None) -> bool:
    """Tell whether a buyer's VAT id decides its VAT: only to a business in another EU country is the VAT charged on."""
    return bool(vat_id) and country in EU and country != settings().operator.country
