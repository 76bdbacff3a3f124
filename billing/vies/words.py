"""Where a VAT id stands and what VIES answered, in a person's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.vies.checks import Kind
from marketplace.kit import clock
from marketplace.kit.i18n import N_, _, fmt_date

if TYPE_CHECKING:
    from billing.vies.checks import Standing

STATES: dict[Kind, tuple[str, str, str]] = {
    Kind.NOT_NEEDED: (N_("Not needed"), "", ""),
    Kind.UNKNOWN: (N_("No answer yet"), "warn", "clock"),
    Kind.VALID: (N_("In use"), "ok", "check"),
    Kind.STALE: (N_("In use, asked long ago"), "", "clock"),
    Kind.INVALID: (N_("Not in use"), "stop", "warn"),
}
ANSWERS = {
    "valid": (N_("In use"), "ok"),
    "invalid": (N_("Not in use"), "stop"),
    "refused": (N_("Not answered"), "warn"),
    "unavailable": (N_("Away"), "warn"),
}
_TROUBLES = {
    "MS_UNAVAILABLE": N_("The register of that country is away. We ask again by ourselves."),
    "INVALID_INPUT": N_("VIES says that this can't be a VAT id."),
    "INVALID_REQUESTER_INFO": N_("VIES does not accept our own VAT id. Look at the setting."),
    "VAT_BLOCKED": N_("VIES answers no questions about this id."),
    "IP_BLOCKED": N_("VIES answers no questions from this server."),
}


def trouble(code: str) -> str:
    """Say why there was no answer."""
    if code in _TROUBLES:
        return _(_TROUBLES[code])
    if "MAX_CONCURRENT" in code:
        return _("VIES is busy. We ask again by ourselves.")
    return _("VIES could not be reached. We ask again by ourselves.")


def who(adapter: str) -> str:
    """Say who gave an answer."""
    return {"live": "VIES", "hand": _("By hand"), "offline": _("Offline stand-in")}.get(adapter, adapter)


def sentence(standing: Standing) -> str:
    """Say in one sentence what is known of a debtor's VAT id, for the company's pages."""
    if standing.kind is Kind.NOT_NEEDED:
        return (
            _("A VAT id in our own country decides nothing: VAT is charged as always.")
            if standing.vat_id
            else _("No VAT id is known. It is needed outside the Netherlands only.")
        )
    if standing.kind is Kind.UNKNOWN or standing.checked_at is None:
        return _("We are asking VIES whether this VAT id is in use. Only the invoice waits for it.")
    day = fmt_date(clock.today(standing.checked_at), "long")
    if standing.kind is Kind.INVALID:
        return _("On {day} this VAT id was not in use, so Dutch VAT is charged. Correct it, then we ask again.", day=day)
    if standing.number:
        return _("VAT id checked on {day}, number {number}.", day=day, number=standing.number)
    return _("VAT id checked on {day}.", day=day)
