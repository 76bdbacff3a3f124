"""``marketplace ledger`` and ``vat-return`` as finance runs them; a copy that was meddled with is the control."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from billing import payments
from billing.books import check
from billing.vat import VatBasis
from marketplace import cli
from marketplace.kit import db as kit_db
from tests.builders.billing import an_invoice
from tests.processes import ROOT

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


async def run(dsn: str, *arguments: str) -> tuple[int, str]:
    """Run a command on a database and return its exit code and what it printed."""
    environment = {**os.environ, "DATABASE_URL": dsn, "PYTHONPATH": str(ROOT)}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "marketplace", *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode()


async def meddle(table: str, sql: str) -> None:
    """Change a table past its guards, as nobody but a superuser could."""
    async with kit_db.atomic():
        await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await kit_db.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await kit_db.execute(sql)
        await kit_db.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")


async def test_the_books_are_checked_and_meddling_is_found(committed: str, now: datetime) -> None:
    made = await an_invoice(amounts=(10_000, 2_500), basis=VatBasis.COACHING)
    await payments.record(made, source="stripe", external_id="py_1", cents=5_000, method="ideal", received_at=now, now=now)
    code, said = await run(committed, "ledger", "check", "--json")
    told: dict[str, Any] = json.loads(said)
    assert (code, told["right"], told["problems"]) == (0, True, [])
    assert {one["account"]: one["balance"] for one in told["trial_balance"] if one["balance"]} == {
        "receivable": 10_125, "stripe": 5_000, "revenue": -12_500, "vat": -2_625,
    }  # fmt: skip
    assert all(one["name"] and one["number"] for one in told["trial_balance"])
    figures = [
        told[name]
        for name in ("invoiced", "credited", "received", "refunded", "receivable", "written_off", "unallocated", "unbalanced_entries")
    ]
    assert figures == [15_125, 0, 5_000, 0, 10_125, 0, 0, 0]

    await meddle("ledger_posting", "UPDATE ledger_posting SET cents = cents + 1 WHERE account = 'vat'")
    found = await check.check()
    assert (found.right, found.unbalanced_entries) == (False, 1)
    await meddle("ledger_posting", "UPDATE ledger_posting SET cents = cents - 1 WHERE account = 'vat'")
    assert (await check.check()).right

    await meddle("payment", "UPDATE payment SET cents = cents + 1")
    code, said = await run(committed, "ledger", "check")
    assert (code, "The documents say that debtors owe 10124 cents, the books say 10125." in said) == (1, True)
    await meddle("payment", "UPDATE payment SET cents = cents - 1")

    await meddle("ledger_entry", "UPDATE ledger_entry SET source_id = gen_random_uuid() WHERE event = 'payment_received'")
    found = await check.check()
    assert (found.right, found.missing) == (False, 1)


async def test_the_books_leave_by_the_command_line(committed: str) -> None:
    await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    days = ("--from", "2026-01-01", "--to", "2026-12-31")
    code, text = await run(committed, "ledger", "export", "--format", "csv", *days, "--out", "-")
    assert (code, len(text.strip().splitlines())) == (0, 4)
    code, said = await run(committed, "vat-return", "--period", "2026Q4", "--json")
    boxes = {one["box"]: (one["net"], one["vat"]) for one in json.loads(said)["boxes"]}
    assert (code, boxes["1a"], boxes["5c"]) == (0, (10_000, 2_100), (0, 2_100))


async def test_wrong_days_are_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["vat-return", "--period", "2026Q9"]) == 1
    assert cli.main(["ledger", "export", "--from", "2026-12-31", "--to", "2026-01-01", "--out", "-"]) == 1
    said = capsys.readouterr().err
    assert "2026Q4" in said
    assert "turn them around" in said
