"""Finished pages over HTTP on national data, against the same templates fed from memory by the same kind of process.

Signed in as HR: the catalogue and a programme, with session, basket and all. Anonymous: the catalogue from the cache,
against the server's plaintext. Queries are counted in this process: those of the page, and those that say who is asking.
"""

from __future__ import annotations

from typing import Any

import msgspec

from marketplace.bench import bare, common, data
from marketplace.kit import clock, db

GATE = 0.5
CACHE_GATE = 0.8
QUERIES_GATE = 3
WORKERS = 4
PAGES = ("/programmes", "/programmes/bench-1234")
SMALL_PAGES = ("/programmes", "/programmes/bench-12")
_OK = 200
_WHO = ("FROM web_session", "FROM basket", "FROM account")


class PageBench(msgspec.Struct, frozen=True):
    """Pages a second; ``queries`` are those of the page itself, ``visit_queries`` say who asks and what their basket holds."""

    catalogue: common.Ratio
    programme: common.Ratio
    gate: float
    anonymous: common.Ratio
    anonymous_gate: float
    queries: dict[str, int]
    visit_queries: dict[str, int]
    queries_gate: int
    server_cpu_ms: float
    passed: bool


async def run(*, size: data.Size = data.NATIONAL, seconds: float = 3, rounds: int = 4) -> PageBench:
    """Measure on a database of its own; filling it takes about a minute."""
    pages = PAGES if size.programmes > 1234 else SMALL_PAGES
    async with common.database(connections=1) as dsn:
        await data.fill(size, say=lambda _line: None)
        cookie = await data.session_cookie(1, now=clock.now())
        queries, visits = await _count(pages, cookie)
        signed = {"Cookie": f"session={cookie}"}
        words = ("-m", "marketplace.bench.bare")
        with common.web(dsn) as shop, common.web(dsn, words, BENCH_PAGES=" ".join(pages), BENCH_COOKIE=cookie) as memory:
            await memory.ready("/memory/1")
            found, before, asked = [], 0.0, 0.0
            for number, path in enumerate(pages):
                body = await shop.ready(path)
                assert b"bench-" in body or b"Bench" in body or b"BN-" in body, "the page shows none of the data"
                before = shop.cpu
                ours = common.getter(shop.port, path, workers=WORKERS, **signed)
                other = common.getter(memory.port, f"/memory/{number}", workers=WORKERS)
                found.append(await common.compare(ours, other, workers=WORKERS, seconds=seconds, rounds=rounds, ok=_OK))
                asked += (shop.cpu - before) / max(1.0, found[-1].ours * seconds * (rounds + 0.5))
            cached = common.getter(shop.port, pages[0], workers=WORKERS)
            plain = common.getter(memory.port, "/plain", workers=WORKERS)
            anonymous = await common.compare(cached, plain, workers=WORKERS, seconds=seconds / 2, rounds=rounds, ok=_OK)
    passed = min(one.ratio for one in found) >= GATE and anonymous.ratio >= CACHE_GATE and max(queries.values()) <= QUERIES_GATE
    return PageBench(
        catalogue=found[0], programme=found[1], gate=GATE, anonymous=anonymous, anonymous_gate=CACHE_GATE, queries=queries,
        visit_queries=visits, queries_gate=QUERIES_GATE, server_cpu_ms=round(asked / len(pages) * 1000, 2), passed=passed,
    )  # fmt: skip


async def _count(pages: tuple[str, ...], cookie: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the queries of each page at its second visit, and those that belong to any visit."""
    from marketplace.app import create_app

    app, heard = create_app(), []
    async with db.connection() as own:
        own.add_query_logger(lambda record: heard.append(record.query))
    queries, visits = {}, {}
    for path in pages:
        await bare.visit(app, path, cookie)
        heard.clear()
        await bare.visit(app, path, cookie)
        of_visit = [query for query in heard if _is_of_visit(query)]
        queries[path], visits[path] = len(heard) - len(of_visit), len(of_visit)
    return queries, visits


def _is_of_visit(query: Any) -> bool:  # noqa: ANN401 - asyncpg's record
    return any(word in query for word in _WHO)
