"""What was issued stays as it is: the database refuses every other road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from billing import archive, payments
from billing.archive import Format
from billing.states import TRANSITIONS, InvoiceState
from marketplace.kit import db as kit_db
from marketplace.kit import ids
from tests.builders.billing import an_invoice

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _refused(sql: str, *args: object) -> str | None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
        async with kit_db.atomic():
            await kit_db.execute(sql, *args)
    return kit_db.violated(refusal.value)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE invoice SET total_cents = 1, net_cents = 1, vat_cents = 0",
        "UPDATE invoice SET number = '2026-999999'",
        "UPDATE invoice SET buyer = '{}'",
        "UPDATE invoice SET dated_on = dated_on + 1",
        "UPDATE invoice SET group_key = NULL",
        "DELETE FROM invoice",
        "UPDATE invoice_line SET net_cents = 0",
        "DELETE FROM invoice_line",
        "UPDATE invoice_vat SET vat_cents = 0",
        "DELETE FROM invoice_vat",
        "UPDATE document SET content = ''",
        "DELETE FROM document",
        "UPDATE payment SET cents = 1",
        "DELETE FROM payment",
        "TRUNCATE document",
        "UPDATE charge SET unit_price_cents = 0",
        "UPDATE charge SET state = 'open'",
        "DELETE FROM charge",
        "UPDATE invoice SET paid_cents = paid_cents - 1",
    ],
)
async def test_issued_rows_cannot_be_changed(db: None, now: datetime, sql: str) -> None:
    made = await an_invoice()
    await archive.store(made, {Format.PDF: b"%PDF"}, now=now)
    await payments.record(made, source="stripe", external_id="py_1", cents=100, method="ideal", received_at=now, now=now)
    await _refused(sql)


async def test_a_line_cannot_be_slipped_in_later(db: None, now: datetime) -> None:
    made = await an_invoice()
    other = await an_invoice()
    copy = """
        INSERT INTO invoice_line SELECT (jsonb_populate_record(line, jsonb_build_object('id', $2::uuid, 'invoice_id', $1::uuid, 'position', 9,
            'charge_id', null, 'credits_line_id', line.id))).* FROM invoice_line line WHERE invoice_id = $3
    """
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
        async with kit_db.atomic():
            await kit_db.execute(copy, made, ids.new_id(), other)
            await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert kit_db.violated(refusal.value) == "invoice_adds_up"


async def test_database_and_code_hold_the_same_transitions(db: None, now: datetime) -> None:
    for start in InvoiceState:
        for end in set(InvoiceState) - {start}:
            made = await _in_state(start)
            if end in TRANSITIONS[start]:
                assert await kit_db.execute("UPDATE invoice SET state = $2 WHERE id = $1", made, end.value) == 1
            else:
                assert await _refused("UPDATE invoice SET state = $2 WHERE id = $1", made, end.value) == "invoice_transition"


async def _in_state(state: InvoiceState) -> UUID:
    made = await an_invoice()
    if state is not InvoiceState.ISSUED:
        await kit_db.execute("UPDATE invoice SET state = $2 WHERE id = $1", made, state.value)
    return made


async def test_snapshots_are_whole(db: None, now: datetime) -> None:
    [row] = await kit_db.records("SELECT seller, buyer FROM invoice WHERE id = $1", await an_invoice())
    assert {"name", "street", "postcode", "city", "country", "vat_id", "kvk", "iban"} <= set(row["seller"])
    assert {"legal_name", "street", "postcode", "city", "country", "vat_id", "kvk", "email"} <= set(row["buyer"])
    assert msgspec.json.encode(row["buyer"])
