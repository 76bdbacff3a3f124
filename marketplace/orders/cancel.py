"""Cancelling what was ordered: what it costs, and doing it, from one and the same function (RULES §5).

Seat, enrolment, money, audit and what follows change in one transaction. Lock order as everywhere: the session, the order, its
charges, the invoice. Before invoicing the charge is dropped and a fee billed by itself; afterwards a credit note takes back the
rest (``cancel_money``). A line that the partner has not accepted yet costs nothing.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from catalog import policies, seats
from catalog.policies import Boundary, Fee, PolicyTerms
from marketplace.enrolments import enrolments
from marketplace.kit import audit, db, work
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition
from marketplace.kit.i18n import _, current_locale, fmt_money
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import ZERO, Money
from marketplace.orders import cancel_money, decide
from marketplace.orders.states import LineState
from marketplace.people import scope

if TYPE_CHECKING:
    from collections.abc import Sequence

CancelledFor = Literal["buyer", "operator", "session"]
_REASON_LENGTH = 300


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An order line as cancelling needs it. A relation of an employee has no name here."""

    id: UUID
    order_id: UUID
    order_number: int
    company_id: UUID
    company_name: str
    session_id: UUID
    programme_code: str
    category: str
    partner_name: str
    place: str
    enrolment_id: UUID
    seat_id: UUID
    charge_id: UUID
    person_id: UUID
    person_name: str
    title_nl: str
    title_en: str
    starts_at: datetime
    ends_at: datetime
    state: LineState
    price_cents: int
    vat_category: str
    vat_rate: Decimal
    policy: PolicyTerms
    fee_cents: int | None
    fee_charge_id: UUID | None
    cancelled_for: str | None
    invoiced: bool

    @property
    def title(self) -> str:
        """Return the title as it was sold, in the reader's language."""
        return self.title_nl if current_locale() == "nl" else self.title_en

    @property
    def price(self) -> Money:
        """Return the price without VAT."""
        return Money(self.price_cents)

    @property
    def fee(self) -> Money:
        """Return what stays due of a cancelled line, without VAT."""
        return Money(self.fee_cents or 0)


_LINE = """
    SELECT l.id, l.order_id, o.number AS order_number, o.company_id, c.name AS company_name, l.session_id, g.code AS programme_code,
           g.category, t.name AS partner_name, coalesce(nullif(s.place, ''), nullif(g.venue, ''), initcap(g.place), '') AS place,
           l.enrolment_id, e.seat_id, l.charge_id, l.person_id,
           CASE WHEN p.kind = 'relation' THEN '' ELSE concat_ws(' ', p.given_name, nullif(p.infix, ''), nullif(p.family_name, '')) END AS person_name,
           l.title_nl, l.title_en, l.starts_at, l.ends_at, l.state, l.price_cents, l.vat_category, l.vat_rate, l.policy, l.fee_cents,
           l.fee_charge_id, l.cancelled_for, h.state = 'invoiced' AS invoiced
      FROM order_line l JOIN placed_order o ON o.id = l.order_id JOIN company c ON c.id = o.company_id
      JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id JOIN partner t ON t.id = l.partner_id
      JOIN person p ON p.id = l.person_id JOIN enrolment e ON e.id = l.enrolment_id JOIN charge h ON h.id = l.charge_id
"""


class Cost(msgspec.Struct, frozen=True):
    """What cancelling a line costs now (``fee``), and the steps that are still to come."""

    line: Line
    fee: Fee
    steps: list[Boundary]


