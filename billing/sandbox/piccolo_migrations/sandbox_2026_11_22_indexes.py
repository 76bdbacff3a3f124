"""The indexes that Piccolo's own operations can't say."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T06:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

_INDEXES = (
    "CREATE INDEX sandbox_object_kind ON sandbox_object (kind, seq DESC)",
    "CREATE INDEX sandbox_object_parent ON sandbox_object (parent, kind) WHERE parent IS NOT NULL",
    "CREATE UNIQUE INDEX sandbox_object_number ON sandbox_object ((body->>'number')) WHERE kind = 'invoice' AND body->>'number' IS NOT NULL",
    "CREATE INDEX sandbox_object_event ON sandbox_object (((body->>'created')::bigint)) WHERE kind = 'event'",
    "CREATE INDEX sandbox_delivery_waiting ON sandbox_delivery (next_at) WHERE state = 'waiting'",
    "CREATE INDEX sandbox_transfer_under_way ON sandbox_transfer (due_at) WHERE state = 'under_way'",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="sandbox", description=DESCRIPTION)
    manager.add_raw(statements(*_INDEXES))
    return manager
