"""The audit trail: who did what to what, append-only, with a hash chain that shows later meddling.

Entries hold ids and field names, never names or addresses (RULES §10). They are written in the business transaction;
``seal`` links them into the chain afterwards, so that the chain is no lock that every order waits for.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketplace.kit.identity import Actor

_LATE = timedelta(hours=1)
_SEAL_LOCK = 727_201_27
_FIELDS = "id, at, event, actor_kind, actor_id, company_id, partner_id, subject_kind, subject_id, data"


class Entry(msgspec.Struct, frozen=True):
    """One audited event, as pages and the chain read it."""

    id: UUID
    at: datetime
    event: str
    actor_kind: str
    actor_id: UUID | None
    company_id: UUID | None
    partner_id: UUID | None
    subject_kind: str
    subject_id: str
    data: dict[str, Any]


class _Link(msgspec.Struct, frozen=True):
    position: int
    entry_id: UUID
    hash: bytes


async def record(event: str, *, actor: Actor, subject: tuple[str, object], data: Mapping[str, object] | None = None, now: datetime) -> None:
    """Write one entry in the current transaction.

    ``event`` is "<noun>.<past participle>"; ``subject`` is (noun, id); ``data`` holds ids, amounts, states and field
    names only.
    """
    await db.soon(
        f"INSERT INTO audit_entry ({_FIELDS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",  # noqa: S608 - constant
        new_id(), now, event, actor.kind, actor.account_id, actor.company_id, actor.partner_id,
        subject[0], str(subject[1]), msgspec.json.encode(data or {}).decode(),
    )  # fmt: skip


async def of(kind: str, subject_id: object) -> list[Entry]:
    """Return what happened to one thing, oldest first."""
    sql = f"SELECT {_FIELDS} FROM audit_entry WHERE subject_kind = $1 AND subject_id = $2 ORDER BY at, id"  # noqa: S608
    return await db.rows(Entry, sql, kind, str(subject_id))


async def seal(*, limit: int = 5_000) -> int:
    """Link entries that are not in the chain yet, oldest first, and return how many.

    One process at a time; an entry whose transaction commits up to an hour late still gets its link.
    """
    async with db.atomic():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _SEAL_LOCK)
        last = await db.row(_Link, "SELECT position, entry_id, hash FROM audit_link ORDER BY position DESC LIMIT 1")
        since = await db.value("SELECT at FROM audit_entry WHERE id = $1", last.entry_id) if last else datetime(2000, 1, 1, tzinfo=UTC)
        sql = (
            f"SELECT {_FIELDS} FROM audit_entry AS entry WHERE at >= $1"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM audit_link WHERE entry_id = entry.id) ORDER BY at, id LIMIT $2"
        )
        entries = await db.rows(Entry, sql, since - _LATE, limit)
        position, previous = (last.position, last.hash) if last else (0, b"")
        links: list[tuple[int, UUID, bytes]] = []
        for entry in entries:
            position, previous = position + 1, _hash(previous, entry)
            links.append((position, entry.id, previous))
        await db.copy_rows("audit_link", ("position", "entry_id", "hash"), links)
    return len(links)


async def verify() -> list[str]:
    """Recompute the chain and return a sentence for each link that does not hold; empty means intact."""
    sql = f"SELECT link.position, link.hash, {_FIELDS} FROM audit_link AS link LEFT JOIN audit_entry AS entry ON entry.id = link.entry_id ORDER BY link.position"  # noqa: S608
    previous = b""
    problems: list[str] = []
    for expected, found in enumerate(await db.records(sql), start=1):
        position, kept = found.pop("position"), found.pop("hash")
        if position != expected:
            return [*problems, f"Link {expected} of the audit chain is missing."]
        if found["id"] is None or _hash(previous, msgspec.convert(found, Entry)) != kept:
            problems.append(f"Link {position} of the audit chain does not match its entry.")
        previous = kept
    return problems


def _hash(previous: bytes, entry: Entry) -> bytes:
    return hashlib.sha256(previous + msgspec.json.encode(entry, order="sorted")).digest()