class CancelLine(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody confirms. ``shown_cents`` is the fee that they saw: nobody pays more than that.

    ``free``: ECL takes it all back, with a reason that the company reads.
    """

    shown_cents: int | None = None
    reason: str = ""
    free: bool = False


class Cancelled(msgspec.Struct, frozen=True):
    """What was done. ``replayed``: the line was cancelled before, nothing happened now."""

    line_id: UUID
    fee: Money
    replayed: bool = False


def fee_of(line: Line, *, now: datetime) -> Fee:
    """Return what cancelling a line costs at an instant, by the terms that were frozen with it. Pure."""
    if line.state is not LineState.ACCEPTED:
        return Fee(ZERO, 0, None, None)
    return policies.fee(line.policy, line.price, line.starts_at, now)


async def cost(number: int, line_id: UUID, *, actor: Actor, now: datetime) -> Cost:
    """Return what cancelling a line of the actor's order costs now and later. Raises ``NotFound``."""
    require(actor, Permission.CANCEL_ORDERS)
    line = await line_of(number, line_id, actor=actor)
    steps = policies.boundaries(line.policy, line.price, line.starts_at) if line.state is LineState.ACCEPTED else []
    return Cost(line, fee_of(line, now=now), [step for step in steps if step.until >= now])


async def cancel(number: int, line_id: UUID, wanted: CancelLine, *, actor: Actor, now: datetime) -> Cancelled:
    """Cancel a line of the actor's order at today's fee; once, however often it is asked.

    Raises ``NotFound``; ``Conflict`` ``fee_changed`` when it would cost more than was shown, and ``over`` after the last
    lesson; ``Invalid`` without ECL's reason; ``InvalidTransition`` for a line that was declined.
    """
    require(actor, Permission.CANCEL_ORDERS)
    reason = _reason(wanted, actor)
    seen = await line_of(number, line_id, actor=actor)
    async with db.atomic():
        await lock([seen.session_id], [seen.order_id])
        line = await line_of(number, line_id, actor=actor)
        if line.state is LineState.CANCELLED:
            return Cancelled(line.id, Money(line.fee_cents or 0), replayed=True)
        _check_open(line, now=now)
        fee = ZERO if wanted.free else fee_of(line, now=now).amount
        _check_shown(fee, wanted)
        await _carry_out([(line, fee)], for_="operator" if wanted.free else "buyer", reason=reason, actor=actor, now=now)
    return Cancelled(line.id, fee)


def _reason(wanted: CancelLine, actor: Actor) -> str | None:
    reason = " ".join(wanted.reason.split())[:_REASON_LENGTH]
    if wanted.free:
        require(actor, Permission.MANAGE_INVOICES)
        if not reason:
            sentence = _("Say why in a few words: HR reads it.")
            raise Invalid("reason_missing", sentence, fields={"reason": sentence})
    return reason or None


def _check_open(line: Line, *, now: datetime) -> None:
    if line.state is LineState.DECLINED:
        raise InvalidTransition("already_decided", _("The partner declined this line. Nothing is billed for it."))
    if now >= line.ends_at:
        raise Conflict(
            "over", _("The last lesson is over, so this can't be cancelled any more."), next_step=_("Call us if something is not right.")
        )


def _check_shown(fee: Money, wanted: CancelLine) -> None:
    if wanted.shown_cents is not None and fee.cents > wanted.shown_cents:
        raise Conflict(
            "fee_changed",
            _("Cancelling now costs {amount}, more than you saw. Nothing is cancelled.", amount=fmt_money(fee)),
            next_step=_("Look at it again, then decide."),
        )


async def excuse(number: int, line_id: UUID, *, reason: str, actor: Actor, now: datetime) -> None:
    """Let a company off the fee of a cancelled line, with a reason that it reads: ECL takes it all back.

    Raises ``NotFound``, ``Invalid`` without a reason, ``Conflict`` ``no_fee`` where there is nothing to excuse.
    """
    require(actor, Permission.MANAGE_INVOICES)
    why = _reason(CancelLine(reason=reason, free=True), actor)
    seen = await line_of(number, line_id, actor=actor)
    async with db.atomic():
        await lock([seen.session_id], [seen.order_id])
        line = await line_of(number, line_id, actor=actor)
        if line.state is not LineState.CANCELLED or not line.fee_cents:
            raise Conflict("no_fee", _("There is no fee on this line."))
        await cancel_money.excuse(line, reason=why or "", actor=actor, now=now)
        await db.execute("UPDATE order_line SET fee_cents = 0, cancel_reason = $2 WHERE id = $1", line.id, why)
        await decide.total_what_stands(line.order_id)
        data = {"line": line.id, "fee_cents": line.fee_cents}
        await audit.record("order_line.excused", actor=actor, subject=("order", line.order_id), data=data, now=now)
        await _tell(line.order_id, [line.id], f"excused:{line.id}", now=now)


async def session_cancelled(session_id: UUID, *, reason: str, by: UUID | None, now: datetime) -> int:
    """Queue taking back every line of a session whose dates were called off, order by order; return how many orders."""
    sql = "SELECT DISTINCT order_id FROM order_line WHERE session_id = $1 AND state IN ('awaiting_partner', 'accepted') ORDER BY order_id"
    found = await db.records(sql, session_id)
    for row in found:
        payload = {"session_id": session_id, "order_id": row["order_id"], "reason": reason, "by": by}
        await work.enqueue("orders.take_back", payload, run_at=now, dedupe_key=f"take_back:{session_id}:{row['order_id']}")
    return len(found)


async def take_back(session_id: UUID, order_id: UUID, *, reason: str, actor: Actor, now: datetime) -> int:
    """Take an order's lines in a session that was called off back at 100 %, and return how many there were.

    One credit note an invoice, one mail. Doing it again does nothing.
    """
    async with db.atomic():
        await lock([session_id], [order_id])
        sql = f"{_LINE} WHERE l.order_id = $1 AND l.session_id = $2 AND l.state IN ('awaiting_partner', 'accepted') ORDER BY l.position"
        found = await db.rows(Line, sql, order_id, session_id)
        if found:
            await _carry_out([(line, ZERO) for line in found], for_="session", reason=reason or None, actor=actor, now=now)
    return len(found)


async def line_of(number: int, line_id: UUID, *, actor: Actor) -> Line:
    """Return a line of the actor's order; for ECL, of any. Raises ``NotFound``."""
    company_id = None if actor.is_ecl or actor.kind == "system" else scope.company_of(actor)
    sql = f"{_LINE} WHERE o.number = $1 AND l.id = $2 AND ($3::uuid IS NULL OR o.company_id = $3)"
    found = await db.row(Line, sql, number, line_id, company_id)
    if found is None:
        raise scope.not_found()
    return found


async def lock(session_ids: Sequence[UUID], order_ids: Sequence[UUID]) -> None:
    """Lock sessions, then orders, each in the order of their ids."""
    await db.execute("SELECT FROM session WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", list(session_ids))
    await db.execute("SELECT FROM placed_order WHERE id = ANY ($1) ORDER BY id FOR UPDATE", list(order_ids))


async def _carry_out(lines: Sequence[tuple[Line, Money]], *, for_: CancelledFor, reason: str | None, actor: Actor, now: datetime) -> None:
    """Cancel lines of one order, each at its fee. Its session and the order are locked."""
    order_id = lines[0][0].order_id
    sql = """
        UPDATE order_line SET state = 'cancelled', state_at = $2, cancelled_for = $3, cancel_reason = $4, fee_cents = $5
         WHERE id = $1 AND state IN ('awaiting_partner', 'accepted')
    """
    for line, fee in lines:
        await db.execute(sql, line.id, now, for_, reason, fee.cents)
        await enrolments.close(line.enrolment_id, now=now)
        await work.enqueue("fulfilment.line_cancelled", {"line_id": line.id}, run_at=now, dedupe_key=f"line_cancelled:{line.id}")
        data = {"line": line.id, "fee_cents": fee.cents, "for": for_}
        await audit.record("order_line.cancelled", actor=actor, subject=("order", order_id), data=data, now=now)
    await seats.release([line.seat_id for line, _fee in lines], now=now)
    await cancel_money.take_back(lines, reason=reason, actor=actor, now=now)
    await decide.total_what_stands(order_id)
    await decide.settle(order_id, actor=actor, now=now)
    await _tell(order_id, [line.id for line, _fee in lines], f"cancelled:{lines[0][0].id}", now=now)


async def _tell(order_id: UUID, line_ids: Sequence[UUID], key: str, *, now: datetime) -> None:
    payload = {"order_id": order_id, "line_ids": list(line_ids), "key": key}
    await work.enqueue("orders.tell_cancelled", payload, run_at=now, dedupe_key=f"tell:{key}")
