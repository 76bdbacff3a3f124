"""HR knows when an order will be invoiced, is warned of what its own bookkeeping wants, and charges follow dates that move."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from billing import debtors
from billing.runs import holds
from catalog import lessons, session_changes, sessions
from marketplace.kit import clock, work
from marketplace.kit import db as kit_db
from marketplace.kit.identity import SYSTEM
from marketplace.orders import redate
from marketplace.people import billing_details
from marketplace.people.billing_details import Agreement
from tests.builders.catalog import a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _bill(cast: Cast, **facts: object) -> None:
    before = await debtors.of_owner(cast.company_a.id)
    assert before is not None
    kept = {field.name: getattr(before, field.name) for field in structs.fields(debtors.DebtorProfile)}
    await debtors.update(before.id, debtors.DebtorProfile(**{**kept, **facts}), actor=SYSTEM, now=clock.now())


async def _ordered(cast: Cast, **facts: object) -> tuple[int, UUID]:
    session = await a_session()
    person = await a_person(cast.company_a.id)
    order = await an_order(session.id, person.id, actor=cast.hr_a, **facts)
    await work.drain(clock.now(), only=("billing.issue",))
    return order.number, session.id


async def test_a_monthly_company_sees_on_which_invoice_it_comes(cast: Cast, client: httpx.AsyncClient) -> None:
    await _bill(cast, rhythm="month")
    number, _session = await _ordered(cast)
    page = (await (await signed_in(client, cast.hr_a)).get(f"/orders/{number}")).text
    assert "It comes on the invoice of November 2026." in page
    assert "about 1 December 2026" in page


async def test_a_company_billed_at_the_start_sees_the_day(cast: Cast, client: httpx.AsyncClient) -> None:
    await _bill(cast, billing_moment="start")
    number, session_id = await _ordered(cast)
    starts = clock.today((await sessions.get(session_id, now=clock.now())).starts_at)
    page = (await (await signed_in(client, cast.hr_a)).get(f"/orders/{number}")).text
    assert f"about {starts.day} {starts:%B %Y}" in page
    assert "That is when your company wants to be billed." in page


async def test_another_moment_holds_for_orders_that_stand(db: None, cast: Cast, now: datetime) -> None:
    await _bill(cast, rhythm="month", billing_moment="delivery")
    number, _session = await _ordered(cast)
    before = await _charge(number)
    assert before["billable_on"] == before["supply_to_on"]
    await billing_details.change(cast.company_a.id, Agreement(rhythm="month", billing_moment="start"), actor=cast.ecl, now=now)
    after = await _charge(number)
    assert after["billable_on"] == after["supply_from_on"]
    await billing_details.change(cast.company_a.id, Agreement(rhythm="month"), actor=cast.ecl, now=now)
    assert (await _charge(number))["billable_on"] == clock.today(now)


async def test_a_held_invoice_is_said_to_hr(cast: Cast, client: httpx.AsyncClient) -> None:
    await _bill(cast, acceptance_profile="university", wants_ubl=True)
    number, _session = await _ordered(cast)
    assert len(await holds.waiting()) == 1
    page = (await (await signed_in(client, cast.hr_a)).get(f"/orders/{number}")).text
    assert "is missing here" in page


async def test_hr_is_warned_before_ordering(cast: Cast, client: httpx.AsyncClient) -> None:
    await _bill(cast, acceptance_profile="university", wants_ubl=True)
    session = await a_session()
    person = await a_person(cast.company_a.id)
    hr = await signed_in(client, cast.hr_a)
    chosen = {"session": str(session.id), "person_id": str(person.id), "verb": "review"}
    await hr.post("/orders/new", data=chosen, form=f"/orders/new?session={session.id}")
    assert "returns invoices without a project number of 11 digits or a PO number" in (await hr.get("/basket")).text
    await hr.post("/orders/new", data={**chosen, "purchase_order": "4500128834"}, form=f"/orders/new?session={session.id}")
    assert "returns invoices without" not in (await hr.get("/basket")).text


async def test_charges_follow_a_session_that_moves(db: None, cast: Cast, now: datetime) -> None:
    await _bill(cast, rhythm="month", billing_moment="delivery")
    number, session_id = await _ordered(cast)
    await kit_db.execute(
        "UPDATE session SET starts_at = starts_at + interval '14 days', ends_at = ends_at + interval '14 days' WHERE id = $1", session_id
    )
    before = await _charge(number)
    assert await redate.follow(session_id, now=now) == 1
    assert await redate.follow(session_id, now=now) == 0
    after = await _charge(number)
    assert after["supply_to_on"] - before["supply_to_on"] == timedelta(days=14)
    assert after["billable_on"] - before["billable_on"] == timedelta(days=14)


async def test_an_invoiced_line_keeps_its_days(db: None, cast: Cast, now: datetime) -> None:
    number, session_id = await _ordered(cast)
    await kit_db.execute("UPDATE session SET ends_at = ends_at + interval '14 days' WHERE id = $1", session_id)
    before = await _charge(number)
    assert await redate.follow(session_id, now=now) == 0
    assert await _charge(number) == before


async def test_new_lesson_times_wake_the_charges(db: None, cast: Cast, now: datetime) -> None:
    session = await a_session()
    [present] = (await sessions.lessons_of([session.id])).values()
    later = [
        lessons.PlannedLesson(
            one.held_on + timedelta(days=7),
            one.starts_at + timedelta(days=7),
            one.ends_at + timedelta(days=7),
            one.starts_local,
            one.ends_local,
        )
        for one in present
    ]
    facts = session_changes.facts_of(await sessions.get(session.id, now=now))
    await session_changes.edit(session.id, facts, timetable=later, actor=cast.ecl, now=now)
    assert await work.drain(now, only=("orders.session_moved",)) == 1


async def _charge(order_number: int) -> dict[str, date]:
    [found] = await kit_db.records(
        "SELECT supply_from_on, supply_to_on, billable_on FROM charge WHERE order_number = $1", str(order_number)
    )
    return found
