"""Issuing: exactly once, everything frozen, work queued for what follows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from billing import charges, debtors, invoices, issuing, mirror
from billing.debtors import DebtorProfile
from billing.vat import VatBasis
from marketplace.kit import audit, db, work
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_charge, a_debtor, an_invoice, number_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.clock import FakeClock


async def _ours(invoice_id: UUID) -> invoices.Invoice:
    return await invoices.get(await number_of(invoice_id), actor=SYSTEM)


async def test_invoice_freezes_lines_and_sums(db: None, now: datetime) -> None:
    made = await _ours(await an_invoice(amounts=(64_500, 10_001), basis=VatBasis.SERVICE))
    assert made.number == "2026-000001"
    assert made.dated_on == date(2026, 11, 23)
    assert made.due_on == date(2026, 12, 23)
    assert (made.net_cents, made.vat_cents, made.total_cents) == (74_501, 15_645, 90_146)
    assert [line.net_cents for line in made.lines] == [64_500, 10_001]
    assert made.order_number == "B-2026-0107"
    assert made.buyer["legal_name"].startswith("Rijnburg")
    assert made.seller["name"] == "Expat Centre Leiden"
    assert [entry.event for entry in await audit.of("invoice", made.id)] == ["invoice.issued"]


async def test_asking_twice_issues_once(db: None, now: datetime) -> None:
    debtor = await a_debtor()
    await charges.record([a_charge(debtor, "order:1")], now=now)
    await invoices.request("order:1", now=now)
    await invoices.request("order:1", now=now)
    first = await issuing.issue("order:1", now=now)
    assert await issuing.issue("order:1", now=now) == first
    assert await kit_count("invoice") == 1


async def test_the_work_row_issues_and_queues_what_follows(db: None, now: datetime) -> None:
    await charges.record([a_charge(await a_debtor(), "order:2")], now=now)
    await invoices.request("order:2", now=now)
    [item] = await work.claim(now)
    assert await work.perform(item, now=now)
    kinds = {row["kind"] for row in await db_records("SELECT kind FROM due_work WHERE state = 'queued'")}
    assert kinds == {"billing.render", "billing.stripe_mirror"}


async def test_dropped_charges_are_not_invoiced(db: None, now: datetime) -> None:
    debtor = await a_debtor()
    kept, gone = a_charge(debtor, "order:3"), a_charge(debtor, "order:3", cents=100)
    await charges.record([kept, gone], now=now)
    await charges.drop([gone.id], now=now)
    await charges.drop([gone.id], now=now)
    made = await issuing.issue("order:3", now=now)
    assert made is not None
    assert [line.charge_id for line in (await _ours(made)).lines] == [kept.id]


async def test_all_dropped_means_no_invoice_and_no_number(db: None, now: datetime) -> None:
    charge = a_charge(await a_debtor(), "order:4")
    await charges.record([charge], now=now)
    await charges.drop([charge.id], now=now)
    assert await issuing.issue("order:4", now=now) is None
    assert await number_of(await an_invoice()) == "2026-000001"


async def test_invoiced_charge_cannot_be_dropped_nor_joined(db: None, now: datetime) -> None:
    debtor = await a_debtor()
    charge = a_charge(debtor, "order:5")
    await charges.record([charge], now=now)
    await issuing.issue("order:5", now=now)
    with pytest.raises(Conflict, match="already_invoiced"):
        await charges.drop([charge.id], now=now)
    with pytest.raises(Conflict, match="already_invoiced"):
        await charges.record([a_charge(debtor, "order:5")], now=now)


async def test_recording_the_same_charge_again_changes_nothing(db: None, now: datetime) -> None:
    charge = a_charge(await a_debtor(), "order:6")
    await charges.record([charge], now=now)
    await charges.record([charge], now=now)
    assert await kit_count("charge") == 1


async def test_issued_invoice_keeps_the_buyer_of_its_day(db: None, now: datetime) -> None:
    debtor = await a_debtor(name="Old name")
    made = await an_invoice(debtor)
    profile = DebtorProfile(name="New name", street="Elsewhere 1", postcode="1000 AA", city="Amsterdam", email="new@x.example")
    await debtors.update(debtor, profile, actor=SYSTEM, now=now)
    assert (await _ours(made)).buyer["legal_name"] == "Old name"


async def test_terms_of_fourteen_days(db: None, clock: FakeClock) -> None:
    made = await _ours(await an_invoice(await a_debtor(terms_days=14)))
    assert made.due_on == date(2026, 12, 7)


async def test_new_year_starts_a_new_series(db: None, clock: FakeClock) -> None:
    assert await number_of(await an_invoice()) == "2026-000001"
    clock.set(datetime(2026, 12, 31, 22, 59, tzinfo=UTC))
    assert await number_of(await an_invoice()) == "2026-000002"
    clock.set(datetime(2026, 12, 31, 23, 1, tzinfo=UTC))  # 00:01 in Leiden
    assert await number_of(await an_invoice()) == "2027-000001"


async def test_date_never_runs_back_in_a_series(db: None, clock: FakeClock) -> None:
    await an_invoice()
    clock.set(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    assert (await _ours(await an_invoice())).dated_on == date(2026, 11, 23)


async def test_free_order_is_paid_at_once_and_stays_away_from_stripe(db: None, now: datetime) -> None:
    made = await _ours(await an_invoice(amounts=(0,)))
    assert made.state == "paid"
    assert await kit_count("due_work", "kind = 'billing.stripe_mirror'") == 0


async def test_mirror_adds_up_to_the_legal_vat(db: None, now: datetime) -> None:
    made = await an_invoice(amounts=(10_001, 10_001, 10_001), basis=VatBasis.COACHING)
    copied = await mirror.of(made)
    assert copied.vat_cents == 6_301
    assert sum(line.vat_cents for line in copied.lines) == 6_301
    assert sum(line.net_cents for line in copied.lines) == copied.net_cents
    assert copied.due_days == 30


async def test_invoices_of_groups(db: None, now: datetime) -> None:
    await charges.record([a_charge(await a_debtor(), "order:7")], now=now)
    await issuing.issue("order:7", now=now)
    found = await invoices.for_groups(["order:7", "order:8"])
    assert [summary.number for summary in found["order:7"]] == ["2026-000001"]
    assert found["order:8"] == []


async def db_records(sql: str) -> list[dict]:
    return await db.records(sql)


async def kit_count(table: str, where: str = "true") -> int:
    return await db.value(f"SELECT count(*) FROM {table} WHERE {where}")
