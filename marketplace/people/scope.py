"""Whose rows an actor may touch: the one place where ``company_id`` comes from.

A company's member always works on their own company, ECL on the company that is named, the system on any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor


def not_found() -> NotFound:
    """Return the one answer for what is missing and for what is somebody else's."""
    return NotFound("not_found", _("We can't find that here."), next_step=_("Check the address, or start from your home page."))


def company_of(actor: Actor, wanted: UUID | None = None) -> UUID:
    """Return the company that this actor works on.

    A member of a company gets their own, and ``NotFound`` when another is wanted. ECL and the system must name one.
    """
    if actor.is_company and actor.company_id is not None and wanted in (None, actor.company_id):
        return actor.company_id
    if (actor.is_ecl or actor.kind == "system") and wanted is not None:
        return wanted
    raise not_found()
