"""Roles in words, for pages: what they are called and what they may do."""

from __future__ import annotations

from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Role

_WORDS = {
    Role.OWNER: (N_("Owner"), N_("Does everything below, and decides who is a member.")),
    Role.BUYER: (N_("Buyer"), N_("Keeps the staff list, and books and plans courses.")),
    Role.APPROVER: (N_("Approver"), N_("Approves orders.")),
    Role.FINANCE: (N_("Finance"), N_("Sees orders, and sees and pays invoices.")),
    Role.VIEWER: (N_("Viewer"), N_("Sees everything, changes nothing.")),
    Role.PARTNER: (N_("Partner"), N_("Accepts orders and sees who comes.")),
    Role.ECL: (N_("ECL desk"), N_("Works at ECL: sees and manages everything.")),
}


def word(role: Role) -> str:
    """Return what a role is called."""
    return _(_WORDS[role][0])


def options(roles: tuple[Role, ...]) -> list[tuple[str, str]]:
    """Return (value, words) of roles for a group of checkboxes."""
    return [(role.value, f"{_(_WORDS[role][0])}: {_(_WORDS[role][1])}") for role in roles]
