"""Workers are killed twenty times while a hundred things fall due: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from billing import charges, invoices
from marketplace.kit import audit, clock, db, ids, mail, work
from marketplace.kit.identity import Actor
from marketplace.scheduling import schedule
from marketplace.scheduling.schedule import Wish
from tests.builders.billing import a_charge, a_debtor
from tests.builders.catalog import a_programme, a_session
from tests.builders.people import a_company, a_member, a_person
from tests.processes import FULL, ROOT, Worker, measured
from tests.smtp import Box

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
TIMES = 3 if FULL else 1
PLANS, ISSUES, MAILS, KILLS = 40 * TIMES, 15 * TIMES, 45 * TIMES, 20 * TIMES
WORKERS = 3
SPREAD = 16.0 * TIMES  # seconds over which the items fall due
PATIENCE = 90


class _Due:
    """The items, each due at an instant of its own within the next seconds."""

    def __init__(self) -> None:
        self.began = clock.now() + timedelta(seconds=3)
        self.chance = random.Random(20261123)
        self.plans: list[UUID] = []
        self.groups: list[str] = []

    def instant(self) -> datetime:
        return self.began + timedelta(seconds=self.chance.uniform(0, SPREAD))

    async def everything(self) -> None:
        company = await a_company(invoice_email="invoices@killed.example")
        member = await a_member(company_id=company.id, email="hr@killed.example")
        await self._plans(company.id, member)
        debtor = await a_debtor()
        for _n in range(ISSUES):
            group = f"order:{ids.new_id()}"
            await charges.record([a_charge(debtor, group)], now=clock.now())
            await invoices.request(group, now=self.instant())
            self.groups.append(group)
        for n in range(MAILS):
            await _a_mail(f"person{n}@mail.example", self.instant())

    async def _plans(self, company_id: UUID, member: Actor) -> None:
        programme = await a_programme()
        session = await a_session(programme_id=programme, seats=PLANS)
        for _n in range(PLANS):
            person = await a_person(company_id)
            wish = Wish(person_id=person.id, session_id=session.id, run_at=self.instant())
            self.plans.append(await schedule.schedule(wish, actor=member, now=clock.now()))


async def _a_mail(to: str, leaves_at: datetime) -> None:
    context = {"name": "Fenna", "link": "http://127.0.0.1:8000/password/example", "until": leaves_at}
    await mail.send(template="people/reset", to=to, locale="en", context=context, now=leaves_at)


async def test_nothing_is_lost_or_done_twice_when_workers_are_killed(committed: str, mails: Box, tmp_path: Path) -> None:
    mails.delay = 0.1
    due = _Due()
    await due.everything()
    workers = [Worker(committed, tmp_path / f"worker{n}.log") for n in range(WORKERS)]
    try:
        for worker in workers:
            worker.start()
        kills = await _kill(workers, due.chance)
        assert kills == KILLS
        quiet = await _until_quiet()
    finally:
        for worker in workers:
            worker.kill()
        mails.delay = 0
    repeated = await db.value("SELECT count(*) FROM due_work WHERE attempts > 1")
    measured(f"{kills} kills, {repeated} items begun more than once, quiet {quiet:.1f} s after the last kill")
    assert repeated > 0, "no kill ever hit an item: the test shows nothing"
    dead = await db.records("SELECT kind, last_error FROM due_work WHERE state = 'dead' AND kind <> 'billing.stripe_mirror'")
    assert dead == []
    await _plans_are_right(due)
    await _invoices_are_right()
    await _mails_are_right(mails)
    await _audit_is_right()


async def _kill(workers: list[Worker], chance: random.Random) -> int:
    """Kill a worker at random moments while something is under way, and start another in its place."""
    until = time.monotonic() + PATIENCE
    kills = 0
    while kills < KILLS and time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0.3, 1.1))
        if not await db.value("SELECT count(*) FROM due_work WHERE state = 'running' AND lease_until > clock_timestamp()"):
            continue
        victim = chance.choice(workers)
        victim.kill()
        victim.start()
        kills += 1
    return kills


async def _until_quiet() -> float:
    """Wait until nothing is due or under way but the copies at Stripe, which this test leaves out."""
    began = time.monotonic()
    sql = "SELECT count(*) FROM due_work WHERE state IN ('queued', 'running') AND kind <> 'billing.stripe_mirror' AND kind NOT LIKE 'job:%' AND kind NOT LIKE 'billing.stripe%' AND run_at < now() + interval '2 minutes'"
    while await db.value(sql):
        # The invoice's mail waits half a minute for Stripe's link, which will not come.
        await db.execute("UPDATE due_work SET run_at = now() WHERE kind = 'billing.mail_invoice' AND state = 'queued' AND run_at > now()")
        waited = time.monotonic() - began
        if waited > PATIENCE:
            raise AssertionError(
                await db.records(
                    "SELECT kind, state, attempts, run_at, lease_until, last_error FROM due_work WHERE state IN ('queued', 'running')"
                )
            )
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def _plans_are_right(due: _Due) -> None:
    states = await db.records("SELECT state, code, count(*) AS n FROM scheduled_enrolment GROUP BY 1, 2")
    assert states == [{"state": "placed", "code": None, "n": PLANS}]
    assert await db.value("SELECT count(DISTINCT order_id) FROM scheduled_enrolment") == PLANS
    assert await db.value("SELECT count(*) FROM placed_order") == PLANS
    assert await db.value("SELECT count(*) FROM seat WHERE state = 'taken'") == PLANS
    assert await db.value("SELECT sum(live) FROM session") == PLANS
    assert await db.value("SELECT count(*) FROM enrolment") == PLANS


async def _invoices_are_right() -> None:
    wanted = PLANS + ISSUES
    assert await db.value("SELECT count(DISTINCT group_key) FROM charge") == wanted
    assert await db.value("SELECT count(DISTINCT group_key) FROM invoice") == wanted
    numbers = [row["number"] for row in await db.records("SELECT number FROM invoice ORDER BY number")]
    assert [int(number.partition("-")[2]) for number in numbers] == list(range(1, wanted + 1)), "the series has no gaps"
    assert await db.value("SELECT count(*) FROM document WHERE kind = 'pdf'") == wanted
    assert await db.value("SELECT count(*) FROM charge WHERE state <> 'invoiced'") == 0
    assert await db.value("SELECT sum(net_cents) FROM invoice_line") == await db.value("SELECT sum(net_cents) FROM invoice")


async def _mails_are_right(box: Box) -> None:
    rows = await db.records("SELECT id, state, recipient, template FROM mail_message")
    assert {row["state"] for row in rows} == {"sent"}
    arrived = Counter(str(message["Message-ID"]).strip("<>").partition("@")[0] for message in box.messages)
    assert set(arrived) == {str(row["id"]) for row in rows}
    kinds = Counter(row["template"] for row in rows)
    assert kinds["people/reset"] == MAILS
    assert kinds["scheduling/placed"] == PLANS
    assert kinds["billing/invoice"] == PLANS + ISSUES
    once = Counter(row["recipient"] for row in rows if row["template"] == "people/reset")
    assert set(once.values()) == {1}
    measured(f"{len(rows)} mails, {sum(arrived.values()) - len(arrived)} arrived again under the same Message-ID")


async def _audit_is_right() -> None:
    sql = "SELECT event, subject_id, count(*) AS n FROM audit_entry WHERE event IN ('order.placed', 'invoice.issued', 'invoice.sent', 'scheduled_enrolment.placed') GROUP BY 1, 2"
    entries = await db.records(sql)
    assert {row["n"] for row in entries} == {1}
    counts = Counter(row["event"] for row in entries)
    assert counts == {
        "order.placed": PLANS,
        "scheduled_enrolment.placed": PLANS,
        "invoice.issued": PLANS + ISSUES,
        "invoice.sent": PLANS + ISSUES,
    }
    await audit.seal()
    assert await audit.verify() == []


_CARELESS = """
import asyncio, sys
from datetime import datetime, timezone
from marketplace import registry
from marketplace.kit import db, work
async def main():
    registry.load()
    await db.open_pool(sys.argv[1], max_size=2)
    (item,) = await work.claim(datetime.now(timezone.utc), only=["mail.send"])
    await db.execute("UPDATE due_work SET state = 'done' WHERE id = $1", item.id)
    print("marked", flush=True)
    await asyncio.sleep(60)
    await work.kinds()[item.kind].run(item.payload, item=item, now=datetime.now(timezone.utc))
asyncio.run(main())
"""


async def test_a_worker_that_marks_before_it_does_loses_what_it_had(committed: str, mails: Box) -> None:
    """The control: the same kill, with the mark set first."""
    await _a_mail("lost@mail.example", clock.now())
    careless = await asyncio.create_subprocess_exec(sys.executable, "-c", _CARELESS, committed, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert careless.stdout is not None
    assert await careless.stdout.readline() == b"marked\n"
    careless.kill()
    await careless.wait()
    assert await work.drain(clock.now()) == 0
    assert mails.to("lost@mail.example") == []
