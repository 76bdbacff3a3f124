"""Invoice runs: preview, issuing, what blocks, what changed in between, stopping, and doing it all again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from billing import charges, debtors, invoices
from billing.runs import collect, issue, read, references
from billing.runs.references import References
from billing.runs.states import GroupState, RunState
from billing.vat import BuyerFacts, SellerFacts, VatBasis, VatFacts, decide
from marketplace.commands import invoice_run
from marketplace.kit import clock, db, ids, work
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


async def test_the_command_shows_and_issues(db: None, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor(legal_name="Hortus Labs B.V."))
    await a_ready_charge(await a_monthly_debtor(acceptance_profile="university", wants_ubl=True))
    shown = await invoice_run.make(clock.today(now), everybody=False, only_preview=True, quiet=True)
    assert (shown.state, shown.invoices, shown.blocked, shown.total_cents) == ("preview", 1, 1, 64_500)
    assert any("PO number" in problem for group in shown.groups for problem in group["problems"])
    shown = await invoice_run.make(clock.today(now), everybody=True, only_preview=False, quiet=True)
    assert (shown.state, [group["state"] for group in shown.groups if group["company"] == "Hortus Labs B.V."]) == ("done", ["2026-000001"])


async def _count(table: str) -> int:
    return int(await db.value(f"SELECT count(*) FROM {table}"))


async def _value(sql: str) -> object:
    return await db.value(sql)


async def _execute(sql: str, *args: object) -> None:
    await db.execute(sql, *args)
