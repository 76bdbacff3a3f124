"""The parties of papers that are not invoices: the operator as sender, from the settings, and a debtor as addressee, as it is today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.documents.parts import Address, Party, Seller
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from billing.debtors import Debtor


def sender() -> Seller:
    """Return the operator with the account to be paid on."""
    own = settings().operator
    return Seller(
        name=own.name,
        address=Address(street=own.street, postcode=own.postcode, city=own.city, country=own.country),
        vat_id=own.vat_id,
        legal_id=own.kvk,
        legal_scheme="0106" if own.kvk else "",
        email=own.email,
        phone=own.phone,
        iban=own.iban,
        bic=own.bic,
        account_name=own.name,
    )


def addressee(debtor: Debtor) -> Party:
    """Return a debtor as the addressee of a letter."""
    return Party(
        name=debtor.legal_name or debtor.name,
        address=Address(street=debtor.street, postcode=debtor.postcode, city=debtor.city, country=debtor.country),
        vat_id=debtor.vat_id or "",
        legal_id=debtor.oin or debtor.kvk or "",
        legal_scheme="0190" if debtor.oin else "0106" if debtor.kvk else "",
        attention=debtor.attention or "",
        email=debtor.email,
    )
