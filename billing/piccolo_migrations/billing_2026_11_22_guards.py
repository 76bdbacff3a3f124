"""What holds issued documents as they are: append-only triggers, sums checked at commit, indexes for the lists."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T06:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only documents, checked sums, indexes of the lists"

_APPEND_ONLY = tuple(
    f"""
    CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """
    for table in ("invoice_line", "invoice_vat", "document", "payment")
)

_FROZEN_INVOICE = """
    CREATE FUNCTION invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'state_at', 'paid_cents', 'hosted_payment_url'];
        allowed CONSTANT jsonb := '{
            "issued": ["open", "processing", "paid", "uncollectible", "void"],
            "open": ["processing", "paid", "uncollectible", "void"],
            "processing": ["open", "paid", "uncollectible", "void"],
            "uncollectible": ["paid", "void"], "paid": [], "void": []}';
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving THEN
            RAISE EXCEPTION 'invoice % is issued: its content cannot change', OLD.number
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_frozen';
        END IF;
        IF NEW.state <> OLD.state AND NOT allowed -> OLD.state ? NEW.state THEN
            RAISE EXCEPTION 'invoice % is %: it cannot become %', OLD.number, OLD.state, NEW.state
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_transition';
        END IF;
        IF NEW.paid_cents < OLD.paid_cents THEN
            RAISE EXCEPTION 'invoice %: payments are never taken away', OLD.number
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_paid_grows';
        END IF;
        RETURN NEW;
    END $$
"""

_FROZEN_CHARGE = """
    CREATE FUNCTION charge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state' OR OLD.state <> 'open' AND NEW.state <> OLD.state THEN
            RAISE EXCEPTION 'charge % is recorded: only an open one can be invoiced or dropped', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'charge_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_SUMS = """
    CREATE FUNCTION invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        own invoice%ROWTYPE;
        lines bigint; nets bigint; vats bigint;
    BEGIN
        SELECT * INTO own FROM invoice
            WHERE id = (CASE WHEN TG_TABLE_NAME = 'invoice' THEN to_jsonb(NEW) ->> 'id' ELSE to_jsonb(NEW) ->> 'invoice_id' END)::uuid;
        SELECT sum(net_cents) INTO lines FROM invoice_line WHERE invoice_id = own.id;
        SELECT sum(net_cents), sum(vat_cents) INTO nets, vats FROM invoice_vat WHERE invoice_id = own.id;
        IF (lines, nets, vats) IS DISTINCT FROM (own.net_cents, own.net_cents, own.vat_cents) THEN
            RAISE EXCEPTION 'invoice % does not add up: lines %, net %, vat %', own.number, lines, nets, vats
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_adds_up';
        END IF;
        RETURN NULL;
    END $$
"""

_STATEMENTS = (
    *_APPEND_ONLY,
    _FROZEN_INVOICE,
    "CREATE TRIGGER invoice_frozen BEFORE UPDATE ON invoice FOR EACH ROW EXECUTE FUNCTION invoice_frozen()",
    "CREATE TRIGGER invoice_kept BEFORE DELETE OR TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _FROZEN_CHARGE,
    "CREATE TRIGGER charge_frozen BEFORE UPDATE ON charge FOR EACH ROW EXECUTE FUNCTION charge_frozen()",
    "CREATE TRIGGER charge_kept BEFORE DELETE OR TRUNCATE ON charge FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _SUMS,
    *(
        f"""
        CREATE CONSTRAINT TRIGGER {table}_adds_up AFTER INSERT ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up()
        """
        for table in ("invoice", "invoice_line", "invoice_vat")
    ),
    "CREATE INDEX charge_open ON charge (group_key, created_at, position) WHERE state = 'open'",
    "CREATE INDEX invoice_newest ON invoice (dated_on DESC, number DESC)",
    "CREATE INDEX invoice_of_debtor ON invoice (debtor_id, dated_on DESC, number DESC)",
    "CREATE INDEX invoice_paid ON invoice (dated_on DESC, number DESC) WHERE kind = 'invoice' AND state = 'paid'",
    "CREATE INDEX invoice_unpaid ON invoice (due_on) WHERE state IN ('issued', 'open', 'processing')",
    "CREATE INDEX invoice_purchase_order ON invoice (lower(purchase_order)) WHERE purchase_order IS NOT NULL",
    "CREATE INDEX invoice_order_number ON invoice (lower(order_number)) WHERE order_number IS NOT NULL",
    "CREATE INDEX stripe_event_waiting ON stripe_event (received_at) WHERE state = 'received'",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
