"""What holds partners' money: frozen statements, booked lines and files, states that go one way, sums checked at commit."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T16:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "frozen statements, lines, accounts and batches; one live row of each; indexes; a payee for each partner"


def _frozen(table: str, moving: tuple[str, ...], allowed: str, extra: str = "", when: str = "TRUE") -> tuple[str, ...]:
    """Return a trigger that lets only ``moving`` columns change (all of them while ``when`` isn't so), and states by ``allowed``."""
    columns = ", ".join(f"'{name}'" for name in moving)
    return (
        f"""
        CREATE FUNCTION {table}_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            moving CONSTANT text[] := ARRAY[{columns}];
            allowed CONSTANT jsonb := '{allowed}';
        BEGIN
            IF {when} AND to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving THEN
                RAISE EXCEPTION '{table} %: its content cannot change', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_frozen';
            END IF;
            IF NEW.state <> OLD.state AND NOT allowed -> OLD.state ? NEW.state THEN
                RAISE EXCEPTION '{table} % is %: it cannot become %', OLD.id, OLD.state, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_transition';
            END IF;
            {extra}
            RETURN NEW;
        END $$
        """,
        f"CREATE TRIGGER {table}_frozen BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_frozen()",
        f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


_KEPT = (
    *_frozen(
        "partner_statement",
        ("state", "state_at", "paid_out_cents", "carried_to_id", "invoice_number", "invoice_on"),
        '{"issued": ["agreed", "carried"], "agreed": ["in_batch", "paid", "carried"], "in_batch": ["agreed", "paid"], "paid": ["agreed"], "carried": []}',
        """IF OLD.invoice_number IS NOT NULL AND NEW.invoice_number IS DISTINCT FROM OLD.invoice_number THEN
                RAISE EXCEPTION 'statement % has its invoice number', OLD.number
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'partner_statement_invoice_once';
            END IF;""",
    ),
    *_frozen(
        "settlement_line",
        ("state", "state_at", "statement_id", "vat_category", "vat_rate", "exemption_code", "supply_from_on", "supply_to_on", "payable_on"),
        '{"waiting": ["accrued", "cancelled"], "accrued": ["payable", "cancelled"], "payable": ["accrued", "stated", "cancelled"],'
        ' "stated": ["paid"], "paid": ["stated"], "cancelled": []}',
        """IF OLD.statement_id IS NOT NULL AND NEW.statement_id IS DISTINCT FROM OLD.statement_id THEN
                RAISE EXCEPTION 'settlement line % is on a statement', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settlement_line_one_statement';
            END IF;""",
        "OLD.booked_on IS NOT NULL",
    ),
    *_frozen(
        "payee_account",
        ("state", "decided_by", "decided_at"),
        '{"pending": ["approved", "refused"], "approved": ["replaced"], "refused": [], "replaced": []}',
    ),
    *_frozen(
        "payout_batch",
        ("state", "state_at", "approved_by", "approved_at", "file", "file_sha256", "exported_at", "sent_at"),
        '{"draft": ["approved", "cancelled"], "approved": ["draft", "exported", "cancelled"], "exported": ["sent", "cancelled"],'
        ' "sent": ["paid"], "paid": [], "cancelled": []}',
        """IF OLD.file IS NOT NULL AND NEW.file IS DISTINCT FROM OLD.file THEN
                RAISE EXCEPTION 'payout batch % has its file', OLD.number
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_batch_one_file';
            END IF;""",
    ),
    *_frozen(
        "payout_item",
        ("state", "state_at", "paid_on", "return_reason", "account_id"),
        '{"planned": ["sent", "dropped"], "sent": ["paid", "returned"], "paid": ["returned"], "returned": [], "dropped": []}',
        """IF OLD.state <> 'planned' AND NEW.account_id <> OLD.account_id THEN
                RAISE EXCEPTION 'payout item % has gone to its account', OLD.end_to_end
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_item_one_account';
            END IF;""",
    ),
)

_SUMS = """
    CREATE FUNCTION partner_statement_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        nets bigint; commissions bigint; earned bigint; vats bigint;
    BEGIN
        SELECT coalesce(sum(net_cents), 0), coalesce(sum(commission_cents), 0) INTO nets, commissions FROM settlement_line WHERE statement_id = NEW.id;
        SELECT coalesce(sum(earned_cents), 0), coalesce(sum(vat_cents), 0) INTO earned, vats FROM partner_statement_vat WHERE statement_id = NEW.id;
        IF (nets, commissions, earned, vats) IS DISTINCT FROM (NEW.net_cents, NEW.commission_cents, NEW.earned_cents, NEW.vat_cents) THEN
            RAISE EXCEPTION 'statement % does not add up: net %, commission %, earned %, VAT %', NEW.number, nets, commissions, earned, vats
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'partner_statement_adds_up';
        END IF;
        RETURN NULL;
    END $$
"""

_STATEMENTS = (
    *_KEPT,
    "CREATE TRIGGER partner_statement_vat_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON partner_statement_vat"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    _SUMS,
    """
    CREATE CONSTRAINT TRIGGER partner_statement_adds_up AFTER INSERT ON partner_statement
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION partner_statement_adds_up()
    """,
    "CREATE UNIQUE INDEX payee_account_one_pending ON payee_account (payee_id) WHERE state = 'pending'",
    "CREATE UNIQUE INDEX payee_account_one_approved ON payee_account (payee_id) WHERE state = 'approved'",
    "CREATE UNIQUE INDEX payout_item_one_live ON payout_item (statement_id) WHERE state IN ('planned', 'sent')",
    "CREATE UNIQUE INDEX settlement_incident_one_open ON settlement_incident (line_id) WHERE closed_at IS NULL",
    "CREATE INDEX settlement_line_of_payee ON settlement_line (payee_id, state, supply_to_on)",
    "CREATE INDEX settlement_line_newest ON settlement_line (state, id DESC)",
    "CREATE INDEX settlement_line_unbooked ON settlement_line (id) WHERE booked_on IS NULL AND state IN ('accrued', 'payable')",
    "CREATE INDEX settlement_line_due ON settlement_line (payable_on) WHERE state = 'accrued'",
    "CREATE INDEX partner_statement_newest ON partner_statement (dated_on DESC, number DESC)",
    "CREATE INDEX partner_statement_live ON partner_statement (state, objection_until_on) WHERE state IN ('issued', 'agreed', 'in_batch')",
    "CREATE INDEX statement_objection_open ON statement_objection (made_at) WHERE state = 'open'",
    # Partners that were there before this version; new ones come by a work row, or with their first line.
    """
    INSERT INTO payee (id, owner_id, code, legal_name, email, created_at, updated_at)
    SELECT gen_random_uuid(), id, left(regexp_replace(upper(code), '[^A-Z0-9]', '', 'g'), 12), name, email, now(), now() FROM partner
        WHERE regexp_replace(upper(code), '[^A-Z0-9]', '', 'g') <> '' ON CONFLICT DO NOTHING
    """,
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_settlement", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
