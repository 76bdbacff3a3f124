"""Which debtors have an exemption certificate on file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


async def held(debtor_ids: Sequence[UUID], *, on: date) -> frozenset[UUID]:
    """Return those of these debtors whose certificate counts on a day."""
    sql = """
        SELECT DISTINCT debtor_id FROM vat_certificate
        WHERE debtor_id = ANY($1) AND from_on <= $2 AND least(until_on, coalesce(ended_on, until_on)) >= $2
    """
    return frozenset(UUID(str(row["debtor_id"])) for row in await db.records(sql, list(debtor_ids), on))
