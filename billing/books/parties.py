"""Who the payees of the books are, as settlement knows them today. The ledger keeps only their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.books.rows import Party
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

_PAYEES = """
    SELECT wanted.id, 'S' AS kind, coalesce(y.legal_name, '?') AS name, y.kvk, y.vat_id, y.country, y.street, y.postcode, y.city, y.email, a.iban
      FROM unnest($1::uuid[]) AS wanted (id) LEFT JOIN payee y ON y.id = wanted.id
      LEFT JOIN payee_account a ON a.payee_id = y.id AND a.state = 'approved'
     ORDER BY name, wanted.id
"""


async def payees(payee_ids: Sequence[UUID]) -> list[Party]:
    """Return payees by id, by name, with the account that was approved for them; of one whom nobody knows there is only the id."""
    return await db.rows(Party, _PAYEES, list(payee_ids))
