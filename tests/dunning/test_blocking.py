"""A company that is overdue beyond its limit orders nothing new, until it pays or ECL lets it; finance can always pay."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from billing import payments, refunds
from billing.dunning import blocking, holds, policy
from billing.dunning.policy import Limits, Policy
from marketplace.kit import db as database
from marketplace.kit import ids, work
from marketplace.kit.clock import FakeClock, today
from marketplace.kit.errors import Conflict, DomainError, Forbidden, Invalid
from marketplace.kit.identity import SYSTEM
from marketplace.scheduling import schedule
from marketplace.scheduling.schedule import Wish
from tests.builders.billing import an_invoice, number_of
from tests.builders.catalog import a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, a_cast, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _overdue(cast: Cast, clock: FakeClock, days: int = 45) -> UUID:
    """Issue an invoice, and let it be so many days late."""
    await policy.change(Policy(block_after_days=44), actor=SYSTEM, now=clock.now())
    invoice = await an_invoice(cast.company_a.debtor_id)
    clock.move(timedelta(days=30 + days))
    return invoice


async def _order(cast: Cast) -> object:
    session = await a_session()
    person = await a_person(cast.company_a.id)
    return await an_order(session.id, person.id, actor=cast.hr_a)


async def _pay(invoice: UUID, now: datetime, cents: int = 64_500) -> None:
    await payments.record(
        invoice, source="bank", external_id=str(ids.new_id()), cents=cents, method="bank_transfer", received_at=now, now=now
    )


async def test_blocked_says_why_and_what_next_and_opens_with_the_payment(cast: Cast, clock: FakeClock) -> None:
    invoice = await _overdue(cast, clock)
    with pytest.raises(Conflict) as refusal:
        await _order(cast)
    assert refusal.value.code == "overdue_blocked"
    assert "€645.00 is overdue" in refusal.value.message
    assert await number_of(invoice) in refusal.value.message
    assert refusal.value.next_step
    await _pay(invoice, clock.now(), 64_499)
    with pytest.raises(Conflict):
        await _order(cast)
    await _pay(invoice, clock.now(), 1)
    assert await _order(cast)


async def test_not_before_the_limit_and_not_for_another_company(cast: Cast, clock: FakeClock) -> None:
    await _overdue(cast, clock, days=44)
    assert await _order(cast)
    clock.move(timedelta(days=1))
    assert cast.company_b.debtor_id is not None
    assert await blocking.blocked(cast.company_b.debtor_id, today=today(clock.now())) is None
    assert await blocking.of_owner(cast.company_a.id, today=today(clock.now())) is not None


async def test_a_dispute_keeps_an_invoice_from_being_late_for_a_while_only(cast: Cast, clock: FakeClock) -> None:
    """Who takes every payment back by the bank would order on for ever without paying."""
    now = clock.now()
    invoice = await _overdue(cast, clock)
    await payments.record(invoice, source="stripe", external_id="in_1", cents=64_500, method="card", received_at=now, now=now)
    await refunds.taken_back(invoice, source="dispute", external_id="dp_1", cents=64_500, at=clock.now(), now=clock.now())
    assert cast.company_a.debtor_id is not None
    assert await blocking.blocked(cast.company_a.debtor_id, today=today(clock.now())) is None
    clock.move(timedelta(days=91))
    assert await blocking.blocked(cast.company_a.debtor_id, today=today(clock.now())) is not None


async def test_what_is_held_or_on_its_way_does_not_block(cast: Cast, clock: FakeClock) -> None:
    invoice = await _overdue(cast, clock)
    await holds.hold(await number_of(invoice), reason="Disputed", until_on=None, actor=SYSTEM, now=clock.now())
    assert await _order(cast)
    (held,) = await holds.listed(actor=SYSTEM, today=today(clock.now()))
    await holds.lift(held.id, actor=SYSTEM, now=clock.now())
    with pytest.raises(Conflict):
        await _order(cast)
    await database.execute("UPDATE invoice SET state = 'processing' WHERE id = $1", invoice)
    assert await _order(cast)


async def test_ecl_lets_it_order_until_a_day(cast: Cast, clock: FakeClock) -> None:
    await _overdue(cast, clock)
    debtor, on = cast.company_a.debtor_id, today(clock.now())
    assert debtor is not None
    for until, reason in ((on - timedelta(days=1), "x"), (on + timedelta(days=93), "x"), (on, " ")):
        with pytest.raises(Invalid):
            await blocking.give_pass(debtor, until_on=until, reason=reason, actor=cast.ecl, now=clock.now())
    await blocking.give_pass(debtor, until_on=on + timedelta(days=2), reason="They pay on Friday", actor=cast.ecl, now=clock.now())
    assert await _order(cast)
    clock.move(timedelta(days=3))
    with pytest.raises(Conflict):
        await _order(cast)
    await blocking.give_pass(debtor, until_on=today(clock.now()), reason="Once more", actor=cast.ecl, now=clock.now())
    assert await blocking.end_pass(debtor, actor=cast.ecl, now=clock.now())
    assert not await blocking.end_pass(debtor, actor=cast.ecl, now=clock.now())
    with pytest.raises(Conflict):
        await _order(cast)
    with pytest.raises(Forbidden):
        await blocking.give_pass(debtor, until_on=today(clock.now()), reason="We are nice", actor=cast.hr_a, now=clock.now())


async def test_nobody_is_blocked_before_ecl_sets_a_limit(cast: Cast, clock: FakeClock) -> None:
    await _overdue(cast, clock, days=300)
    await policy.change(Policy(), actor=cast.ecl, now=clock.now())
    assert await _order(cast)


async def test_a_debtors_own_limits_and_the_policys(cast: Cast, clock: FakeClock) -> None:
    await _overdue(cast, clock, days=5)
    debtor = cast.company_a.debtor_id
    assert debtor is not None
    await policy.change(Policy(block_after_days=None, block_over_cents=50_000), actor=cast.ecl, now=clock.now())
    with pytest.raises(Conflict):
        await _order(cast)
    await policy.set_limits(debtor, Limits(block_over_cents=70_000), actor=cast.ecl, now=clock.now())
    assert await _order(cast)
    await policy.set_limits(debtor, None, actor=cast.ecl, now=clock.now())
    with pytest.raises(Conflict):
        await _order(cast)
    (row,) = await blocking.listed(actor=cast.ecl, today=today(clock.now()))
    assert row.block(today=today(clock.now())) is not None
    with pytest.raises(Invalid):
        await policy.change(Policy(first_days=14), actor=cast.ecl, now=clock.now())


async def test_a_planned_enrolment_waits_for_hr_with_the_reason(cast: Cast, clock: FakeClock) -> None:
    await _overdue(cast, clock)
    session, person = await a_session(), await a_person(cast.company_a.id)
    wish = Wish(person_id=person.id, session_id=session.id, run_at=clock.now() + timedelta(hours=1))
    plan = await schedule.schedule(wish, actor=cast.hr_a, now=clock.now())
    clock.move(timedelta(hours=2))
    await work.drain(clock.now(), only=("scheduling.run",))
    (row,) = await database.records("SELECT state, code FROM scheduled_enrolment WHERE id = $1", plan)
    assert (row["state"], row["code"]) == ("needs_attention", "overdue_blocked")


async def test_hr_sees_it_at_home_and_finance_can_still_pay(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice = await _overdue(cast, clock)
    for actor in (cast.hr_a, cast.finance_a):
        browser = await signed_in(client, actor)
        home = await browser.get("/home")
        assert "so nothing new can be ordered now" in home.text
        page = await browser.get(f"/invoices/{await number_of(invoice)}")
        assert page.status_code == 200
    other = await signed_in(client, cast.hr_b)
    assert "so nothing new can be ordered now" not in (await other.get("/home")).text


async def test_paying_while_many_order_ends_right(committed: str, clock: FakeClock) -> None:
    cast = await a_cast()
    invoice = await _overdue(cast, clock)
    session = await a_session(seats=20)
    people = [await a_person(cast.company_a.id) for _each in range(6)]
    paid = asyncio.create_task(_pay(invoice, clock.now()))
    outcomes = await asyncio.gather(*(an_order(session.id, person.id, actor=cast.hr_a) for person in people), return_exceptions=True)
    await paid
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    assert all(one.code == "overdue_blocked" for one in refused)
    assert len(refused) + await database.value("SELECT count(*) FROM placed_order") == len(people)
    assert (await an_order((await a_session()).id, people[0].id, actor=cast.hr_a)).id
    assert date(2026, 11, 23) < today(clock.now())
