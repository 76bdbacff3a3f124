"""The entries behind one box of the VAT return: newest first, by key. Together they are the box, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.books.vat_return import EU, MEMO
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from marketplace.kit.web.paging import Page

_COUNTRY = "coalesce(i.buyer ->> 'country', d.country)"
_EU = ", ".join(f"'{country}'" for country in sorted(EU))
_SALE = "p.account IN ('revenue', 'commission', 'vat')"
_CONDITIONS: dict[str, str] = {
    "1a": f"{_SALE} AND p.vat_category = 'S' AND p.vat_rate = 21",
    "1b": f"{_SALE} AND p.vat_category = 'S' AND p.vat_rate = 9",
    "1c": f"{_SALE} AND p.vat_category = 'S' AND p.vat_rate NOT IN (21, 9)",
    "1e": f"{_SALE} AND (p.vat_category = 'Z' OR p.vat_category = 'AE' AND coalesce(upper({_COUNTRY}), '') NOT IN ({_EU}))",
    "3b": f"{_SALE} AND p.vat_category = 'AE' AND upper({_COUNTRY}) IN ({_EU})",
    "5b": "p.account = 'input_vat'",
    MEMO: f"{_SALE} AND p.vat_category = 'E'",
}


class VatLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry puts in the box, in cents, with the sign of the return."""

    id: UUID
    event: str
    booked_on: date
    reference: str
    name: str
    vat_category: str
    vat_rate: Decimal
    net_cents: int
    vat_cents: int

    @property
    def net(self) -> Money:
        """Return the turnover."""
        return Money(self.net_cents)

    @property
    def vat(self) -> Money:
        """Return the VAT."""
        return Money(self.vat_cents)


async def page(box: str, from_on: date, until_on: date, *, cursor: str | None = None, size: int = 25) -> Page[VatLine]:
    """Return a page of what stands in a box. Raises ``NotFound`` for a box that has no lines of its own (5a, 5c)."""
    if box not in _CONDITIONS:
        raise NotFound("not_found", _("This box has no lines of its own."))
    place = paging.read(cursor, date, UUID, size=size)
    args: list[object] = [from_on, until_on, place.fetch]
    started = ""
    if place.started:
        args += place.key
        started = f"AND (e.booked_on, e.id) {place.before} ($4::date, $5::uuid)"
    sign = 1 if box == "5b" else -1
    sql = f"""
        SELECT e.id, e.event, e.booked_on, e.reference, coalesce(max(d.name), '') AS name, max(p.vat_category) AS vat_category, max(p.vat_rate) AS vat_rate,
               {sign} * coalesce(sum(p.cents) FILTER (WHERE p.account NOT IN ('vat', 'input_vat')), 0)::bigint AS net_cents,
               {sign} * coalesce(sum(p.cents) FILTER (WHERE p.account IN ('vat', 'input_vat')), 0)::bigint AS vat_cents
          FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id
          LEFT JOIN debtor d ON d.id = p.debtor_id LEFT JOIN invoice i ON i.id = e.source_id
         WHERE e.booked_on BETWEEN $1 AND $2 AND p.vat_category IS NOT NULL AND {_CONDITIONS[box]} {started}
         GROUP BY e.id ORDER BY e.booked_on {place.descending}, e.id {place.descending} LIMIT $3
    """  # noqa: S608 - constants
    return paging.page(await db.rows(VatLine, sql, *args), place, key=lambda row: (row.booked_on, row.id))
