"""A place where somebody can be a member: a company, a partner, or (neither) ECL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import COMPANY_ROLES, Actor, Permission, Role, require
from marketplace.people import scope


class Place(msgspec.Struct, frozen=True):
    """A company's id, a partner's id, or neither for ECL."""

    company_id: UUID | None = None
    partner_id: UUID | None = None

    def where(self, alias: str) -> str:
        """Return the SQL condition for rows of this place; ``$1`` is ``key`` (for ECL, an unused NULL)."""
        if self.company_id is not None:
            return f"{alias}.company_id = $1"
        if self.partner_id is not None:
            return f"{alias}.partner_id = $1"
        return f"{alias}.company_id IS NULL AND {alias}.partner_id IS NULL AND $1::uuid IS NULL"

    @property
    def key(self) -> UUID | None:
        """Return the id that ``where`` asks for."""
        return self.company_id or self.partner_id

    @property
    def is_ecl(self) -> bool:
        """Tell whether this is ECL itself."""
        return self.key is None

    def roles(self) -> tuple[Role, ...]:
        """Return the roles that somebody can have here, in the order in which they are shown."""
        if self.company_id is not None:
            return tuple(role for role in Role if role in COMPANY_ROLES)
        return (Role.PARTNER,) if self.partner_id is not None else (Role.ECL,)

    def check_roles(self, roles: frozenset[Role]) -> None:
        """Raise ``Invalid`` unless these are one or more of this place's roles."""
        if not roles or not roles <= set(self.roles()):
            sentence = _("Choose at least one role.")
            raise Invalid("roles", sentence, fields={"roles": sentence})


ECL = Place()


def may_manage(actor: Actor, place: Place) -> None:
    """Raise unless the actor may invite and remove members of this place.

    An owner manages their own company; ECL manages every place; somebody else's company is ``NotFound``.
    """
    if actor.kind == "system":
        return
    if actor.is_company and place.company_id != actor.company_id:
        raise scope.not_found()
    if place.company_id is None:
        require(actor, Permission.MANAGE_COMPANIES if place.is_ecl else Permission.MANAGE_PARTNERS)
    require(actor, Permission.MANAGE_MEMBERS)
