"""What holds money that moves: what may change on an invoice, a charge and a refund, and that no line is credited twice."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T09:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "what may move on issued rows; credits stay within their lines"

_FROZEN_INVOICE = """
    CREATE OR REPLACE FUNCTION invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'state_at', 'paid_cents', 'credited_cents', 'refunded_cents', 'written_off_cents',
            'hosted_payment_url'];
        allowed CONSTANT jsonb := '{
            "issued": ["open", "processing", "paid", "credited", "uncollectible", "void"],
            "open": ["processing", "paid", "credited", "uncollectible", "void"],
            "processing": ["open", "paid", "credited", "uncollectible", "void"],
            "uncollectible": ["open", "paid", "credited", "void"],
            "paid": ["open", "credited"], "credited": [], "void": []}';
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving THEN
            RAISE EXCEPTION 'invoice % is issued: its content cannot change', OLD.number
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_frozen';
        END IF;
        IF NEW.state <> OLD.state AND NOT allowed -> OLD.state ? NEW.state THEN
            RAISE EXCEPTION 'invoice % is %: it cannot become %', OLD.number, OLD.state, NEW.state
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_transition';
        END IF;
        IF NEW.paid_cents < OLD.paid_cents OR NEW.credited_cents < OLD.credited_cents OR NEW.refunded_cents < OLD.refunded_cents THEN
            RAISE EXCEPTION 'invoice %: payments, credits and refunds are never taken away', OLD.number
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_paid_grows';
        END IF;
        RETURN NEW;
    END $$
"""

_FROZEN_CHARGE = """
    CREATE OR REPLACE FUNCTION charge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'ready_at', 'billable_on', 'supply_from_on', 'supply_to_on'];
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving
            OR OLD.state <> 'open' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
            RAISE EXCEPTION 'charge % is recorded: only an open one can be dated anew, invoiced or dropped', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'charge_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_FROZEN_REFUND = """
    CREATE FUNCTION refund_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'external_id', 'done_at', 'failure'];
        allowed CONSTANT jsonb := '{"requested": ["sent", "done", "failed"], "sent": ["done", "failed"], "done": [], "failed": []}';
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving
            OR NEW.state <> OLD.state AND NOT allowed -> OLD.state ? NEW.state
            OR OLD.state IN ('done', 'failed') AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
            RAISE EXCEPTION 'refund % is %: that cannot change', OLD.id, OLD.state
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refund_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_WITHIN_LINE = """
    CREATE FUNCTION credit_within_line() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        line invoice_line%ROWTYPE; credited bigint;
    BEGIN
        IF NEW.credits_line_id IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT * INTO line FROM invoice_line WHERE id = NEW.credits_line_id;
        SELECT sum(net_cents) INTO credited FROM invoice_line WHERE credits_line_id = NEW.credits_line_id;
        IF credited > line.net_cents OR line.credits_line_id IS NOT NULL OR line.invoice_id <> (SELECT credits_id FROM invoice WHERE id = NEW.invoice_id) THEN
            RAISE EXCEPTION 'line % of % cents would be credited for % cents', line.id, line.net_cents, credited
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'credit_within_line';
        END IF;
        RETURN NULL;
    END $$
"""

_STATEMENTS = (
    _FROZEN_INVOICE,
    _FROZEN_CHARGE,
    _FROZEN_REFUND,
    "CREATE TRIGGER refund_frozen BEFORE UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION refund_frozen()",
    "CREATE TRIGGER refund_kept BEFORE DELETE OR TRUNCATE ON refund FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER issued_paper_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issued_paper FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _WITHIN_LINE,
    """
    CREATE CONSTRAINT TRIGGER credit_within_line AFTER INSERT ON invoice_line
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.credits_line_id IS NOT NULL) EXECUTE FUNCTION credit_within_line()
    """,
    "CREATE INDEX charge_billable ON charge (billable_on, debtor_id) WHERE state = 'open' AND ready_at IS NOT NULL",
    "CREATE INDEX charge_open_of_debtor ON charge (debtor_id) WHERE state = 'open'",
    "CREATE INDEX invoice_of_amount ON invoice (total_cents, dated_on DESC)",
    "CREATE INDEX refund_waiting ON refund (requested_at) WHERE state IN ('requested', 'sent')",
    "CREATE INDEX ledger_entry_reference ON ledger_entry (reference) WHERE reference <> ''",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
