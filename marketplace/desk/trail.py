"""The audit trail for ECL's eyes: who did what to which id, newest first, or all of one subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import paging


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
    where, args = [f"($1::timestamptz IS NULL OR (e.at, e.id) {place.before} ($1, $2::uuid))"], [*place.key, place.fetch]
    if kind and subject:
        args += [kind.replace("\0", ""), subject.replace("\0", "")]
        where.append("e.subject_kind = $4 AND e.subject_id = $5")
    sql = f"""
        SELECT e.id, e.at, e.event, e.actor_kind, e.actor_id, e.company_id, e.subject_kind, e.subject_id, e.data,
               EXISTS (SELECT 1 FROM audit_link WHERE entry_id = e.id) AS sealed
          FROM audit_entry e WHERE {" AND ".join(where)} ORDER BY e.at {place.descending}, e.id {place.descending} LIMIT $3
    """  # noqa: S608 - constants
    return paging.page(await db.rows(Entry, sql, *args), place, key=lambda row: (row.at, row.id))
