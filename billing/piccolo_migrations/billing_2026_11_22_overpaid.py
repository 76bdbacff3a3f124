"""The index behind ECL's list of what is to be paid back."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T11:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "invoices by which a debtor has money with us"


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing", description=DESCRIPTION)
    sql = """
        CREATE INDEX invoice_overpaid ON invoice (dated_on DESC, number DESC)
            WHERE kind = 'invoice' AND total_cents - credited_cents - written_off_cents - paid_cents + refunded_cents < 0
    """
    manager.add_raw(statements(sql))
    return manager
