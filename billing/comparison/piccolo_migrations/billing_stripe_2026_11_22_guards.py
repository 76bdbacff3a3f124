"""What Piccolo's own operations can't say: one open difference of a kind, and the indexes of partial lists."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T15:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "one open difference of a kind"

_STATEMENTS = (
    """
    CREATE UNIQUE INDEX stripe_difference_one_open ON stripe_difference (coalesce(invoice_id, debtor_id), kind, external_id)
        WHERE resolved_at IS NULL
    """,
    "CREATE INDEX stripe_difference_resolved ON stripe_difference (resolved_at DESC) WHERE resolved_at IS NOT NULL",
    "CREATE INDEX stripe_compared_waiting ON stripe_compared (comparison_id) WHERE state = 'waiting'",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="billing_stripe", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
