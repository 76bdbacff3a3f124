"""What is kept of a person, in its normal form, and what is refused: the same for pages, API and import. Pure."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.people import names

LEVELS = ("A0", "A1", "A2", "B1", "B2", "C1", "C2")
EMAIL = re.compile(r"[^@\s,;<>()\[\]\"\\]+@[^@\s,;<>()\[\]\"\\.]+(?:\.[^@\s,;<>()\[\]\"\\.]+)+")
LIMITS = {"given_name": 120, "infix": 40, "family_name": 120, "email": 254, "personnel_number": 40, "department": 120, "cost_centre": 60}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What HR keeps of an employee. ``level`` is the CEFR level of Dutch, ``language`` that of their mails."""

    given_name: str
    family_name: str
    infix: str = ""
    email: str | None = None
    personnel_number: str | None = None
    department: str | None = None
    cost_centre: str | None = None
    start_on: date | None = None
    language: str | None = None
    level: str | None = None


FIELDS = tuple(field.name for field in msgspec.structs.fields(PersonFacts))
_TEXTS = tuple(LIMITS)


def search_text(facts: PersonFacts) -> str:
    """Return what the list's search looks in: name, address, number, department, folded."""
    return names.search_text(facts.given_name, facts.infix, facts.family_name, facts.email, facts.personnel_number, facts.department)


def checked(facts: PersonFacts) -> PersonFacts:
    """Return the facts in their normal form; raise ``Invalid`` with a sentence per field that can't stay.

    Blank becomes None (the infix ""), the address lower case, and an infix at the head of the family name goes to its
    own field.
    """
    given = msgspec.structs.asdict(facts)
    clean = {name: " ".join(_CONTROL.sub(" ", value).split()) if isinstance(value, str) else value for name, value in given.items()}
    if not clean["infix"] and clean["family_name"]:
        clean["infix"], clean["family_name"] = names.split_family(clean["family_name"])
    clean["email"] = clean["email"].lower() if clean["email"] else None
    for name in ("personnel_number", "department", "cost_centre", "language", "level"):
        clean[name] = clean[name] or None
    clean["infix"] = clean["infix"] or ""
    found = _problems(clean)
    if found:
        raise Invalid("person", _("Some fields need another look."), fields=found)
    return msgspec.structs.replace(facts, **clean)


def _problems(clean: dict[str, str | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not clean["given_name"]:
        found["given_name"] = _("Give the first name.")
    if not clean["family_name"]:
        found["family_name"] = _("Give the family name.")
    if clean["email"] and not EMAIL.fullmatch(clean["email"]):
        found["email"] = email_sentence(clean["email"])
    if clean["language"] not in (None, "en", "nl"):
        found["language"] = _("Choose Dutch or English.")
    if clean["level"] not in (None, *LEVELS):
        found["level"] = _("Choose a level from A0 to C2.")
    for name, limit in LIMITS.items():
        if len(clean[name] or "") > limit:
            found[name] = _("Use at most {n} characters.", n=limit)
    return found


def email_sentence(email: str) -> str:
    """Return what is wrong with an address that doesn't match ``EMAIL``, in words."""
    name, at, host = email.partition("@")
    if not at:
        return _("“{email}” has no @.", email=email)
    if not host:
        return _("The part after @ is missing.")
    if not name:
        return _("The part before @ is missing.")
    if "." not in host:
        return _("“{host}” is not a whole address: the part after the dot is missing.", host=host)
    return _("“{email}” has a character that an address can't have.", email=email)
