"""Indexes by which finance reads: the journal by day, money that debtors have with us, what is owed by whom, what came in."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T19:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes for the finance desk"

_STATEMENTS = (
    "CREATE INDEX ledger_entry_day ON ledger_entry (booked_on DESC, id DESC)",
    """
    CREATE INDEX invoice_to_pay_back ON invoice (state_at, id)
        WHERE kind = 'invoice' AND paid_cents - refunded_cents > (CASE WHEN state = 'void' THEN 0 ELSE total_cents - credited_cents - written_off_cents END)
    """,
    """
    CREATE INDEX invoice_owed ON invoice (debtor_id)
        INCLUDE (due_on, state, total_cents, credited_cents, written_off_cents, paid_cents, refunded_cents)
        WHERE kind = 'invoice' AND state IN ('issued', 'open', 'processing')
    """,
    "CREATE INDEX payment_recorded ON payment (recorded_at)",
    "CREATE INDEX stripe_link_id ON stripe_link (stripe_id)",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_books", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
