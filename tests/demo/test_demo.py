"""The demo keeps its promises: made once for this module, on a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from billing import ledger
from marketplace import demo
from marketplace.demo.companies import PASSWORD, SIGN_INS
from marketplace.demo.course import runs
from marketplace.demo.texts import COURSES
from marketplace.kit import audit, clock, db, identity, settings
from marketplace.kit.clock import SystemClock
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import Role
from marketplace.orders import place
from marketplace.orders.place import LineWish, PlaceOrder
from tests.conftest import _command, _copy, _pool, with_database

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)  # a Sunday: the demo must not need a working day


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(server: str, template: str) -> AsyncIterator[str]:
    """Make the demo in a database of its own and give its address."""
    name = await _copy(server, template)
    dsn = with_database(server, name)
    async with _pool(dsn, max_size=4):
        assert await demo.ensure(now=NOW, say=lambda _line: None)
    yield dsn
    await _command(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="session")
async def there(made: str) -> AsyncIterator[None]:
    """Open the pool on the demo's database."""
    async with _pool(made, max_size=4):
        yield


async def _counted(sql: str, *args: object) -> dict[str, int]:
    return {row["word"]: row["n"] for row in await db.records(sql, *args)}


async def test_as_large_as_promised(there: None) -> None:
    sizes = {table: await db.value(f"SELECT count(*) FROM {table}") for table in ("company", "partner", "programme", "session", "person")}
    assert sizes["company"] == 13
    assert sizes["partner"] == 4
    assert 38 <= sizes["programme"] <= 44
    assert 110 <= sizes["session"] <= 150
    assert 380 <= sizes["person"] <= 450
    assert await db.value("SELECT count(DISTINCT category) FROM programme WHERE state = 'published'") == 6
    assert await db.value("SELECT count(DISTINCT vat_basis) FROM programme") == 6
    assert await db.value("SELECT count(*) FROM person WHERE kind = 'relation'") >= 20


async def test_forty_sessions_can_be_booked_at_once(there: None) -> None:
    sql = """
        SELECT count(*) FROM session s JOIN programme p ON p.id = s.programme_id
        WHERE s.published AND p.state = 'published' AND s.state IN ('planned', 'confirmed')
          AND s.starts_at >= $1 AND s.order_until > $1 AND s.capacity - s.live >= 3
    """
    assert await db.value(sql, NOW + timedelta(days=3)) >= 40
    assert await db.value(f"{sql} AND NOT p.published_capacity", NOW) == 0
    assert (
        await db.value("SELECT max(s.capacity) FROM session s JOIN programme p ON p.id = s.programme_id WHERE NOT p.published_capacity")
        <= 2
    )


async def test_some_groups_are_full(there: None) -> None:
    sql = "SELECT count(*) FROM session s JOIN programme p ON p.id = s.programme_id WHERE s.live = s.capacity AND s.capacity >= 8 AND s.starts_at > $1"
    assert await db.value(sql, NOW) >= 1


async def test_everybody_can_sign_in_and_is_who_they_are(there: None) -> None:
    for one in SIGN_INS:
        account = await identity.check_password(one.email, PASSWORD)
        assert account is not None, one.email
        actor = await identity.actor_of(account)
        assert actor is not None
        assert actor.roles == one.roles
    first = await identity.account_by_email("hr@demo.example")
    assert first is not None
    actor = await identity.actor_of(first.id)
    assert actor is not None
    assert {Role.OWNER, Role.BUYER} <= actor.roles
    assert actor.acts_for == "Rijnvelde Biosciences"


