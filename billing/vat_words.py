"""A VAT decision in words: its trace, stored language-neutral as ``key|name=value``, said in the reader's language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from billing import vat_rules
from marketplace.kit.i18n import N_, _, fmt_date, fmt_number

if TYPE_CHECKING:
    from collections.abc import Iterable

FACTS = "facts"
"""The step that keeps what was decided on, for deciding again; it is never said."""

SENTENCES: dict[str, str] = {
    "general_language": N_("A language course that is not aimed at one profession is general education, which is exempt from VAT."),
    "professional_course": N_("A course for a profession is exempt only when the seller is in the CRKBO register."),
    "registered": N_("The seller was in the CRKBO register on {on}, so the course is exempt from VAT."),
    "registered_since": N_("{who} is in the CRKBO register since {since}, also on {on}, so the course is exempt from VAT."),
    "not_registered": N_("The seller was not in the CRKBO register on {on}, so VAT is due."),
    "not_registered_who": N_("{who} is not in the CRKBO register on {on}, so VAT is due."),
    "coaching": N_("One-to-one coaching and career advice are taxed."),
    "service": N_("This is taxed at the general rate."),
    "material": N_("Books and material that belong to a course follow that course."),
    "material_alone": N_("Books and material without a course are taxed."),
    "cancellation_fee": N_("A cancellation fee follows the course that was cancelled."),
    "cancellation_fee_taxed": N_("A cancellation fee is taxed at the general rate."),
    "fee_alone": N_("A fee that belongs to no course is taxed."),
    "override": N_("For this programme it was decided otherwise: {reason}."),
    "exempt_set": N_("It is exempt from VAT as education."),
    "taxed_set": N_("It is taxed."),
    "reduced": N_("This is taxed at the reduced rate."),
    "platform_fee": N_("A platform fee is taxed at the general rate."),
    "e_learning": N_("Self-paced e-learning without a teacher is not education in the sense of the exemption, so VAT is due."),
    "online": N_("Live online teaching counts as the same course on site."),
    "reverse_charge": N_(
        "The buyer is a business in another EU country ({country}) with VAT id {id}: it accounts for the VAT itself (reverse charge)."
    ),
    "proof": N_("This id was found in use on {checked}. The proof is number {number}."),
    "proof_plain": N_("This id was found in use on {checked}."),
    "pending": N_("We are asking VIES whether {id} is in use. If it isn't, Dutch VAT is added before the invoice is issued."),
    "no_valid_vat_id": N_("The buyer is in {country}, but we have no VAT id that was found right, so Dutch VAT rules apply."),
    "vat_id_not_in_use": N_("VAT id {id} was not in use on {checked}, so Dutch VAT rules apply."),
    "outside_eu": N_("The buyer is outside the EU ({country}); Dutch VAT rules apply until ECL's tax adviser says otherwise."),
    "certificate": N_(
        "The buyer is an international organisation with exemption certificate {number} of {issuer}, from {since} until {until}."
    ),
    "certificate_not_then": N_("The buyer's exemption certificate does not cover {on}."),
    "zero": N_("VAT is 0%."),
    "rate": N_("VAT is {rate}%."),
}
_DAYS = frozenset({"on", "since", "until", "checked"})


def step(key: str, **values: object) -> str:
    """Return one step of a trace as it is stored."""
    return "|".join([key, *(f"{name}={str(value).replace('|', '/')}" for name, value in values.items())])


def parts(stored: str) -> tuple[str, dict[str, str]]:
    """Return a stored step's key and its values."""
    key, *pairs = stored.split("|")
    return key, dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def explain(trace: Iterable[str]) -> list[str]:
    """Say the steps of a stored trace in the current language. A step that this code doesn't know is shown as it is."""
    return [_say(stored) for stored in trace if not stored.startswith(f"{FACTS}|")]


def _say(stored: str) -> str:
    key, values = parts(stored)
    if key not in SENTENCES:
        return stored
    said: dict[str, str] = {}
    for name, value in values.items():
        if name in _DAYS:
            said[name] = fmt_date(date.fromisoformat(value), "long")
        else:
            said[name] = fmt_number(Decimal(value)) if name == "rate" else value
    return _(SENTENCES[key], **said)


def legal_text(code: str | None, language: str) -> str | None:
    """Return the sentence that the law wants on the document for an exemption code (or ``Z``), in Dutch or English."""
    if code is None:
        return None
    texts = vat_rules.book().texts[code]
    return texts.get(language, texts["nl"])


def note(category: str, code: str | None, language: str) -> str | None:
    """Return the law's sentence for a line or a sum: by its exemption code, and for category Z, which has none, its own."""
    return legal_text("Z" if category == "Z" else code, language)


def question(category: str, rate: Decimal) -> str:
    """Return the question that a trace answers, "Why 0%?" or "Why 21%?", for the line's details element."""
    return _("Why {rate}%?", rate=fmt_number(rate.normalize() if category == "S" else Decimal(0)))
