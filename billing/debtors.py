"""Debtors: who is billed, and how they want it. A debtor belongs to an owner (a company's id) that billing knows nothing of.

Changing a debtor changes future documents only; every issued one carries its own frozen copy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from stdnum import exceptions
from stdnum.eu import vat as eu_vat

from billing import redecide, seller
from billing.vat import EU, BuyerFacts
from billing.vat_ids import matters
from billing.vies import checks
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from marketplace.kit.identity import Actor

_KVK = re.compile(r"\d{8}")
_OIN = re.compile(r"\d{20}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class DebtorProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set. ``legal_name`` stands on the invoice; empty means the name. ``terms_days`` is 14 or 30.

    ``wants_names``: participants' names on invoices; else only their staff number or nothing. ``wants_ubl``: the
    e-invoice is mailed beside the PDF, in ``ubl_profile``. ``billing_moment`` is when a charge may be invoiced, ``rhythm``
    whether each order has its invoice or each month one, ``split_by`` what divides them further.
    """

    name: str
    street: str
    postcode: str
    city: str
    email: str
    country: str = "NL"
    legal_name: str = ""
    attention: str | None = None
    vat_id: str | None = None
    kvk: str | None = None
    oin: str | None = None
    language: Literal["nl", "en"] = "nl"
    terms_days: Literal[14, 30] = 30
    buyer_reference: str | None = None
    wants_names: bool = False
    wants_ubl: bool = False
    ubl_profile: Literal["peppol", "nlcius"] = "peppol"
    billing_moment: Literal["confirmation", "start", "delivery"] = "confirmation"
    rhythm: Literal["order", "month"] = "order"
    split_by: Literal["none", "cost_centre", "purchase_order", "department"] = "none"
    acceptance_profile: str = "company"
    channel: Literal["mail", "peppol"] = "mail"
    peppol_scheme: str | None = None
    peppol_id: str | None = None
    reminders: bool = True


class Debtor(DebtorProfile, frozen=True, kw_only=True):
    """A debtor as it is today."""

    id: UUID
    owner_id: UUID
    vat_id_valid: bool


_COLUMNS = msgspec.structs.fields(DebtorProfile)
_NAMES = tuple(field.name for field in _COLUMNS)
_SELECT = f"SELECT id, owner_id, vat_id_valid, {', '.join(_NAMES)} FROM debtor"  # noqa: S608


async def create(profile: DebtorProfile, *, owner_id: UUID, now: datetime, actor: Actor = SYSTEM) -> UUID:
    """Make the debtor of an owner and return its id; a VAT id that decides its VAT is to be checked (``billing.vies``).

    Raises ``Invalid`` per field, ``Conflict`` when the owner has one.
    """
    made, valid = _checked(profile)
    valid = valid and not matters(made.country, made.vat_id)
    debtor_id = ids.new_id()
    marks = ", ".join(f"${number}" for number in range(1, len(_NAMES) + 6))
    sql = (
        f"INSERT INTO debtor (id, owner_id, vat_id_valid, created_at, updated_at, {', '.join(_NAMES)})"  # noqa: S608
        f" VALUES ({marks}) ON CONFLICT (owner_id) DO NOTHING"
    )
    async with db.atomic():
        if await db.execute(sql, debtor_id, owner_id, valid, now, now, *_values(made)) == 0:
            raise Conflict("debtor_exists", _("This company has a billing profile already."))
        await checks.ask(debtor_id, now=now)
        await audit.record("debtor.created", actor=actor, subject=("debtor", debtor_id), data={"owner": owner_id}, now=now)
    return debtor_id


