"""Somebody else may take an ordered seat: the person of a line that stands may change, everything else stays frozen."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T11:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the person of a line that stands may change"

_STATEMENTS = (
    """
    CREATE OR REPLACE FUNCTION order_line_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.order_id, NEW.session_id, NEW.price_cents, NEW.vat_category, NEW.vat_rate, NEW.policy, NEW.charge_id, NEW.enrolment_id)
           IS DISTINCT FROM
           (OLD.order_id, OLD.session_id, OLD.price_cents, OLD.vat_category, OLD.vat_rate, OLD.policy, OLD.charge_id, OLD.enrolment_id)
           OR NEW.person_id <> OLD.person_id AND OLD.state NOT IN ('awaiting_partner', 'accepted')
        THEN
            RAISE EXCEPTION 'what was ordered is frozen' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)


async def forwards() -> MigrationManager:
    """Replace the guard."""
    manager = MigrationManager(migration_id=ID, app_name="orders", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
