"""Who sells: the operator from the settings, with the periods of its entry in the CRKBO register from the database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing.vat import BuyerFacts, Period, SellerFacts
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor

OPERATOR = "operator"


class _Row(msgspec.Struct, frozen=True):
    from_on: date
    until_on: date | None


async def facts() -> SellerFacts:
    """Return what the VAT decision needs to know of the operator as seller."""
    found = await db.rows(_Row, "SELECT from_on, until_on FROM crkbo_period WHERE holder = $1 ORDER BY from_on", OPERATOR)
    operator = settings().operator
    return SellerFacts(vat_id=operator.vat_id, country=operator.country, crkbo=tuple(Period(row.from_on, row.until_on) for row in found))


class _Parties(msgspec.Struct, frozen=True):
    country: str
    vat_id: str | None
    vat_id_valid: bool
    crkbo: list[_Row]


async def and_buyer(debtor_id: UUID) -> tuple[SellerFacts, BuyerFacts]:
    """Return ``facts()`` and ``debtors.buyer_facts(debtor_id)`` by one query. Raises ``NotFound``."""
    sql = """
        SELECT country, vat_id, vat_id_valid, coalesce((SELECT jsonb_agg(jsonb_build_object('from_on', from_on, 'until_on', until_on)
            ORDER BY from_on) FROM crkbo_period WHERE holder = $2), '[]') AS crkbo FROM debtor WHERE id = $1
    """
    found = await db.row(_Parties, sql, debtor_id, OPERATOR)
    if found is None:
        raise NotFound("not_found", _("There is no such billing profile."))
    operator = settings().operator
    periods = tuple(Period(row.from_on, row.until_on) for row in found.crkbo)
    seller = SellerFacts(vat_id=operator.vat_id, country=operator.country, crkbo=periods)
    return seller, BuyerFacts(country=found.country, vat_id=found.vat_id, vat_id_valid=found.vat_id_valid)


async def enter_crkbo(from_on: date, *, actor: Actor, now: datetime) -> None:
    """Keep that the operator stands in the CRKBO register from a day on. Again from the same day changes nothing."""
    async with db.atomic():
        sql = "INSERT INTO crkbo_period (id, holder, from_on) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        if await db.execute(sql, ids.new_id(), OPERATOR, from_on):
            await audit.record("crkbo.entered", actor=actor, subject=("crkbo", OPERATOR), data={"from": from_on}, now=now)


async def leave_crkbo(on: date, *, actor: Actor, now: datetime) -> None:
    """Keep that the operator is no longer in the register from a day on."""
    async with db.atomic():
        sql = "UPDATE crkbo_period SET until_on = $2 WHERE holder = $1 AND from_on < $3 AND (until_on IS NULL OR until_on >= $3)"
        if await db.execute(sql, OPERATOR, on - timedelta(days=1), on):
            await audit.record("crkbo.left", actor=actor, subject=("crkbo", OPERATOR), data={"on": on}, now=now)