async def update(debtor_id: UUID, profile: DebtorProfile, *, actor: Actor, now: datetime) -> None:
    """Replace a debtor's profile; documents that were issued keep theirs. Raises ``Invalid`` and ``NotFound``.

    Another VAT id or country: the id is to be checked, and the VAT of what is not invoiced yet is decided again.
    """
    made, valid = _checked(profile)
    before = await get(debtor_id)
    changed = [name for name in _NAMES if getattr(before, name) != getattr(made, name)]
    if not changed:
        return
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(_NAMES, start=4))
    sql = f"UPDATE debtor SET vat_id_valid = $2, updated_at = $3, {settings} WHERE id = $1"  # noqa: S608 - our own names
    async with db.atomic():
        if matters(made.country, made.vat_id):
            valid = await checks.counts(debtor_id, made.vat_id or "")
        await db.execute(sql, debtor_id, valid, now, *_values(made))
        if {"vat_id", "country"} & set(changed):
            await checks.ask(debtor_id, now=now)
            await redecide.of_debtor(debtor_id, now=now)
        await audit.record("debtor.changed", actor=actor, subject=("debtor", debtor_id), data={"fields": changed}, now=now)


async def get(debtor_id: UUID) -> Debtor:
    """Return a debtor. Raises ``NotFound``."""
    found = await db.row(Debtor, f"{_SELECT} WHERE id = $1", debtor_id)
    if found is None:
        raise NotFound("not_found", _("There is no such billing profile."))
    return found


async def many(debtor_ids: Collection[UUID]) -> list[Debtor]:
    """Return debtors by the name on their invoices; unknown ids are left out."""
    return await db.rows(Debtor, f"{_SELECT} WHERE id = ANY($1) ORDER BY lower(legal_name), id", list(debtor_ids))


class Named(msgspec.Struct, frozen=True):
    """A debtor in a list to choose from."""

    id: UUID
    legal_name: str


async def names(*, limit: int = 500) -> list[Named]:
    """Return debtors by name, for a list to choose from."""
    return await db.rows(Named, "SELECT id, legal_name FROM debtor ORDER BY lower(legal_name), id LIMIT $1", limit)


async def of_owner(owner_id: UUID) -> Debtor | None:
    """Return the debtor of a company, or None."""
    return await db.row(Debtor, f"{_SELECT} WHERE owner_id = $1", owner_id)


async def buyer_facts(debtor_id: UUID) -> BuyerFacts:
    """Return what the VAT decision needs to know of the buyer. Raises ``NotFound``."""
    return await seller.buyer(debtor_id)


def _values(profile: DebtorProfile) -> list[object]:
    return [getattr(profile, name) for name in _NAMES]


def _checked(profile: DebtorProfile) -> tuple[DebtorProfile, bool]:
    """Return the profile in its normal form and whether its VAT id is formed right. Raises ``Invalid``."""
    fields: dict[str, str] = {}
    given = msgspec.structs.asdict(profile)
    clean: dict[str, Any] = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
    for name in ("attention", "vat_id", "kvk", "oin", "buyer_reference", "peppol_scheme", "peppol_id"):
        clean[name] = clean[name] or None
    clean["country"] = clean["country"].upper()
    clean["legal_name"] = clean["legal_name"] or clean["name"]
    for name in ("name", "street", "postcode", "city"):
        if not clean[name]:
            fields[name] = _("Fill this in: it stands on every invoice.")
    if not _EMAIL.fullmatch(clean["email"]):
        fields["email"] = _("Give the address that invoices go to, such as invoices@example.com.")
    if not _COUNTRY.fullmatch(clean["country"]):
        fields["country"] = _("Give the country as two letters, such as NL.")
    if clean["kvk"] and not _KVK.fullmatch(clean["kvk"]):
        fields["kvk"] = _("A KvK number has eight digits.")
    if clean["oin"] and not _OIN.fullmatch(clean["oin"]):
        fields["oin"] = _("An OIN has twenty digits.")
    valid = _vat_id(clean, fields)
    if fields:
        raise Invalid("invalid", _("Some of the billing details can't be used."), fields=fields)
    return DebtorProfile(**clean), valid


def _vat_id(clean: dict[str, Any], fields: dict[str, str]) -> bool:
    """Normalise the VAT id and tell whether form and check digits are right; its registration is not looked up here."""
    if not clean["vat_id"]:
        return False
    if clean["country"] not in EU:
        return False
    try:
        clean["vat_id"] = eu_vat.validate(clean["vat_id"])
    except exceptions.ValidationError:
        fields["vat_id"] = _("This VAT id is not formed right: check the letters and digits, such as NL123456782B90.")
        return False
    return True
