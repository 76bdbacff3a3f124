"""Problems with a line, such as a lesson that wasn't given: while one is open, the line isn't paid. ECL opens and closes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.settlement import advance, lines
from billing.settlement.lines import LineState
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with a line, and what the line is."""

    id: UUID
    line_id: UUID
    payee_id: UUID
    payee_name: str
    reason: str
    opened_at: datetime
    outcome: str | None
    closed_at: datetime | None
    order_number: str
    session: str
    title_nl: str
    title_en: str
    earned_cents: int

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en


_SELECT = """
    SELECT x.id, x.line_id, l.payee_id, p.legal_name AS payee_name, x.reason, x.opened_at, x.outcome, x.closed_at, l.order_number, l.session,
           l.title_nl, l.title_en, l.earned_cents
    FROM settlement_incident x JOIN settlement_line l ON l.id = x.line_id JOIN payee p ON p.id = l.payee_id
"""


async def listed(*, limit: int = 200) -> list[Incident]:
    """Return incidents: the open ones first, then the newest."""
    return await db.rows(Incident, f"{_SELECT} ORDER BY x.closed_at IS NOT NULL, x.opened_at DESC, x.id DESC LIMIT $1", limit)


async def get(incident_id: UUID) -> Incident:
    """Return an incident. Raises ``NotFound``."""
    found = await db.row(Incident, f"{_SELECT} WHERE x.id = $1", incident_id)
    if found is None:
        raise NotFound("not_found", _("There is no such problem."))
    return found


async def report(line_id: UUID, *, reason: str, actor: Actor, now: datetime) -> UUID:
    """Hold a line back and return the incident. Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict``.

    What is on a statement can't be held back any more: correct it there.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    reason = said(reason, "reason")
    async with db.atomic():
        line = await lines.get(line_id)
        if line is None:
            raise NotFound("not_found", _("There is no such line."))
        if line.state not in {LineState.WAITING, LineState.ACCRUED, LineState.PAYABLE}:
            raise Conflict("too_late", _("This line is on a statement or cancelled, so it can't be held back."))
        made = ids.new_id()
        sql = (
            "INSERT INTO settlement_incident (id, line_id, reason, opened_by, opened_at) SELECT $1, $2, $3, $4, $5"
            " WHERE NOT EXISTS (SELECT 1 FROM settlement_incident WHERE line_id = $2 AND closed_at IS NULL)"
        )
        if not await db.execute(sql, made, line_id, reason, actor.account_id, now):
            raise Conflict("held_already", _("This line is held back already."))
        await db.execute("UPDATE settlement_line SET state = 'accrued', state_at = $2 WHERE id = $1 AND state = 'payable'", line_id, now)
        await audit.record("settlement_line.held", actor=actor, subject=("settlement_line", line_id), data={"incident": made}, now=now)
    return made


async def close(incident_id: UUID, *, outcome: str, actor: Actor, now: datetime) -> None:
    """Close an incident with what came of it: the line goes on. Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict``."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    outcome = said(outcome, "outcome")
    async with db.atomic():
        line_id = (await get(incident_id)).line_id
        await lines.get(line_id)
        sql = "UPDATE settlement_incident SET outcome = $2, closed_by = $3, closed_at = $4 WHERE id = $1 AND closed_at IS NULL"
        if not await db.execute(sql, incident_id, outcome, actor.account_id, now):
            raise Conflict("closed_already", _("This problem is closed already."))
        await advance.make_payable(line_id, now=now)
        await audit.record(
            "settlement_line.freed", actor=actor, subject=("settlement_line", line_id), data={"incident": incident_id}, now=now
        )


def said(text: str, field: str) -> str:
    """Return a reason, trimmed. Raises ``Invalid`` when nothing is said, or too much."""
    text = text.strip()
    if not text or len(text) > 1000:
        sentence = _("Say what is the matter, in at most 1,000 characters.")
        raise Invalid("invalid", sentence, fields={field: sentence})
    return text
