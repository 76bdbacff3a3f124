"""Limits that all processes share, counted in PostgreSQL and atomic under concurrency.

Sign-in: a sliding window of tries per name; a try is reserved before the password is looked at and given back when it
was right, so parallel guesses can't slip through. API: requests a minute per token, taken from the shared counter in
small blocks so that most requests need no extra statement.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta

from marketplace.kit import db
from marketplace.kit.errors import TooMany
from marketplace.kit.i18n import _, fmt_time

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 30
_BLOCK = 50
_MINUTE = timedelta(minutes=1)


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
    wanted = ((_name("account", email), PER_ACCOUNT), (_name("address", _network(address)), PER_ADDRESS))
    for name, limit in wanted:
        wait = await take(f"sign_in:{name}", limit=limit, window=WINDOW, now=now)
        if wait is not None:
            await give_back(reserved, now=now)
            raise _too_many(wait, now)
        reserved.append(f"sign_in:{name}")
    return reserved


def _network(address: str) -> str:
    """Return an IPv4 address as it is and an IPv6 address as its /64, which is one customer's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


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


class _Lease:
    """Requests that this process may still answer for a token without asking the database."""

    def __init__(self) -> None:
        self.left = 0
        self.until: datetime | None = None


_leases: dict[str, _Lease] = {}


async def count_request(token_hash: bytes, *, per_minute: int, now: datetime) -> None:
    """Count one API request of a token; raise ``TooMany`` beyond ``per_minute``.

    Requests are leased from the shared counter in blocks, so the limit is that of all processes together, to a block.
    """
    name = f"api:{token_hash.hex()[:32]}"
    if len(_leases) > 1_000:
        _leases.clear()
    lease = _leases.setdefault(name, _Lease())
    if lease.left <= 0 or lease.until is None or lease.until <= now:
        block = min(_BLOCK, per_minute)
        wait = await take(name, limit=max(1, per_minute // block), window=_MINUTE, now=now)
        if wait is not None:
            sentence = _("This token sends more requests a minute than we answer.")
            raise TooMany("too_many_requests", sentence, retry_after=math.ceil(wait.total_seconds()))
        lease.left = block if lease.until is None or lease.until <= now else lease.left + block
        lease.until = now + _MINUTE
    lease.left -= 1
