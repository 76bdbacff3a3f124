"""Statutory commercial interest (art. 6:119a BW) and collection costs (art. 6:96 BW), as an option that is off by default. Pure but for the rates.

Neither is a supply: no VAT, no invoice. They are asked on the last reminder, and are in the books (``interest``) when the
money comes in and somebody says so at the bank.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import half_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

Kind = Literal["commercial", "ordinary"]
# Besluit vergoeding voor buitengerechtelijke incassokosten: share of each slice of the claim; at least and at most.
COST_SLICES: tuple[tuple[int, Decimal], ...] = (
    (250_000, Decimal("0.15")),
    (250_000, Decimal("0.10")),
    (500_000, Decimal("0.05")),
    (19_000_000, Decimal("0.01")),
)
COST_REST = Decimal("0.005")
COST_LEAST, COST_MOST = 4_000, 677_500


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Per cent a year, from a day on until the next rate begins."""

    from_on: date
    percent: Decimal


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Interest over a stretch of days, both included, at one rate over one base."""

    from_on: date
    until_on: date
    percent: Decimal
    base_cents: int
    cents: int


def interest(cents: int, *, due_on: date, until_on: date, rates: Sequence[Rate]) -> list[Stretch]:
    """Return the interest on an amount from the day after it was due until and including a day, stretch by stretch.

    A stretch ends where the rate changes, and after each full year, when the year's interest is added to the base (par. 3).
    Days count as 1/365 of a year; each stretch is rounded half up. Days before the first known rate count nothing.
    """
    known = sorted(rates, key=lambda rate: rate.from_on)
    found: list[Stretch] = []
    start, base, of_year = due_on + timedelta(days=1), cents, 0
    anniversary = _year_later(start)
    while start <= until_on:
        rate = next((one for one in reversed(known) if one.from_on <= start), None)
        following = next((one.from_on for one in known if one.from_on > start), date.max)
        stop = min(until_on, following - timedelta(days=1), anniversary - timedelta(days=1))
        if rate is not None and rate.percent:
            amount = half_up(Decimal(base) * rate.percent * ((stop - start).days + 1) / 36_500)
            found.append(Stretch(from_on=start, until_on=stop, percent=rate.percent, base_cents=base, cents=amount))
            of_year += amount
        start = stop + timedelta(days=1)
        if start == anniversary:
            base, of_year, anniversary = base + of_year, 0, _year_later(start)
    return found


def _year_later(on: date) -> date:
    try:
        return on.replace(year=on.year + 1)
    except ValueError:  # 29 February
        return date(on.year + 1, 3, 1)


def collection_costs(cents: int) -> int:
    """Return the collection costs on a claim: by slices, at least €40 and at most €6,775; nothing on nothing."""
    if cents <= 0:
        return 0
    left, costs = cents, Decimal(0)
    for size, share in COST_SLICES:
        slice_ = min(left, size)
        costs += slice_ * share
        left -= slice_
    return min(COST_MOST, max(COST_LEAST, half_up(costs + left * COST_REST)))


async def rates(kind: Kind = "commercial") -> list[Rate]:
    """Return the rates of a kind, the earliest first."""
    return await db.rows(Rate, "SELECT from_on, percent FROM interest_rate WHERE kind = $1 ORDER BY from_on", kind)


async def set_rate(kind: Kind, from_on: date, percent: Decimal, *, actor: Actor, now: datetime) -> UUID:
    """Keep the rate that begins on a day. Raises ``Invalid`` for another day than 1 January or 1 July, ``Conflict`` when it is known."""
    require(actor, Permission.MANAGE_INVOICES)
    if (from_on.month, from_on.day) not in {(1, 1), (7, 1)}:
        raise Invalid("day", _("A rate begins on 1 January or 1 July."), fields={"from_on": _("A rate begins on 1 January or 1 July.")})
    if not 0 <= percent <= 50:
        raise Invalid("percent", _("Give a rate from 0 to 50 per cent."), fields={"percent": _("Give a rate from 0 to 50 per cent.")})
    rate_id = ids.new_id()
    async with db.atomic():
        sql = (
            "INSERT INTO interest_rate (id, kind, from_on, percent, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
        )
        if not await db.execute(sql, rate_id, kind, from_on, percent, actor.account_id, now):
            sentence = _("The rate from this day is known already.")
            raise Conflict("rate_known", sentence, fields={"from_on": sentence})
        await audit.record(
            "dunning.rate_set", actor=actor, subject=("interest_rate", rate_id), data={"kind": kind, "from": from_on}, now=now
        )
    return rate_id
