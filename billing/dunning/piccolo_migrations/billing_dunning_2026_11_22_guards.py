"""What holds dunning's rows: an invoice is held at most once at a time, a reminder says what it said, and the rates known today."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T18:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "one live hold an invoice, frozen reminders, statutory rates"

_FROZEN = """
    CREATE FUNCTION reminder_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state = 'due'
           AND (to_jsonb(NEW) - '{state,sent_at,mailed_to}'::text[]) = (to_jsonb(OLD) - '{state,sent_at,mailed_to}'::text[]) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a reminder is not changed' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'reminder_frozen';
    END $$
"""
# Statutory commercial interest: the ECB's refinancing rate on 1 January and 1 July plus 8 points (art. 6:120 par. 2 BW).
_RATES = (
    ("commercial", "2023-01-01", "10.50"),
    ("commercial", "2023-07-01", "12.00"),
    ("commercial", "2024-01-01", "12.50"),
    ("commercial", "2024-07-01", "12.25"),
    ("commercial", "2025-01-01", "11.15"),
    ("commercial", "2025-07-01", "10.15"),
    ("commercial", "2026-01-01", "10.15"),
)

_STATEMENTS = (
    "CREATE UNIQUE INDEX reminder_hold_live ON reminder_hold (invoice_id) WHERE ended_at IS NULL",
    "CREATE UNIQUE INDEX block_pass_live ON block_pass (debtor_id) WHERE ended_at IS NULL",
    "CREATE INDEX reminder_made ON reminder (made_at DESC, id DESC)",
    _FROZEN,
    "CREATE TRIGGER reminder_frozen BEFORE UPDATE OR DELETE ON reminder FOR EACH ROW EXECUTE FUNCTION reminder_frozen()",
    """
    CREATE TRIGGER reminder_item_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reminder_item
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    *(
        f"INSERT INTO interest_rate (id, kind, from_on, percent, set_at) VALUES (gen_random_uuid(), '{kind}', '{day}', {percent}, '2026-11-22T18:01:00Z')"
        for kind, day, percent in _RATES
    ),
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_dunning", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
