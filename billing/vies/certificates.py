"""Exemption certificates of international organisations: the paper, its days, and who at ECL accepted it.

Within its days what is supplied carries 0 % (category Z). A certificate is never changed: it ends, and the next one is added.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from billing import redecide
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

MAX_BYTES = 5_000_000
WARN_BEFORE = timedelta(days=60)
_PDF = b"%PDF-"


class NewCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as it was received. ``issuer`` is the state or the organisation; both days are included."""

    debtor_id: UUID
    number: str
    issuer: str
    from_on: date
    until_on: date
    file_name: str
    content: bytes


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate without its paper. ``last_on`` is its last day, also when it was ended before."""

    id: UUID
    debtor_id: UUID
    debtor_name: str
    number: str
    issuer: str
    from_on: date
    until_on: date
    file_name: str
    sha256: bytes
    approved_name: str
    approved_at: datetime
    ended_on: date | None

    @property
    def last_on(self) -> date:
        """Return the last day on which it counts."""
        return min(self.until_on, self.ended_on) if self.ended_on else self.until_on

    def state(self, today: date) -> str:
        """Return where it stands: ``coming``, ``counts``, ``ending`` (soon) or ``over``."""
        if self.last_on < today:
            return "over"
        if self.from_on > today:
            return "coming"
        return "ending" if self.last_on - today <= WARN_BEFORE else "counts"


_SELECT = """
    SELECT v.id, v.debtor_id, d.legal_name AS debtor_name, v.number, v.issuer, v.from_on, v.until_on, v.file_name, v.sha256,
           v.approved_name, v.approved_at, v.ended_on
    FROM vat_certificate v JOIN debtor d ON d.id = v.debtor_id
"""


async def add(new: NewCertificate, *, actor: Actor, now: datetime) -> UUID:
    """Keep a certificate and decide the VAT again of what is not invoiced yet. The actor is the one who accepts it.

    Raises ``Forbidden``, ``Invalid`` per field, ``NotFound`` for the debtor, ``Conflict`` ``certificate_overlaps``.
    """
    require(actor, Permission.MANAGE_INVOICES)
    _check(new)
    certificate_id = ids.new_id()
    async with db.atomic():
        if await db.value("SELECT id FROM debtor WHERE id = $1 FOR UPDATE", new.debtor_id) is None:
            raise NotFound("not_found", _("There is no such billing profile."))
        overlap = "SELECT number FROM vat_certificate WHERE debtor_id = $1 AND from_on <= $3 AND least(until_on, coalesce(ended_on, until_on)) >= $2"
        other = await db.value(overlap, new.debtor_id, new.from_on, new.until_on)
        if other is not None:
            raise Conflict(
                "certificate_overlaps",
                _("Certificate {number} covers some of these days already.", number=other),
                next_step=_("End that one first, or start this one on the day after it."),
            )
        await db.execute(
            "INSERT INTO vat_certificate (id, debtor_id, number, issuer, from_on, until_on, file_name, content, sha256,"
            " approved_by, approved_name, approved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            certificate_id, new.debtor_id, new.number, new.issuer, new.from_on, new.until_on, new.file_name, new.content,
            hashlib.sha256(new.content).digest(), actor.account_id, actor.name, now,
        )  # fmt: skip
        data = {"certificate": certificate_id, "from": new.from_on, "until": new.until_on}
        await audit.record("debtor.certificate_added", actor=actor, subject=("debtor", new.debtor_id), data=data, now=now)
        await redecide.of_debtor(new.debtor_id, now=now)
    return certificate_id


def _check(new: NewCertificate) -> None:
    fields: dict[str, str] = {}
    if new.until_on < new.from_on:
        fields["until_on"] = _("The last day can't be before the first.")
    if not new.number.strip():
        fields["number"] = _("Give the number that stands on the certificate.")
    if not new.issuer.strip():
        fields["issuer"] = _("Name the state or the organisation that issued it.")
    if not new.content.startswith(_PDF):
        fields["paper"] = _("Choose a PDF of the certificate.")
    elif len(new.content) > MAX_BYTES:
        fields["paper"] = _("Use a PDF of at most {size} MB.", size=MAX_BYTES // 1_000_000)
    if fields:
        raise Invalid("invalid", _("This certificate can't be kept as it is."), fields=fields)


async def end(certificate_id: UUID, *, last_on: date, actor: Actor, now: datetime) -> None:
    """Let a certificate count up to and including a day, and no longer; what is not invoiced yet follows.

    Raises ``Forbidden``, ``NotFound``, ``Conflict`` ``certificate_ended``, ``Invalid`` for a day outside its own.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        await db.value("SELECT id FROM vat_certificate WHERE id = $1 FOR UPDATE", certificate_id)
        found = await get(certificate_id)
        if found.ended_on is not None:
            raise Conflict("certificate_ended", _("This certificate was ended before."))
        if not found.from_on - timedelta(days=1) <= last_on < found.until_on:
            sentence = _("Choose a day from the day before it starts until the day before it ends anyway.")
            raise Invalid("invalid", sentence, fields={"last_on": sentence})
        sql = "UPDATE vat_certificate SET ended_on = $2, ended_by = $3, ended_at = $4 WHERE id = $1"
        await db.execute(sql, certificate_id, last_on, actor.account_id, now)
        data = {"certificate": certificate_id, "last": last_on}
        await audit.record("debtor.certificate_ended", actor=actor, subject=("debtor", found.debtor_id), data=data, now=now)
        await redecide.of_debtor(found.debtor_id, now=now)


async def get(certificate_id: UUID) -> Certificate:
    """Return a certificate. Raises ``NotFound``."""
    found = await db.row(Certificate, f"{_SELECT} WHERE v.id = $1", certificate_id)
    if found is None:
        raise NotFound("not_found", _("There is no such certificate."))
    return found


async def of_debtor(debtor_id: UUID) -> list[Certificate]:
    """Return a debtor's certificates, the latest first."""
    return await db.rows(Certificate, f"{_SELECT} WHERE v.debtor_id = $1 ORDER BY v.from_on DESC", debtor_id)


async def every(*, limit: int = 200) -> list[Certificate]:
    """Return certificates of all debtors: those that end first on top, those that are over last."""
    sql = f"{_SELECT} ORDER BY least(v.until_on, coalesce(v.ended_on, v.until_on)) DESC, v.id LIMIT $1"
    return await db.rows(Certificate, sql, limit)


async def paper(certificate_id: UUID) -> tuple[str, bytes]:
    """Return the stored PDF with its name, checked against its SHA-256. Raises ``NotFound``."""
    found = await db.records("SELECT file_name, content, sha256 FROM vat_certificate WHERE id = $1", certificate_id)
    if not found:
        raise NotFound("not_found", _("There is no such certificate."))
    content: bytes = found[0]["content"]
    if hashlib.sha256(content).digest() != found[0]["sha256"]:
        message = f"the stored certificate {certificate_id} differs from its SHA-256"
        raise RuntimeError(message)
    return found[0]["file_name"], content


async def ending(*, now: datetime) -> int:
    """Return how many certificates end soon without another one after them: the desk's warning."""
    sql = """
        SELECT count(*) FROM vat_certificate v WHERE least(v.until_on, coalesce(v.ended_on, v.until_on)) BETWEEN $1 AND $2
            AND NOT EXISTS (SELECT FROM vat_certificate n WHERE n.debtor_id = v.debtor_id AND n.from_on > v.from_on)
    """
    day = clock.today(now)
    return int(await db.value(sql, day, day + WARN_BEFORE))
