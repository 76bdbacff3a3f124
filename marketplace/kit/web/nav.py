"""The navigation of each kind of actor: the bar on top as one list, and the rail of ECL and the partners in sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketplace.kit.identity import Actor


class NavItem(NamedTuple):
    """One entry; ``current`` marks where the visitor is."""

    href: str
    label: str
    current: bool = False


class Count(NamedTuple):
    """What waits behind an entry of the rail; ``urgent`` is amber: it needs somebody now."""

    number: int
    urgent: bool = False


class RailItem(NamedTuple):
    """One entry of the rail, in the order in which ``desk.html`` takes it apart."""

    href: str
    label: str
    icon: str
    number: int | None
    urgent: bool
    current: bool


class _Entry(NamedTuple):
    """An address of the rail; pages under ``also`` (addresses, a space between) belong to it too."""

    href: str
    label: str
    icon: str
    also: str = ""


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
    ("/desk/partners", N_("Partners"), None),
    ("/desk/jobs", N_("Jobs"), None),
)
_PARTNER: tuple[tuple[str, str, Permission | None], ...] = (
    ("/acceptances", N_("To accept"), None),
    ("/rosters", N_("Rosters"), None),
    ("/statements", N_("Statements"), _P.SEE_STATEMENTS),
    ("/programmes", N_("Programmes"), None),
)
_ANONYMOUS: tuple[tuple[str, str, Permission | None], ...] = (("/programmes", N_("Programmes"), None),)

_DESK_RAIL: tuple[tuple[str, tuple[_Entry, ...]], ...] = (
    (
        "",
        (
            _Entry("/desk", N_("Today"), "inbox"),
            _Entry("/desk/orders", N_("Orders"), "bag", "/orders"),
            _Entry("/catalogue/sessions", N_("Sessions"), "calendar"),
        ),
    ),
    (N_("Catalogue"), (_Entry("/catalogue/programmes", N_("Programmes"), "book", "/programmes"),)),
    (
        N_("Contacts"),
        (
            _Entry("/companies", N_("Companies"), "home"),
            _Entry("/desk/partners", N_("Partners"), "people", "/partners"),
            _Entry("/desk/accounts", N_("Members"), "person", "/desk/members"),
        ),
    ),
    (
        N_("Money"),
        (
            _Entry("/finance", N_("Finance"), "euro"),
            _Entry("/desk/invoices", N_("Invoices"), "document", "/invoices"),
            _Entry("/invoice-runs", N_("Invoice runs"), "calendar", "/acceptance-profiles"),
            _Entry("/vat-checks", N_("VAT"), "list", "/vat-certificates /vat-rules"),
            _Entry("/bank-files", N_("Bank"), "bag", "/bank-entries"),
            _Entry("/reminders", N_("Reminders"), "mail"),
            _Entry("/partner-statements", N_("Statements"), "people", "/partner-contracts"),
            _Entry("/payout-batches", N_("Payouts"), "check"),
        ),
    ),
    (
        N_("System"),
        (
            _Entry("/desk/jobs", N_("Jobs"), "clock"),
            _Entry("/desk/mails", N_("Mail log"), "mail"),
            _Entry("/desk/audit", N_("Audit"), "lock"),
        ),
    ),
)
_PARTNER_RAIL: tuple[tuple[str, tuple[_Entry, ...]], ...] = (
    (
        "",
        (
            _Entry("/acceptances", N_("Requests"), "inbox"),
            _Entry("/rosters", N_("Rosters"), "calendar"),
            _Entry("/statements", N_("Statements"), "euro"),
            _Entry("/programmes", N_("Programmes"), "book"),
        ),
    ),
)


def rail_for(actor: Actor, path: str, counts: Mapping[str, Count]) -> list[tuple[str, list[RailItem]]]:
    """Return the rail in sections (title, entries) with their counts; empty for who has no rail."""
    sections = _DESK_RAIL if actor.is_ecl else _PARTNER_RAIL if actor.is_partner else ()
    here = max((length for _title, entries in sections for entry in entries if (length := _depth(entry, path))), default=0)
    return [(_(title) if title else "", [_rail_item(entry, path, here, counts) for entry in entries]) for title, entries in sections]


def _depth(entry: _Entry, path: str) -> int:
    """Return how much of the path an entry covers; 0 when the page isn't under it."""
    return max((len(base) for base in (entry.href, *entry.also.split()) if path == base or path.startswith(f"{base}/")), default=0)


def _rail_item(entry: _Entry, path: str, here: int, counts: Mapping[str, Count]) -> RailItem:
    waiting = counts.get(entry.href, Count(0))
    current = bool(here) and _depth(entry, path) == here
    return RailItem(entry.href, _(entry.label), entry.icon, waiting.number or None, waiting.urgent, current)


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
