"""Taking in a bank file: all of it or nothing, each file and each entry once, and every entry in the books at once.

What comes in stands on ``unallocated`` until somebody says what it was for; what went out waits there too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import anyio.to_thread
import msgspec

from billing import ledger
from billing.bank import camt, keys, unpack
from billing.ledger import Account, Event
from marketplace.kit import audit, db, ids
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

    from billing.bank.camt import Entry, Statement


class Received(msgspec.Struct, frozen=True):
    """What a file brought. ``replayed``: this very file was here before; nothing changed."""

    file_id: UUID
    entries: int
    new_entries: int
    replayed: bool = False


async def receive(name: str, content: bytes, *, actor: Actor, now: datetime) -> Received:
    """Take in a CAMT.053 file (XML, or a zip of them) and return what it brought.

    The same file, or an entry that another file brought, changes nothing. Raises ``Invalid`` with what is wrong and the
    mend (see ``camt.read``), also for another account than the operator's; then nothing of the file is kept.
    """
    require(actor, Permission.MANAGE_INVOICES)
    statements, own = await anyio.to_thread.run_sync(_read, content)
    _check_accounts(statements)
    digest, file_id = hashlib.sha256(content).digest(), ids.new_id()
    async with db.atomic():
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('billing.bank', 0))")
        before = await db.row(
            Received, "SELECT id AS file_id, entries, new_entries, true AS replayed FROM bank_file WHERE sha256 = $1", digest
        )
        if before is not None:
            return before
        fresh = await _fresh(statements, own)
        entries, new = sum(len(one.entries) for one in statements), sum(map(sum, fresh))
        await db.execute(
            "INSERT INTO bank_file (id, name, content, sha256, entries, new_entries, sent_by, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            file_id, name[:120] or "bank.xml", content, digest, entries, new, actor.account_id, now,
        )  # fmt: skip
        for statement, some, are_new in zip(statements, own, fresh, strict=True):
            await _keep(file_id, statement, some, are_new, now=now)
        data = {"entries": entries, "new": new, "statements": len(statements)}
        await audit.record("bank_file.received", actor=actor, subject=("bank_file", file_id), data=data, now=now)
    return Received(file_id, entries, new)


def _read(content: bytes) -> tuple[list[Statement], list[list[str]]]:
    """Return the statements with the keys of their entries. Each document of a zip counts by itself, as if it came alone."""
    documents = [camt.read(document) for document in unpack.documents(content)]
    own = [some for document in documents for some in keys.of(document)]
    return [statement for document in documents for statement in document], own


def _check_accounts(statements: list[Statement]) -> None:
    own = camt.normal_iban(settings().operator.iban)
    strange = sorted({one.iban for one in statements} - {own})
    if strange:
        sentence = _("This file is of account {iban}, and ours is {own}.", iban=", ".join(strange), own=own)
        raise unpack.refused("bank_file_account", sentence, _("Send the statement of our own account, or set the operator's IBAN right."))


async def _fresh(statements: list[Statement], own: list[list[str]]) -> list[list[bool]]:
    """Tell of each entry whether no file brought it before, nor a document of this one."""
    wanted = [key for some in own for key in some]
    known = {
        (row["account"], row["entry_key"])
        for row in await db.records("SELECT account, entry_key FROM bank_entry WHERE entry_key = ANY($1)", wanted)
    }
    seen: set[tuple[str, str]] = set()
    found: list[list[bool]] = []
    for statement, some in zip(statements, own, strict=True):
        are_new = []
        for entry, key in zip(statement.entries, some, strict=True):
            name = (statement.iban, key)
            are_new.append(bool(entry.cents) and name not in known and name not in seen)
            seen.add(name)
        found.append(are_new)
    return found


_STATEMENT = """
    INSERT INTO bank_statement (id, file_id, iban, reference, number, opening_on, closing_on, opening_cents, closing_cents, entries, new_entries)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_ENTRY = """
    INSERT INTO bank_entry (id, statement_id, account, entry_key, cents, booked_on, value_on, name, iban, text, refs,
                            servicer_reference, end_to_end_id, code, returned, of_batch, state, allocated_cents, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'open', 0, $17)
"""


async def _keep(file_id: UUID, statement: Statement, own: list[str], are_new: list[bool], *, now: datetime) -> None:
    statement_id = ids.new_id()
    await db.execute(
        _STATEMENT, statement_id, file_id, statement.iban, statement.reference, statement.number, statement.opening_on, statement.closing_on,
        statement.opening_cents, statement.closing_cents, len(statement.entries), sum(are_new),
    )  # fmt: skip
    fresh = [(ids.new_id(), key, entry) for key, entry, new in zip(own, statement.entries, are_new, strict=True) if new]
    await db.execute_many(_ENTRY, [_row(entry_id, statement_id, statement.iban, key, entry, now) for entry_id, key, entry in fresh])
    for entry_id, _key, entry in fresh:
        await _book(entry_id, entry, now=now)


def _row(entry_id: UUID, statement_id: UUID, account: str, key: str, entry: Entry, now: datetime) -> tuple[object, ...]:
    return (
        entry_id, statement_id, account, key, entry.cents, entry.booked_on, entry.value_on, entry.name, entry.iban, entry.text,
        msgspec.json.encode(entry.references).decode(), entry.servicer_reference, entry.end_to_end_id, entry.code, entry.returned, entry.of_batch, now,
    )  # fmt: skip


async def _book(entry_id: UUID, entry: Entry, *, now: datetime) -> None:
    head = ledger.Entry(event=Event.TRANSFER_RECEIVED, source_id=entry_id, on=entry.booked_on, reference=entry.servicer_reference[:35])
    await ledger.book(head, ledger.moved(Account.BANK, Account.UNALLOCATED, entry.cents), now=now)
