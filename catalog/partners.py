"""Partners: the training providers that ECL works with."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor


class PartnerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL fills in about a partner; ``crkbo`` is its entry in the register of vocational education."""

    name: str
    code: str
    email: str
    address: str = ""
    city: str = ""
    crkbo: bool = False
    crkbo_from_on: date | None = None
    crkbo_until_on: date | None = None
    about_nl: str = ""
    about_en: str = ""


class Partner(PartnerFacts, frozen=True, kw_only=True):
    """A partner as it is kept; state ``active`` or ``ended``."""

    id: UUID
    state: str


_COLUMNS = tuple(field.name for field in msgspec.structs.fields(PartnerFacts))
_REGISTER = frozenset({"crkbo", "crkbo_from_on", "crkbo_until_on"})
_SELECT = f"SELECT id, state, {', '.join(_COLUMNS)} FROM partner"  # noqa: S608 - field names


async def get(partner_id: UUID) -> Partner:
    """Return a partner. Raises ``NotFound``."""
    found = await db.row(Partner, f"{_SELECT} WHERE id = $1", partner_id)
    if found is None:
        raise NotFound("not_found", _("There is no such partner."))
    return found


async def listed() -> list[Partner]:
    """Return every partner by name."""
    return await db.rows(Partner, f"{_SELECT} ORDER BY name, id")


async def create(facts: PartnerFacts, *, actor: Actor, now: datetime) -> UUID:
    """Add a partner and return its id. Raises ``Conflict`` ``code_in_use``, ``Invalid``."""
    require(actor, Permission.MANAGE_PARTNERS)
    _check(facts)
    made = ids.new_id()
    values = [getattr(facts, column) for column in _COLUMNS]
    marks = ", ".join(f"${n}" for n in range(3, 3 + len(_COLUMNS)))
    sql = f"INSERT INTO partner (id, created_at, {', '.join(_COLUMNS)}) VALUES ($1, $2, {marks}) ON CONFLICT (code) DO NOTHING"  # noqa: S608
    async with db.atomic():
        if await db.execute(sql, made, now, *values) == 0:
            raise _code_in_use()
        await audit.record("partner.created", actor=actor, subject=("partner", made), data={"code": facts.code}, now=now)
        known = {"partner": made, "name": facts.name, "code": facts.code, "email": facts.email}
        if facts.crkbo:
            entry = {"partner": made, "from_on": facts.crkbo_from_on or now.date(), "until_on": facts.crkbo_until_on}
            await work.later("billing.partner_register", entry, run_at=now, dedupe_key=f"billing.partner_register:{made}")
        await work.later("settlement.partner_added", known, run_at=now, dedupe_key=f"settlement.partner_added:{made}")
    return made


async def update(partner_id: UUID, facts: PartnerFacts, *, actor: Actor, now: datetime) -> None:
    """Change a partner, but for its entry in the register (``set_register``). Raises ``NotFound``, ``Conflict`` ``code_in_use``."""
    require(actor, Permission.MANAGE_PARTNERS)
    _check(facts)
    async with db.atomic():
        before = await get(partner_id)
        changed = [column for column in _COLUMNS if column not in _REGISTER and getattr(before, column) != getattr(facts, column)]
        if not changed:
            return
        if await db.value("SELECT 1 FROM partner WHERE code = $1 AND id <> $2", facts.code, partner_id):
            raise _code_in_use()
        sets = ", ".join(f"{column} = ${n}" for n, column in enumerate(changed, start=2))
        await db.execute(f"UPDATE partner SET {sets} WHERE id = $1", partner_id, *[getattr(facts, column) for column in changed])  # noqa: S608
        if {"name", "city"} & set(changed):
            await db.execute(
                "UPDATE programme SET keywords = replace(keywords, $2, $3) WHERE partner_id = $1",
                partner_id, f"{before.name} {before.city}", f"{facts.name} {facts.city}",
            )  # fmt: skip
        await audit.record("partner.updated", actor=actor, subject=("partner", partner_id), data={"fields": changed}, now=now)


async def set_register(partner_id: UUID, *, from_on: date | None, until_on: date | None) -> None:
    """Show a partner's latest stay in the register; its history is billing's. In the caller's transaction."""
    sql = "UPDATE partner SET crkbo = $2, crkbo_from_on = $3, crkbo_until_on = $4 WHERE id = $1"
    await db.execute(sql, partner_id, from_on is not None, from_on, until_on)


def _check(facts: PartnerFacts) -> None:
    if facts.crkbo_from_on and facts.crkbo_until_on and facts.crkbo_until_on < facts.crkbo_from_on:
        sentence = _("This can't be before the day it begins.")
        raise Invalid("invalid", sentence, fields={"crkbo_until_on": sentence})


def _code_in_use() -> Conflict:
    sentence = _("Another partner has this code. Choose another one.")
    return Conflict("code_in_use", sentence, fields={"code": sentence})
