"""The issued documents: built from the frozen rows, written once, kept with their SHA-256 and never made again."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db, ids, mail
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class BeingMade(DomainError):
    """The document will be there in a moment; it is not there yet."""

    status = 404
    default_code = "being_made"


class Format(StrEnum):
    """The documents of an invoice; ``cii`` is the XML inside the PDF."""

    PDF = "pdf"
    UBL_PEPPOL = "ubl-peppol"
    UBL_NLCIUS = "ubl-nlcius"
    CII = "cii"

    @property
    def media_type(self) -> str:
        """The media type of its bytes."""
        return "application/pdf" if self is Format.PDF else "application/xml"


async def kinds(invoice_id: UUID) -> frozenset[Format]:
    """Return which documents of an invoice have been made."""
    found = await db.records("SELECT kind FROM document WHERE invoice_id = $1", invoice_id)
    return frozenset(Format(row["kind"]) for row in found)


async def store(invoice_id: UUID, contents: Mapping[Format, bytes], *, now: datetime) -> None:
    """Keep the bytes of an invoice's documents; those that are kept already stay as they are."""
    sql = (
        "INSERT INTO document (id, invoice_id, kind, media_type, content, sha256, made_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (invoice_id, kind) DO NOTHING"
    )
    for kind, content in contents.items():
        await db.execute(sql, ids.new_id(), invoice_id, kind.value, kind.media_type, content, hashlib.sha256(content).digest(), now)


async def stored_document(number: str, kind: str) -> bytes:
    """Return the stored bytes: ``pdf``, ``ubl-peppol``, ``ubl-nlcius`` or ``cii``, checked against their SHA-256.

    Raises ``NotFound`` for an unknown number, and ``BeingMade`` (a 404 too) until the document is there.
    """
    sql = """
        SELECT content, sha256 FROM invoice i LEFT JOIN document m ON m.invoice_id = i.id AND m.kind = $2 WHERE i.number = $1
    """
    found = next(iter(await db.records(sql, number, Format(kind).value)), None)
    if found is None:
        raise NotFound("not_found", _("There is no such invoice."))
    if found["content"] is None:
        raise BeingMade(
            "being_made",
            _("This document is still being made."),
            next_step=_("That takes a few seconds. Try again in a moment."),
        )
    return _intact(number, found["content"], found["sha256"])


_SELF_BILLED = {Format.PDF: "{}.pdf", Format.UBL_PEPPOL: "{}.xml", Format.CII: "{}-cii.xml"}


async def exported(number: str, kind: str) -> bytes:
    """Return ``stored_document`` of any number, a partner's self-billed invoice too (which has no NLCIUS: it isn't sent to a company).

    Checks nobody's access: for the command line.
    """
    try:
        return await stored_document(number, kind)
    except BeingMade:
        raise
    except NotFound:
        name = _SELF_BILLED.get(Format(kind), "").format(number)
        found = await _paper("subject_kind = 'self_billed' AND name = $1", name)
        if found is None:
            raise
        return found.content


def _intact(name: str, content: bytes, sha256: bytes) -> bytes:
    if hashlib.sha256(content).digest() != sha256:
        message = f"the stored document {name} does not match its SHA-256"
        raise RuntimeError(message)
    return content


@mail.attachment_source("billing.document")
async def attachment(document_id: str) -> bytes:
    """Return the bytes of a stored document by its id, for a mail."""
    found = await db.records("SELECT content, sha256 FROM document WHERE id = $1", UUID(document_id))
    return _intact(document_id, found[0]["content"], found[0]["sha256"])


async def document_id(invoice_id: UUID, kind: Format) -> UUID | None:
    """Return the id of a stored document, or None while it isn't made."""
    found = await db.value("SELECT id FROM document WHERE invoice_id = $1 AND kind = $2", invoice_id, kind.value)
    return None if found is None else UUID(str(found))


class Paper(msgspec.Struct, frozen=True):
    """A stored document that isn't an invoice."""

    id: UUID
    name: str
    media_type: str
    content: bytes


async def store_paper(
    subject: tuple[str, UUID], *, kind: str, name: str, content: bytes, media_type: str = "application/pdf", now: datetime
) -> UUID:
    """Keep an issued document (reminder, statement, …) of a subject, once per kind; return its id, or that of the one kept before.

    ``subject`` is a word and a row's id, ``kind`` its format (``pdf``, ``csv``, ``ubl``), ``name`` the file's.
    """
    sql = """
        INSERT INTO issued_paper (id, subject_kind, subject_id, kind, name, media_type, content, sha256, made_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject_kind, subject_id, kind) DO NOTHING
    """
    await db.execute(sql, ids.new_id(), *subject, kind, name, media_type, content, hashlib.sha256(content).digest(), now)
    return UUID(
        str(await db.value("SELECT id FROM issued_paper WHERE subject_kind = $1 AND subject_id = $2 AND kind = $3", *subject, kind))
    )


async def paper(subject: tuple[str, UUID], *, kind: str) -> Paper | None:
    """Return a stored document, checked against its SHA-256, or None while it isn't made."""
    return await _paper("subject_kind = $1 AND subject_id = $2 AND kind = $3", *subject, kind)


async def _paper(where: str, *args: object) -> Paper | None:
    found = await db.records(f"SELECT id, name, media_type, content, sha256 FROM issued_paper WHERE {where}", *args)  # noqa: S608
    if not found:
        return None
    row = found[0]
    return Paper(row["id"], row["name"], row["media_type"], _intact(row["name"], row["content"], row["sha256"]))


@mail.attachment_source("billing.paper")
async def paper_attachment(paper_id: str) -> bytes:
    """Return the bytes of a stored paper by its id, for a mail."""
    found = await _paper("id = $1", UUID(paper_id))
    if found is None:
        message = f"there is no stored paper {paper_id}"
        raise RuntimeError(message)
    return found.content
