"""VAT ids: asked about, answered, kept as proof, and what that means for a debtor today.

Nobody waits for VIES. A question is a work row; its answer is a row of ``vat_check`` that never changes. The last final answer
says whether the id counts (``debtor.vat_id_valid``), and the VAT of what is not invoiced yet follows it (``billing.redecide``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import redecide
from billing.vat_ids import matters
from billing.vies.port import Answer, Outcome, chosen
from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor, Permission, require
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))


class Kind(StrEnum):
    """Where a debtor's VAT id stands."""

    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"
    VALID = "valid"
    STALE = "stale"
    INVALID = "invalid"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a debtor's VAT id. ``number`` is the proof's; ``trouble`` the code of the last question that failed."""

    debtor_id: UUID
    kind: Kind
    vat_id: str | None = None
    checked_at: datetime | None = None
    number: str | None = None
    adapter: str = ""
    trouble: str = ""
    tried_at: datetime | None = None

    @property
    def settled(self) -> bool:
        """Tell whether an invoice may rely on it: not while the id was never answered for, nor before an old proof was asked again once."""
        if self.kind is Kind.STALE:
            return self.tried_at is not None and self.checked_at is not None and self.tried_at > self.checked_at
        return self.kind is not Kind.UNKNOWN

    @property
    def counts(self) -> bool:
        """Tell whether the id was found in use by its last final answer."""
        return self.kind in {Kind.VALID, Kind.STALE}


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    country: str
    vat_id: str | None
    answer: str | None
    checked_at: datetime | None
    number: str | None
    adapter: str | None
    trouble: str | None
    tried_at: datetime | None


_STANDING = """
    SELECT d.id, d.country, d.vat_id, f.answer, f.checked_at, f.consultation_number AS number, f.adapter,
           CASE WHEN l.answer IN ('refused', 'unavailable') THEN l.code END AS trouble, l.checked_at AS tried_at
    FROM debtor d
    LEFT JOIN LATERAL (SELECT answer, checked_at, consultation_number, adapter FROM vat_check c
        WHERE c.debtor_id = d.id AND c.vat_id = d.vat_id AND c.answer IN ('valid', 'invalid') ORDER BY c.checked_at DESC, c.id DESC LIMIT 1) f ON true
    LEFT JOIN LATERAL (SELECT answer, code, checked_at FROM vat_check c
        WHERE c.debtor_id = d.id AND c.vat_id = d.vat_id ORDER BY c.checked_at DESC, c.id DESC LIMIT 1) l ON true
    WHERE d.id = ANY($1)
"""


async def standings(debtor_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Standing]:
    """Return where the VAT ids of these debtors stand, in one query; unknown debtors are left out."""
    found = await db.rows(_Row, _STANDING, list(debtor_ids))
    return {row.id: _standing(row, now) for row in found}


async def standing(debtor_id: UUID, *, now: datetime) -> Standing:
    """Return where a debtor's VAT id stands. Raises ``NotFound``."""
    found = await standings([debtor_id], now=now)
    if debtor_id not in found:
        raise NotFound("not_found", _("There is no such billing profile."))
    return found[debtor_id]


async def counts(debtor_id: UUID, vat_id: str) -> bool:
    """Tell whether the last final answer about this id of a debtor's was that it is in use."""
    sql = """
        SELECT answer FROM vat_check WHERE debtor_id = $1 AND vat_id = $2 AND answer IN ('valid', 'invalid')
        ORDER BY checked_at DESC, id DESC LIMIT 1
    """
    return bool(await db.value(sql, debtor_id, vat_id) == "valid")


def _standing(row: _Row, now: datetime) -> Standing:
    return Standing(
        debtor_id=row.id,
        kind=_kind(row, now),
        vat_id=row.vat_id,
        checked_at=row.checked_at,
        number=row.number,
        adapter=row.adapter or "",
        trouble=row.trouble or "",
        tried_at=row.tried_at,
    )


def _kind(row: _Row, now: datetime) -> Kind:
    if not matters(row.country, row.vat_id):
        return Kind.NOT_NEEDED
    if row.answer is None or row.checked_at is None:
        return Kind.UNKNOWN
    if row.answer == Outcome.INVALID:
        return Kind.INVALID
    return Kind.VALID if now - row.checked_at <= timedelta(days=settings().vat_proof_days) else Kind.STALE


async def ask(debtor_id: UUID, *, now: datetime, at_once: bool = False) -> bool:
    """Queue a question about the debtor's VAT id, in the caller's transaction; False when there is none to ask or one waits already.

    ``at_once`` brings a question forward that waits because VIES was away.
    """
    sql = """
        SELECT d.country, d.vat_id, d.updated_at,
               (SELECT count(*) FROM vat_check c WHERE c.debtor_id = d.id AND c.answer <> 'unavailable') AS answers
        FROM debtor d WHERE d.id = $1
    """
    found = await db.row(_Asked, sql, debtor_id)
    if found is None or not matters(found.country, found.vat_id):
        return False
    key = f"billing.vies_check:{debtor_id}:{found.vat_id}:{found.answers}:{found.updated_at.timestamp():.0f}"
    if at_once:
        await work.withdraw(key)
    payload = {"debtor": str(debtor_id), "vat_id": found.vat_id, "asked_at": now.isoformat()}
    return await work.enqueue("billing.vies_check", payload, run_at=now, dedupe_key=key)


