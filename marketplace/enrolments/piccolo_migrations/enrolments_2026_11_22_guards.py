"""Indexes for rosters and for a person's own enrolments."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes for rosters"

_STATEMENTS = (
    "CREATE INDEX enrolment_company_session ON enrolment (company_id, session_id) WHERE state IN ('requested', 'confirmed')",
    "CREATE INDEX enrolment_partner_session ON enrolment (partner_id, session_id) WHERE state IN ('requested', 'confirmed')",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="enrolments", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
