"""Complete orders over HTTP against a bare booking of four statements, on the same database with as many at a time.

Ours: bearer token, the request checked, prices and VAT, seat, enrolment, charge, order, audit, work rows, the answer read
back. Bare: BEGIN, one UPDATE of the session's counter, three INSERTs, COMMIT, in asyncpg without any HTTP.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from marketplace.bench import common, data
from marketplace.kit import clock, db, ids

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

GATE = 0.5
BUYERS = 32
_CREATED = 201
_SIZE = data.Size(companies=BUYERS, staff=BUYERS * 1_000, programmes=50, sessions=101, enrolments=0)


class OrderBench(msgspec.Struct, frozen=True):
    """Orders a second of ours and of the bare booking, once all on one session and once over a hundred."""

    hot: common.Ratio
    spread: common.Ratio
    server_cpu_ms: float
    oversold: int
    gate: float
    passed: bool


_BARE = """
    CREATE TABLE bare_seat (id uuid PRIMARY KEY, session_id uuid NOT NULL, person_id uuid NOT NULL, UNIQUE (session_id, person_id));
    CREATE TABLE bare_order (id uuid PRIMARY KEY, company_id uuid NOT NULL, total_cents int NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE bare_line (id uuid PRIMARY KEY, order_id uuid NOT NULL REFERENCES bare_order, seat_id uuid NOT NULL REFERENCES bare_seat);
    CREATE TABLE bare_session (id uuid PRIMARY KEY, capacity int NOT NULL, live int NOT NULL, CHECK (live <= capacity));
    INSERT INTO bare_session SELECT id, capacity, 0 FROM session;
"""


async def run(*, seconds: float = 4, rounds: int = 4) -> OrderBench:
    """Measure on a database of its own."""
    async with common.database() as dsn:
        await data.fill(_SIZE, capacity=1_000_000)
        async with db.connection() as own:
            await own.execute(_BARE)
        tokens = [await data.token(company, now=clock.now()) for company in range(1, BUYERS + 1)]
        with common.web(dsn, MARKETPLACE_POOL_SIZE=str(BUYERS)) as server:
            await server.ready("/livez")
            before, start = server.cpu, await _orders()
            pool = await asyncpg.create_pool(dsn, min_size=BUYERS, max_size=BUYERS)
            try:
                hot = await _compare(server.port, tokens, pool, lambda _at: 1, seconds=seconds, rounds=rounds)
                spread = await _compare(server.port, tokens, pool, lambda at: 2 + at % 100, seconds=seconds, rounds=rounds)
            finally:
                await pool.close()
            cpu = (server.cpu - before) / max(1, await _orders() - start)
        oversold = await db.value(
            "SELECT count(*) FROM session WHERE live <> (SELECT count(*) FROM seat WHERE session_id = session.id AND state = 'taken') OR live > capacity"
        )
    passed = hot.ratio >= GATE and spread.ratio >= GATE and oversold == 0
    return OrderBench(hot=hot, spread=spread, server_cpu_ms=round(cpu * 1000, 2), oversold=int(oversold), gate=GATE, passed=passed)


async def _orders() -> int:
    return int(await db.value("SELECT count(*) FROM placed_order"))


_next = itertools.count()


def _person(worker: int, at: int) -> UUID:
    """Return a person of the worker's company; a thousand of them, each for the next round of the sessions."""
    return data.person_id(1 + worker + (at % 1_000) * BUYERS)


async def _compare(
    port: int, tokens: list[str], pool: asyncpg.Pool, session: Callable[[int], int], *, seconds: float, rounds: int
) -> common.Ratio:
    ours = _buyer(port, tokens, session)
    return await common.compare(ours, _booking(pool, session), workers=BUYERS, seconds=seconds, rounds=rounds, ok=_CREATED)


def _buyer(port: int, tokens: list[str], session: Callable[[int], int]) -> Callable[[int], Awaitable[int]]:
    clients = [common.Client(port) for _token in tokens]
    turns = [itertools.count() for _token in tokens]

    async def step(worker: int) -> int:
        at = next(turns[worker])
        wanted = session(worker + at * 7)
        line = {"session_id": data.session_id(wanted), "person_id": _person(worker, at)}
        body = msgspec.json.encode({"lines": [line], "purchase_order": "4500128834", "cost_centre": "3120"})
        headers = {"Authorization": f"Bearer {tokens[worker]}", "Content_Type": "application/json", "Idempotency_Key": str(ids.new_id())}
        status, answer = await clients[worker].send(common.request("POST", "/api/v1/orders", body, **headers))
        if status != _CREATED:
            message = f"{status}: {answer[:300]!r}"
            raise RuntimeError(message)
        return status

    return step


def _booking(pool: asyncpg.Pool, session: Callable[[int], int]) -> Callable[[int], Awaitable[int]]:
    async def step(worker: int) -> int:
        at = next(_next)
        session_id, seat_id, order_id = data.session_id(session(worker + at * 7)), ids.new_id(), ids.new_id()
        async with pool.acquire() as own, own.transaction():
            await own.execute("UPDATE bare_session SET live = live + 1 WHERE id = $1 AND live < capacity", session_id)
            await own.execute("INSERT INTO bare_seat VALUES ($1, $2, $3)", seat_id, session_id, ids.new_id())
            await own.execute("INSERT INTO bare_order VALUES ($1, $2, $3)", order_id, session_id, 69500)
            await own.execute("INSERT INTO bare_line VALUES ($1, $2, $3)", ids.new_id(), order_id, seat_id)
        return _CREATED

    return step