async def ask_again(debtor_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Ask now, because somebody at ECL wants to know; False when there is nothing to ask. Raises ``Forbidden``, ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    await standing(debtor_id, now=now)
    async with db.atomic():
        return await ask(debtor_id, now=now, at_once=True)


class _Asked(msgspec.Struct, frozen=True):
    country: str
    vat_id: str | None
    updated_at: datetime
    answers: int


@work.handler("billing.vies_check", outside=True)
async def check(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Ask VIES, keep what it says, and let the debtor follow a final answer. A passing trouble is asked again later."""
    debtor_id, vat_id = UUID(payload["debtor"]), payload["vat_id"]
    if not await _still_wanted(debtor_id, vat_id, datetime.fromisoformat(payload["asked_at"])):
        return
    adapter, requester = chosen(), settings().operator.vat_id
    answer = await adapter.check(vat_id, requester=requester)
    await _keep(debtor_id, vat_id, answer, adapter=adapter.name, requester=requester, actor=SYSTEM, now=now)
    if answer.outcome is Outcome.UNAVAILABLE:
        message = f"VIES could not answer for {vat_id[:2]}: {answer.code}"
        raise work.Retry(message, after=_WAITS[min(item.attempts, len(_WAITS)) - 1])


async def _still_wanted(debtor_id: UUID, vat_id: str, asked_at: datetime) -> bool:
    """Tell whether the debtor still has this id and nobody answered for it since."""
    sql = """
        SELECT 1 FROM debtor d WHERE d.id = $1 AND d.vat_id = $2 AND NOT EXISTS (
            SELECT FROM vat_check c WHERE c.debtor_id = d.id AND c.vat_id = $2 AND c.checked_at >= $3 AND c.answer IN ('valid', 'invalid'))
    """
    return await db.value(sql, debtor_id, vat_id, asked_at) is not None


_INSERT = """
    INSERT INTO vat_check (id, debtor_id, vat_id, requester, adapter, answer, code, consultation_number, said, note, checked_by, checked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def _keep(
    debtor_id: UUID, vat_id: str, answer: Answer, *, adapter: str, requester: str, actor: Actor, now: datetime, note: str = ""
) -> None:
    check_id = ids.new_id()
    async with db.atomic():
        current = await db.value("SELECT vat_id FROM debtor WHERE id = $1 FOR UPDATE", debtor_id)
        said = msgspec.json.encode(answer.raw).decode()
        await db.execute(
            _INSERT, check_id, debtor_id, vat_id, requester, adapter, answer.outcome.value, answer.code,
            answer.consultation_number, said, note, actor.account_id, now,
        )  # fmt: skip
        data = {"answer": answer.outcome.value, "code": answer.code, "check": check_id}
        await audit.record("debtor.vat_id_checked", actor=actor, subject=("debtor", debtor_id), data=data, now=now)
        if answer.outcome in {Outcome.VALID, Outcome.INVALID} and current == vat_id:
            valid = answer.outcome is Outcome.VALID
            await db.execute("UPDATE debtor SET vat_id_valid = $2, updated_at = $3 WHERE id = $1", debtor_id, valid, now)
            await redecide.of_debtor(debtor_id, now=now)
        await _release(debtor_id, check_id, now=now)


async def by_hand(debtor_id: UUID, *, valid: bool, number: str, note: str, actor: Actor, now: datetime) -> None:
    """Keep what somebody at ECL found out without VIES, such as the tax office's answer by phone; the debtor follows it.

    Raises ``Forbidden``, ``NotFound``, ``Conflict`` ``no_vat_id``, ``Invalid`` without a note.
    """
    require(actor, Permission.MANAGE_INVOICES)
    known = await standing(debtor_id, now=now)
    if known.vat_id is None or known.kind is Kind.NOT_NEEDED:
        raise Conflict("no_vat_id", _("The VAT of this company doesn't depend on a VAT id."))
    if not note.strip():
        sentence = _("Say how you know, for the tax office.")
        raise Invalid("invalid", sentence, fields={"note": sentence})
    outcome = Outcome.VALID if valid else Outcome.INVALID
    answer = Answer(outcome=outcome, consultation_number=number.strip() or None, raw={"by": "hand"})
    await _keep(
        debtor_id, known.vat_id, answer, adapter="hand", requester=settings().operator.vat_id, actor=actor, now=now, note=note.strip()
    )


# Invoices that wait for an answer


async def hold(group_key: str, debtor_id: UUID, *, now: datetime) -> bool:
    """Tell whether the invoice of a group must wait for VIES, in the caller's transaction, and if so ask and keep it waiting.

    It is asked for again (``billing.issue``) as soon as the answer is there. Call it after ``redecide`` and only when a line is
    reverse-charged.
    """
    known = await standing(debtor_id, now=now)
    if known.settled:
        return False
    sql = "INSERT INTO vat_hold (group_key, debtor_id, held_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    await db.execute(sql, group_key, debtor_id, now)
    await ask(debtor_id, now=now)
    return True


async def _release(debtor_id: UUID, check_id: UUID, *, now: datetime) -> None:
    if not (await standing(debtor_id, now=now)).settled:
        return
    sql = """
        WITH waited AS (DELETE FROM vat_hold WHERE debtor_id = $1 RETURNING group_key)
        SELECT group_key FROM waited UNION SELECT group_key FROM invoice_hold WHERE debtor_id = $1 AND state = 'held'
    """
    for row in await db.records(sql, debtor_id):
        group = row["group_key"]
        await work.enqueue("billing.issue", {"group": group}, run_at=now, dedupe_key=f"billing.issue:{group}:vat:{check_id}")
