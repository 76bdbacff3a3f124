"""Order numbers, indexes by key for the lists, and the guard that what was ordered is not rewritten."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "order numbers, lists, frozen lines"

_STATEMENTS = (
    "CREATE SEQUENCE next_order_number START 100001",
    "CREATE INDEX placed_order_company ON placed_order (company_id, placed_at, id)",
    "CREATE INDEX placed_order_recent ON placed_order (placed_at, id)",
    "CREATE INDEX placed_order_state_recent ON placed_order (state, placed_at, id)",
    "CREATE INDEX placed_order_purchase_order ON placed_order (lower(purchase_order) text_pattern_ops) WHERE purchase_order IS NOT NULL",
    "CREATE INDEX order_line_awaiting ON order_line (partner_id, state_at) WHERE state = 'awaiting_partner'",
    """
    CREATE FUNCTION order_line_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.order_id, NEW.session_id, NEW.person_id, NEW.price_cents, NEW.vat_category, NEW.vat_rate, NEW.policy, NEW.charge_id, NEW.enrolment_id)
           IS DISTINCT FROM
           (OLD.order_id, OLD.session_id, OLD.person_id, OLD.price_cents, OLD.vat_category, OLD.vat_rate, OLD.policy, OLD.charge_id, OLD.enrolment_id)
        THEN
            RAISE EXCEPTION 'what was ordered is frozen' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER order_line_frozen BEFORE UPDATE ON order_line FOR EACH ROW EXECUTE FUNCTION order_line_frozen()",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="orders", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
