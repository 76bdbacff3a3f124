"""Objections: a partner finds a line of its statement wrong, in time; ECL answers. Until then only that line isn't paid.

A statement doesn't change. Where the partner is right, a line of its own on the next statement makes the difference.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.settlement import lines, statements, tell
from billing.settlement.incidents import said
from billing.settlement.lines import LineState
from billing.settlement.rules import Split
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """An objection, and what it is about."""

    id: UUID
    statement_id: UUID
    line_id: UUID
    number: str
    payee_name: str
    reason: str
    made_at: datetime
    state: str
    answer: str | None
    order_number: str
    title_nl: str
    title_en: str
    earned_cents: int

    def title(self, language: str) -> str:
        """Return what was sold, in Dutch or English."""
        return self.title_nl if language == "nl" else self.title_en


_SELECT = """
    SELECT o.id, o.statement_id, o.line_id, s.number, p.legal_name AS payee_name, o.reason, o.made_at, o.state, o.answer, l.order_number,
           l.title_nl, l.title_en, l.earned_cents
    FROM statement_objection o JOIN partner_statement s ON s.id = o.statement_id JOIN payee p ON p.id = s.payee_id
        JOIN settlement_line l ON l.id = o.line_id
"""


async def waiting() -> list[Objection]:
    """Return the objections that ECL has to answer, oldest first."""
    return await db.rows(Objection, f"{_SELECT} WHERE o.state = 'open' ORDER BY o.made_at, o.id")


async def get(objection_id: UUID) -> Objection:
    """Return an objection. Raises ``NotFound``."""
    found = await db.row(Objection, f"{_SELECT} WHERE o.id = $1", objection_id)
    if found is None:
        raise NotFound("not_found", _("There is no such objection."))
    return found


async def make(number: str, line_id: UUID, *, reason: str, actor: Actor, now: datetime) -> UUID:
    """Object to a line, as its partner. ECL gets a mail. Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict``."""
    require(actor, Permission.SEE_STATEMENTS)
    reason = said(reason, "reason")
    async with db.atomic():
        statement = await statements.by_id((await statements.get(number, actor=actor)).id, lock=True)
        if not statement.may_object(clock.today(now)):
            raise Conflict("too_late", _("You can no longer object to this statement."), next_step=_("Write to Expat Centre Leiden."))
        if not await db.value("SELECT 1 FROM settlement_line WHERE id = $1 AND statement_id = $2", line_id, statement.id):
            raise NotFound("not_found", _("There is no such line."))
        made = ids.new_id()
        sql = (
            "INSERT INTO statement_objection (id, statement_id, line_id, reason, made_by, made_at, state) VALUES ($1, $2, $3, $4, $5, $6, 'open')"
            " ON CONFLICT (line_id) DO NOTHING"
        )
        if not await db.execute(sql, made, statement.id, line_id, reason, actor.account_id, now):
            raise Conflict("objected_already", _("You have objected to this line already."))
        await audit.record("statement.objected", actor=actor, subject=("statement", statement.id), data={"line": line_id}, now=now)
        await tell.objection_made(made, now=now)
    return made


async def answer(objection_id: UUID, *, text: str, correction_cents: int, actor: Actor, now: datetime) -> Objection:
    """Answer an objection; the partner gets a mail. The line stands, or the next statement brings ``correction_cents``, signed.

    The correction is what the partner gets more (or less) without VAT; it comes out of ECL's commission.
    Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict`` ``answered_already``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    text = said(text, "answer")
    if abs(correction_cents) > 100_000_000:
        raise Invalid("invalid", _("This amount is too large."), fields={"amount": _("This amount is too large.")})
    async with db.atomic():
        objection = await get(objection_id)
        await statements.by_id(objection.statement_id, lock=True)
        state = "corrected" if correction_cents else "stands"
        sql = "UPDATE statement_objection SET state = $2, answer = $3, answered_by = $4, answered_at = $5 WHERE id = $1 AND state = 'open'"
        if not await db.execute(sql, objection_id, state, text, actor.account_id, now):
            raise Conflict("answered_already", _("This objection has been answered already."))
        if correction_cents:
            await _correct(objection, correction_cents, now=now)
        data = {"objection": objection_id, "outcome": state, "cents": correction_cents}
        await audit.record("statement.objection_answered", actor=actor, subject=("statement", objection.statement_id), data=data, now=now)
        await tell.objection_answered(objection_id, now=now)
    return objection


async def _correct(objection: Objection, cents: int, *, now: datetime) -> None:
    line = await lines.get(objection.line_id)
    assert line is not None
    await lines.add(line, f"objection:{objection.id}", Split(0, -cents), state=LineState.PAYABLE, now=now)
