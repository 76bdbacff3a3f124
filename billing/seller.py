"""Who sells: the operator from the settings, with the periods of its entry in the CRKBO register from the database.

Partners have periods of their own: they count for what a partner supplies to the operator, and where the rules say that the
partner is the seller.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing.vat import BuyerFacts, Exemption, Override, Period, SellerFacts, Treatment
from billing.vat_ids import matters
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Permission, require
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor

OPERATOR = "operator"


class RegisterPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """One stay in the register, of the operator or of a partner (by id)."""

    id: UUID
    holder: str
    from_on: date
    until_on: date | None


class _Row(msgspec.Struct, frozen=True):
    from_on: date
    until_on: date | None
    holder: str = OPERATOR


class _OverrideRow(msgspec.Struct, frozen=True):
    subject_id: UUID
    treatment: Treatment
    reason: str
    from_on: date
    until_on: date | None


class _CertificateRow(msgspec.Struct, frozen=True):
    number: str
    issuer: str
    from_on: date
    last_on: date


class _Known(msgspec.Struct, frozen=True):
    crkbo: list[_Row]
    overrides: list[_OverrideRow]


class _Parties(_Known, frozen=True):
    country: str
    vat_id: str | None
    vat_id_valid: bool
    answered_at: datetime | None
    proof: str | None
    certificates: list[_CertificateRow]


_KNOWN = """
    coalesce((SELECT jsonb_agg(jsonb_build_object('holder', holder, 'from_on', from_on, 'until_on', until_on) ORDER BY from_on)
        FROM crkbo_period), '[]') AS crkbo,
    coalesce((SELECT jsonb_agg(jsonb_build_object('subject_id', subject_id, 'treatment', treatment, 'reason', reason, 'from_on', from_on,
        'until_on', until_on) ORDER BY from_on DESC, decided_at DESC) FROM vat_override), '[]') AS overrides
