"""``ledger check`` on a copy that somebody meddled with, in ways that leave every total as it was."""

from __future__ import annotations

from datetime import datetime

import pytest

from billing import credits as credit_notes
from billing import payments, refunds
from billing.books import check
from billing.credits import Credit
from marketplace.kit import clock
from marketplace.kit import db as kit_db
from marketplace.kit.identity import SYSTEM
from tests.builders.bank import Line, a_transfer
from tests.builders.billing import an_invoice

pytestmark = pytest.mark.asyncio(loop_scope="session")
MEDDLING = (
    "UPDATE ledger_posting SET account = 'interest' WHERE account = 'revenue'",
    "UPDATE ledger_posting SET cents = cents * 2 WHERE account <> 'bank'",
    "UPDATE invoice_line SET net_cents = net_cents + 100 WHERE invoice_id = (SELECT id FROM invoice WHERE number = '2026-000002')",
    "UPDATE invoice_vat SET vat_category = 'S', vat_cents = vat_cents + 1",
    "UPDATE invoice SET paid_cents = 2000, state = 'paid' WHERE number = '2026-000002'",
    "UPDATE invoice SET credited_cents = 1000 WHERE number = '2026-000002'",
    "UPDATE invoice SET refunded_cents = 0 WHERE number = '2026-000001'",
    "UPDATE payment SET invoice_id = (SELECT id FROM invoice WHERE number = '2026-000002')",
    "UPDATE bank_entry SET cents = cents + 5",
    "DELETE FROM bank_entry",
    """
    WITH gone AS (DELETE FROM invoice WHERE number = '2026-000002' RETURNING id),
         entries AS (DELETE FROM ledger_entry WHERE source_id IN (SELECT id FROM gone) RETURNING id),
         lines AS (DELETE FROM invoice_line WHERE invoice_id IN (SELECT id FROM gone)),
         vat AS (DELETE FROM invoice_vat WHERE invoice_id IN (SELECT id FROM gone))
    DELETE FROM ledger_posting WHERE entry_id IN (SELECT id FROM entries)
    """,
)


async def _some_books(now: datetime) -> None:
    """Two invoices, of which one is paid, partly credited and partly paid back; and a transfer that waits."""
    invoice = await an_invoice(amounts=(10_000,))
    await an_invoice(amounts=(2_000,))
    await payments.record(invoice, source="bank", external_id="a", cents=10_000, method="bank_transfer", received_at=now, now=now)
    [line] = await credit_notes.creditable(invoice)
    wanted = Credit(invoice_id=invoice, lines=[(line.id, 500)], reason="A lesson fell out", cause="goodwill", key="a")
    await credit_notes.credit(wanted, actor=SYSTEM, now=now)
    await refunds.by_bank(invoice, cents=100, on=clock.today(now), actor=SYSTEM, now=now)
    await a_transfer(Line(cents=300))


async def test_meddling_that_leaves_the_totals_right_is_found(db: None, now: datetime) -> None:
    await _some_books(now)
    assert (await check.check()).problems == []
    missed = []
    for sql in MEDDLING:
        async with kit_db.atomic():
            await kit_db.execute("SAVEPOINT honest")
            await kit_db.execute("SET LOCAL session_replication_role = replica")
            await kit_db.execute(sql)
            if (await check.check()).right:
                missed.append(sql)
            await kit_db.execute("ROLLBACK TO SAVEPOINT honest")
    assert missed == []
