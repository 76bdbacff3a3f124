"""Indexes for the company's list, and one plan a person and session or programme."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lists by company, no plan twice"

_STATEMENTS = (
    "CREATE INDEX scheduled_enrolment_company ON scheduled_enrolment (company_id, run_at, id)",
    "CREATE UNIQUE INDEX scheduled_enrolment_session_once ON scheduled_enrolment (person_id, session_id)"
    " WHERE state = 'planned' AND session_id IS NOT NULL",
    "CREATE UNIQUE INDEX scheduled_enrolment_programme_once ON scheduled_enrolment (person_id, programme_id)"
    " WHERE state = 'planned' AND programme_id IS NOT NULL",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="scheduling", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
