"""Limits hold when everybody tries at once; the control shows the race without the guard."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.kit import db
from marketplace.kit.errors import TooMany
from marketplace.kit.web import limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


async def test_forty_parallel_tries_get_exactly_ten(committed: str) -> None:
    waits = await asyncio.gather(*(limits.take("x", limit=10, window=WINDOW, now=NOW) for _n in range(40)))
    assert waits.count(None) == 10
    assert await db.value("SELECT cardinality(tries) FROM recent_try WHERE name = 'x'") == 10


async def test_control_counting_first_and_writing_later_lets_more_through(committed: str) -> None:
    await db.execute("INSERT INTO recent_try (name, tries, seen_at) VALUES ('x', '{}', $1)", NOW)
    counted = asyncio.Barrier(40)

    async def careless() -> bool:
        seen = await db.value("SELECT cardinality(tries) FROM recent_try WHERE name = 'x'")
        await counted.wait()
        if seen >= 10:
            return False
        await db.execute("UPDATE recent_try SET tries = tries || $1::timestamptz WHERE name = 'x'", NOW)
        return True

    assert sum(await asyncio.gather(*(careless() for _n in range(40)))) > 10


async def test_the_window_slides(db: None) -> None:
    for minute in range(10):
        assert await limits.take("x", limit=10, window=WINDOW, now=NOW + timedelta(minutes=minute)) is None
    assert await limits.take("x", limit=10, window=WINDOW, now=NOW + timedelta(minutes=10)) == timedelta(minutes=5)
    assert await limits.take("x", limit=10, window=WINDOW, now=NOW + timedelta(minutes=15, seconds=1)) is None
    assert await limits.take("x", limit=10, window=WINDOW, now=NOW + timedelta(minutes=15, seconds=2)) is not None


async def test_a_right_password_gives_back_one_try_and_no_more(db: None) -> None:
    for _n in range(3):
        names = await limits.reserve_sign_in("a@b.example", "192.0.2.1", now=NOW)
    await limits.give_back(names, now=NOW)
    from marketplace.kit import db as kit_db

    assert await kit_db.value("SELECT array_agg(cardinality(tries)) FROM recent_try") == [2, 2]


async def test_thirty_tries_from_one_address_whatever_the_account(db: None) -> None:
    for n in range(30):
        await limits.reserve_sign_in(f"{n}@b.example", "192.0.2.1", now=NOW)
    with pytest.raises(TooMany):
        await limits.reserve_sign_in("new@b.example", "192.0.2.1", now=NOW)
    await limits.reserve_sign_in("new@b.example", "192.0.2.2", now=NOW)


async def test_names_in_the_counters_tell_nobody_who_tried(db: None) -> None:
    from marketplace.kit import db as kit_db

    await limits.reserve_sign_in("a@b.example", "192.0.2.1", now=NOW)
    kept = await kit_db.value("SELECT string_agg(name, ' ') FROM recent_try")
    assert "a@b.example" not in kept
    assert "192.0.2.1" not in kept


async def test_addresses_of_one_ipv6_network_count_together(db: None) -> None:
    for n in range(30):
        await limits.reserve_sign_in(f"{n}@b.example", f"2001:db8:1:2::{n:x}", now=NOW)
    with pytest.raises(TooMany):
        await limits.reserve_sign_in("new@b.example", "2001:db8:1:2:ffff::1", now=NOW)
    await limits.reserve_sign_in("new@b.example", "2001:db8:1:3::1", now=NOW)
