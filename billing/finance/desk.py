"""The finance desk's first page: what is owed, what is expected, what waits for a person, and one sentence about the day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing.finance import ageing, cash, waiting
from billing.finance.ageing import Ageing
from billing.finance.cash import Expected
from billing.finance.waiting import Waiting
from billing.ledger import Account
from marketplace.kit import clock, db
from marketplace.kit.i18n import _, fmt_money, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

_WEEK = timedelta(days=7)


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page. ``came_in`` is what was received in the past seven days, ``unallocated`` what nobody knows the place of."""

    today: date
    ageing: Ageing
    expected: Expected
    waiting: list[Waiting]
    came_in: Money
    unallocated: Money

    @property
    def sentence(self) -> str:
        """Say the day in a sentence or two: who is late, and what came in."""
        late = self.ageing.whole.late
        first = _("Nobody is late with paying.")
        if late:
            amount, debtors = fmt_money(late, whole_if_round=True), self.ageing.late_debtors
            first = n_("One company is late with {amount}.", "{n} companies are late with {amount} together.", debtors, amount=amount)
        second = _("In the past week {amount} came in.", amount=fmt_money(self.came_in, whole_if_round=True))
        return f"{first} {second}"


_CAME_IN = "SELECT coalesce(sum(cents), 0)::bigint FROM payment WHERE recorded_at > $1 AND source <> 'setoff'"
_ON_ACCOUNT = "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = $1"


async def read(*, actor: Actor, now: datetime) -> Desk:
    """Return the finance desk of the day."""
    require(actor, Permission.MANAGE_INVOICES)
    today = clock.today(now)
    return Desk(
        today=today,
        ageing=await ageing.read(today),
        expected=await cash.expected(today),
        waiting=await waiting.read(actor=actor, today=today),
        came_in=Money(int(await db.value(_CAME_IN, now - _WEEK))),
        unallocated=Money(-int(await db.value(_ON_ACCOUNT, Account.UNALLOCATED.value))),
    )


def chart_rows(names: Sequence[str], cents: Sequence[int]) -> list[tuple[str, float, int, str, str]]:
    """Return the rows of a bar chart: name, euros, nothing hatched, the amount in words."""
    return [(name, one / 100, 0, fmt_money(Money(one)), "") for name, one in zip(names, cents, strict=True)]
