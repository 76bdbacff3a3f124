"""What holds the log of deliveries as it was written, and one live delivery a document."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T14:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the log is append-only; one live delivery a document"

_STATEMENTS = (
    "CREATE TRIGGER delivery_try_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_try FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE UNIQUE INDEX delivery_live ON delivery (invoice_id) WHERE state IN ('queued', 'under_way')",
    "CREATE INDEX delivery_failed ON delivery (state_at DESC) WHERE state = 'failed'",
    "CREATE INDEX access_point_document_newest ON access_point_document (received_at DESC)",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_transport", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
