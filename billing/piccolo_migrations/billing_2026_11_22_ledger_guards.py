"""What holds the books: entries and postings are append-only, and every entry adds up to zero at commit."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T07:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only books whose entries add up to zero"

_BALANCED = """
    CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        entry uuid := CASE WHEN TG_TABLE_NAME = 'ledger_entry' THEN (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'entry_id')::uuid END;
        total bigint; sides bigint;
    BEGIN
        SELECT coalesce(sum(cents), 0), count(*) INTO total, sides FROM ledger_posting WHERE entry_id = entry;
        IF total <> 0 OR sides < 2 THEN
            RAISE EXCEPTION 'ledger entry % has % postings that add up to % cents', entry, sides, total
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_balanced';
        END IF;
        RETURN NULL;
    END $$
"""

_STATEMENTS = (
    *(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in ("ledger_entry", "ledger_posting")
    ),
    _BALANCED,
    *(
        f"""
        CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced()
        """
        for table in ("ledger_entry", "ledger_posting")
    ),
    "CREATE INDEX ledger_posting_account ON ledger_posting (account, entry_id)",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
