"""Reminders: each once whatever restarts or the clock do, on working days, with the letter; not for what is held, disputed or on its way."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from billing import archive, payments
from billing.dunning import due, holds, policy, reminders
from billing.dunning.policy import Policy
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as database
from marketplace.kit import ids, mail, work
from marketplace.kit.clock import FakeClock
from marketplace.kit.errors import Conflict, Forbidden, Invalid
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.cast import Cast

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
# Issued Monday 23 November 2026 with 30 days: due Wednesday 23 December.
DUE = date(2026, 12, 23)


def _at(on: date, hour: int = 8, minute: int = 31) -> datetime:
    return datetime(on.year, on.month, on.day, hour - 1, minute, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def debtor(db: None, clock: FakeClock) -> UUID:
    return await a_debtor(email="finance@rijnburg.example")


async def _day(on: date, clock: FakeClock) -> list[tuple[int, str]]:
    """Let a day pass: the job, then what it queued, without making PDFs; return the (level, state) of what was written."""
    now = clock.set(_at(on))
    before = {row["id"] for row in await database.records("SELECT id FROM reminder")}
    await reminders.find(now, now=now)
    await work.drain(now, only=("billing.remind",))
    return [
        (row["level"], row["state"])
        for row in await database.records("SELECT id, level, state FROM reminder ORDER BY level")
        if row["id"] not in before
    ]


async def test_three_reminders_and_no_more(debtor: UUID, clock: FakeClock) -> None:
    await an_invoice(debtor)
    sent = {}
    for days in range(70):
        on = DUE + timedelta(days=days)
        if made := await _day(on, clock):
            sent[on] = [level for level, _state in made]
    # +1 is Thursday 24 December; +14 is Wednesday 6 January; +30 is Friday 22 January
    assert sent == {date(2026, 12, 24): [1], date(2027, 1, 6): [2], date(2027, 1, 22): [3]}


async def test_nothing_goes_out_on_a_day_without_work(db: None, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))
    invoice = await an_invoice(await a_debtor())
    assert await database.value("SELECT due_on FROM invoice WHERE id = $1", invoice) == date(2026, 12, 25)
    assert [await _day(date(2026, 12, day), clock) for day in (26, 27)] == [[], []]
    assert await _day(date(2026, 12, 28), clock) == [(1, "due")]


async def test_after_a_long_silence_the_first_goes_and_the_second_waits_its_time(debtor: UUID, clock: FakeClock) -> None:
    await an_invoice(debtor)
    assert await _day(date(2027, 3, 1), clock) == [(1, "due")]
    assert await _day(date(2027, 3, 12), clock) == []
    assert await _day(date(2027, 3, 15), clock) == [(2, "due")]
    assert await _day(date(2027, 3, 30), clock) == []
    assert await _day(date(2027, 3, 31), clock) == [(3, "due")]


async def test_one_letter_for_all_of_a_debtor_at_a_level(debtor: UUID, clock: FakeClock) -> None:
    invoices = [await an_invoice(debtor) for _each in range(3)]
    other = await an_invoice(await a_debtor())
    assert await _day(date(2026, 12, 24), clock) == [(1, "due"), (1, "due")]
    rows = await database.records("SELECT r.debtor_id, t.invoice_id FROM reminder r JOIN reminder_item t ON t.reminder_id = r.id")
    assert {row["invoice_id"] for row in rows if row["debtor_id"] == debtor} == set(invoices)
    assert {row["invoice_id"] for row in rows if row["debtor_id"] != debtor} == {other}


async def _paid(invoice: UUID, now: datetime, cents: int = 64_500) -> None:
    await payments.record(
        invoice, source="bank", external_id=str(ids.new_id()), cents=cents, method="bank_transfer", received_at=now, now=now
    )


async def test_not_for_what_is_paid_held_disputed_on_its_way_or_unwanted(db: None, clock: FakeClock, now: datetime) -> None:
    paid, held, disputed, processing = [await an_invoice(await a_debtor()) for _each in range(4)]
    await an_invoice(await a_debtor(reminders=False))
    await _paid(paid, now)
    await holds.hold(await number_of(held), reason="They want a new PO", until_on=date(2027, 1, 3), actor=SYSTEM, now=now)
    await database.execute("UPDATE invoice SET state = 'processing' WHERE id = $1", processing)
    await _paid(disputed, now)
    sql = "INSERT INTO refund (id, invoice_id, source, external_id, cents, state, requested_at, done_at) VALUES ($1, $2, 'dispute', 'du_1', 64500, 'done', $3, $3)"
    await database.execute(sql, ids.new_id(), disputed, now)
    await database.execute("UPDATE invoice SET refunded_cents = 64500, state = 'open' WHERE id = $1", disputed)
    assert await _day(date(2026, 12, 24), clock) == []
    assert await _day(date(2027, 1, 4), clock) == [(1, "due")]


async def test_a_part_payment_is_not_asked_again(debtor: UUID, clock: FakeClock) -> None:
    invoice = await an_invoice(debtor)
    await _paid(invoice, clock.now(), 60_000)
    await _day(date(2026, 12, 24), clock)
    assert await database.value("SELECT open_cents FROM reminder_item") == 4_500


async def test_the_job_twice_and_the_item_twice_is_one_reminder(debtor: UUID, clock: FakeClock) -> None:
    await an_invoice(debtor)
    now = clock.set(_at(date(2026, 12, 24)))
    for _each in range(3):
        await reminders.find(now, now=now)
        await reminders.write(debtor, now=now)
    await work.drain(now, only=("billing.remind",))
    clock.set(_at(date(2026, 12, 24), hour=23))
    await reminders.find(clock.now(), now=clock.now())
    await work.drain(clock.now(), only=("billing.remind",))
    assert await database.value("SELECT count(*) FROM reminder") == 1


async def test_on_the_days_the_clock_changes_each_goes_once(db: None, clock: FakeClock) -> None:
    clock.set(datetime(2027, 2, 25, 9, 0, tzinfo=UTC))
    await an_invoice(await a_debtor())  # due Saturday 27 March; the clock goes forward on the 28th, Easter Monday is the 29th
    sent = []
    for hour in range(0, 24 * 6, 3):
        now = clock.set(datetime(2027, 3, 27, tzinfo=UTC) + timedelta(hours=hour))
        await reminders.find(now, now=now)
        await work.drain(now, only=("billing.remind",))
        sent.append(await database.value("SELECT count(*) FROM reminder"))
    assert sent[-1] == 1
    assert await database.value("SELECT dated_on FROM reminder") == date(2027, 3, 30)


class _Item:
    pass


async def _mail(now: datetime) -> None:
    item: Any = _Item()
    for row in await database.records("SELECT payload FROM due_work WHERE kind = 'billing.reminder_mail'"):
        await reminders.make_and_mail(row["payload"], item=item, now=now)


@pytest.mark.slow
async def test_the_letter_is_made_kept_and_mailed_once_in_the_debtors_language(db: None, clock: FakeClock) -> None:
    debtor = await a_debtor(email="crediteuren@rijnburg.example", language="nl")
    numbers = [await number_of(await an_invoice(debtor)) for _each in range(2)]
    await _day(date(2026, 12, 24), clock)
    for _each in range(3):  # a worker that died after sending, and came again
        await _mail(clock.now())
    (sent,) = await mail.sent_to("crediteuren@rijnburg.example")
    assert sent.locale == "nl"
    assert all(number in sent.text for number in numbers)
    assert "Herinnering" in sent.subject
    (attached,) = sent.attachments
    reminder = await database.value("SELECT id FROM reminder WHERE state = 'sent'")
    paper = await archive.paper(("reminder", reminder), kind="pdf")
    assert paper is not None
    assert paper.content.startswith(b"%PDF")
    assert (attached.id, attached.name) == (str(paper.id), "herinnering-2026-12-24.pdf")


async def test_what_is_paid_before_the_mail_leaves_is_dropped(debtor: UUID, clock: FakeClock) -> None:
    invoice = await an_invoice(debtor)
    await _day(date(2026, 12, 24), clock)
    await _paid(invoice, clock.now())
    await _mail(clock.now())
    assert await database.value("SELECT state FROM reminder") == "dropped"
    assert await mail.sent_to("finance@rijnburg.example") == []


@pytest.mark.slow
async def test_interest_and_costs_stand_on_the_last_one_when_ecl_wants_them(debtor: UUID, clock: FakeClock) -> None:
    invoice = await an_invoice(debtor)
    await policy.change(Policy(interest=True, costs=True, third_days=31), actor=SYSTEM, now=clock.now())
    for on in (date(2026, 12, 24), date(2027, 1, 6), date(2027, 1, 25)):
        await _day(on, clock)
    rows = await database.records(
        "SELECT r.level, r.costs_cents, t.interest_cents FROM reminder r JOIN reminder_item t ON t.reminder_id = r.id ORDER BY 1"
    )
    assert [(row["level"], row["costs_cents"], row["interest_cents"]) for row in rows] == [(1, 0, 0), (2, 0, 0), (3, 9_675, 592)]
    await _mail(clock.now())
    sent = (await mail.sent_to("finance@rijnburg.example"))[-1]
    assert "€747.67" in sent.subject
    assert (await database.value("SELECT paid_cents FROM invoice WHERE id = $1", invoice)) == 0


async def test_holding_and_lifting(cast: Cast, clock: FakeClock, now: datetime) -> None:
    invoice = await an_invoice(cast.company_a.debtor_id)
    number = await number_of(invoice)
    for values, field in (
        ({"reason": " "}, "reason"),
        ({"until_on": date(2026, 11, 1)}, "until_on"),
        ({"number": "2026-999999"}, "number"),
    ):
        with pytest.raises(Invalid) as refusal:
            await holds.hold(**{"number": number, "reason": "x", "until_on": None, **values}, actor=cast.ecl, now=now)  # type: ignore[arg-type]
        assert field in refusal.value.fields
    await holds.hold(number, reason="Disputed", until_on=None, actor=cast.ecl, now=now)
    with pytest.raises(Conflict, match="held"):
        await holds.hold(number, reason="Again", until_on=None, actor=cast.ecl, now=now)
    (held,) = await holds.listed(actor=cast.ecl, today=kit_clock.today(now))
    assert (held.number, held.reason, held.held_by) == (number, "Disputed", cast.ecl.name)
    assert await due.on(date(2027, 2, 1)) == []
    assert await holds.lift(held.id, actor=cast.ecl, now=now)
    assert not await holds.lift(held.id, actor=cast.ecl, now=now)
    assert len(await due.on(date(2027, 2, 1))) == 1
    for actor in (cast.hr_a, cast.finance_a):
        with pytest.raises(Forbidden):
            await holds.hold(number, reason="x", until_on=None, actor=actor, now=now)


async def test_ten_workers_write_each_reminder_once(committed: str, clock: FakeClock) -> None:
    debtor = await a_debtor()
    for _each in range(4):
        await an_invoice(debtor)
    now = clock.set(_at(date(2026, 12, 24)))
    made = await asyncio.gather(*(reminders.write(debtor, now=now) for _each in range(10)))
    assert sum(len(one) for one in made) == 1
    assert await database.value("SELECT count(*) FROM reminder_item") == 4
