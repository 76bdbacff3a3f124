"""The books: whatever happens, every entry is zero, and they agree with the invoices and payments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import ledger, payments
from billing.ledger import Account
from billing.vat import VatBasis, VatCategory, VatTotal
from marketplace.kit import db as kit_db
from marketplace.kit import ids
from tests.builders.billing import a_debtor, an_invoice

if TYPE_CHECKING:
    from datetime import datetime

asynchronous = pytest.mark.asyncio(loop_scope="session")


@asynchronous
async def test_invoices_and_payments_are_booked(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(10_000, 5_000), basis=VatBasis.COACHING)
    await an_invoice(amounts=(70_000,))
    await an_invoice(amounts=(0,))
    for _again in range(2):
        await payments.record(made, source="stripe", external_id="py_1", cents=20_000, method="ideal", received_at=now, now=now)
    await payments.record(made, source="bank", external_id="b1", cents=150, method="bank_transfer", received_at=now, now=now)
    books = await ledger.check()
    assert books.right
    assert {one.account: one.balance for one in books.trial_balance if one.balance} == {
        Account.RECEIVABLE: 18_150 + 70_000 - 20_150,
        Account.STRIPE: 20_000,
        Account.BANK: 150,
        Account.REVENUE: -85_000,
        Account.VAT: -3_150,
    }
    assert (books.invoiced, books.received) == (88_150, 20_150)


@asynchronous
async def test_a_lopsided_entry_is_refused_at_commit(committed: str, now: datetime) -> None:
    made = await an_invoice()
    entry = await kit_db.value("SELECT id FROM ledger_entry")
    debtor = await kit_db.value("SELECT debtor_id FROM invoice WHERE id = $1", made)
    sql = "INSERT INTO ledger_posting (id, entry_id, account, cents, debtor_id) VALUES (gen_random_uuid(), $1, 'bank', 1, $2)"
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
        async with kit_db.atomic():
            await kit_db.execute(sql, entry, debtor)
    assert kit_db.violated(refusal.value) == "ledger_balanced"
    empty = "INSERT INTO ledger_entry (id, event, source_id, booked_on, recorded_at) VALUES (gen_random_uuid(), 'payment_received', gen_random_uuid(), '2026-11-23', now())"
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await kit_db.execute(empty)
    assert (await ledger.check()).right


@asynchronous
@pytest.mark.parametrize(
    "sql", ["UPDATE ledger_posting SET cents = -cents", "DELETE FROM ledger_posting", "UPDATE ledger_entry SET booked_on = booked_on - 1"]
)
async def test_books_are_append_only(db: None, now: datetime, sql: str) -> None:
    await an_invoice(await a_debtor())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with kit_db.atomic():
            await kit_db.execute(sql)


@asynchronous
async def test_a_missing_entry_is_noticed(db: None, now: datetime) -> None:
    await an_invoice()
    await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("ledger_posting", "ledger_entry"):
        await kit_db.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        await kit_db.execute(f"DELETE FROM {table}")
    books = await ledger.check()
    assert not books.right
    assert books.missing == 1


_shares = some.lists(
    some.builds(
        VatTotal,
        category=some.sampled_from(VatCategory),
        rate=some.sampled_from([Decimal(0), Decimal(9), Decimal(21)]),
        net_cents=some.integers(0, 10_000_000),
        vat_cents=some.integers(0, 2_100_000),
    ),
    max_size=5,
)


@given(_shares)
def test_postings_of_an_invoice_add_up_to_zero(shares: list[VatTotal]) -> None:
    postings = ledger.invoice_postings(shares, ids.new_id())
    assert sum(posting.cents for posting in postings) == 0
    assert sum(posting.cents for posting in ledger.turned(postings)) == 0
    owed = sum(share.net_cents + share.vat_cents for share in shares)
    assert sum(posting.cents for posting in postings if posting.account is Account.RECEIVABLE) == owed


@given(some.sampled_from(Account), some.sampled_from(Account), some.integers(1, 10_000_000))
def test_an_amount_that_moves_adds_up_to_zero(into: Account, out_of: Account, cents: int) -> None:
    assert sum(posting.cents for posting in ledger.moved(into, out_of, cents)) == 0
