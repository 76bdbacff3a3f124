"""The books: double entry, append-only. Everything that moves money is one entry whose postings add up to zero.

The database holds the zero at commit and refuses changes (triggers in the migration); a correction is a new entry.
Entries are written in the transaction of what they record, by the verb that records it, with ``book`` only.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db, ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.vat import VatTotal


class Account(StrEnum):
    """Where amounts stand. ``receivable`` is what debtors owe; below zero, somebody paid too much.

    ``unallocated`` is money that came without our knowing for what, ``stripe`` what Stripe holds for us. What partners earn
    is a cost (``partner_cost`` at the buyer's price, less ``commission``), first accrued, then payable by statement.
    """

    RECEIVABLE = "receivable"
    BANK = "bank"
    STRIPE = "stripe"
    PAYOUT_TRANSIT = "payout_transit"
    UNALLOCATED = "unallocated"
    REVENUE = "revenue"
    VAT = "vat"
    INPUT_VAT = "input_vat"
    PARTNER_COST = "partner_cost"
    COMMISSION = "commission"
    PARTNER_ACCRUED = "partner_accrued"
    PARTNER_PAYABLE = "partner_payable"
    BAD_DEBT = "bad_debt"
    INTEREST = "interest"
    FEES = "fees"


class Event(StrEnum):
    """What can be in the books. One entry an event and source row."""

    INVOICE_ISSUED = "invoice_issued"
    CREDIT_ISSUED = "credit_issued"
    PAYMENT_RECEIVED = "payment_received"
    REFUND_MADE = "refund_made"
    PAYMENT_RETURNED = "payment_returned"
    WRITTEN_OFF = "written_off"
    WRITE_OFF_REVERSED = "write_off_reversed"
    SET_OFF = "set_off"
    TRANSFER_RECEIVED = "transfer_received"
    TRANSFER_ALLOCATED = "transfer_allocated"
    STRIPE_PAYOUT = "stripe_payout"
    PARTNER_ACCRUED = "partner_accrued"
    PARTNER_REVERSED = "partner_reversed"
    STATEMENT_ISSUED = "statement_issued"
    PAYOUT_SENT = "payout_sent"
    PAYOUT_RETURNED = "payout_returned"
    MANUAL = "manual"


PAID_INTO = {"stripe": Account.STRIPE, "bank": Account.BANK, "manual": Account.BANK}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an entry: ``source_id`` is the row that it records, ``reference`` its number for people."""

    event: Event
    source_id: UUID
    on: date
    reference: str = ""


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an entry, in cents: debit above zero, credit below. Of one debtor, one payee or nobody."""

    account: Account
    cents: int
    debtor_id: UUID | None = None
    payee_id: UUID | None = None
    vat_category: str | None = None
    vat_rate: Decimal | None = None


def invoice_postings(shares: Sequence[VatTotal], debtor_id: UUID) -> list[Posting]:
    """Return the postings of an invoice: debtor against revenue and VAT, per category and rate. Pure."""
    credit = [
        Posting(account=account, cents=-cents, debtor_id=debtor_id, vat_category=share.category.value, vat_rate=share.rate)
        for share in shares
        for account, cents in ((Account.REVENUE, share.net_cents), (Account.VAT, share.vat_cents))
    ]
    total = -sum(posting.cents for posting in credit)
    return [Posting(account=Account.RECEIVABLE, cents=total, debtor_id=debtor_id), *credit]


def turned(postings: Sequence[Posting]) -> list[Posting]:
    """Return the same postings with debit and credit changed about: a credit note is a turned invoice. Pure."""
    return [msgspec.structs.replace(one, cents=-one.cents) for one in postings]


def moved(into: Account, out_of: Account, cents: int, *, debtor_id: UUID | None = None, payee_id: UUID | None = None) -> list[Posting]:
    """Return the two postings of an amount that goes from one account (credit) into another (debit). Pure."""
    return [
        Posting(account=into, cents=cents, debtor_id=debtor_id, payee_id=payee_id),
        Posting(account=out_of, cents=-cents, debtor_id=debtor_id, payee_id=payee_id),
    ]


async def book(entry: Entry, postings: Sequence[Posting], *, now: datetime) -> UUID | None:
    """Write an entry in the caller's transaction and return its id; an entry of nothing is not written (None).

    Once per event and source row: a second one is refused by the database, as are postings that don't add up to zero.
    """
    said = [posting for posting in postings if posting.cents]
    if not said:
        return None
    entry_id = ids.new_id()
    sql = "INSERT INTO ledger_entry (id, event, source_id, booked_on, recorded_at, reference) VALUES ($1, $2, $3, $4, $5, $6)"
    await db.execute(sql, entry_id, entry.event.value, entry.source_id, entry.on, now, entry.reference)
    await db.execute_many(
        "INSERT INTO ledger_posting (id, entry_id, account, cents, debtor_id, payee_id, vat_category, vat_rate)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (ids.new_id(), entry_id, one.account.value, one.cents, one.debtor_id, one.payee_id, one.vat_category, one.vat_rate)
            for one in said
        ],
    )
    return entry_id


class Balance(msgspec.Struct, frozen=True):
    """The balance of an account in cents: debit above zero."""

    account: Account
    balance: int


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the books are right, over all time; cents. ``unbalanced_entries`` and ``missing`` must be 0.

    ``missing`` counts invoices, credit notes, payments and refunds without their entry; ``received`` is what was counted
    towards invoices.
    """

    trial_balance: list[Balance]
    unbalanced_entries: int
    missing: int
    invoiced: int
    credited: int
    received: int
    refunded: int
    written_off: int
    receivable: int

    @property
    def right(self) -> bool:
        """Tell whether everything adds up."""
        owed = self.invoiced - self.credited - self.received + self.refunded - self.written_off
        adds_up = sum(one.balance for one in self.trial_balance) == 0 and owed == self.receivable
        return adds_up and self.unbalanced_entries == 0 and self.missing == 0


class _Sums(msgspec.Struct, frozen=True):
    unbalanced: int
    missing: int
    invoiced: int
    credited: int
    received: int
    refunded: int
    written_off: int


def _unbooked(rows: str, *events: str) -> str:
    quoted = ", ".join(f"'{event}'" for event in events)
    return f"(SELECT count(*) FROM {rows} AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event IN ({quoted}) AND e.source_id = x.id))"  # noqa: S608


_MISSING = " + ".join(
    (
        _unbooked("invoice x WHERE x.kind = 'invoice' AND x.total_cents <> 0", "invoice_issued"),
        _unbooked("invoice x WHERE x.kind = 'credit_note' AND x.total_cents <> 0", "credit_issued"),
        _unbooked("payment x WHERE x.source <> 'setoff'", "payment_received", "transfer_allocated"),
        _unbooked("refund x WHERE x.state = 'done'", "refund_made", "payment_returned", "set_off"),
    )
)
_SUMS = f"""
    SELECT (SELECT count(*) FROM (SELECT entry_id FROM ledger_posting GROUP BY entry_id HAVING sum(cents) <> 0) AS wrong) AS unbalanced,
           {_MISSING} AS missing,
           (SELECT coalesce(sum(total_cents), 0)::bigint FROM invoice WHERE kind = 'invoice') AS invoiced,
           (SELECT coalesce(sum(total_cents), 0)::bigint FROM invoice WHERE kind = 'credit_note') AS credited,
           (SELECT coalesce(sum(cents), 0)::bigint FROM payment) AS received,
           (SELECT coalesce(sum(cents), 0)::bigint FROM refund WHERE state = 'done') AS refunded,
           (SELECT coalesce(sum(written_off_cents), 0)::bigint FROM invoice) AS written_off
"""  # noqa: S608 - constants


async def check() -> Books:
    """Compare the books with themselves and with the documents and payments that they record."""
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
        credited=sums.credited,
        received=sums.received,
        refunded=sums.refunded,
        written_off=sums.written_off,
        receivable=balances.get(Account.RECEIVABLE, 0),
    )
