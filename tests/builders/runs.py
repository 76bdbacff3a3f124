"""Debtors by the month, charges that may be billed, and runs, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from billing import charges, invoices
from billing.runs import collect
from marketplace.kit import clock, db, ids, work
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_charge, a_debtor

if TYPE_CHECKING:
    from datetime import date


async def a_monthly_debtor(**profile: object) -> UUID:
    """Make a debtor that gets one invoice a month."""
    return await a_debtor(**{"rhythm": "month", **profile})  # type: ignore[arg-type]


async def a_ready_charge(debtor_id: UUID, group_key: str | None = None, **values: object) -> charges.NewCharge:
    """Record a charge of an order that stands; it may be billed from the debtor's moment on."""
    made = a_charge(debtor_id, group_key or f"order:{ids.new_id()}", **values)  # type: ignore[arg-type]
    await charges.record([made], now=clock.now())
    await charges.ready(made.group_key, now=clock.now())
    return made


async def a_preview(until_on: date | None = None, **wish: object) -> UUID:
    """Make a run and put its preview together."""
    now = clock.now()
    run_id = await collect.make(until_on or clock.today(now), actor=SYSTEM, now=now, **wish)  # type: ignore[arg-type]
    await collect.collect(run_id, now=now)
    return run_id


async def a_held_order(**profile: object) -> UUID:
    """Make an order whose invoice is held, because its debtor would return it, and return the hold's id."""
    debtor_id = await a_debtor(**{"acceptance_profile": "university", "wants_ubl": True, **profile})  # type: ignore[arg-type]
    made = a_charge(debtor_id, f"order:{ids.new_id()}")
    await charges.record([made], now=clock.now())
    await invoices.request(made.group_key, now=clock.now())
    await work.drain(clock.now(), only=("billing.issue",))
    return UUID(str(await db.value("SELECT id FROM invoice_hold WHERE group_key = $1", made.group_key)))
