"""Forgetting sessions that ended and tries that no limit looks at any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kit import db
from marketplace.kit.periodic import periodic

_KEEP = timedelta(days=1)


@periodic("kit.tidy_sessions", cron="40 4 * * *")
async def tidy_sessions(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Delete sessions and recent tries a day after they stopped to matter."""
    await db.execute("DELETE FROM web_session WHERE ends_at < $1 OR revoked_at < $1", now - _KEEP)
    await db.execute("DELETE FROM recent_try WHERE seen_at < $1", now - _KEEP)
