"""The catalogue's periodic jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog import search, seats, session_changes
from marketplace.kit import periodic

if TYPE_CHECKING:
    from datetime import datetime


@periodic.periodic("catalog.expire_holds", cron="* * * * *")
async def expire_holds(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Release holds that have expired, so that lists need not look for them."""
    await seats.expire(now=now)


@periodic.periodic("catalog.finish_sessions", cron="10 * * * *")
async def finish_sessions(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Mark sessions that are over as done."""
    await session_changes.finish_past(now=now)


@periodic.periodic("catalog.refresh_search", cron="20 * * * *")
async def refresh_search(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Forget the months and times of sessions that have begun."""
    await session_changes.refresh(None, now=now)


@periodic.periodic("catalog.count_bookings", cron="40 4 * * *")
async def count_bookings(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Put what is booked most in front."""
    await search.count_bookings(now=now)
