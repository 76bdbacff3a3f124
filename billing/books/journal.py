"""The journal: entries with their postings, newest first, by key; and one entry on its own."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.books import chart
from billing.ledger import Account, Event
from marketplace.kit import db
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.books.chart import Journal, Line
    from marketplace.kit.web.paging import Page


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One posting, with the name of who it concerns."""

    account: Account
    cents: int
    debtor_id: UUID | None = None
    payee_id: UUID | None = None
    vat_category: str | None = None
    vat_rate: Decimal | None = None

    @property
    def line(self) -> Line:
        """Return its account of the chart."""
        return chart.line(self.account, self.vat_category, self.vat_rate)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its postings, debits first."""

    id: UUID
    event: str
    source_id: UUID
    booked_on: date
    recorded_at: datetime
    reference: str
    name: str
    sides: list[Side]

    @property
    def cents(self) -> int:
        """Return what the entry moves: the sum of its debits."""
        return sum(side.cents for side in self.sides if side.cents > 0)

    @property
    def journal(self) -> Journal:
        """Return the journal that it belongs to."""
        return chart.journal(self.event, {side.account for side in self.sides})


COLUMNS = """
    e.id, e.event, e.source_id, e.booked_on, e.recorded_at, e.reference, coalesce(s.name, '') AS name, s.sides
"""
SIDES = """
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('account', p.account, 'cents', p.cents, 'debtor_id', p.debtor_id, 'payee_id', p.payee_id,
                   'vat_category', p.vat_category, 'vat_rate', p.vat_rate::text) ORDER BY p.cents < 0, p.account, p.id) AS sides, coalesce(max(d.name), max(y.legal_name)) AS name
          FROM ledger_posting p LEFT JOIN debtor d ON d.id = p.debtor_id LEFT JOIN payee y ON y.id = p.payee_id WHERE p.entry_id = e.id) s
"""


async def page(from_on: date, until_on: date, *, account: Account | None = None, cursor: str | None = None, size: int = 25) -> Page[Entry]:
    """Return a page of the entries booked from ``from_on`` up to and including ``until_on``, newest first."""
    place = paging.read(cursor, date, UUID, size=size)
    args: list[object] = [from_on, until_on, place.fetch]
    where = ["e.booked_on BETWEEN $1 AND $2"]
    if account is not None:
        args.append(account.value)
        where.append(f"EXISTS (SELECT 1 FROM ledger_posting a WHERE a.entry_id = e.id AND a.account = ${len(args)})")  # noqa: S608
    if place.started:
        args += place.key
        where.append(f"(e.booked_on, e.id) {place.before} (${len(args) - 1}::date, ${len(args)}::uuid)")
    order = f"e.booked_on {place.descending}, e.id {place.descending}"
    sql = f"""
        SELECT {COLUMNS} FROM (SELECT e.* FROM ledger_entry e WHERE {" AND ".join(where)} ORDER BY {order} LIMIT $3) e {SIDES} ORDER BY {order}
    """  # noqa: S608 - constants and marks
    return paging.page(await entries(sql, *args), place, key=lambda row: (row.booked_on, row.id))


async def entries(sql: str, *args: object) -> list[Entry]:
    """Return the entries of a query over ``COLUMNS``."""
    return [_entry(row) for row in await db.records(sql, *args)]


def _entry(row: dict[str, object]) -> Entry:
    sides = row["sides"]
    row["sides"] = msgspec.json.decode(sides) if isinstance(sides, str | bytes) else sides
    return msgspec.convert(row, Entry, strict=False)


async def of_trace(source_ids: Sequence[UUID], references: Sequence[str], entry_id: UUID | None = None) -> list[Entry]:
    """Return the entries that record these rows, or name one of these numbers, or are this one; as they were written."""
    sql = f"""
        SELECT {COLUMNS} FROM (
            SELECT * FROM ledger_entry WHERE event = ANY ($4) AND source_id = ANY ($1)
            UNION SELECT * FROM ledger_entry WHERE reference = ANY ($2) AND reference <> ''
            UNION SELECT * FROM ledger_entry WHERE id = $3) e {SIDES}
         ORDER BY e.recorded_at, e.id
    """  # noqa: S608
    return await entries(sql, list(source_ids), list(references), entry_id, [event.value for event in Event])


async def one(entry_id: UUID) -> Entry | None:
    """Return an entry by its id, or None."""
    sql = f"SELECT {COLUMNS} FROM ledger_entry e {SIDES} WHERE e.id = $1"  # noqa: S608
    return next(iter(await entries(sql, entry_id)), None)
