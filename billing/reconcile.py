"""The second way in: every minute read Stripe's events since the last time.

A webhook that was lost, or came while we were down, is found here; what no event tells is found by ``billing.comparison``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from billing import inbox
from billing.stripe_gateway import gateway
from marketplace.kit import db, periodic
from marketplace.kit.errors import Unavailable

OVERLAP = timedelta(minutes=5)
FIRST_LOOK = timedelta(days=2)


class Cursor(msgspec.Struct, frozen=True):
    """The newest event that was read."""

    event_id: str
    created_at: datetime


async def read_events(*, now: datetime) -> int:
    """Keep every event of Stripe's that we don't have yet and move the cursor; return how many were new.

    Reads five minutes over, because Stripe lists events in about the order in which they were made. Events beyond
    Stripe's thirty days are left to the nightly comparison.
    """
    cursor = await db.row(Cursor, "SELECT event_id, created_at FROM stripe_cursor")
    since = cursor.created_at - OVERLAP if cursor else now - FIRST_LOOK
    newest: Cursor | None = None
    fresh = 0
    async for page in gateway().events_since(since):
        newest = newest or Cursor(page[0].id, page[0].created_at)
        fresh += len(await inbox.receive(page, now=now))
    if newest is not None:
        await _move(newest, now=now)
    return fresh


async def _move(to: Cursor, *, now: datetime) -> None:
    sql = """
        INSERT INTO stripe_cursor (id, event_id, created_at, read_at) VALUES (1, $1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET event_id = $1, created_at = $2, read_at = $3 WHERE stripe_cursor.created_at <= $2
    """
    await db.execute(sql, to.event_id, to.created_at, now)


@periodic.periodic("billing.stripe_events", cron="* * * * *", outside=True)
async def catch_up(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Read what Stripe's webhooks may not have brought. Without payments set up there is nothing to do."""
    try:
        await read_events(now=now)
    except Unavailable:
        return
