"""The navigation of each kind of actor: one list, in the order in which it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Permission

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor


class NavItem(NamedTuple):
    """One entry; ``current`` marks where the visitor is."""

    href: str
    label: str
    current: bool = False


_P = Permission
_COMPANY: tuple[tuple[str, str, Permission | None], ...] = (
    ("/home", N_("Home"), None),
    ("/programmes", N_("Programmes"), None),
    ("/orders", N_("Orders"), _P.SEE_ORDERS),
    ("/people", N_("Staff"), _P.SEE_PEOPLE),
    ("/scheduled-enrolments", N_("Planned"), _P.SEE_PEOPLE),
    ("/invoices", N_("Invoices"), _P.SEE_INVOICES),
    ("/members", N_("Members"), _P.SEE_MEMBERS),
)
_DESK: tuple[tuple[str, str, Permission | None], ...] = (
    ("/desk", N_("Desk"), None),
    ("/desk/orders", N_("Orders"), None),
    ("/desk/invoices", N_("Invoices"), None),
    ("/catalogue/programmes", N_("Catalogue"), None),
    ("/companies", N_("Companies"), None),
    ("/partners", N_("Partners"), None),
    ("/desk/jobs", N_("Jobs"), None),
)
_PARTNER: tuple[tuple[str, str, Permission | None], ...] = (
    ("/acceptances", N_("To accept"), None),
    ("/rosters", N_("Rosters"), None),
    ("/programmes", N_("Programmes"), None),
)
_ANONYMOUS: tuple[tuple[str, str, Permission | None], ...] = (("/programmes", N_("Programmes"), None),)


def items_for(actor: Actor, path: str) -> list[NavItem]:
    """Return the entries for this actor; the longest one that ``path`` lies under is current."""
    entries = [entry for entry in _entries(actor) if entry[2] is None or actor.may(entry[2])]
    here = max((href for href, _label, _permission in entries if path == href or path.startswith(f"{href}/")), key=len, default="")
    return [NavItem(href, _(label), current=href == here) for href, label, _permission in entries]


def home_of(actor: Actor) -> str:
    """Return the page where this actor starts after signing in."""
    if actor.is_ecl:
        return "/desk"
    if actor.is_partner:
        return "/acceptances"
    return "/home" if actor.is_company else "/programmes"


def _entries(actor: Actor) -> tuple[tuple[str, str, Permission | None], ...]:
    if actor.is_ecl:
        return _DESK
    if actor.is_partner:
        return _PARTNER
    return _COMPANY if actor.is_company else _ANONYMOUS
