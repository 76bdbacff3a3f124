"""Agreeing contracts with partners. One doesn't change: it ends, and another one begins; two of a kind never hold on one day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from billing.settlement import contracts, lines, payees
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor


class NewContract(msgspec.Struct, frozen=True, kw_only=True):
    """What is agreed: ``percent`` of the net price or ``fixed`` a seat; ``programme`` is a code, None for all programmes."""

    from_on: date
    percent: Decimal | None = None
    fixed: Money | None = None
    programme: str | None = None
    until_on: date | None = None
    hold_days: int = 14


async def agree(payee_id: UUID, new: NewContract, *, actor: Actor, now: datetime) -> UUID:
    """Keep a contract and return its id; lines that waited for one get it. Raises ``Forbidden``, ``NotFound``, ``Invalid``.

    A contract of the same kind without an end ends on the day before. ``Conflict`` ``overlaps`` where one holds later.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    _check(new)
    programme = (new.programme or "").strip() or None
    async with db.atomic():
        await payees.get(payee_id, lock=True)
        await _make_room(payee_id, programme, new)
        made = ids.new_id()
        await db.execute(
            "INSERT INTO partner_contract (id, payee_id, programme, percent, fixed_cents, from_on, until_on, hold_days, created_by, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            made, payee_id, programme, new.percent, None if new.fixed is None else new.fixed.cents,
            new.from_on, new.until_on, new.hold_days, actor.account_id, now,
        )  # fmt: skip
        data = {"contract": made, "from": new.from_on, "until": new.until_on}
        await audit.record("partner_contract.agreed", actor=actor, subject=("payee", payee_id), data=data, now=now)
        await lines.give_contracts(payee_id, now=now)
    return made


async def _make_room(payee_id: UUID, programme: str | None, new: NewContract) -> None:
    same = "payee_id = $1 AND programme IS NOT DISTINCT FROM $2"
    ended = f"UPDATE partner_contract SET until_on = $3 WHERE {same} AND until_on IS NULL AND from_on < $4"  # noqa: S608 - constant
    await db.execute(ended, payee_id, programme, new.from_on - timedelta(days=1), new.from_on)
    sql = f"SELECT 1 FROM partner_contract WHERE {same} AND daterange(from_on, until_on, '[]') && daterange($3, $4, '[]') LIMIT 1"  # noqa: S608
    if await db.value(sql, payee_id, programme, new.from_on, new.until_on):
        sentence = _("Another contract for the same programmes holds in these days. End that one first.")
        raise Conflict("overlaps", sentence, fields={"from_on": sentence})


def _check(new: NewContract) -> None:
    wrong: dict[str, str] = {}
    if (new.percent is None) == (new.fixed is None):
        wrong["percent"] = _("Give either a percentage or a fixed amount a seat.")
    elif new.percent is not None and not (0 <= new.percent <= 100 and new.percent == round(new.percent, 2)):
        wrong["percent"] = _("Give 0 to 100, with at most two decimals.")
    if new.until_on is not None and new.until_on < new.from_on:
        wrong["until_on"] = _("This can't be before the day it begins.")
    if not 0 <= new.hold_days <= 90:
        wrong["hold_days"] = _("Give 0 to 90 days.")
    if wrong:
        raise Invalid("invalid", _("This contract can't be kept like this."), fields=wrong)


async def end(contract_id: UUID, *, until_on: date, actor: Actor, now: datetime) -> UUID:
    """Let a contract hold up to and including a day; return its payee. What was ordered until then keeps its terms.

    Raises ``Forbidden``, ``NotFound``, ``Invalid``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        contract = await contracts.get(contract_id, lock=True)
        if until_on < contract.from_on or (contract.until_on is not None and until_on > contract.until_on):
            sentence = _("Choose a day on which the contract holds.")
            raise Invalid("invalid", sentence, fields={"until_on": sentence})
        await db.execute("UPDATE partner_contract SET until_on = $2 WHERE id = $1", contract_id, until_on)
        data = {"contract": contract_id, "until": until_on}
        await audit.record("partner_contract.ended", actor=actor, subject=("payee", contract.payee_id), data=data, now=now)
    return contract.payee_id
