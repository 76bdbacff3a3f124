"""Limits that all processes share, counted in PostgreSQL and atomic under concurrency.

Sign-in: a sliding window of tries per name; a try is reserved before the password is looked at and given back when it
was right, so parallel guesses can't slip through. API: requests a minute per token, taken from the shared counter in
small blocks so that most requests need no extra statement.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from marketplace.kit import db, ids
from marketplace.kit.errors import TooMany
from marketplace.kit.i18n import _, fmt_time

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 30
_BLOCK = 50


def _name(kind: str, value: str) -> str:
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:32]}"


async def take(name: str, *, limit: int, window: timedelta, now: datetime) -> timedelta | None:
    """Reserve one try under a name; return None when there was room, else how long until there is.

    Never more than ``limit`` tries lie within any stretch of ``window``, whatever runs at the same time.
    """
    taken = await db.value(
        "INSERT INTO recent_try AS t (name, tries, seen_at) VALUES ($1, ARRAY[$2::timestamptz], $2)"
        " ON CONFLICT (name) DO UPDATE SET seen_at = $2,"
        " tries = ARRAY(SELECT x FROM unnest(t.tries) x WHERE x > $3) || $2::timestamptz"
        " WHERE (SELECT count(*) FROM unnest(t.tries) x WHERE x > $3) < $4 RETURNING 1",
        name, now, now - window, limit,
    )  # fmt: skip
    if taken is not None:
        return None
    oldest = await db.value("SELECT min(x) FROM recent_try, unnest(tries) x WHERE name = $1 AND x > $2", name, now - window)
    return window if oldest is None else max(oldest + window - now, timedelta(seconds=1))


async def _give_back_one(name: str, at: datetime) -> None:
    await db.execute(
        "UPDATE recent_try t SET tries = t.tries[:p.at - 1] || t.tries[p.at + 1:]"
        " FROM (SELECT array_position(tries, $2::timestamptz) AS at FROM recent_try WHERE name = $1 FOR UPDATE) p"
        " WHERE t.name = $1 AND p.at IS NOT NULL",
        name, at,
    )  # fmt: skip


async def reserve_sign_in(email: str, address: str, *, now: datetime) -> list[str]:
    """Reserve a try for the account and for the address; raise ``TooMany`` when either has none left."""
    reserved: list[str] = []
    wanted = ((_name("account", email), PER_ACCOUNT), (_name("address", address), PER_ADDRESS))
    for name, limit in wanted:
        wait = await take(f"sign_in:{name}", limit=limit, window=WINDOW, now=now)
        if wait is not None:
            await give_back(reserved, now=now)
            raise _too_many(wait, now)
        reserved.append(f"sign_in:{name}")
    return reserved


async def give_back(names: list[str], *, now: datetime) -> None:
    """Give back the tries that were reserved at ``now`` (the password was right)."""
    for name in names:
        await _give_back_one(name, now)


def _too_many(wait: timedelta, now: datetime) -> TooMany:
    seconds = max(1, math.ceil(wait.total_seconds()))
    return TooMany(
        "too_many_tries",
        _("There were too many tries."),
        next_step=_("Try again after {time}.", time=fmt_time(now + wait + timedelta(seconds=59))),
        retry_after=seconds,
    )


_leased: dict[tuple[str, datetime], int] = {}


async def count_request(token_hash: bytes, *, per_minute: int, now: datetime) -> None:
    """Count one API request of a token; raise ``TooMany`` beyond ``per_minute`` in this clock minute."""
    name = f"api:{token_hash.hex()[:32]}"
    minute = now.replace(second=0, microsecond=0)
    if _leased.get((name, minute), 0) == 0:
        block = await _lease(name, minute, per_minute, now)
        _leased[name, minute] = _leased.get((name, minute), 0) + block
    _leased[name, minute] -= 1
    if len(_leased) > 1_000:  # noqa: PLR2004 - forget old minutes now and then
        for key in [key for key in _leased if key[1] < minute]:
            del _leased[key]


async def _lease(name: str, minute: datetime, per_minute: int, now: datetime) -> int:
    block = min(_BLOCK, per_minute)
    count = await db.value(
        "INSERT INTO rate_counter AS c (id, name, window_start, count) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name, window_start) DO UPDATE SET count = c.count + $4 WHERE c.count + $4 <= $5 RETURNING count",
        ids.new_id(), name, minute, block, per_minute,
    )  # fmt: skip
    if count is None:
        wait = 60 - now.second
        raise TooMany("too_many_requests", _("This token sends more requests a minute than we answer."), retry_after=wait)
    return block


async def tidy(*, now: datetime) -> int:
    """Delete counters that no limit looks at any more and return how many."""
    tries = await db.execute("DELETE FROM recent_try WHERE seen_at < $1", now - timedelta(days=1))
    return tries + await db.execute("DELETE FROM rate_counter WHERE window_start < $1", now - timedelta(hours=1))
