"""An invoice run of 1,000 companies issued by a worker, while a web process is asked for its pulse and for the run's own page.

PDFs, Stripe and mail follow in the background and are not waited for; Stripe is an address where nobody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from billing import charges, debtors
from billing.charges import NewCharge
from billing.debtors import DebtorProfile
from billing.runs import collect, issue, read
from billing.runs.states import RunState
from billing.vat import BuyerFacts, SellerFacts, VatBasis, VatDecision, VatFacts, decide
from marketplace.bench import common
from marketplace.kit import clock, db, ids
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from uuid import UUID

LAG_GATE_MS = 20.0
LINES = 5
_PROBE_SECONDS = 0.01
_QUIET_SECONDS = 3.0
_NOBODY = "http://127.0.0.1:9"
_SUPPLY = date(2027, 1, 18)


class RunBench(msgspec.Struct, frozen=True):
    """A run's times in seconds, and the web process's answers in milliseconds, before and while the worker issues.

    ``progress`` are the figures that somebody who looked at the page every second saw.
    """

    invoices: int
    lines: int
    preview_seconds: float
    issue_seconds: float
    per_second: float
    quiet_p99_ms: float
    busy_p50_ms: float
    busy_p99_ms: float
    lag_gate_ms: float
    progress: list[int]
    documents_meanwhile: int
    passed: bool


async def run(*, invoices: int = 1_000, quiet: float = _QUIET_SECONDS) -> RunBench:
    """Measure on a database of its own; says how far it is on standard error."""
    async with common.database(connections=8) as dsn:
        await _charges(invoices)
        start = time.perf_counter()
        run_id = await collect.make(clock.today(clock.now()), actor=SYSTEM, now=clock.now())
        await collect.collect(run_id, now=clock.now())
        preview = time.perf_counter() - start
        with common.web(dsn) as shop:
            await shop.ready("/livez")
            before: list[float] = []
            async with _pulse(shop.port, before):
                await asyncio.sleep(quiet)
            meanwhile: list[float] = []
            with _worker(dsn):
                async with _pulse(shop.port, meanwhile):
                    seconds, progress = await _issue(run_id, invoices)
                documents = int(await db.value("SELECT count(DISTINCT invoice_id) FROM document"))
        figures = await read.figures(run_id)
    busy = sorted(meanwhile)
    p99 = _at(busy, 0.99)
    return RunBench(
        invoices=figures.issued,
        lines=figures.lines,
        preview_seconds=round(preview, 2),
        issue_seconds=round(seconds, 2),
        per_second=round(figures.issued / seconds, 1),
        quiet_p99_ms=_at(sorted(before), 0.99),
        busy_p50_ms=_at(busy, 0.5),
        busy_p99_ms=p99,
        lag_gate_ms=LAG_GATE_MS,
        progress=progress,
        documents_meanwhile=documents,
        passed=figures.issued == invoices and p99 <= LAG_GATE_MS,
    )


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2) if ordered else 0.0


async def _issue(run_id: UUID, whole: int) -> tuple[float, list[int]]:
    """Issue the run, and look at it every second as a page would, until it is done."""
    start = time.perf_counter()
    await issue.issue(run_id, actor=SYSTEM, now=clock.now())
    progress: list[int] = []
    while (await collect.get(run_id)).state is RunState.ISSUING:
        await asyncio.sleep(0.2)
        seen = (await read.figures(run_id)).issued
        if time.perf_counter() - start > len(progress) + 1:
            progress.append(seen)
            sys.stderr.write(f"\r{seen} of {whole} invoices")
            sys.stderr.flush()
    sys.stderr.write(f"\r{whole} of {whole} invoices\n")
    return time.perf_counter() - start, progress


@contextlib.asynccontextmanager
async def _pulse(port: int, took: list[float]) -> AsyncIterator[None]:
    """Ask the web process for its pulse a hundred times a second; what it takes is mostly how long its loop was busy."""
    client, sent = common.Client(port), common.request("GET", "/livez")

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await client.send(sent)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(_PROBE_SECONDS)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        client.close()


@contextlib.contextmanager
def _worker(dsn: str) -> Iterator[None]:
    environment = {
        **os.environ, "DATABASE_URL": dsn, "MARKETPLACE_HOME": tempfile.gettempdir(), "TZ": "UTC", "MARKETPLACE_SECRET": common.SECRET,
        "MARKETPLACE_STRIPE_BASE": _NOBODY, "STRIPE_API_KEY": "sk_test_bench", "STRIPE_WEBHOOK_SECRET": common.WEBHOOK_SECRET,
        "MARKETPLACE_LOG_LEVEL": "ERROR",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "marketplace", "worker"], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


async def _charges(count: int) -> None:
    """Make companies that are billed by the month, each with some lines that may be billed today."""
    now = clock.now()
    decision = decide(VatFacts(basis=VatBasis.SERVICE, supply_on=_SUPPLY), SellerFacts(vat_id="NL000099998B57"), BuyerFacts())
    for number in range(1, count + 1):
        profile = DebtorProfile(
            name=f"Rijnburg {number:05d}", street="Rapenburg 1", postcode="2311 EZ", city="Leiden", email=f"invoices{number}@bench.example",
            kvk=f"{20_000_000 + number}", rhythm="month",
        )  # fmt: skip
        debtor_id = await debtors.create(profile, owner_id=ids.new_id(), now=now)
        await charges.record([_charge(debtor_id, number, at, decision) for at in range(LINES)], now=now, fresh=True)
    await db.execute("UPDATE charge SET ready_at = $1, billable_on = $2", now, clock.today(now))


def _charge(debtor_id: UUID, number: int, at: int, decision: VatDecision) -> NewCharge:
    return NewCharge(
        id=ids.new_id(), debtor_id=debtor_id, group_key=f"order:{number}-{at}", description="Dutch A1, evenings", detail="10 lessons, Leiden",
        unit_price=Money(64_500 + at), vat=decision, quantity=Decimal(1), supply_from_on=_SUPPLY, supply_to_on=date(2027, 3, 22),
        order_number=str(100_000 + number), purchase_order="4500128834", cost_centre="3120", person_label=f"RB-{number}",
    )  # fmt: skip
