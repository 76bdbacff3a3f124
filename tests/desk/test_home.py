"""HR's home: what it says is so, as far as the role goes, and only of the own company."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from marketplace.desk import agenda, greeting, spending, todo
from marketplace.fulfilment import acceptances
from marketplace.kit import clock as kit_clock
from marketplace.kit import db, work
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import use_locale
from marketplace.kit.money import Money
from marketplace.orders import baskets
from marketplace.scheduling import schedule
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person, a_relation
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
WORK = ("billing.issue", "fulfilment.ask_partner", "scheduling.run")
OK, MISSING = 200, 404


async def test_an_invoice_is_announced_a_week_before_it_is_due_and_then_late(cast: Cast, clock: FakeClock) -> None:
    session = await a_session()
    await an_order(session.id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    assert not (await todo.inbox(actor=cast.hr_a, now=clock.now())).rows
    clock.move(timedelta(days=24))
    (soon,) = (await todo.inbox(actor=cast.finance_a, now=clock.now())).rows
    assert (soon.verb, soon.today, soon.tone) == ("Pay invoice", False, "info")
    clock.move(timedelta(days=7))
    (late,) = (await todo.inbox(actor=cast.viewer_a, now=clock.now())).rows
    assert (late.verb, late.today, late.tone) == ("See invoice", True, "stop")
    assert not (await todo.inbox(actor=cast.hr_b, now=clock.now())).rows


async def test_the_most_urgent_stands_first_and_each_has_its_verb(cast: Cast, clock: FakeClock) -> None:
    person, other, third = [await a_person(cast.company_a.id, given_name=name) for name in ("Yuki", "Hana", "Aditi")]
    small = await a_programme(title="One-to-one coaching", partner_id=cast.partner_a_id, published_capacity=False)
    declined, waiting, full, free = [
        await a_session(seats=seats, programme_id=programme) for seats, programme in ((2, small), (2, small), (1, None), (5, None))
    ]
    await an_order(declined.id, person.id, actor=cast.hr_a)
    await an_order(waiting.id, person.id, actor=cast.hr_a)
    await schedule.schedule(
        schedule.Wish(person_id=other.id, session_id=full.id, run_at=clock.now() + timedelta(hours=1)), actor=cast.hr_a, now=clock.now()
    )
    await schedule.schedule(
        schedule.Wish(person_id=third.id, session_id=free.id, run_at=clock.now() + timedelta(days=3)), actor=cast.hr_a, now=clock.now()
    )
    await an_order(full.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    await work.drain(clock.now(), only=WORK)
    sql = "SELECT a.id FROM acceptance a JOIN order_line l ON l.id = a.order_line_id WHERE l.session_id = $1"
    await acceptances.decline(await db.value(sql, declined.id), reason="No coach", actor=cast.partner_a, now=clock.now())
    clock.move(timedelta(hours=2))
    await work.drain(clock.now(), only=WORK)
    await baskets.choose(free.id, [other.id], purchase_order=None, cost_centre=None, actor=cast.hr_a, now=clock.now())
    found = await todo.inbox(actor=cast.hr_a, now=clock.now())
    assert [row.verb for row in found.rows] == ["Review and order", "Change the plan", "Choose other dates", "View order", "See the plan"]
    assert "No coach" in found.rows[2].text
    assert (found.needs, found.today) == (3, 1)
    quiet = await todo.inbox(actor=cast.finance_a, now=clock.now())
    assert [row.verb for row in quiet.rows] == ["View order", "View order"]
    assert not any("Hana" in str(row.title) for row in quiet.rows)


async def test_a_plan_that_came_true_is_told(cast: Cast, clock: FakeClock) -> None:
    person, session = await a_person(cast.company_a.id, given_name="Sanne", family_name="Vroom"), await a_session()
    await schedule.schedule(schedule.Wish(person_id=person.id, session_id=session.id, run_at=clock.now()), actor=cast.hr_a, now=clock.now())
    await work.drain(clock.now(), only=WORK)
    (row,) = (await todo.inbox(actor=cast.hr_a, now=clock.now())).rows
    number = await db.value("SELECT number FROM placed_order WHERE company_id = $1", cast.company_a.id)
    assert (row.title, row.tone, row.href) == ("Sanne Vroom has a seat", "ok", f"/orders/{number}")


async def test_lessons_come_week_by_week_and_relations_are_not_named(cast: Cast, clock: FakeClock) -> None:
    employee = await a_person(cast.company_a.id, given_name="Oluwaseun")
    relation = await a_relation(employee, given_name="Secretname")
    session = await a_session(starts_at=clock.now() + timedelta(days=2), lessons=3)
    await an_order(session.id, employee.id, relation.id, actor=cast.hr_a)
    weeks, later = await agenda.coming(actor=cast.hr_a, now=clock.now())
    assert [week.title for week in weeks] == ["Week 48", "Week 49", "Week 50"]
    assert later <= 0
    assert weeks[0].rows[0].text.startswith("Oluwaseun and Partner of an employee · ")
    assert weeks[2].rows[0].text.endswith("lesson 3 of 3")
    unnamed, _later = await agenda.coming(actor=cast.finance_a, now=clock.now())
    assert unnamed[0].rows[0].text.startswith("2 people · ")
    assert await agenda.coming(actor=cast.hr_b, now=clock.now()) == ([], 0)


async def test_what_was_spent_is_what_was_invoiced(cast: Cast, clock: FakeClock) -> None:
    course = await a_session()
    small = await a_session(programme_id=await a_programme(published_capacity=False, price_cents=42_000), seats=2)
    people = [await a_person(cast.company_a.id) for _n in range(3)]
    await an_order(course.id, people[0].id, people[1].id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    await an_order(small.id, people[0].id, actor=cast.hr_a)
    at = clock.now() + timedelta(days=14)
    await schedule.schedule(schedule.Wish(person_id=people[2].id, session_id=course.id, run_at=at), actor=cast.hr_a, now=clock.now())
    found = await spending.of_this_year(actor=cast.hr_a, now=clock.now())
    assert (found.invoiced, found.coming) == (Money(129_000), Money(106_500))
    months = {month.month: (invoiced.cents, coming.cents) for month, invoiced, coming in found.by_month()}
    assert (months[11], months[12], months[1]) == ((129_000, 42_000), (0, 64_500), (0, 0))
    assert found.by_category() == [("language", "Language", Money(235_500))]
    assert not (await spending.of_this_year(actor=cast.hr_b, now=clock.now())).amounts


@pytest.mark.parametrize(
    ("hour", "words"), [(8, "Good morning, Fenna"), (13, "Good afternoon, Fenna"), (20, "Good evening, Fenna"), (3, "Good evening, Fenna")]
)
async def test_the_greeting_follows_the_clock_in_leiden(hour: int, words: str) -> None:
    at = kit_clock.instant(datetime(2026, 7, 1).date(), datetime(2026, 7, 1, hour, 30).time())  # noqa: DTZ001 - a wall time
    assert greeting.greet("Fenna Wiersma", at) == words


async def test_the_sentence_of_the_day_counts_in_words() -> None:
    assert (
        greeting.sentence(needs=4, today=1, people=12, programmes=7)
        == "Four things need you, one of them today. 12 people are in 7 programmes."
    )
    assert greeting.sentence(needs=0, today=0, people=0, programmes=0) == "Nothing needs you today."
    with use_locale("nl"):
        assert (
            greeting.sentence(needs=3, today=2, people=1, programmes=1)
            == "Drie dingen vragen uw aandacht, waarvan twee vandaag. Eén persoon volgt een programma."
        )


@pytest.mark.parametrize(
    ("locale", "greets", "empty"),
    [("en", "Good morning, Fenna", "Nobody has a lesson planned"), ("nl", "Goedemorgen, Fenna", "Niemand heeft een les gepland")],
)
async def test_an_empty_home_says_what_comes_here(cast: Cast, client: httpx.AsyncClient, locale: str, greets: str, empty: str) -> None:
    await db.execute("UPDATE account SET locale = $2 WHERE id = $1", cast.hr_a.account_id, locale)
    page = await (await signed_in(client, cast.hr_a, locale=locale)).get("/home")
    assert page.status_code == OK
    assert greets in page.text
    assert empty in page.text
    assert "<svg" in page.text


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_home_shows_the_company_its_own_and_the_file_holds_the_same(
    cast: Cast, client: httpx.AsyncClient, clock: FakeClock, locale: str
) -> None:
    for who in (cast.hr_a, cast.hr_b, cast.finance_a):
        await db.execute("UPDATE account SET locale = $2 WHERE id = $1", who.account_id, locale)
    person = await a_person(cast.company_a.id, given_name="Mateus")
    await an_order((await a_session(starts_at=clock.now() + timedelta(days=3))).id, person.id, actor=cast.hr_a)
    await work.drain(clock.now(), only=WORK)
    browser = await signed_in(client, cast.hr_a, locale=locale)
    page = await browser.get("/home")
    assert "Mateus" in page.text
    assert ("€645" if locale == "en" else "€\N{NO-BREAK SPACE}645") in page.text
    assert page.text.count('class="button primary"') <= 1
    assert "645.00" in (file := await browser.get("/home/spending.csv")).text.replace(",", "."), file.text
    assert "Mateus" not in (await (await signed_in(client, cast.hr_b, locale=locale)).get("/home")).text
    assert "Mateus" not in (await (await signed_in(client, cast.finance_a, locale=locale)).get("/home")).text


async def test_nobody_else_has_this_home(cast: Cast, client: httpx.AsyncClient) -> None:
    for who in (cast.ecl, cast.partner_a):
        assert (await (await signed_in(client, who)).get("/home")).status_code == MISSING
    assert (await (await signed_in(client, None)).get("/home")).headers["location"].startswith("/sign-in")
    with pytest.raises(NotFound):
        await agenda.coming(actor=cast.ecl, now=kit_clock.now())
