"""What holds VAT's proofs as they are, lets VAT be decided again until a charge is invoiced, and brings over what was known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T13:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "proofs are append-only; VAT of an open charge may be decided again; partners' register periods"

_CERTIFICATE = """
    CREATE FUNCTION vat_certificate_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['ended_on', 'ended_by', 'ended_at'];
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving OR OLD.ended_on IS NOT NULL THEN
            RAISE EXCEPTION 'certificate % is kept as it was accepted: it can only be ended, once', OLD.number
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'vat_certificate_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_CHARGE = """
    CREATE OR REPLACE FUNCTION charge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'ready_at', 'billable_on', 'supply_from_on', 'supply_to_on',
            'vat_category', 'vat_rate', 'exemption_code', 'exemption_text', 'trace'];
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving
            OR OLD.state <> 'open' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
            RAISE EXCEPTION 'charge % is recorded: only an open one can be dated anew, invoiced or dropped', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'charge_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_STATEMENTS = (
    "CREATE TRIGGER vat_check_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vat_check FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _CERTIFICATE,
    "CREATE TRIGGER vat_certificate_frozen BEFORE UPDATE ON vat_certificate FOR EACH ROW EXECUTE FUNCTION vat_certificate_frozen()",
    "CREATE TRIGGER vat_certificate_kept BEFORE DELETE OR TRUNCATE ON vat_certificate FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _CHARGE,
    "CREATE INDEX vat_check_latest ON vat_check (debtor_id, vat_id, checked_at DESC, id DESC)",
    "CREATE INDEX vat_check_newest ON vat_check (checked_at DESC, id DESC)",
    "CREATE INDEX vat_override_of ON vat_override (subject_id, from_on DESC)",
    # Until now an id counted when it was formed right. From now on it counts when it was found in use.
    "UPDATE debtor SET vat_id_valid = false WHERE vat_id IS NOT NULL AND country <> 'NL' AND vat_id_valid",
    """
    INSERT INTO crkbo_period (id, holder, from_on, until_on)
        SELECT gen_random_uuid(), id::text, coalesce(crkbo_from_on, DATE '2010-01-01'), crkbo_until_on FROM partner WHERE crkbo
        ON CONFLICT DO NOTHING
    """,
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_vat", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