"""


async def facts() -> SellerFacts:
    """Return what the VAT decision needs to know of the operator as seller."""
    found = await db.row(_Known, f"SELECT {_KNOWN}")
    assert found is not None
    return _seller(found)


def _seller(known: _Known) -> SellerFacts:
    operator = settings().operator
    partners: dict[UUID, tuple[Period, ...]] = {}
    for row in known.crkbo:
        if row.holder != OPERATOR:
            holder = UUID(row.holder)
            partners[holder] = (*partners.get(holder, ()), Period(row.from_on, row.until_on))
    return SellerFacts(
        vat_id=operator.vat_id,
        country=operator.country,
        name=operator.name,
        crkbo=tuple(Period(row.from_on, row.until_on) for row in known.crkbo if row.holder == OPERATOR),
        overrides=tuple(
            Override(subject_id=row.subject_id, treatment=row.treatment, reason=row.reason, period=Period(row.from_on, row.until_on))
            for row in known.overrides
        ),
        partners=partners,
    )


async def and_buyer(debtor_id: UUID) -> tuple[SellerFacts, BuyerFacts]:
    """Return ``facts()`` and what the decision needs to know of a debtor, by one query. Raises ``NotFound``."""
    sql = f"""
        SELECT d.country, d.vat_id, d.vat_id_valid, c.checked_at AS answered_at, c.consultation_number AS proof,
            coalesce((SELECT jsonb_agg(jsonb_build_object('number', v.number, 'issuer', v.issuer, 'from_on', v.from_on,
                'last_on', least(v.until_on, coalesce(v.ended_on, v.until_on))) ORDER BY v.from_on)
                FROM vat_certificate v WHERE v.debtor_id = d.id), '[]') AS certificates, {_KNOWN}
        FROM debtor d LEFT JOIN LATERAL (
            SELECT checked_at, consultation_number FROM vat_check c WHERE c.debtor_id = d.id AND c.vat_id = d.vat_id
                AND c.answer IN ('valid', 'invalid') ORDER BY c.checked_at DESC, c.id DESC LIMIT 1) c ON true
        WHERE d.id = $1
    """  # noqa: S608 - constant
    found = await db.row(_Parties, sql, debtor_id)
    if found is None:
        raise NotFound("not_found", _("There is no such billing profile."))
    return _seller(found), _buyer(found)


async def buyer(debtor_id: UUID) -> BuyerFacts:
    """Return what the VAT decision needs to know of a debtor. Raises ``NotFound``."""
    return (await and_buyer(debtor_id))[1]


def _buyer(found: _Parties) -> BuyerFacts:
    certificates = tuple(
        Exemption(number=row.number, issuer=row.issuer, period=Period(row.from_on, row.last_on)) for row in found.certificates
    )
    if not matters(found.country, found.vat_id):
        return BuyerFacts(country=found.country, vat_id=found.vat_id, vat_id_valid=found.vat_id_valid, certificates=certificates)
    return BuyerFacts(
        country=found.country,
        vat_id=found.vat_id,
        vat_id_valid=found.vat_id_valid,
        pending=found.answered_at is None and not found.vat_id_valid,
        checked_on=clock.today(found.answered_at) if found.answered_at else None,
        proof=found.proof,
        certificates=certificates,
    )


def operator_as_buyer() -> BuyerFacts:
    """Return the operator as the buyer of what its partners supply."""
    operator = settings().operator
    return BuyerFacts(country=operator.country, vat_id=operator.vat_id, vat_id_valid=True)


async def of_partner(partner_id: UUID, *, vat_id: str, name: str = "", country: str = "NL") -> SellerFacts:
    """Return a partner as the seller of what it supplies to the operator, for ``vat.decide_partner``."""
    return SellerFacts(
        vat_id=vat_id, country=country, name=name, crkbo=tuple(Period(row.from_on, row.until_on) for row in await register(str(partner_id)))
    )


# The register


async def register(holder: str | None = None) -> list[RegisterPeriod]:
    """Return the periods of one holder (``OPERATOR`` or a partner's id), or everybody's, oldest first."""
    sql = "SELECT id, holder, from_on, until_on FROM crkbo_period WHERE $1::text IS NULL OR holder = $1 ORDER BY from_on"
    return await db.rows(RegisterPeriod, sql, holder)


async def first_register(holder: str, from_on: date, until_on: date | None, *, now: datetime) -> None:
    """Keep the first stay of a holder that has none; one that has any stays as it is."""
    sql = """
        INSERT INTO crkbo_period (id, holder, from_on, until_on)
        SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM crkbo_period WHERE holder = $2)
    """
    if await db.execute(sql, ids.new_id(), holder, from_on, until_on):
        await audit.record("crkbo.entered", actor=SYSTEM, subject=("crkbo", holder), data={"from": from_on}, now=now)


async def enter_crkbo(from_on: date, *, holder: str = OPERATOR, actor: Actor, now: datetime) -> None:
    """Keep that the operator (or a partner, by id) stands in the CRKBO register from a day on. Again from the same day changes nothing.

    Raises ``Forbidden``, ``Conflict`` ``register_overlaps`` when a period holds that day or a later one exists.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        await _alone(holder)
        periods = await register(holder)
        if any(period.from_on == from_on for period in periods):
            return
        if any(period.until_on is None or period.until_on >= from_on for period in periods):
            raise Conflict(
                "register_overlaps",
                _("It is in the register on that day already."),
                next_step=_("Say first on which day it left, then enter the day of its return."),
            )
        sql = "INSERT INTO crkbo_period (id, holder, from_on) VALUES ($1, $2, $3)"
        await db.execute(sql, ids.new_id(), holder, from_on)
        await audit.record("crkbo.entered", actor=actor, subject=("crkbo", holder), data={"from": from_on}, now=now)


