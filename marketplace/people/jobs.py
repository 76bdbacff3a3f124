"""What people does by itself: forgets uploaded files after a day, ended links after ninety."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kit import db
from marketplace.kit.periodic import periodic
from marketplace.people import passwords, uploads

INVITATIONS_KEPT = timedelta(days=90)

__all__ = ["forget", "passwords"]


@periodic("people.forget", cron="20 * * * *")
async def forget(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Forget uploaded staff files, used links, and invitations that nobody accepted within ninety days (RULES §10)."""
    await uploads.tidy(now=now)
    await db.execute("DELETE FROM password_reset WHERE expires_at < $1", now - timedelta(days=1))
    await db.execute("DELETE FROM invitation WHERE state <> 'accepted' AND created_at < $1", now - INVITATIONS_KEPT)
