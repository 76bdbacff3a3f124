"""Reminders as they are read: what was sent, to whom, about what; and the last one of each invoice, for its list."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import archive
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.archive import Paper
    from marketplace.kit.web.paging import Page, Place

LEVELS = {1: N_("Reminder"), 2: N_("Second reminder"), 3: N_("Final reminder")}


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder with what it asked for."""

    id: UUID
    debtor_id: UUID
    company: str
    level: int
    dated_on: date
    state: str
    mailed_to: str
    costs_cents: int
    made_at: datetime
    sent_at: datetime | None
    numbers: list[str]
    asked_cents: int

    @property
    def asked(self) -> Money:
        """What it asked for, with interest and costs."""
        return Money(self.asked_cents + self.costs_cents)


_SELECT = """
    SELECT r.id, r.debtor_id, d.name AS company, r.level, r.dated_on, r.state, r.mailed_to, r.costs_cents, r.made_at, r.sent_at,
           jsonb_agg(i.number ORDER BY i.number) AS numbers, sum(t.open_cents + t.interest_cents)::bigint AS asked_cents
      FROM reminder r JOIN debtor d ON d.id = r.debtor_id JOIN reminder_item t ON t.reminder_id = r.id JOIN invoice i ON i.id = t.invoice_id
"""


async def page(place: Place, *, actor: Actor) -> Page[Sent]:
    """Return a page of the reminders, the latest first."""
    require(actor, Permission.MANAGE_INVOICES)
    where = f"WHERE (r.made_at, r.id) {place.before} ($1, $2)" if place.started else ""
    order = f"ORDER BY r.made_at {place.descending}, r.id {place.descending} LIMIT {place.fetch:d}"
    found = await db.rows(Sent, f"{_SELECT} {where} GROUP BY r.id, d.name {order}", *(place.key if place.started else ()))
    return paging.page(found, place, key=lambda row: (row.made_at, row.id))


async def of_debtor(debtor_id: UUID, *, actor: Actor) -> list[Sent]:
    """Return a debtor's reminders, the latest first; at most 50."""
    require(actor, Permission.MANAGE_INVOICES)
    return await db.rows(
        Sent, f"{_SELECT} WHERE r.debtor_id = $1 GROUP BY r.id, d.name ORDER BY r.made_at DESC, r.id DESC LIMIT 50", debtor_id
    )


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """The last reminder of an invoice."""

    invoice_id: UUID
    reminder_id: UUID
    level: int
    dated_on: date

    @property
    def name(self) -> str:
        """What it is called."""
        return _(LEVELS[self.level])


async def last_of(invoice_ids: Sequence[UUID]) -> dict[UUID, Last]:
    """Return the last reminder that was sent of each of these invoices, which the caller may see."""
    sql = """
        SELECT DISTINCT ON (t.invoice_id) t.invoice_id, r.id AS reminder_id, r.level, r.dated_on
          FROM reminder_item t JOIN reminder r ON r.id = t.reminder_id
         WHERE t.invoice_id = ANY($1) AND r.state = 'sent' ORDER BY t.invoice_id, r.level DESC
    """
    return {one.invoice_id: one for one in await db.rows(Last, sql, list(invoice_ids))}


async def paper(reminder_id: UUID, *, actor: Actor) -> Paper:
    """Return a reminder's stored PDF, for ECL and for the company that got it. Raises ``NotFound``."""
    require(actor, Permission.SEE_INVOICES)
    owner = None if actor.is_ecl or actor.kind == "system" else actor.company_id
    sql = "SELECT 1 FROM reminder r JOIN debtor d ON d.id = r.debtor_id WHERE r.id = $1 AND ($3 OR d.owner_id = $2)"
    known = await db.value(sql, reminder_id, owner, actor.is_ecl or actor.kind == "system")
    found = await archive.paper(("reminder", reminder_id), kind="pdf") if known else None
    if found is None:
        raise NotFound("not_found", _("There is no such reminder."))
    return found