async def test_nobody_signs_in_with_the_demos_password_where_demo_data_is_not_allowed(there: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_DEMO", "0")
    settings.reload()
    try:
        assert await identity.check_password("ecl@demo.example", PASSWORD) is None
    finally:
        monkeypatch.undo()
        settings.reload()


async def test_a_company_without_the_password_is_not_opened(there: None) -> None:
    assert await identity.check_password("hr@oortwolk.example", PASSWORD) is None


@pytest.mark.parametrize("email", ["hr@demo.example", "hr@other.example"])
async def test_both_companies_order_without_hindrance_and_are_invoiced_at_once(there: None, email: str) -> None:
    account = await identity.account_by_email(email)
    assert account is not None
    actor = await identity.actor_of(account.id)
    assert actor is not None
    session = await db.value(
        "SELECT s.id FROM session s JOIN programme p ON p.id = s.programme_id WHERE s.capacity - s.live >= 3 AND s.starts_at > $1 AND p.published_capacity"
        " ORDER BY s.starts_at LIMIT 1",
        NOW + timedelta(days=3),
    )
    person = await db.value(
        "SELECT p.id FROM person p WHERE company_id = $1 AND kind = 'employee' AND NOT EXISTS"
        " (SELECT FROM seat WHERE person_id = p.id AND session_id = $2) LIMIT 1",
        actor.company_id,
        session,
    )
    placed = await place.place(PlaceOrder(lines=(LineWish(session, person),)), actor=actor, now=NOW)
    assert await db.value("SELECT state FROM placed_order WHERE id = $1", placed.id) == "confirmed"
    assert await db.value("SELECT count(*) FROM due_work WHERE dedupe_key = $1", f"billing.issue:order:{placed.id}") == 1


async def test_orders_and_invoices_in_every_state(there: None) -> None:
    assert set(await _counted("SELECT state AS word, count(*) AS n FROM placed_order GROUP BY 1")) == {
        "placed",
        "confirmed",
        "declined",
        "cancelled",
    }
    assert {"issued", "open", "processing", "paid"} <= set(await _counted("SELECT state AS word, count(*) AS n FROM invoice GROUP BY 1"))
    assert await db.value("SELECT count(*) FROM invoice WHERE state IN ('issued', 'open') AND due_on < $1", clock.today(NOW)) >= 3
    own = "SELECT i.state AS word, count(*) AS n FROM invoice i JOIN debtor d ON d.id = i.debtor_id JOIN company c ON c.id = d.owner_id WHERE c.name = $1 GROUP BY 1"
    assert {"open", "processing", "paid"} <= set(await _counted(own, "Rijnvelde Biosciences"))
    assert {"open", "paid"} <= set(await _counted(own, "Sleutelstad Robotics"))
    assert set(await _counted("SELECT vat_category AS word, count(*) AS n FROM invoice_vat GROUP BY 1")) == {"S", "E", "AE", "Z"}


async def test_plans_and_questions_in_every_state(there: None) -> None:
    plans = await _counted("SELECT state AS word, count(*) AS n FROM scheduled_enrolment GROUP BY 1")
    assert set(plans) == {"planned", "placed", "needs_attention", "withdrawn"}  # nothing makes a waitlisted one yet
    questions = await _counted("SELECT state AS word, count(*) AS n FROM acceptance GROUP BY 1")
    assert set(questions) == {"waiting", "accepted", "declined", "expired"}
    waiting = "SELECT p.email AS word, count(*) AS n FROM acceptance a JOIN partner p ON p.id = a.partner_id WHERE a.state = 'waiting' AND a.decide_by_at > $1 GROUP BY 1"
    assert (await _counted(waiting, NOW))["partner@demo.example"] >= 3


async def test_everything_lies_in_the_past_quarter(there: None) -> None:
    assert await db.value("SELECT min(placed_at) FROM placed_order") > NOW - timedelta(weeks=13)
    assert await db.value("SELECT max(placed_at) FROM placed_order") < NOW + timedelta(seconds=1)
    assert (
        await db.value(
            "SELECT count(*) FROM (SELECT number, dated_on, lag(dated_on) OVER (PARTITION BY series ORDER BY number) AS before FROM invoice) i WHERE dated_on < before"
        )
        == 0
    )


async def test_nothing_is_oversold_and_counters_are_right(there: None) -> None:
    assert await db.value("SELECT count(*) FROM session WHERE live > capacity") == 0
    wrong = (
        "SELECT count(*) FROM session s WHERE live <> (SELECT count(*) FROM seat WHERE session_id = s.id AND state IN ('held', 'taken'))"
    )
    assert await db.value(wrong) == 0


async def test_sums_are_right_to_the_cent(there: None) -> None:
    assert (await ledger.check()).right
    sql = """
        SELECT count(*) FROM placed_order o JOIN invoice i ON i.group_key = 'order:' || o.id
        WHERE o.total_cents <> i.total_cents AND NOT EXISTS (SELECT FROM order_line WHERE order_id = o.id AND state IN ('declined', 'cancelled'))
    """
    assert await db.value(sql) == 0
    paid = "SELECT count(*) FROM invoice WHERE state = 'paid' AND paid_cents - refunded_cents < total_cents - credited_cents"
    assert await db.value(paid) == 0


async def test_money_in_every_state(there: None) -> None:
    causes = await _counted("SELECT cause AS word, count(*) AS n FROM invoice WHERE kind = 'credit_note' GROUP BY 1")
    assert set(causes) == {"cancellation", "goodwill", "withdrawal"}
    part = "SELECT count(*) FROM invoice WHERE kind = 'invoice' AND credited_cents > 0 AND credited_cents < total_cents"
    assert await db.value(part) >= 2
    monthly = "SELECT max(n) FROM (SELECT count(DISTINCT l.order_number) AS n FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id WHERE i.run_id IS NOT NULL GROUP BY i.id) x"
    assert await db.value(monthly) >= 2
    assert {"paid", "in_batch"} <= set(await _counted("SELECT state AS word, count(*) AS n FROM partner_statement GROUP BY 1"))
    assert {"paid", "approved"} <= set(await _counted("SELECT state AS word, count(*) AS n FROM payout_batch GROUP BY 1"))
    assert {"setoff", "bank"} <= set(await _counted("SELECT source AS word, count(*) AS n FROM refund WHERE state = 'done' GROUP BY 1"))
    assert {"open", "settled"} <= set(await _counted("SELECT state AS word, count(*) AS n FROM bank_entry GROUP BY 1"))
    assert await db.value("SELECT count(*) FROM reminder") > 0
    owed = "SELECT count(*) FROM invoice WHERE kind = 'invoice' AND paid_cents - refunded_cents > total_cents - credited_cents - written_off_cents"
    assert await db.value(owed) >= 1


async def test_the_audit_chain_is_whole(there: None) -> None:
    assert await audit.verify() == []
    missing = "SELECT count(*) FROM audit_entry e WHERE at <= $1 AND NOT EXISTS (SELECT FROM audit_link WHERE entry_id = e.id) AND e.event <> 'order.placed' AND at < $1"
    assert await db.value(missing, NOW) == 0


async def test_nothing_is_stuck_and_the_worker_is_not_kept_from_todays_work(there: None) -> None:
    assert await db.value("SELECT count(*) FROM due_work WHERE state IN ('dead', 'running')") == 0
    assert (
        await db.value(
            "SELECT count(*) FROM due_work WHERE state = 'queued' AND run_at <= $1 AND kind LIKE 'billing.%' AND created_at < $1", NOW
        )
        <= 30
    )


async def test_again_it_changes_nothing(there: None) -> None:
    before = await db.value("SELECT max(id::text) FROM audit_entry")
    assert not await demo.ensure(now=NOW + timedelta(days=1), say=lambda _line: None)
    assert await db.value("SELECT max(id::text) FROM audit_entry") == before


async def test_the_clock_is_the_machines_again(made: str) -> None:
    assert isinstance(clock.install(SystemClock()), SystemClock)


async def test_refused_where_demo_data_is_not_allowed(committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_DEMO", "0")
    settings.reload()
    try:
        with pytest.raises(Conflict, match="MARKETPLACE_DEMO"):
            await demo.ensure(now=NOW)
    finally:
        monkeypatch.undo()
        settings.reload()


async def test_refused_where_somebody_elses_data_is(committed: str) -> None:
    await identity.create_account("anna@ecl.example", name="Anna", now=NOW)
    with pytest.raises(Conflict, match="in use"):
        await demo.ensure(now=NOW)


async def test_interrupted_leaves_nothing(committed: str) -> None:
    class Interruption(Exception):
        pass

    def stop(line: str) -> None:
        if "programmes" in line:
            raise Interruption

    with pytest.raises(Interruption):
        await demo.ensure(now=NOW, say=stop)
    await asyncio.sleep(0)
    assert await db.value("SELECT count(*) FROM account") == 0
    assert await db.value("SELECT count(*) FROM programme") == 0


@pytest.mark.parametrize("day", range(7))
def test_runs_lie_around_any_day(day: int) -> None:
    today = clock.today(NOW) + timedelta(days=day)
    planned = [run for course in COURSES for run in runs(course, today=today)]
    assert sum(run.plan.first_on > today + timedelta(days=3) for run in planned) >= 80
    assert sum(run.plan.first_on < today for run in planned) >= 30


def test_every_text_is_there_in_both_languages() -> None:
    for course in COURSES:
        said = (course.title, course.summary, course.about, *course.outcomes)
        assert all(one.en and one.nl and (one.en != one.nl) for one in said), course.code
        assert bool(course.included.en) == bool(course.included.nl)
        assert bool(course.homework.en) == bool(course.homework.nl)
