"""Numbers under real concurrency: no gap, none twice, in the order of dates, whatever is rolled back."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from typing import TYPE_CHECKING

import pytest

from billing import charges, issuing, ledger, numbering, payments
from marketplace.kit import clock, db
from marketplace.kit.errors import Conflict
from tests.builders.billing import a_charge, a_debtor, an_invoice

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.asyncio(loop_scope="session")
COUNT = 60


class _Trouble(Exception):
    """Something goes wrong after the number was given."""


async def _charged(count: int) -> list[str]:
    debtor = await a_debtor()
    groups = [f"order:{number}" for number in range(count)]
    await charges.record([a_charge(debtor, group) for group in groups], now=clock.now())
    return groups


async def _issue(group: str, *, fail: bool, now: datetime) -> None:
    try:
        async with db.atomic():
            await issuing.issue(group, now=now)
            _trouble(fail=fail)
    except _Trouble:
        pass


def _trouble(*, fail: bool) -> None:
    if fail:
        raise _Trouble


async def test_numbers_have_no_gaps_when_a_third_is_rolled_back(committed: str, now: datetime) -> None:
    groups = await _charged(COUNT)
    chance = random.Random(7)
    await asyncio.gather(*(_issue(group, fail=chance.random() < 0.34, now=now) for group in groups))
    given = sorted(row["number"] for row in await db.records("SELECT number FROM invoice"))
    assert given == [f"2026-{at:06d}" for at in range(1, len(given) + 1)]
    assert COUNT / 3 < len(given) < COUNT
    await asyncio.gather(*(_issue(group, fail=False, now=now) for group in groups))
    given = sorted(row["number"] for row in await db.records("SELECT number FROM invoice"))
    assert given == [f"2026-{at:06d}" for at in range(1, COUNT + 1)]


async def test_control_a_sequence_leaves_gaps(committed: str, now: datetime) -> None:
    """The same with a PostgreSQL sequence, to show that the test can see a gap."""
    await db.execute("CREATE SEQUENCE naive")

    async def take(*, fail: bool) -> int | None:
        try:
            async with db.atomic():
                number = await db.value("SELECT nextval('naive')")
                _trouble(fail=fail)
        except _Trouble:
            return None
        return int(number)

    taken = await asyncio.gather(*(take(fail=at % 3 == 0) for at in range(COUNT)))
    given = sorted(number for number in taken if number)
    assert given != list(range(1, len(given) + 1))


async def test_one_group_is_issued_once_by_twenty_at_a_time(committed: str, now: datetime) -> None:
    [group] = await _charged(1)
    made = await asyncio.gather(*(issuing.issue(group, now=now) for _ in range(20)))
    assert len(set(made)) == 1
    assert await db.value("SELECT count(*) FROM invoice") == 1
    assert await db.value("SELECT count(*) FROM invoice_line") == 1
    assert await db.value("SELECT last_number FROM number_series") == 1


async def test_dropping_and_issuing_at_once_never_both_win(committed: str, now: datetime) -> None:
    debtor = await a_debtor()
    for at in range(20):
        charge = a_charge(debtor, f"order:race{at}")
        await charges.record([charge], now=now)
        dropped, issued = await asyncio.gather(
            charges.drop([charge.id], now=now), issuing.issue(charge.group_key, now=now), return_exceptions=True
        )
        assert (dropped is None) == (issued is None)


async def test_a_late_charge_is_invoiced_or_refused_but_never_left_behind(committed: str, now: datetime) -> None:
    debtor = await a_debtor()
    for at in range(20):
        group = f"order:late{at}"
        await charges.record([a_charge(debtor, group)], now=now)
        late = a_charge(debtor, group)
        first, second = (charges.record([late], now=now), issuing.issue(group, now=now))
        answers = await asyncio.gather(*((first, second) if at % 2 else (second, first)), return_exceptions=True)
        refused = any(isinstance(answer, Conflict) for answer in answers)
        state = await db.value("SELECT state FROM charge WHERE id = $1", late.id)
        assert state == (None if refused else "invoiced")


async def test_payments_at_the_same_time_count_once_each(committed: str, now: datetime) -> None:
    made = await an_invoice(await a_debtor(), amounts=(1_000,))

    async def pay(name: str) -> bool:
        return await payments.record(made, source="stripe", external_id=name, cents=100, method="ideal", received_at=now, now=now)

    fresh = await asyncio.gather(*(pay(f"py_{at % 10}") for at in range(30)))
    assert sum(fresh) == 10
    assert await db.records("SELECT state, paid_cents FROM invoice") == [{"state": "paid", "paid_cents": 1_000}]
    assert (await ledger.check()).right


async def test_a_number_needs_a_transaction(committed: str) -> None:
    with pytest.raises(RuntimeError):
        await numbering.next_number("", date(2026, 11, 23))


async def test_sums_that_do_not_hold_are_refused_at_commit(committed: str, now: datetime) -> None:
    [group] = await _charged(1)
    with pytest.raises(Exception, match="does not add up") as refusal:
        async with db.atomic():
            made = await issuing.issue(group, now=now)
            await db.execute(
                "INSERT INTO invoice_vat (id, invoice_id, vat_category, vat_rate, net_cents, vat_cents) VALUES (gen_random_uuid(), $1, 'S', 21, 100, 21)",
                made,
            )
    assert db.violated(refusal.value) == "invoice_adds_up"
    assert await db.value("SELECT count(*) FROM invoice") == 0
