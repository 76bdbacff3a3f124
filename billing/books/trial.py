"""The trial balance of a period: where each account stood, what moved, where it stands.

Result accounts begin each calendar year at nothing; what earlier years left stands on an equity account of its own.
"""

from __future__ import annotations

from datetime import date

import msgspec

from billing.books import chart
from billing.books.chart import Line
from billing.ledger import Account
from marketplace.kit import db


class Row(msgspec.Struct, frozen=True):
    """An account over a period, in cents: debit above zero, ``credit`` as a positive figure. ``account`` is None for equity."""

    account: Account | None
    line: Line
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        """Return where it stands at the end."""
        return self.opening + self.debit - self.credit


class Moved(msgspec.Struct, frozen=True):
    """What an account holds from before this year, from this year before the period, and what moved in it; cents."""

    account: Account
    earlier: int
    this_year: int
    debit: int
    credit: int


class Trial(msgspec.Struct, frozen=True):
    """A trial balance; each of its sums of balances is zero, and debit is credit."""

    from_on: date
    until_on: date
    rows: list[Row]

    @property
    def debit(self) -> int:
        """Return the sum of debits in the period."""
        return sum(row.debit for row in self.rows)

    @property
    def credit(self) -> int:
        """Return the sum of credits in the period."""
        return sum(row.credit for row in self.rows)


def rows_of(moved: list[Moved]) -> list[Row]:
    """Return the rows of a trial balance, by account number; accounts that never moved are left out. Pure."""
    found = {one.account: one for one in moved}
    rows, carried = [], 0
    for account, line in chart.ordered():
        one = found.get(account)
        if one is None:
            continue
        earlier = one.earlier if line.kind == "balance" else 0
        carried += one.earlier - earlier
        rows.append(Row(account, line, earlier + one.this_year, one.debit, one.credit))
    return [Row(None, chart.EARLIER_RESULT, carried, 0, 0), *rows] if carried else rows


_MOVED = """
    SELECT p.account, coalesce(sum(p.cents) FILTER (WHERE e.booked_on < $1), 0)::bigint AS earlier,
           coalesce(sum(p.cents) FILTER (WHERE e.booked_on >= $1 AND e.booked_on < $2), 0)::bigint AS this_year,
           coalesce(sum(p.cents) FILTER (WHERE e.booked_on >= $2 AND p.cents > 0), 0)::bigint AS debit,
           coalesce(-sum(p.cents) FILTER (WHERE e.booked_on >= $2 AND p.cents < 0), 0)::bigint AS credit
      FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id
     WHERE e.booked_on <= $3 GROUP BY p.account
"""


async def read(from_on: date, until_on: date) -> Trial:
    """Return the trial balance from ``from_on`` up to and including ``until_on``."""
    moved = await db.rows(Moved, _MOVED, from_on.replace(month=1, day=1), from_on, until_on)
    return Trial(from_on, until_on, rows_of(moved))
