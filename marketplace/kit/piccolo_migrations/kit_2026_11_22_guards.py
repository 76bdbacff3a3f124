"""Indexes for what is due, and the triggers that keep the audit trail append-only."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T06:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes for what is due; append-only audit trail"

_STATEMENTS = (
    "CREATE INDEX due_work_queued ON due_work (run_at, id) WHERE state = 'queued'",
    "CREATE INDEX due_work_lease ON due_work (lease_until) WHERE state = 'running'",
    "CREATE INDEX due_work_dead ON due_work (run_at) WHERE state = 'dead'",
    "CREATE INDEX audit_entry_subject ON audit_entry (subject_kind, subject_id, at)",
    "CREATE INDEX audit_entry_at ON audit_entry (at, id)",
    "CREATE INDEX audit_entry_company ON audit_entry (company_id, at) WHERE company_id IS NOT NULL",
    "CREATE INDEX mail_message_recipient ON mail_message (recipient, id)",
    "CREATE INDEX mail_message_queued ON mail_message (id) WHERE state = 'queued'",
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER audit_link_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="kit", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
