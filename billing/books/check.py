"""Whether the books are right, told in full: every account's balance, the identity, and what is without an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing import ledger
from billing.books import agree, chart
from billing.ledger import Account
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Sequence


class Standing(msgspec.Struct, frozen=True):
    """An account with its balance over all time, in cents: debit above zero. ``number`` and ``rgs`` are the chart's."""

    account: Account
    number: str
    name: str
    rgs: str
    balance: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The books over all time, in cents. ``problems`` are sentences; without any, the books are right.

    ``missing`` counts documents, payments, refunds, statements and payouts that have no entry.
    """

    right: bool
    trial_balance: list[Standing]
    unbalanced_entries: int
    missing: int
    invoiced: int
    credited: int
    received: int
    refunded: int
    written_off: int
    receivable: int
    unallocated: int
    problems: list[str]


_OUTGOING = """
    SELECT (SELECT count(*) FROM settlement_line l WHERE l.booked_on IS NOT NULL AND (l.net_cents <> 0 OR l.commission_cents <> 0)
               AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event IN ('partner_accrued', 'partner_reversed') AND e.source_id = l.id))
         + (SELECT count(*) FROM partner_statement s WHERE s.invoice_number IS NOT NULL AND (s.earned_cents <> 0 OR s.vat_cents <> 0)
               AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = 'statement_issued' AND e.source_id = s.id))
         + (SELECT count(*) FROM payout_item t WHERE t.state IN ('sent', 'paid', 'returned')
               AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = 'payout_sent' AND e.source_id = t.id))
         + (SELECT count(*) FROM bank_entry b
              WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = 'transfer_received' AND e.source_id = b.id))
"""


async def check() -> Report:
    """Compare the books with themselves and with everything that they record, in all and one by one (``agree``)."""
    async with db.atomic():
        books = await ledger.check()
        missing = books.missing + int(await db.value(_OUTGOING))
        apart = await agree.problems()
    balances = {one.account: one.balance for one in books.trial_balance}
    rows = [Standing(account, line.number, line.name, line.rgs, balances.get(account, 0)) for account, line in chart.ordered()]
    problems = [*_problems(books, rows, missing), *apart]
    return Report(
        right=not problems, trial_balance=rows, unbalanced_entries=books.unbalanced_entries, missing=missing, invoiced=books.invoiced,
        credited=books.credited, received=books.received, refunded=books.refunded, written_off=books.written_off, receivable=books.receivable,
        unallocated=-balances.get(Account.UNALLOCATED, 0), problems=problems,
    )  # fmt: skip


def _problems(books: ledger.Books, rows: Sequence[Standing], missing: int) -> list[str]:
    found = []
    if left := sum(row.balance for row in rows):
        found.append(f"The balances of all accounts add up to {left} cents instead of 0.")
    if books.unbalanced_entries:
        found.append(f"{books.unbalanced_entries} entries don't add up to 0.")
    owed = books.invoiced - books.credited - books.received + books.refunded - books.written_off
    if owed != books.receivable:
        found.append(f"The documents say that debtors owe {owed} cents, the books say {books.receivable}.")
    if missing:
        found.append(f"{missing} documents, payments, refunds, statements or payouts have no entry.")
    return found
