"""Filling in what a company forgot to give: the PO number, the cost centre or who ordered, on charges that aren't invoiced yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import audit, db
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID


class References(msgspec.Struct, frozen=True, kw_only=True):
    """What is given now. None leaves the charge's own."""

    purchase_order: str | None = None
    cost_centre: str | None = None
    ordered_by: str | None = None


async def fill(charge_ids: Sequence[UUID], given: References, *, actor: Actor, now: datetime) -> int:
    """Put references on open charges and return how many; what is given replaces what was there.

    Raises ``Invalid`` when nothing is given, ``Conflict`` ``already_invoiced`` when none of them is open any more.
    """
    require(actor, Permission.MANAGE_INVOICES)
    values = {name: value.strip() for name, value in msgspec.structs.asdict(given).items() if value and value.strip()}
    if not values:
        sentence = _("Fill in what the company gave you.")
        raise Invalid("nothing_given", sentence, fields={"purchase_order": sentence})
    settings = ", ".join(f"{name} = ${at}" for at, name in enumerate(values, 2))
    async with db.atomic():
        await db.execute("SELECT FROM charge WHERE id = ANY($1) AND state = 'open' ORDER BY id FOR UPDATE", list(charge_ids))
        sql = f"UPDATE charge SET {settings} WHERE id = ANY($1) AND state = 'open' RETURNING id"  # noqa: S608 - our own names
        changed = [row["id"] for row in await db.records(sql, list(charge_ids), *values.values())]
        if not changed:
            raise Conflict("already_invoiced", _("The invoice for this has been issued already."))
        for charge_id in changed:
            data = {"fields": sorted(values)}
            await audit.record("charge.references_filled", actor=actor, subject=("charge", charge_id), data=data, now=now)
    return len(changed)
