"""The kit's own periodic jobs: sealing the audit chain, and forgetting what no longer matters."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kit import audit, db
from marketplace.kit.periodic import periodic

_KEEP_DONE_WORK = timedelta(days=90)
_KEEP_SLOTS = timedelta(days=30)


@periodic("kit.seal_audit", cron="* * * * *")
async def seal_audit(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Link new audit entries into the hash chain."""
    await audit.seal()


@periodic("kit.tidy", cron="20 4 * * *")
async def tidy(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Delete periodic slots after 30 days, and done work after 90 unless its key must never be used again."""
    await db.execute("DELETE FROM job_run WHERE slot < $1", now - _KEEP_SLOTS)
    await db.execute(
        "DELETE FROM due_work WHERE state = 'done' AND done_at < $1 AND (dedupe_key IS NULL OR kind LIKE 'job:%' OR kind = 'mail.send')",
        now - _KEEP_DONE_WORK,
    )