async def leave_crkbo(on: date, *, holder: str = OPERATOR, actor: Actor, now: datetime) -> None:
    """Keep that the operator (or a partner) is no longer in the register from a day on.

    Raises ``Forbidden``, ``Invalid`` when it isn't in the register the day before.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        await _alone(holder)
        sql = "UPDATE crkbo_period SET until_on = $2 WHERE holder = $1 AND from_on < $3 AND (until_on IS NULL OR until_on >= $3)"
        if not await db.execute(sql, holder, on - timedelta(days=1), on):
            sentence = _("It isn't in the register on the day before. Give the first day without it.")
            raise Invalid("not_registered", sentence, fields={"on": sentence})
        await audit.record("crkbo.left", actor=actor, subject=("crkbo", holder), data={"on": on}, now=now)


async def _alone(holder: str) -> None:
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('crkbo:' || $1, 0))", holder)


# What was decided for one programme


class ProgrammeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for one programme: how it is treated, why, in which days."""

    id: UUID
    subject_id: UUID
    treatment: Treatment
    reason: str
    from_on: date
    until_on: date | None


async def programme_rules() -> list[ProgrammeRule]:
    """Return what was decided for single programmes, the latest first."""
    return await db.rows(
        ProgrammeRule, "SELECT id, subject_id, treatment, reason, from_on, until_on FROM vat_override ORDER BY from_on DESC, id"
    )


async def programme_rule(rule_id: UUID) -> ProgrammeRule:
    """Return one of them. Raises ``NotFound``."""
    sql = "SELECT id, subject_id, treatment, reason, from_on, until_on FROM vat_override WHERE id = $1"
    found = await db.row(ProgrammeRule, sql, rule_id)
    if found is None:
        raise NotFound("not_found", _("There is no such rule."))
    return found


async def set_programme_rule(subject_id: UUID, treatment: Treatment, *, reason: str, from_on: date, actor: Actor, now: datetime) -> UUID:
    """Decide for one programme from a day on; what held for it before ends the day before. What is not invoiced yet follows.

    Raises ``Forbidden``, ``Conflict`` ``rule_exists`` when one begins on that day or later, ``Invalid`` without a reason.
    """
    require(actor, Permission.MANAGE_INVOICES)
    if not reason.strip():
        sentence = _("Say why, for the invoice and the tax office.")
        raise Invalid("invalid", sentence, fields={"reason": sentence})
    rule_id = ids.new_id()
    async with db.atomic():
        await _alone(str(subject_id))
        if await db.value("SELECT 1 FROM vat_override WHERE subject_id = $1 AND from_on >= $2", subject_id, from_on):
            raise Conflict("rule_exists", _("Something was decided for this programme from that day or a later one."))
        before = "UPDATE vat_override SET until_on = $2 WHERE subject_id = $1 AND (until_on IS NULL OR until_on > $2)"
        await db.execute(before, subject_id, from_on - timedelta(days=1))
        sql = "INSERT INTO vat_override (id, subject_id, treatment, reason, from_on, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        await db.execute(sql, rule_id, subject_id, treatment.value, reason.strip(), from_on, actor.account_id, now)
        data: dict[str, Any] = {"treatment": treatment.value, "from": from_on}
        await audit.record("vat_rule.set", actor=actor, subject=("programme", subject_id), data=data, now=now)
    return rule_id


async def end_programme_rule(rule_id: UUID, *, last_on: date, actor: Actor, now: datetime) -> None:
    """Let what was decided for a programme hold up to and including a day. Raises ``Forbidden``, ``NotFound``, ``Invalid``."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        found = await programme_rule(rule_id)
        if last_on < found.from_on or (found.until_on is not None and last_on > found.until_on):
            sentence = _("Choose a day within its own days.")
            raise Invalid("invalid", sentence, fields={"last_on": sentence})
        await db.execute("UPDATE vat_override SET until_on = $2 WHERE id = $1", rule_id, last_on)
        await audit.record("vat_rule.ended", actor=actor, subject=("programme", found.subject_id), data={"last": last_on}, now=now)
