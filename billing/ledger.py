"""The books: double entry, append-only. Every issued invoice and every payment is one entry whose postings add up to zero.

The database holds the zero at commit and refuses changes (triggers in the migration); a correction is a new entry.
Entries are written in the transaction of what they record, by ``issuing`` and ``payments`` only.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import db, ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from billing.vat import VatTotal


class Account(StrEnum):
    """Where amounts stand. ``receivable`` is what debtors owe; below zero, somebody paid too much."""

    RECEIVABLE = "receivable"
    STRIPE = "stripe"
    BANK = "bank"
    REVENUE = "revenue"
    VAT = "vat"


_PAID_INTO = {"stripe": Account.STRIPE, "bank": Account.BANK, "manual": Account.BANK}


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an entry, in cents: debit above zero, credit below."""

    account: Account
    cents: int
    vat_category: str | None = None
    vat_rate: Decimal | None = None


def invoice_postings(shares: Sequence[VatTotal]) -> list[Posting]:
    """Return the postings of an invoice: debtor against revenue and VAT, per category and rate. Pure."""
    credit = [
        Posting(account=account, cents=-cents, vat_category=share.category.value, vat_rate=share.rate)
        for share in shares
        for account, cents in ((Account.REVENUE, share.net_cents), (Account.VAT, share.vat_cents))
    ]
    total = -sum(posting.cents for posting in credit)
    return [posting for posting in (Posting(account=Account.RECEIVABLE, cents=total), *credit) if posting.cents]


def payment_postings(source: str, cents: int) -> list[Posting]:
    """Return the postings of a payment: where it was collected against the debtor. Pure."""
    return [Posting(account=_PAID_INTO[source], cents=cents), Posting(account=Account.RECEIVABLE, cents=-cents)]


async def book_invoice(invoice_id: UUID, shares: Sequence[VatTotal], *, debtor_id: UUID, on: date, now: datetime) -> None:
    """Book an issued invoice on its date, in the caller's transaction. An invoice of nothing is not booked."""
    await _book("invoice_issued", invoice_id, invoice_postings(shares), debtor_id=debtor_id, on=on, now=now)


async def book_payment(payment_id: UUID, *, source: str, cents: int, debtor_id: UUID, on: date, now: datetime) -> None:
    """Book a payment on the day on which it was received, in the caller's transaction."""
    await _book("payment_received", payment_id, payment_postings(source, cents), debtor_id=debtor_id, on=on, now=now)


async def _book(event: str, source_id: UUID, postings: Sequence[Posting], *, debtor_id: UUID, on: date, now: datetime) -> None:
    if not postings:
        return
    entry_id = ids.new_id()
    sql = "INSERT INTO ledger_entry (id, event, source_id, booked_on, recorded_at) VALUES ($1, $2, $3, $4, $5)"
    await db.execute(sql, entry_id, event, source_id, on, now)
    await db.execute_many(
        "INSERT INTO ledger_posting (id, entry_id, account, cents, debtor_id, vat_category, vat_rate) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(ids.new_id(), entry_id, one.account.value, one.cents, debtor_id, one.vat_category, one.vat_rate) for one in postings],
    )


class Balance(msgspec.Struct, frozen=True):
    """The balance of an account in cents: debit above zero."""

    account: Account
    balance: int


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the books are right, over all time; cents. ``unbalanced_entries`` and ``missing`` must be 0.

    ``missing`` counts invoices and payments without their entry.
    """

    trial_balance: list[Balance]
    unbalanced_entries: int
    missing: int
    invoiced: int
    received: int
    receivable: int

    @property
    def right(self) -> bool:
        """Tell whether everything adds up."""
        adds_up = sum(one.balance for one in self.trial_balance) == 0 and self.invoiced - self.received == self.receivable
        return adds_up and self.unbalanced_entries == 0 and self.missing == 0


class _Sums(msgspec.Struct, frozen=True):
    unbalanced: int
    missing: int
    invoiced: int
    received: int


_SUMS = """
    SELECT (SELECT count(*) FROM (SELECT entry_id FROM ledger_posting GROUP BY entry_id HAVING sum(cents) <> 0) AS wrong) AS unbalanced,
           (SELECT count(*) FROM invoice i WHERE i.kind = 'invoice' AND i.total_cents <> 0
                AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = 'invoice_issued' AND e.source_id = i.id))
         + (SELECT count(*) FROM payment p
                WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = 'payment_received' AND e.source_id = p.id)) AS missing,
           (SELECT coalesce(sum(total_cents), 0)::bigint FROM invoice WHERE kind = 'invoice') AS invoiced,
           (SELECT coalesce(sum(cents), 0)::bigint FROM payment) AS received
"""


async def check() -> Books:
    """Compare the books with themselves and with the invoices and payments that they record."""
    async with db.atomic():
        sums = await db.row(_Sums, _SUMS)
        found = await db.rows(
            Balance, "SELECT account, sum(cents)::bigint AS balance FROM ledger_posting GROUP BY account ORDER BY account"
        )
    if sums is None:
        message = "an aggregate always has a row"
        raise RuntimeError(message)
    balances = {one.account: one.balance for one in found}
    return Books(
        trial_balance=[Balance(account, balances.get(account, 0)) for account in Account],
        unbalanced_entries=sums.unbalanced,
        missing=sums.missing,
        invoiced=sums.invoiced,
        received=sums.received,
        receivable=balances.get(Account.RECEIVABLE, 0),
    )
