"""The audit trail for ECL's eyes: who did what to which id, newest first, or all of one subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from marketplace.desk.branches import Values, key
from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import paging

NUL = "\0"


class Entry(msgspec.Struct, frozen=True):
    """One entry: ids and field names only. ``sealed`` when it is in the hash chain."""

    id: UUID
    at: datetime
    event: str
    actor_kind: str
    actor_id: UUID | None
    company_id: UUID | None
    subject_kind: str
    subject_id: str
    data: dict[str, Any]
    sealed: bool

    @property
    def details(self) -> str:
        """Return what was noted, on one line."""
        return ", ".join(f"{name}: {value}" for name, value in self.data.items())


async def entries(*, actor: Actor, kind: str = "", subject: str = "", cursor: str | None = None, size: int = 50) -> paging.Page[Entry]:
    """Return a page of the trail, newest first; with a kind and an id, of that subject only."""
    require(actor, Permission.MANAGE_JOBS)
    place = paging.read(cursor, datetime, UUID, size=size)
    values = Values()
    where = ["true", *key(("e.at", "e.id"), ("timestamptz", "uuid"), place, place.before, values)]
    if kind and subject:
        where.append(f"e.subject_kind = {values(kind.replace(NUL, ''))} AND e.subject_id = {values(subject.replace(NUL, ''))}")
    sql = f"""
        SELECT e.id, e.at, e.event, e.actor_kind, e.actor_id, e.company_id, e.subject_kind, e.subject_id, e.data,
               EXISTS (SELECT 1 FROM audit_link WHERE entry_id = e.id) AS sealed
          FROM audit_entry e WHERE {" AND ".join(where)} ORDER BY e.at {place.descending}, e.id {place.descending} LIMIT {values(place.fetch)}
    """  # noqa: S608 - constants
    return paging.page(await db.rows(Entry, sql, *values), place, key=lambda row: (row.at, row.id))
