"""PostgreSQL is stopped ``immediate`` under a running web process and worker: both say so, live on, and lose nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from marketplace.kit import clock, db, identity, mail, migrations
from marketplace.kit.postgres import Embedded
from marketplace.kit.postgres_programs import find
from tests.builders.catalog import a_session
from tests.builders.people import a_company, a_member, a_person
from tests.conftest import _pool
from tests.processes import Web, Worker, measured, status, until
from tests.smtp import Box

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
PEOPLE = 12


def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="marketplace-away-"))
    made.chmod(0o711)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def own_server(template: str) -> AsyncIterator[Embedded]:
    """Give a PostgreSQL of this test's own, at the present schema, that it may stop."""
    folder = _folder()
    major = os.environ.get("MARKETPLACE_TEST_PG")
    made = Embedded(folder / "postgres", programs=find("", major=int(major) if major else None))
    try:
        await migrations.forwards(made.start())
        async with _pool(made.dsn, 4):
            yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _stop_immediate(server: Embedded) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(10)


class Buyer:
    """Orders one seat after the other, and remembers which it was promised."""

    def __init__(self, url: str, token: str, session_id: UUID, people: list[UUID]) -> None:
        self.url, self.people, self.session_id = url, people, session_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.promised: list[str] = []

    def buy(self, count: int) -> list[int]:
        """Order for the next people; return the answers."""
        answers = []
        for _n in range(count):
            person = self.people.pop()
            body = {"lines": [{"session_id": str(self.session_id), "person_id": str(person)}]}
            answer = httpx.post(f"{self.url}/api/v1/orders", json=body, headers=self.headers, timeout=20)
            answers.append(answer.status_code)
            if answer.status_code == 201:
                self.promised.append(answer.json()["id"])
            else:
                assert answer.headers["content-type"].startswith("application/problem+json")
        return answers


async def test_a_database_that_stops_is_waited_for(own_server: Embedded, mails: Box, tmp_path: Path) -> None:
    company = await a_company()
    member = await a_member(company_id=company.id)
    assert member.account_id is not None
    token = await identity.create_token(member.account_id, now=clock.now())
    session = await a_session(seats=PEOPLE)
    people = [(await a_person(company.id)).id for _n in range(PEOPLE)]
    with Web(own_server.dsn, tmp_path / "web.log") as web, Worker(own_server.dsn, tmp_path / "worker.log") as worker:
        web.until_ready()
        buyer = Buyer(web.url, token, session.id, people)
        assert buyer.buy(4) == [201] * 4
        await _the_worker_works()
        leaves_at = clock.now() + timedelta(seconds=2)
        for n in range(10):
            context = {"name": "Fenna", "link": "http://127.0.0.1:8000/password/example", "until": leaves_at}
            await mail.send(template="people/reset", to=f"away{n}@mail.example", locale="en", context=context, now=leaves_at)
        _stop_immediate(own_server)
        assert status(web.url + "/livez") == 200
        assert status(web.url + "/readyz") == 503
        assert status(web.url + "/sign-in") in {200, 503}
        assert set(buyer.buy(2)) <= {500, 503}
        await asyncio.sleep(1)
        assert web.alive
        assert worker.alive
        own_server.restart()
        began = time.monotonic()
        assert until(lambda: status(web.url + "/readyz") == 200, within=30)
        back = time.monotonic() - began
        assert buyer.buy(4) == [201] * 4
        await _reconnected()
        await _nothing_is_lost(buyer, mails)
        measured(f"ready again {back:.1f} s after the database was")


async def _the_worker_works() -> None:
    """Wait until the worker has begun: one that finds no database at its start ends, and the supervisor starts another."""
    limit = time.monotonic() + 60
    while not await db.value("SELECT count(*) FROM due_work WHERE state = 'done'"):
        assert time.monotonic() < limit
        await asyncio.sleep(0.1)


async def _reconnected() -> None:
    """Let this test's own pool find the new server."""
    assert db.DB.pool is not None
    await db.DB.pool.expire_connections()


async def _nothing_is_lost(buyer: Buyer, box: Box) -> None:
    stored = {str(row["id"]) for row in await db.records("SELECT id FROM placed_order")}
    assert set(buyer.promised) <= stored
    assert await db.value("SELECT live FROM session WHERE id = $1", buyer.session_id) == len(stored)
    wanted = {f"away{n}@mail.example" for n in range(10)}
    limit = time.monotonic() + 60
    sql = "SELECT count(*) FROM mail_message WHERE recipient LIKE 'away%' AND state = 'sent'"
    while await db.value(sql) < len(wanted) and time.monotonic() < limit:  # noqa: ASYNC110 - another process works
        await asyncio.sleep(0.2)
    arrived = [str(message["Message-ID"]) for message in box.messages if str(message["To"]) in wanted]
    assert len(set(arrived)) == len(wanted)
    waiting = "SELECT count(*) FROM due_work WHERE kind = 'billing.issue' AND state <> 'done'"
    while await db.value(waiting) and time.monotonic() < limit:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    assert await db.value("SELECT count(*) FROM invoice") == len(stored)
