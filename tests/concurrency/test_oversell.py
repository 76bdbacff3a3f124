"""No overselling: a hundred buyers want ten seats at the same moment, through two web processes, and some hang up."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from marketplace.kit import clock, db, identity
from tests.builders.catalog import a_programme, a_session
from tests.builders.people import a_company, a_member, a_person
from tests.processes import FULL, Web, measured

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
BUYERS, SEATS, TOKENS = 100, 10, 10
ROUNDS = 40 if FULL else 20
HANGS_UP = 0.1


async def _tokens() -> tuple[UUID, list[str]]:
    company = await a_company()
    members = [await a_member(company_id=company.id) for _n in range(TOKENS)]
    return company.id, [await identity.create_token(member.account_id, now=clock.now()) for member in members if member.account_id]


class Crowd:
    """Everybody who wants a seat, and what they were answered."""

    def __init__(self, clients: list[httpx.AsyncClient], tokens: list[str], people: list[UUID]) -> None:
        self.clients, self.tokens, self.people = clients, tokens, people
        self.answers: Counter[str] = Counter()
        self.chance = random.Random(20261123)

    async def storm(self, session_id: UUID) -> None:
        """Let everybody ask at once."""
        hang_up = set(self.chance.sample(range(BUYERS), int(BUYERS * HANGS_UP)))
        await asyncio.gather(*(self._ask(n, session_id, self.chance.uniform(0, 0.6) if n in hang_up else None) for n in range(BUYERS)))

    async def fill(self, session_id: UUID) -> None:
        """Let those without a seat ask again, one after the other, until it is full."""
        for n, person in enumerate(self.people):
            if await _live_seats(session_id) >= SEATS:
                return
            has = "SELECT 1 FROM seat WHERE session_id = $1 AND person_id = $2 AND state = 'taken'"
            if await db.value(has, session_id, person) is None:
                await self._ask(n, session_id, None)

    async def _ask(self, n: int, session_id: UUID, patience: float | None) -> None:
        body = {"lines": [{"session_id": str(session_id), "person_id": str(self.people[n])}]}
        headers = {"Authorization": f"Bearer {self.tokens[n % TOKENS]}"}
        try:
            async with asyncio.timeout(patience):
                answer = await self.clients[n % len(self.clients)].post("/api/v1/orders", json=body, headers=headers)
        except TimeoutError:
            self.answers["hung up"] += 1
            return
        code = answer.json().get("code", "") if answer.status_code != 201 else ""
        self.answers[f"{answer.status_code} {code}".strip()] += 1


async def _live_seats(session_id: UUID) -> int:
    return int(await db.value("SELECT count(*) FROM seat WHERE session_id = $1 AND state IN ('held', 'taken')", session_id))


async def test_a_hundred_buyers_never_get_more_than_ten_seats(committed: str, tmp_path: Path) -> None:
    company_id, tokens = await _tokens()
    people = [(await a_person(company_id)).id for _n in range(BUYERS)]
    programme = await a_programme()
    sessions = [(await a_session(programme_id=programme, seats=SEATS)).id for _n in range(ROUNDS)]
    with Web(committed, tmp_path / "one.log") as one, Web(committed, tmp_path / "two.log") as two:
        one.until_ready()
        two.until_ready()
        limits = httpx.Limits(max_connections=BUYERS, max_keepalive_connections=BUYERS)
        async with (
            httpx.AsyncClient(base_url=one.url, timeout=30, limits=limits) as first,
            httpx.AsyncClient(base_url=two.url, timeout=30, limits=limits) as second,
        ):
            crowd = Crowd([first, second], tokens, people)
            for session_id in sessions:
                await crowd.storm(session_id)
                await crowd.fill(session_id)
    unexpected = {answer for answer in crowd.answers if not answer.startswith(("201", "409 full", "409 already_enrolled", "hung up"))}
    assert not unexpected, (crowd.answers, one.said()[-3000:])
    assert crowd.answers["hung up"] >= ROUNDS
    measured(f"{ROUNDS} rounds: {dict(crowd.answers)}")
    await _everything_agrees(sessions)


async def _everything_agrees(sessions: list[UUID]) -> None:
    sql = """
        SELECT s.id, s.live, s.capacity,
               (SELECT count(*) FROM seat WHERE session_id = s.id AND state = 'taken') AS seats,
               (SELECT count(*) FROM enrolment WHERE session_id = s.id) AS enrolments,
               (SELECT count(*) FROM order_line WHERE session_id = s.id) AS lines
        FROM session s WHERE s.id = ANY ($1)
    """
    found = await db.records(sql, sessions)
    assert len(found) == len(sessions)
    for row in found:
        assert {row["live"], row["capacity"], row["seats"], row["enrolments"], row["lines"]} == {SEATS}, row
    bought = len(sessions) * SEATS
    assert await db.value("SELECT count(*) FROM placed_order") == bought
    assert await db.value("SELECT count(*) FROM charge") == bought
    assert await db.value("SELECT count(*) FROM audit_entry WHERE event = 'order.placed'") == bought
    assert await db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue'") == bought


async def test_without_the_guard_the_same_crowd_oversells(committed: str) -> None:
    """The control: read what is free, then insert. It shows that the crowd is dense enough to find a race."""
    await db.execute("CREATE TABLE plain_seat (session int NOT NULL, buyer int NOT NULL)")

    async def ask(buyer: int) -> None:
        async with db.atomic():
            taken = await db.value("SELECT count(*) FROM plain_seat WHERE session = 1")
            if taken < SEATS:
                await db.execute("INSERT INTO plain_seat VALUES (1, $1)", buyer)

    await asyncio.gather(*(ask(buyer) for buyer in range(BUYERS)))
    assert await db.value("SELECT count(*) FROM plain_seat") > SEATS
