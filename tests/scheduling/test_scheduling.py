"""Scheduled enrolments: at their time, once, with every check; edited, withdrawn; correct when the clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import httpx
import pytest

from catalog import sessions
from marketplace.kit import clock as kit_clock
from marketplace.kit import db, identity, work
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM, Role
from marketplace.kit.money import Money
from marketplace.people import members
from marketplace.people.places import Place
from marketplace.scheduling import read, schedule
from marketplace.scheduling.schedule import PlanState, Wish
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_member, a_person
from tests.cast import Cast, signed_in
from tests.smtp import Box

pytestmark = pytest.mark.asyncio(loop_scope="session")
_IN_A_MONTH = timedelta(days=30)


async def _work(clock: kit_clock.FakeClock) -> None:
    """Do what is due here; invoices and payments have tests of their own."""
    await work.drain(clock.now(), only=("scheduling.run", "scheduling.tell"))


async def _state(plan_id: object, cast: Cast) -> tuple[PlanState, str | None]:
    plan = await read.get(plan_id, actor=cast.hr_a)  # type: ignore[arg-type]
    return plan.state, plan.code


async def test_it_is_ordered_at_its_time_and_hr_is_told(cast: Cast, clock: kit_clock.FakeClock, mails: Box) -> None:
    session, person = await a_session(starts_at=clock.now() + timedelta(weeks=10)), await a_person(cast.company_a.id)
    run_at = clock.now() + _IN_A_MONTH
    plan_id = await schedule.schedule(Wish(person_id=person.id, session_id=session.id, run_at=run_at), actor=cast.hr_a, now=clock.now())
    clock.set(run_at - timedelta(seconds=1))
    await _work(clock)
    assert await _state(plan_id, cast) == (PlanState.PLANNED, None)
    clock.set(run_at)
    await _work(clock)
    await work.drain(clock.now(), only=("mail.send",))
    plan = await read.get(plan_id, actor=cast.hr_a)
    assert (plan.state, plan.order_number is not None) == (PlanState.PLACED, True)
    assert any(f"order {plan.order_number}" in message.get_body(("plain",)).get_content() for message in mails.to(cast.hr_a.email))  # type: ignore[union-attr]
    await _work(clock)
    assert await db.value("SELECT count(*) FROM placed_order") == 1


async def test_the_first_session_after_a_day_is_taken(cast: Cast, clock: kit_clock.FakeClock) -> None:
    programme = await a_programme()
    early, late = [await a_session(programme_id=programme, starts_at=clock.now() + timedelta(weeks=weeks)) for weeks in (4, 12)]
    person = await a_person(cast.company_a.id)
    wish = Wish(
        person_id=person.id,
        programme_id=programme,
        starts_after_on=kit_clock.today(early.starts_at) + timedelta(days=1),
        run_at=clock.now(),
    )
    await schedule.schedule(wish, actor=cast.hr_a, now=clock.now())
    await _work(clock)
    assert await db.value("SELECT session_id FROM order_line") == late.id


async def test_what_can_not_be_ordered_waits_for_a_person(cast: Cast, clock: kit_clock.FakeClock, mails: Box) -> None:
    session = await a_session(seats=1, starts_at=clock.now() + timedelta(weeks=10))
    people = [await a_person(cast.company_a.id) for _n in range(2)]
    await an_order(session.id, people[0].id, actor=cast.hr_a)
    roomy = await a_session(seats=4, starts_at=clock.now() + timedelta(weeks=10), price_cents=70_000)
    full = await schedule.schedule(
        Wish(person_id=people[1].id, session_id=session.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now()
    )
    capped = await schedule.schedule(
        Wish(person_id=people[1].id, session_id=roomy.id, run_at=clock.now(), price_cap=Money(69_999)), actor=cast.hr_a, now=clock.now()
    )
    nowhere = await schedule.schedule(
        Wish(person_id=people[1].id, programme_id=await a_programme(), run_at=clock.now()), actor=cast.hr_a, now=clock.now()
    )
    await _work(clock)
    states = [await _state(plan, cast) for plan in (full, capped, nowhere)]
    assert states == [(PlanState.NEEDS_ATTENTION, code) for code in ("full", "price_above_cap", "no_session")]
    await work.drain(clock.now(), only=("mail.send",))
    assert len(mails.to(cast.hr_a.email)) >= 3
    again = Wish(person_id=people[1].id, session_id=roomy.id, run_at=clock.now(), price_cap=Money(70_000))
    await schedule.edit(capped, again, actor=cast.hr_a, now=clock.now())
    await _work(clock)
    assert await _state(capped, cast) == (PlanState.PLACED, None)


async def test_an_edited_plan_runs_once_at_its_new_time(cast: Cast, clock: kit_clock.FakeClock) -> None:
    session, person = await a_session(starts_at=clock.now() + timedelta(weeks=10)), await a_person(cast.company_a.id)
    first = Wish(person_id=person.id, session_id=session.id, run_at=clock.now() + timedelta(days=1))
    plan_id = await schedule.schedule(first, actor=cast.hr_a, now=clock.now())
    later = Wish(person_id=person.id, session_id=session.id, run_at=clock.now() + timedelta(days=3))
    await schedule.edit(plan_id, later, actor=cast.hr_a, now=clock.now())
    clock.move(timedelta(days=2))
    await _work(clock)
    assert (await _state(plan_id, cast))[0] is PlanState.PLANNED
    clock.move(timedelta(days=1))
    await _work(clock)
    assert (await _state(plan_id, cast))[0] is PlanState.PLACED
    with pytest.raises(InvalidTransition):
        await schedule.withdraw(plan_id, actor=cast.hr_a, now=clock.now())


async def test_a_withdrawn_plan_orders_nothing(cast: Cast, clock: kit_clock.FakeClock) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    plan_id = await schedule.schedule(
        Wish(person_id=person.id, session_id=session.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now()
    )
    for _n in range(2):
        await schedule.withdraw(plan_id, actor=cast.hr_a, now=clock.now())
    await _work(clock)
    assert await _state(plan_id, cast) == (PlanState.WITHDRAWN, None)
    assert (await sessions.get(session.id, now=clock.now())).free == session.capacity


async def test_refusals(cast: Cast, clock: kit_clock.FakeClock) -> None:
    session, person, foreign = await a_session(), await a_person(cast.company_a.id), await a_person(cast.company_b.id)
    wish = Wish(person_id=person.id, session_id=session.id, run_at=clock.now())
    plan_id = await schedule.schedule(wish, actor=cast.hr_a, now=clock.now())
    with pytest.raises(Conflict, match="already_planned"):
        await schedule.schedule(wish, actor=cast.hr_a, now=clock.now())
    with pytest.raises(NotFound):
        await schedule.schedule(Wish(person_id=foreign.id, session_id=session.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now())
    with pytest.raises(Invalid):
        await schedule.schedule(Wish(person_id=person.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now())
    with pytest.raises(Invalid, match="too_late"):
        await schedule.schedule(Wish(person_id=person.id, session_id=session.id, run_at=session.ends_at), actor=cast.hr_a, now=clock.now())
    with pytest.raises(Forbidden):
        await schedule.schedule(wish, actor=cast.viewer_a, now=clock.now())
    for outsider in (cast.hr_b, cast.partner_a):
        with pytest.raises((NotFound, Forbidden)):
            await schedule.withdraw(plan_id, actor=outsider, now=clock.now())


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 10, 24), datetime(2026, 10, 24, 7, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        (date(2027, 3, 27), datetime(2027, 3, 27, 8, tzinfo=UTC)),
        (date(2027, 3, 28), datetime(2027, 3, 28, 7, tzinfo=UTC)),
    ],
)
async def test_nine_in_leiden_stays_nine_when_the_clock_changes(
    cast: Cast, clock: kit_clock.FakeClock, day: date, instant: datetime
) -> None:
    clock.set(instant - timedelta(days=9))
    session = await a_session(starts_at=instant + timedelta(weeks=6))
    person = await a_person(cast.company_a.id)
    wish = Wish(person_id=person.id, session_id=session.id, run_at=kit_clock.instant(day, time(9)))
    plan_id = await schedule.schedule(wish, actor=cast.hr_a, now=clock.now())
    clock.set(instant - timedelta(minutes=1))
    await _work(clock)
    assert (await _state(plan_id, cast))[0] is PlanState.PLANNED
    clock.set(instant)
    await _work(clock)
    assert (await _state(plan_id, cast))[0] is PlanState.PLACED


async def test_a_clock_that_was_put_back_orders_nothing_twice(cast: Cast, clock: kit_clock.FakeClock) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    await schedule.schedule(Wish(person_id=person.id, session_id=session.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now())
    await _work(clock)
    clock.move(-timedelta(hours=1))
    await _work(clock)
    clock.move(timedelta(hours=2))
    await _work(clock)
    assert await db.value("SELECT count(*) FROM placed_order") == 1


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_pages(cast: Cast, client: httpx.AsyncClient, clock: kit_clock.FakeClock, locale: str) -> None:
    programme = await a_programme()
    await a_session(programme_id=programme, starts_at=clock.now() + timedelta(weeks=10))
    person = await a_person(cast.company_a.id)
    browser = await signed_in(client, cast.hr_a, locale=locale)
    form = {"person_id": str(person.id), "programme": str(programme), "run_on": "2026-12-01", "run_time": "09:00"}
    wrong = await browser.post("/scheduled-enrolments/new", {**form, "run_on": "soon", "purchase_order": "kept-45"})
    assert (wrong.status_code, "kept-45" in wrong.text) == (422, True)
    made = await browser.post("/scheduled-enrolments/new", form)
    assert (made.status_code, made.headers["location"]) == (303, "/scheduled-enrolments")
    plan_id = await db.value("SELECT id FROM scheduled_enrolment")
    assert "Aditi Raman" in (await browser.get("/scheduled-enrolments")).text
    assert (await browser.get(f"/scheduled-enrolments/{plan_id}")).status_code == 200
    moved = await browser.post(f"/scheduled-enrolments/{plan_id}", {**form, "run_on": "2026-12-02"})
    assert moved.status_code == 303
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.get(f"/scheduled-enrolments/{plan_id}")).status_code == 404
    assert (await outsider.post(f"/scheduled-enrolments/{plan_id}/withdraw", form="/scheduled-enrolments/new")).status_code == 404
    assert (await browser.post(f"/scheduled-enrolments/{plan_id}/withdraw")).status_code == 303
    assert (await browser.get(f"/scheduled-enrolments/{plan_id}")).status_code == 200


async def test_json(cast: Cast, client: httpx.AsyncClient, clock: kit_clock.FakeClock) -> None:
    session, person = await a_session(), await a_person(cast.company_a.id)
    assert cast.hr_a.account_id
    headers = {"Authorization": f"Bearer {await identity.create_token(cast.hr_a.account_id, now=clock.now())}"}
    body = {"person_id": str(person.id), "session_id": str(session.id), "run_at": "2026-12-01T08:00:00Z"}
    made = await client.post("/api/v1/scheduled-enrolments", json=body, headers=headers)
    assert (made.status_code, made.json()["state"]) == (201, "planned")
    address = f"/api/v1/scheduled-enrolments/{made.json()['id']}"
    assert (await client.get(address, headers=headers)).json()["run_at"].startswith("2026-12-01T08:00:00")
    assert (await client.delete(address, headers=headers)).status_code == 204
    assert (await client.get(address, headers=headers)).json()["state"] == "withdrawn"
    assert len((await client.get("/api/v1/scheduled-enrolments", headers=headers)).json()["items"]) == 1
    naive = await client.post("/api/v1/scheduled-enrolments", json={**body, "run_at": "2026-12-01T08:00:00"}, headers=headers)
    assert naive.status_code in {400, 422}


async def test_a_moment_far_from_now_is_refused_before_it_is_kept(
    cast: Cast, client: httpx.AsyncClient, clock: kit_clock.FakeClock
) -> None:
    person, programme = await a_person(cast.company_a.id), await a_programme()
    for run_at in (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC), clock.now() - timedelta(days=2)):
        with pytest.raises(Invalid) as refused:
            await schedule.schedule(Wish(person_id=person.id, programme_id=programme, run_at=run_at), actor=cast.hr_a, now=clock.now())
        assert "run_at" in refused.value.fields
    today = Wish(person_id=person.id, programme_id=programme, run_at=clock.now() - timedelta(hours=2))
    plan_id = await schedule.schedule(today, actor=cast.hr_a, now=clock.now())
    clock.move(timedelta(days=9))
    await schedule.edit(plan_id, today, actor=cast.hr_a, now=clock.now())  # the same moment as before may stay


async def test_who_is_no_longer_a_member_is_not_told_of_the_company(cast: Cast, clock: kit_clock.FakeClock, mails: Box) -> None:
    leaver = await a_member(company_id=cast.company_a.id)
    session, person = await a_session(), await a_person(cast.company_a.id)
    await schedule.schedule(Wish(person_id=person.id, session_id=session.id, run_at=clock.now()), actor=leaver, now=clock.now())
    assert leaver.member_id is not None
    await members.remove(leaver.member_id, place=Place(cast.company_a.id), actor=SYSTEM, now=clock.now())
    await work.drain(clock.now(), only=("scheduling.run", "scheduling.tell", "orders.tell_placed", "mail.send"))
    assert await db.value("SELECT state FROM scheduled_enrolment") == "placed"
    assert not mails.to(leaver.email)
    owners = await members.mail_addresses(Place(cast.company_a.id), roles=(Role.OWNER,))
    assert owners
    assert all(mails.to(owner.email) for owner in owners)
