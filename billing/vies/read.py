"""VAT ids and their checks as ECL reads them, and what of VAT waits for somebody."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.vat import EU
from billing.vies import certificates, checks
from billing.vies.checks import Standing
from marketplace.kit import clock, db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require
from marketplace.kit.settings import settings
from marketplace.kit.web import paging
from marketplace.kit.web.paging import Page

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor
    from marketplace.kit.web.paging import Place


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor whose VAT id decides something; ``owner_id`` is the company's, ``held`` how many invoices wait for the answer."""

    id: UUID
    owner_id: UUID
    name: str
    country: str
    vat_id: str
    held: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was kept."""

    vat_id: str
    adapter: str
    answer: str
    code: str
    number: str | None
    note: str
    checked_at: datetime


class Overview(msgspec.Struct, frozen=True):
    """A page of debtors with where their ids stand."""

    page: Page[Holder]
    standings: dict[UUID, Standing]


_HOLDER = """
    SELECT d.id, d.owner_id, d.legal_name AS name, d.country, d.vat_id, (SELECT count(*) FROM vat_hold h WHERE h.debtor_id = d.id) AS held
    FROM debtor d
"""
_ABROAD = "d.vat_id IS NOT NULL AND d.country <> $1 AND d.country IN (SELECT unnest($2::text[]))"
_OPEN = """
    NOT EXISTS (SELECT FROM vat_check c WHERE c.debtor_id = d.id AND c.vat_id = d.vat_id AND c.answer = 'valid'
        AND c.checked_at = (SELECT max(l.checked_at) FROM vat_check l
            WHERE l.debtor_id = d.id AND l.vat_id = d.vat_id AND l.answer IN ('valid', 'invalid')))
"""


async def overview(place: Place, *, only_open: bool, search: str, actor: Actor, now: datetime) -> Overview:
    """Return a page of the debtors whose VAT id decides something, by name; ``only_open`` those not found in use."""
    require(actor, Permission.MANAGE_INVOICES)
    where, args = [_ABROAD], [settings().operator.country, sorted(EU)]
    if only_open:
        where.append(_OPEN)
    if text := search.replace("\0", "").strip().lower():
        args.append(text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_"))
        where.append(f"(lower(d.legal_name) LIKE '%' || ${len(args)} || '%' OR lower(d.vat_id) LIKE ${len(args)} || '%')")
    if place.started:
        args += place.key
        where.append(f"(lower(d.legal_name), d.id) {place.after} (${len(args) - 1}, ${len(args)})")
    sql = f"{_HOLDER} WHERE {' AND '.join(where)} ORDER BY lower(d.legal_name) {place.ascending}, d.id {place.ascending} LIMIT {place.fetch:d}"
    found = paging.page(await db.rows(Holder, sql, *args), place, key=lambda row: (row.name.lower(), row.id))
    return Overview(found, await checks.standings([row.id for row in found.items], now=now))


async def holder(debtor_id: UUID) -> Holder:
    """Return one debtor, also one whose VAT id decides nothing. Raises ``NotFound``."""
    sql = f"SELECT id, owner_id, name, country, coalesce(vat_id, '') AS vat_id, held FROM ({_HOLDER} WHERE d.id = $1) one"  # noqa: S608
    found = await db.row(Holder, sql, debtor_id)
    if found is None:
        raise NotFound("not_found", _("There is no such billing profile."))
    return found


async def history(debtor_id: UUID) -> list[Asked]:
    """Return what was asked about a debtor's VAT ids, newest first, at most the last hundred."""
    sql = """
        SELECT vat_id, adapter, answer, code, consultation_number AS number, note, checked_at FROM vat_check
        WHERE debtor_id = $1 ORDER BY checked_at DESC, id DESC LIMIT 100
    """
    return await db.rows(Asked, sql, debtor_id)


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """Something of VAT that waits for somebody at ECL: an invoice that waits for VIES, or a certificate that ends."""

    kind: str
    company: str
    until_on: date | None
    invoices: int
    href: str


async def matters(*, now: datetime, limit: int = 10) -> list[Matter]:
    """Return what waits: invoices held since an hour or longer, then certificates that end without a next one."""
    sql = """
        (SELECT 'held' AS kind, d.legal_name AS company, NULL::date AS until_on, count(*)::int AS invoices, '/vat-checks/' || d.id AS href
            FROM vat_hold h JOIN debtor d ON d.id = h.debtor_id WHERE h.held_at < $1::timestamptz - interval '1 hour' GROUP BY d.id LIMIT $4)
        UNION ALL
        (SELECT 'certificate', d.legal_name, least(v.until_on, coalesce(v.ended_on, v.until_on)), 0, '/vat-certificates/' || v.id
            FROM vat_certificate v JOIN debtor d ON d.id = v.debtor_id
            WHERE least(v.until_on, coalesce(v.ended_on, v.until_on)) BETWEEN $2 AND $3
                AND NOT EXISTS (SELECT FROM vat_certificate n WHERE n.debtor_id = v.debtor_id AND n.from_on > v.from_on)
            ORDER BY 3 LIMIT $4)
    """
    day = clock.today(now)
    return await db.rows(Matter, sql, now, day, day + certificates.WARN_BEFORE, limit)
