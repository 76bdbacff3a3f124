"""Where charges were billed, and what credit notes left of them: for those who know charges, not invoices. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Sequence


class Billed(msgspec.Struct, frozen=True):
    """The invoice line of a charge; ``left_cents`` is what was not credited of it, without VAT."""

    charge_id: UUID
    invoice_id: UUID
    line_id: UUID
    left_cents: int


async def of_charges(charge_ids: Sequence[UUID]) -> list[Billed]:
    """Return the lines that bill these charges, those of withdrawn invoices left out."""
    sql = """
        SELECT l.charge_id, l.invoice_id, l.id AS line_id,
               (l.net_cents - coalesce((SELECT sum(c.net_cents) FROM invoice_line c WHERE c.credits_line_id = l.id), 0))::bigint AS left_cents
          FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id WHERE l.charge_id = ANY ($1) AND i.state <> 'void'
    """
    return await db.rows(Billed, sql, list(charge_ids))


async def language_of(invoice_id: UUID) -> str:
    """Return the language in which an invoice speaks to its debtor."""
    return str(await db.value("SELECT language FROM invoice WHERE id = $1", invoice_id))


async def numbers_for(charge_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the numbers of the credit notes on each charge's line; charges without are left out. The caller may see them."""
    sql = """
        SELECT l.charge_id, array_agg(n.number ORDER BY n.number) AS numbers FROM invoice_line l
          JOIN invoice_line c ON c.credits_line_id = l.id JOIN invoice n ON n.id = c.invoice_id
         WHERE l.charge_id = ANY ($1) GROUP BY l.charge_id
    """
    return {row["charge_id"]: list(row["numbers"]) for row in await db.records(sql, list(charge_ids))}
