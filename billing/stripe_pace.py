"""How fast we call Stripe: evenly, and for real Stripe together with every other process of ours, held by PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from marketplace.kit import db


class Pace:
    """Lets this process's requests through at an even pace."""

    def __init__(self, a_second: float) -> None:
        self._gap = 1 / a_second
        self._next = 0.0

    async def wait(self) -> None:
        """Return when the next request may go."""
        loop = asyncio.get_running_loop()
        start = max(self._next, loop.time())
        self._next = start + self._gap
        await asyncio.sleep(start - loop.time())


class SharedPace(Pace):
    """The same for all processes on one database: each takes the next free moment from one row, then waits for it."""

    async def wait(self) -> None:
        """Return when the next request may go."""
        sql = """
            INSERT INTO stripe_pace AS p (id, next_at) VALUES (1, clock_timestamp() + $1::interval)
            ON CONFLICT (id) DO UPDATE SET next_at = greatest(p.next_at, clock_timestamp()) + $1::interval
            RETURNING extract(epoch FROM next_at - $1::interval - clock_timestamp())::float
        """
        seconds = await db.value(sql, timedelta(seconds=self._gap))
        await asyncio.sleep(max(float(seconds), 0.0))
