"""Invoice runs: preview, issuing, what blocks, what changed in between, stopping, and doing it all again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from billing import charges, debtors, invoices, issuing
from billing.runs import collect, holds, issue, jobs, profiles, read, references, watch
from billing.runs.references import References
from billing.runs.states import GroupState, RunState
from billing.vat import BuyerFacts, SellerFacts, VatBasis, VatFacts, decide
from marketplace.commands import invoice_run
from marketplace.kit import audit, clock, db, ids, work
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.web import paging
from tests.builders.billing import SUPPLY, a_charge, a_debtor, a_decision
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


async def test_a_months_charges_become_one_invoice(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    for cents in (10_000, 20_000, 30_001):
        await a_ready_charge(debtor, cents=cents, basis=VatBasis.SERVICE)
    run_id = await a_preview()
    [group] = await _groups(run_id)
    assert (group.state, group.lines, group.net_cents, group.vat_cents, group.total_cents) == (GroupState.READY, 3, 60_001, 12_600, 72_601)
    await _issue_all(run_id, now)
    [group] = await _groups(run_id)
    assert group.state is GroupState.ISSUED
    made = await invoices.get(group.invoice_number or "", actor=SYSTEM)
    assert (len(made.lines), made.total_cents, made.debtor_id) == (3, 72_601, debtor)
    assert (await collect.get(run_id)).state is RunState.DONE


async def test_orders_find_their_invoice_of_the_month(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    one, other = await a_ready_charge(debtor, "order:one"), await a_ready_charge(debtor, "order:other")
    await _issue_all(await a_preview(), now)
    found = await invoices.for_groups([one.group_key, other.group_key])
    assert [len(billed) for billed in found.values()] == [1, 1]
    assert found["order:one"][0].id == found["order:other"][0].id


async def test_split_by_cost_centre_makes_an_invoice_each(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor(split_by="cost_centre")
    for centre in ("3120", "3130", " 3120 ", None):
        await a_ready_charge(debtor, cost_centre=centre)
    found = await _groups(await a_preview())
    assert [(group.split_value, group.lines) for group in found] == [("", 1), ("3120", 2), ("3130", 1)]


async def test_only_monthly_debtors_unless_asked(db: None, now: datetime) -> None:
    by_order, by_month = await a_debtor(), await a_monthly_debtor()
    for debtor in (by_order, by_month):
        await a_ready_charge(debtor)
    assert [group.debtor_id for group in await _groups(await a_preview())] == [by_month]
    assert {group.debtor_id for group in await _groups(await a_preview(scope="all"))} == {by_order, by_month}
    chosen = await a_preview(scope="chosen", debtor_ids=[by_order])
    assert [(group.debtor_id, group.split_by) for group in await _groups(chosen)] == [(by_order, "order")]


async def test_what_may_not_be_billed_yet_waits(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor(billing_moment="delivery")
    await a_ready_charge(debtor)  # delivered on 22 March
    await charges.record([a_charge(await a_monthly_debtor(), "order:unsure")], now=now)  # nobody said that it stands
    assert await _groups(await a_preview()) == []
    assert await _groups(await a_preview(date(2027, 3, 21))) == []
    assert len(await _groups(await a_preview(date(2027, 3, 22)))) == 1


async def test_late_items_go_to_the_next_run(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    await a_ready_charge(debtor)
    first = await a_preview()
    await a_ready_charge(debtor, cents=7_700)
    await _issue_all(first, now)
    [later] = await _groups(await a_preview())
    assert later.net_cents == 7_700


async def test_blockers_stop_only_their_own_group(db: None, now: datetime) -> None:
    strict, easy = await a_monthly_debtor(acceptance_profile="university", wants_ubl=True), await a_monthly_debtor()
    for debtor in (strict, easy):
        await a_ready_charge(debtor, ordered_by="F. de Wit")
    run_id = await a_preview()
    await _issue_all(run_id, now)
    states = {group.debtor_id: group for group in await _groups(run_id)}
    assert states[easy].state is GroupState.ISSUED
    assert [finding.code for finding in states[strict].findings] == ["reference"]
    assert states[strict].state is GroupState.BLOCKED
    assert (await collect.get(run_id)).state is RunState.DONE


async def test_what_was_missing_is_filled_in_and_the_preview_made_anew(db: None, now: datetime, cast: Cast) -> None:
    debtor = await a_monthly_debtor(acceptance_profile="university", wants_ubl=True)
    made = await a_ready_charge(debtor, ordered_by="F. de Wit")
    run_id = await a_preview()
    assert await references.fill([made.id], References(cost_centre=" 12345678901 "), actor=cast.ecl, now=now) == 1
    await collect.again(run_id, actor=cast.ecl, now=now)
    assert (await collect.get(run_id)).state is RunState.COLLECTING
    await work.drain(now, only=INSIDE)
    [group] = await _groups(run_id)
    assert group.state is GroupState.READY
    assert (await charges.of([made.id]))[0].cost_centre == "12345678901"


async def test_an_invoiced_line_keeps_its_references(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    made = await a_ready_charge(debtor)
    await _issue_all(await a_preview(), now)
    with pytest.raises(Conflict, match="issued already"):
        await references.fill([made.id], References(purchase_order="45"), actor=SYSTEM, now=now)
    with pytest.raises(Invalid):
        await references.fill([made.id], References(purchase_order="  "), actor=SYSTEM, now=now)


async def test_a_charge_dropped_since_the_preview_is_left_out_and_said(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    gone, _stays = await a_ready_charge(debtor, cents=5_000), await a_ready_charge(debtor, cents=7_000)
    run_id = await a_preview()
    await charges.drop([gone.id], now=now)
    await _issue_all(run_id, now)
    [group] = await _groups(run_id)
    assert (group.state, group.lines, group.net_cents) == (GroupState.ISSUED, 1, 7_000)
    assert group.changed == {"left_out": 1, "was_cents": 12_000}
    assert group.was.cents == 12_000


async def test_a_group_that_lost_everything_is_empty(db: None, now: datetime) -> None:
    made = await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    await charges.drop([made.id], now=now)
    await _issue_all(run_id, now)
    [group] = await _groups(run_id)
    assert (group.state, group.total_cents) == (GroupState.EMPTY, 0)
    assert (await collect.get(run_id)).state is RunState.DONE
    assert await _count("invoice") == 0


async def test_dates_that_moved_past_the_day_wait_for_the_next_run(db: None, now: datetime) -> None:
    made = await a_ready_charge(await a_monthly_debtor(billing_moment="start"))
    run_id = await a_preview(date(2027, 1, 31))
    await charges.redate(made.id, from_on=date(2027, 2, 15), to_on=date(2027, 4, 1))
    await _issue_all(run_id, now)
    assert [group.state for group in await _groups(run_id)] == [GroupState.EMPTY]
    assert [group.lines for group in await _groups(await a_preview(date(2027, 2, 28)))] == [1]


async def test_what_would_come_back_by_now_is_not_issued(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    await a_ready_charge(debtor)
    run_id = await a_preview()
    await _change(debtor, acceptance_profile="public_body")
    await _issue_all(run_id, now)
    [group] = await _groups(run_id)
    assert group.state is GroupState.BLOCKED
    assert [finding.code for finding in group.findings] == ["ubl"]


async def test_what_waits_for_vies_is_blocked_and_vies_is_asked(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor(country="DE", vat_id="DE136695976", kvk=None)
    shifted = a_decision(buyer=BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True))
    await a_ready_charge(debtor, vat=shifted)
    await _change(debtor, vat_id="DE129273398")  # another id, which VIES was never asked about
    [group] = await _groups(await a_preview())
    assert [finding.code for finding in group.findings] == ["vat_id"]
    assert await _value("SELECT count(*) FROM due_work WHERE kind = 'billing.vies_check' AND state = 'queued'") == 1


async def test_vat_that_is_decided_otherwise_by_now_is_said(db: None, now: datetime) -> None:
    """The seller entered the register between preview and issue, so a course that was taxed is exempt."""
    from billing import seller

    debtor = await a_monthly_debtor()
    taxed = decide(VatFacts(basis=VatBasis.PROFESSIONAL_COURSE, supply_on=SUPPLY), SellerFacts(vat_id="NL000099998B57"), BuyerFacts())
    await a_ready_charge(debtor, vat=taxed, cents=10_000)
    run_id = await a_preview()
    assert (await _groups(run_id))[0].total_cents == 12_100
    await seller.enter_crkbo(date(2026, 11, 1), actor=SYSTEM, now=now)
    await _issue_all(run_id, now)
    [group] = await _groups(run_id)
    assert (group.state, group.total_cents, group.was.cents) == (GroupState.ISSUED, 10_000, 12_100)
    assert (await invoices.get(group.invoice_number or "", actor=SYSTEM)).total_cents == 10_000


async def test_two_runs_over_the_same_charges_bill_them_once(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    await a_ready_charge(debtor)
    first, second = await a_preview(), await a_preview()
    await _issue_all(first, now)
    await _issue_all(second, now)
    assert [group.state for group in await _groups(second)] == [GroupState.EMPTY]
    assert await _count("invoice") == 1


async def test_issuing_twice_changes_nothing(db: None, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    assert await issue.issue(run_id, actor=SYSTEM, now=now) == 1
    assert await issue.issue(run_id, actor=SYSTEM, now=now) == 0
    await work.drain(now, only=INSIDE)
    assert await issue.issue(run_id, actor=SYSTEM, now=now) == 0
    [group] = await _groups(run_id)
    assert await issue.issue_group(group.id, now=now) is None
    assert await _count("invoice") == 1


async def test_a_stopped_run_issues_nothing_and_its_charges_stay(db: None, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    assert await issue.stop(run_id, actor=SYSTEM, now=now) == 1
    assert await issue.stop(run_id, actor=SYSTEM, now=now) == 0
    with pytest.raises(InvalidTransition):
        await issue.issue(run_id, actor=SYSTEM, now=now)
    with pytest.raises(InvalidTransition):
        await collect.again(run_id, actor=SYSTEM, now=now)
    assert len(await _groups(await a_preview())) == 1


async def test_stopping_halfway_keeps_what_has_a_number(db: None, now: datetime) -> None:
    for _ in range(3):
        await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    await issue.issue(run_id, actor=SYSTEM, now=now)
    [item] = await work.claim(now, limit=1, only=["runs.issue_group"])
    assert await work.perform(item, now=now)
    assert await issue.stop(run_id, actor=SYSTEM, now=now) == 2
    await work.drain(now, only=INSIDE)
    assert sorted(group.state for group in await _groups(run_id)) == ["cancelled", "cancelled", "issued"]
    assert (await collect.get(run_id)).state is RunState.CANCELLED
    assert await _count("invoice") == 1
    assert len(await _groups(await a_preview())) == 2


async def test_a_killed_worker_leaves_the_group_to_another(db: None, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    await issue.issue(run_id, actor=SYSTEM, now=now)
    [item] = await work.claim(now, only=["runs.issue_group"])
    await _execute("UPDATE due_work SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1", item.id)
    await work.drain(now, only=INSIDE)
    assert not await work.perform(item, now=now)  # the first one wakes up again: its lease is gone
    assert [group.state for group in await _groups(run_id)] == [GroupState.ISSUED]
    assert await _count("invoice") == 1


async def test_a_run_wants_something_to_issue_and_somebody_who_may(db: None, now: datetime, cast: Cast) -> None:
    run_id = await a_preview()
    with pytest.raises(Conflict, match="Nothing in this run"):
        await issue.issue(run_id, actor=cast.ecl, now=now)
    for verb in (
        collect.make(clock.today(now), actor=cast.finance_a, now=now),
        issue.issue(run_id, actor=cast.hr_a, now=now),
        issue.stop(run_id, actor=cast.hr_a, now=now),
    ):
        with pytest.raises(Forbidden):
            await verb
    with pytest.raises(Invalid):
        await collect.make(clock.today(now), scope="chosen", actor=cast.ecl, now=now)
    with pytest.raises(NotFound):
        await collect.get(ids.new_id())


async def test_a_long_month_is_cut_and_every_line_billed_once(db: None, now: datetime) -> None:
    debtor = await a_monthly_debtor()
    made = [a_charge(debtor, "order:many", cents=100 + at) for at in range(253)]
    await charges.record(made, now=now)
    await charges.ready("order:many", now=now)
    await _issue_all(await a_preview(), now)
    assert await _count("invoice") == 2
    assert await _count("invoice_line") == 253
    assert await _value("SELECT sum(net_cents)::bigint FROM invoice") == sum(100 + at for at in range(253))


async def test_the_year_ends_between_preview_and_issue(db: None, clock: FakeClock) -> None:
    clock.set(datetime(2026, 12, 31, 22, 59, 30, tzinfo=UTC))  # 23:59:30 in Leiden
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview(date(2026, 12, 31))
    await _issue_all(run_id, clock.move(timedelta(minutes=1)))
    [group] = await _groups(run_id)
    assert group.invoice_number == "2027-000001"


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


async def test_the_command_shows_and_issues(db: None, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor(legal_name="Hortus Labs B.V."))
    await a_ready_charge(await a_monthly_debtor(acceptance_profile="university", wants_ubl=True))
    shown = await invoice_run.make(clock.today(now), everybody=False, only_preview=True, quiet=True)
    assert (shown.state, shown.invoices, shown.blocked, shown.total_cents) == ("preview", 1, 1, 64_500)
    assert any("PO number" in problem for group in shown.groups for problem in group["problems"])
    shown = await invoice_run.make(clock.today(now), everybody=True, only_preview=False, quiet=True)
    assert (shown.state, [group["state"] for group in shown.groups if group["company"] == "Hortus Labs B.V."]) == ("done", ["2026-000001"])


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


async def _execute(sql: str, *args: object) -> None:
    await db.execute(sql, *args)
