"""What isn't invoiced at once: runs that propose themselves, orders whose moment comes, invoices held back, the watch on the 15th."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from billing import charges, debtors, invoices, issuing
from billing.runs import holds, issue, jobs, profiles, read, references, watch
from billing.runs.references import References
from billing.runs.states import RunState
from marketplace.kit import audit, clock, db, work
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.web import paging
from tests.builders.billing import a_charge, a_debtor
from tests.builders.runs import a_monthly_debtor, a_preview, a_ready_charge

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")
INSIDE = ("runs.collect", "runs.issue_group", "billing.issue")


async def _groups(run_id: UUID) -> list[read.GroupRow]:
    return (await read.groups(run_id, paging.read(None, int, size=100))).items


async def _issue_all(run_id: UUID, now: datetime) -> None:
    await issue.issue(run_id, actor=SYSTEM, now=now)
    await work.drain(now, only=INSIDE)


async def _change(debtor_id: UUID, **facts: object) -> None:
    from msgspec.structs import asdict, fields

    before = await debtors.get(debtor_id)
    kept = {field.name: getattr(before, field.name) for field in fields(debtors.DebtorProfile)}
    assert set(facts) <= set(asdict(before))
    await debtors.update(debtor_id, debtors.DebtorProfile(**{**kept, **facts}), actor=SYSTEM, now=clock.now())


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (datetime(2027, 1, 1, 4, 30, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2027, 4, 1, 3, 30, tzinfo=UTC), date(2027, 3, 31)),
        (datetime(2028, 3, 1, 4, 30, tzinfo=UTC), date(2028, 2, 29)),
    ],
)
async def test_the_monthly_run_is_proposed_on_the_first(db: None, clock: FakeClock, at: datetime, until: date) -> None:
    clock.set(datetime(until.year, until.month, until.day, 12, tzinfo=UTC))
    await a_ready_charge(await a_monthly_debtor())
    clock.set(at)
    await a_ready_charge(await a_monthly_debtor())  # of the new month
    await jobs.propose_monthly(at, now=at)
    [run] = (await read.listed(paging.read(None, datetime, UUID), actor=SYSTEM)).items
    assert (run.until_on, run.proposed, run.state, run.figures.ready) == (until, True, RunState.PREVIEW, 1)
    assert await _value("SELECT recipient FROM mail_message WHERE template = 'billing/run_proposed'") == "welcome@ecl.example"
    assert (await read.for_ecl(today=date(2026, 11, 1))).previews == 1


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2027, 3, 27, 23, 30, tzinfo=UTC), date(2027, 3, 28)),  # half past midnight; the clock skips an hour at two
        (datetime(2027, 3, 28, 22, 30, tzinfo=UTC), date(2027, 3, 29)),
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),  # 23:59 after the clock went back
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
async def test_days_are_leidens_also_when_the_clock_changes(db: None, clock: FakeClock, at: datetime, day: date) -> None:
    clock.set(at)
    await a_ready_charge(await a_monthly_debtor())
    assert await _groups(await a_preview(day - timedelta(days=1))) == []
    assert len(await _groups(await a_preview(day))) == 1


async def test_no_run_is_proposed_where_there_is_nothing(db: None, now: datetime) -> None:
    assert await jobs.propose(until_on=date(2026, 10, 31), now=now) is None
    assert await _count("invoice_run") == 0


async def test_the_watch_counts_what_the_law_wants_invoiced(db: None, clock: FakeClock) -> None:
    clock.set(datetime(2027, 3, 1, 9, tzinfo=UTC))
    debtor = await a_monthly_debtor(billing_moment="delivery")
    await a_ready_charge(debtor)  # delivered on 22 March
    for day, late in ((31, 0), (1, 1)):
        clock.set(datetime(2027, 3 if day == 31 else 4, day, 9, tzinfo=UTC))
        assert await watch.count(clock.now()) == late
    [found] = await watch.late(actor=SYSTEM, now=clock.now())
    assert (found.debtor_id, found.lines, found.by, found.month_on) == (debtor, 1, date(2027, 4, 15), date(2027, 3, 1))
    for day in range(1, 16):
        at = datetime(2027, 4, day, 6, tzinfo=UTC)
        await jobs.watch_late(at, now=at)
    sent = await _records("SELECT created_at FROM mail_message WHERE template = 'billing/late_invoices'")
    assert [row["created_at"].date() for row in sent] == [date(2027, 4, 9)]


async def test_an_order_is_invoiced_when_its_moment_comes(db: None, clock: FakeClock) -> None:
    now = clock.now()
    debtor = await a_debtor(billing_moment="start")
    await charges.record([a_charge(debtor, "order:start")], now=now)  # starts on 18 January
    await invoices.request("order:start", now=now)
    await work.drain(now, only=INSIDE)
    assert await _count("invoice") == 0
    for day, made in ((17, 0), (18, 1), (19, 1)):
        at = clock.set(datetime(2027, 1, day, 21, 30, tzinfo=UTC))
        await jobs.request_due(at, now=at)
        await work.drain(at, only=INSIDE)
        assert await _count("invoice") == made


async def test_an_order_that_would_come_back_is_held_and_listed(db: None, now: datetime, cast: Cast) -> None:
    debtor = await a_debtor(acceptance_profile="university", wants_ubl=True)
    made = a_charge(debtor, "order:held", ordered_by="F. de Wit")
    await charges.record([made], now=now)
    await invoices.request("order:held", now=now)
    await work.drain(now, only=INSIDE)
    assert await _count("invoice") == 0
    [hold] = await holds.waiting()
    assert [finding.code for finding in hold.findings] == ["reference"]
    assert (await read.for_ecl(today=clock.today(now))).held == 1
    assert [finding.code for finding in await holds.ask_again(hold.id, actor=cast.ecl, now=now)] == ["reference"]
    await references.fill([made.id], References(purchase_order="4500128834"), actor=cast.ecl, now=now)
    assert await holds.ask_again(hold.id, actor=cast.ecl, now=now) == []
    await work.drain(now, only=INSIDE)
    assert await _count("invoice") == 1
    assert await holds.waiting() == []
    assert [entry.event for entry in await audit.of("invoice_hold", hold.id)] == ["invoice_hold.held", "invoice_hold.released"]


async def test_each_night_held_invoices_are_tried_again(db: None, clock: FakeClock) -> None:
    debtor = await a_debtor(acceptance_profile="public_body")
    await charges.record([a_charge(debtor, "order:held")], now=clock.now())
    await invoices.request("order:held", now=clock.now())
    await work.drain(clock.now(), only=INSIDE)
    assert len(await holds.waiting()) == 1
    await _change(debtor, wants_ubl=True)
    at = clock.move(timedelta(hours=12))
    await jobs.request_due(at, now=at)
    await work.drain(at, only=INSIDE)
    assert (await _count("invoice"), await holds.waiting()) == (1, [])


async def test_ecl_may_issue_a_held_invoice_with_a_reason(db: None, now: datetime, cast: Cast) -> None:
    debtor = await a_debtor(acceptance_profile="public_body")
    await charges.record([a_charge(debtor, "order:held")], now=now)
    await invoices.request("order:held", now=now)
    await work.drain(now, only=INSIDE)
    [hold] = await holds.waiting()
    with pytest.raises(Invalid):
        await holds.issue_anyway(hold.id, reason=" ", actor=cast.ecl, now=now)
    with pytest.raises(Forbidden):
        await holds.issue_anyway(hold.id, reason="They said so", actor=cast.finance_a, now=now)
    await holds.issue_anyway(hold.id, reason="Mr Jansen agreed by phone on 20 November", actor=cast.ecl, now=now)
    await work.drain(now, only=INSIDE)
    assert await _count("invoice") == 1
    with pytest.raises(NotFound):
        await holds.issue_anyway(hold.id, reason="Again", actor=cast.ecl, now=now)


async def test_a_run_takes_held_orders_along_once_they_fit(db: None, now: datetime) -> None:
    debtor = await a_debtor(acceptance_profile="public_body")
    await charges.record([a_charge(debtor, "order:held")], now=now)
    await invoices.request("order:held", now=now)
    await work.drain(now, only=INSIDE)
    await _change(debtor, wants_ubl=True)
    await _issue_all(await a_preview(scope="all"), now)
    assert (await _count("invoice"), await holds.waiting()) == (1, [])
    assert await issuing.issue("order:held", now=now) is not None  # the one that the run made


async def test_profiles_are_data(db: None, now: datetime, cast: Cast) -> None:
    university = await profiles.get("university")
    assert (university.wants, university.project_digits, university.wants_orderer) == ("order_or_project", 11, True)
    changed = await profiles.change(_with(university, project_digits=9), actor=cast.ecl, now=now)
    assert changed == ["project_digits"]
    assert (await profiles.get("university")).project_digits == 9
    await profiles.add(_with(university, code="hospital"), actor=cast.ecl, now=now)
    with pytest.raises(Conflict):
        await profiles.add(_with(university, code="hospital"), actor=cast.ecl, now=now)
    with pytest.raises(Invalid):
        await profiles.add(_with(university, code="Hospital!", project_digits=None), actor=cast.ecl, now=now)
    with pytest.raises(Forbidden):
        await profiles.change(university, actor=cast.hr_a, now=now)


def _with(profile: object, **changes: object) -> object:
    from msgspec.structs import replace

    return replace(profile, **changes)


async def _count(table: str) -> int:
    return int(await db.value(f"SELECT count(*) FROM {table}"))


async def _value(sql: str) -> object:
    return await db.value(sql)


async def _records(sql: str) -> list[dict[str, datetime]]:
    return await db.records(sql)
