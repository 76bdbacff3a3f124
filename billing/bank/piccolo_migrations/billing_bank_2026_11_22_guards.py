"""What holds the bank's rows: they are append-only, and of an entry only how much of it was given away may move."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T17:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only bank files, frozen entries, indexes"

_FROZEN = """
    CREATE FUNCTION bank_entry_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE'
           AND (to_jsonb(NEW) - '{state,allocated_cents}'::text[]) = (to_jsonb(OLD) - '{state,allocated_cents}'::text[]) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a bank entry is not changed' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bank_entry_frozen';
    END $$
"""

_STATEMENTS = (
    *(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in ("bank_file", "bank_statement", "bank_allocation")
    ),
    _FROZEN,
    "CREATE TRIGGER bank_entry_frozen BEFORE UPDATE OR DELETE ON bank_entry FOR EACH ROW EXECUTE FUNCTION bank_entry_frozen()",
    "CREATE TRIGGER bank_entry_kept BEFORE TRUNCATE ON bank_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE INDEX bank_entry_open ON bank_entry (booked_on, id) WHERE state = 'open'",
    "CREATE INDEX bank_entry_booked ON bank_entry (booked_on DESC, id DESC)",
    "CREATE INDEX bank_entry_end_to_end ON bank_entry (end_to_end_id) WHERE end_to_end_id <> ''",
    "CREATE INDEX bank_statement_chain ON bank_statement (iban, opening_on)",
    "CREATE INDEX bank_file_sent ON bank_file (sent_at DESC, id DESC)",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_bank", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
