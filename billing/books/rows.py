"""What the files of the books are made of: parties, and every entry of a stretch of days, read a handful at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.books import journal
from billing.books.journal import COLUMNS, SIDES, Entry
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import date

AT_ONCE = 200
"""Entries a look: small enough that a web process that makes a file still answers others."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor (``C``) or a payee (``S``) whom the postings name."""

    id: UUID
    kind: str
    name: str
    kvk: str | None = None
    vat_id: str | None = None
    country: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    email: str | None = None
    iban: str | None = None

    @property
    def code(self) -> str:
        """Return its code in files: the id without dashes."""
        return self.id.hex


async def debtors(debtor_ids: Sequence[UUID]) -> list[Party]:
    """Return debtors by id, by name."""
    sql = """
        SELECT id, 'C' AS kind, legal_name AS name, kvk, vat_id, country, street, postcode, city, email FROM debtor
         WHERE id = ANY ($1) ORDER BY legal_name, id
    """
    return await db.rows(Party, sql, list(debtor_ids))


async def every_entry(from_on: date, until_on: date) -> AsyncIterator[Entry]:
    """Give every entry booked in these days, by day and id."""
    after: tuple[date, UUID] | None = None
    while True:
        place = "" if after is None else "AND (e.booked_on, e.id) > ($4, $5)"
        some = f"SELECT e.* FROM ledger_entry e WHERE e.booked_on BETWEEN $1 AND $2 {place} ORDER BY e.booked_on, e.id LIMIT $3"  # noqa: S608
        sql = f"SELECT {COLUMNS} FROM ({some}) e {SIDES} ORDER BY e.booked_on, e.id"  # noqa: S608
        found = await journal.entries(sql, from_on, until_on, AT_ONCE, *(after or ()))
        for entry in found:
            yield entry
        if len(found) < AT_ONCE:
            return
        after = (found[-1].booked_on, found[-1].id)
