"""Payees: the partners as those whom ECL pays. What stands on their statements, and what was agreed with each of them.

``owner_id`` is the partner's id, which means nothing here. A payee is there as soon as its partner is; its details are filled in
by ECL, and only then can statements be made.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from stdnum.eu import vat as eu_vat

from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence


class PayeeDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL fills in. ``code`` names the series of numbers; ``small_business`` is the Dutch scheme without VAT (KOR).

    ``self_billing_from_on`` is the day on which it was agreed that ECL writes the partner's invoices.
    """

    legal_name: str
    code: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "NL"
    vat_id: str | None = None
    kvk: str | None = None
    email: str = ""
    language: str = "nl"
    small_business: bool = False
    self_billing_from_on: date | None = None
    self_billing_until_on: date | None = None
    objection_days: int = 14
    shares_fees: bool = True


class Payee(PayeeDetails, frozen=True, kw_only=True):
    """A payee as it is kept."""

    id: UUID
    owner_id: UUID

    @property
    def complete(self) -> bool:
        """Tell whether a statement can be made: an address and somewhere to send it."""
        return all((self.legal_name, self.street, self.postcode, self.city, self.email))

    def self_bills(self, on: date) -> bool:
        """Tell whether ECL writes this partner's invoices on a day."""
        begun = self.self_billing_from_on is not None and self.self_billing_from_on <= on
        return begun and (self.self_billing_until_on is None or on <= self.self_billing_until_on)


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A partner as its own package tells of it."""

    id: UUID
    name: str
    code: str
    email: str = ""


_COLUMNS = tuple(field.name for field in msgspec.structs.fields(PayeeDetails))
_SELECT = f"SELECT id, owner_id, {', '.join(_COLUMNS)} FROM payee"  # noqa: S608 - field names
_CODE = re.compile(r"[A-Z0-9]{1,12}")


async def ensure(owners: Sequence[Owner], *, now: datetime) -> dict[UUID, UUID]:
    """Return the payee of each partner, made where there is none yet."""
    async with db.joined():
        for owner in owners:
            await db.execute(
                "INSERT INTO payee (id, owner_id, code, legal_name, email, created_at, updated_at) SELECT $1, $2, $3, $4, $5, $6, $6"
                " WHERE NOT EXISTS (SELECT 1 FROM payee WHERE owner_id = $2) ON CONFLICT DO NOTHING",
                ids.new_id(), owner.id, await _free_code(owner), owner.name, owner.email, now,
            )  # fmt: skip
        found = await db.records("SELECT id, owner_id FROM payee WHERE owner_id = ANY($1)", [owner.id for owner in owners])
    return {row["owner_id"]: row["id"] for row in found}


async def _free_code(owner: Owner) -> str:
    wanted = re.sub(r"[^A-Z0-9]", "", owner.code.upper())[:12] or "P"
    taken = await db.value("SELECT 1 FROM payee WHERE code = $1 AND owner_id <> $2", wanted, owner.id)
    return f"{wanted[:7]}{ids.public_code(5).upper()}" if taken else wanted


async def get(payee_id: UUID, *, lock: bool = False) -> Payee:
    """Return a payee; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Payee, f"{_SELECT} WHERE id = $1{' FOR UPDATE' if lock else ''}", payee_id)
    if found is None:
        raise NotFound("not_found", _("There is no such partner."))
    return found


async def of_partner(actor: Actor) -> Payee | None:
    """Return the payee that the actor's partner is, or None while there is none."""
    require(actor, Permission.SEE_STATEMENTS)
    return await db.row(Payee, f"{_SELECT} WHERE owner_id = $1", actor.partner_id)


async def listed() -> list[Payee]:
    """Return every payee by name."""
    return await db.rows(Payee, f"{_SELECT} ORDER BY legal_name, id")


async def save(payee_id: UUID, details: PayeeDetails, *, actor: Actor, now: datetime) -> None:
    """Keep a payee's details. Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict`` (``code_in_use``, ``code_used``)."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    details = _tidy(details)
    _check(details)
    async with db.atomic():
        before = await get(payee_id, lock=True)
        changed = [column for column in _COLUMNS if getattr(before, column) != getattr(details, column)]
        if not changed:
            return
        if "code" in changed:
            await _check_code(before, details)
        sets = ", ".join(f"{column} = ${n}" for n, column in enumerate(changed, start=3))
        sql = f"UPDATE payee SET updated_at = $2, {sets} WHERE id = $1"  # noqa: S608 - field names
        await db.execute(sql, payee_id, now, *[getattr(details, column) for column in changed])
        await audit.record("payee.updated", actor=actor, subject=("payee", payee_id), data={"fields": changed}, now=now)


async def _check_code(before: Payee, details: PayeeDetails) -> None:
    if await db.value("SELECT 1 FROM partner_statement WHERE payee_id = $1 LIMIT 1", before.id):
        sentence = _("Statements were numbered with {code}, so it stays.", code=before.code)
        raise Conflict("code_used", sentence, fields={"code": sentence})
    if await db.value("SELECT 1 FROM payee WHERE code = $1 AND id <> $2", details.code, before.id):
        sentence = _("Another partner has this code. Choose another one.")
        raise Conflict("code_in_use", sentence, fields={"code": sentence})


def _tidy(details: PayeeDetails) -> PayeeDetails:
    vat_id = re.sub(r"[\s.-]", "", details.vat_id or "").upper() or None
    kvk = re.sub(r"\s", "", details.kvk or "") or None
    return msgspec.structs.replace(
        details, vat_id=vat_id, kvk=kvk, code=details.code.strip().upper(), country=details.country.strip().upper()
    )


def _check(details: PayeeDetails) -> None:
    wrong: dict[str, str] = {}
    if not _CODE.fullmatch(details.code):
        wrong["code"] = _("Use one to twelve capitals and figures, such as TZ.")
    if not re.fullmatch(r"[A-Z]{2}", details.country):
        wrong["country"] = _("Give the country as two letters, such as NL.")
    if details.kvk and not re.fullmatch(r"\d{8}", details.kvk, re.ASCII):
        wrong["kvk"] = _("A KvK number has eight digits.")
    if details.vat_id and not eu_vat.is_valid(details.vat_id):
        wrong["vat_id"] = _("This VAT id is not formed right: check the letters and digits, such as NL123456782B90.")
    if not 0 <= details.objection_days <= 60:
        wrong["objection_days"] = _("Give 0 to 60 days.")
    wrong |= _self_billing_faults(details)
    if wrong:
        raise Invalid("invalid", _("Some of the details can't be used."), fields=wrong)


def _self_billing_faults(details: PayeeDetails) -> dict[str, str]:
    begins, ends = details.self_billing_from_on, details.self_billing_until_on
    if ends and (begins is None or ends < begins):
        return {"self_billing_until_on": _("This can't be before the day it begins.")}
    if begins is None:
        return {}
    if details.small_business:
        return {"self_billing_from_on": _("A small business without VAT sends its own invoices.")}
    missing = {
        name: _("Fill this in: it stands on the invoices that you write for the partner.")
        for name in ("street", "postcode", "city", "vat_id", "kvk")
        if not getattr(details, name)
    }
    return missing if details.country == "NL" else {name: said for name, said in missing.items() if name != "kvk"}
