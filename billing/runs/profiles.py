"""The acceptance profiles as ECL keeps them: read, made and changed. What they mean is in ``billing.acceptance``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from billing import acceptance
from billing.acceptance import SCHEMES, Profile
from marketplace.kit import audit, db
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_FIELDS = tuple(field.name for field in msgspec.structs.fields(Profile))
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM acceptance_profile"  # noqa: S608 - our own names
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
_PREFIX = re.compile(r"[A-Za-z0-9./-]{1,20}")


async def every() -> list[Profile]:
    """Return all profiles, the plain company first."""
    return await db.rows(Profile, f"{_SELECT} ORDER BY code <> 'company', name_en, code")


async def get(code: str) -> Profile:
    """Return a profile. Raises ``NotFound``."""
    found = await db.row(Profile, f"{_SELECT} WHERE code = $1", code)
    if found is None:
        raise NotFound("not_found", _("There is no such profile."))
    return found


async def many(codes: Sequence[str]) -> dict[str, Profile]:
    """Return profiles by code; one that is gone is left out."""
    found = await db.rows(Profile, f"{_SELECT} WHERE code = ANY($1)", list(codes))
    return {profile.code: profile for profile in found}


def name(profile: Profile) -> str:
    """Return a profile's name in the current language."""
    return profile.name_nl if current_locale() == "nl" else profile.name_en


def about(profile: Profile) -> str:
    """Return the sentence about a profile in the current language."""
    return profile.about_nl if current_locale() == "nl" else profile.about_en


async def add(profile: Profile, *, actor: Actor, now: datetime) -> None:
    """Add a profile. Raises ``Invalid`` per field, ``Conflict`` ``code_in_use``."""
    require(actor, Permission.MANAGE_INVOICES)
    _check(profile)
    columns, marks = ", ".join((*_FIELDS, "changed_at")), ", ".join(f"${at}" for at in range(1, len(_FIELDS) + 2))
    sql = f"INSERT INTO acceptance_profile ({columns}) VALUES ({marks}) ON CONFLICT (code) DO NOTHING"  # noqa: S608
    async with db.atomic():
        if await db.execute(sql, *_values(profile), now) == 0:
            sentence = _("Another profile has this code.")
            raise Conflict("code_in_use", sentence, fields={"code": sentence})
        await audit.record("acceptance_profile.added", actor=actor, subject=("acceptance_profile", profile.code), now=now)


async def change(profile: Profile, *, actor: Actor, now: datetime) -> list[str]:
    """Replace a profile and return the names of what changed. It holds for invoices from now on. Raises ``Invalid``, ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    _check(profile)
    settings = ", ".join(f"{field} = ${at}" for at, field in enumerate(_FIELDS, 1))
    async with db.atomic():
        await db.execute("SELECT FROM acceptance_profile WHERE code = $1 FOR UPDATE", profile.code)
        before = await get(profile.code)
        changed = [field for field in _FIELDS if getattr(before, field) != getattr(profile, field)]
        if changed:
            sql = f"UPDATE acceptance_profile SET {settings}, changed_at = ${len(_FIELDS) + 1} WHERE code = $1"  # noqa: S608
            await db.execute(sql, *_values(profile), now)
            subject = ("acceptance_profile", profile.code)
            await audit.record("acceptance_profile.changed", actor=actor, subject=subject, data={"fields": changed}, now=now)
    return changed


def _values(profile: Profile) -> list[Any]:
    return [list(value) if isinstance(value, tuple) else value for value in (getattr(profile, field) for field in _FIELDS)]


def _check(profile: Profile) -> None:
    fields: dict[str, str] = {}
    if not _CODE.fullmatch(profile.code):
        fields["code"] = _("Use small letters, digits and _, such as public_body.")
    if profile.wants in {"project", "order_or_project"} and not profile.project_digits:
        fields["project_digits"] = _("Say how many digits a project number has.")
    if profile.order_starts and not _PREFIX.fullmatch(profile.order_starts):
        fields["order_starts"] = _("Give the letters or digits that it starts with, 20 at most.")
    if profile.order_starts and profile.order_digits and not profile.order_starts.isdigit():
        fields["order_digits"] = _("A number of digits only starts with digits.")
    if unknown := set(profile.schemes) - set(SCHEMES):
        fields["schemes"] = _("This isn't a scheme that we know: {names}.", names=", ".join(sorted(unknown)))
    if fields:
        raise Invalid("invalid", _("Some fields need another look."), fields=fields)


async def used() -> dict[str, int]:
    """Return how many debtors have each profile."""
    sql = "SELECT acceptance_profile AS code, count(*)::int AS n FROM debtor GROUP BY acceptance_profile"
    return {row["code"]: row["n"] for row in await db.records(sql)}


def asks(profile: Profile) -> list[str]:
    """Return in words what a profile asks, in the current language: of a debtor without anything, so that nothing is left out."""
    return [acceptance.say(finding).asks for finding in acceptance.check(profile, _NOBODY) if finding.code != "address"]


class _Nobody(msgspec.Struct, frozen=True):
    """A debtor without wishes, to read a profile's own demands off."""

    legal_name: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "NL"
    email: str = ""
    kvk: str | None = None
    oin: str | None = None
    vat_id: str | None = None
    vat_id_valid: bool = False
    terms_days: int = 30
    buyer_reference: str | None = None
    wants_ubl: bool = False
    channel: str = "mail"
    peppol_scheme: str | None = None
    peppol_id: str | None = None


_NOBODY = _Nobody()
