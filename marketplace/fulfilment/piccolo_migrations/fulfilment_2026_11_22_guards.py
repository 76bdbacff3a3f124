"""The partner's list, by key."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lists by partner"

_STATEMENTS = (
    "CREATE INDEX acceptance_partner ON acceptance (partner_id, asked_at, id)",
    "CREATE INDEX acceptance_deadline ON acceptance (decide_by_at) WHERE state = 'waiting'",
    "CREATE INDEX acceptance_waiting ON acceptance (partner_id, decide_by_at) WHERE state = 'waiting'",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="fulfilment", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
