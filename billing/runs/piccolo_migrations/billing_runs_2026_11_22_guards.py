"""What Piccolo can't say: indexes of what waits, profiles to begin with, and the references of a charge that may be mended."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T12:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes, the first acceptance profiles, references of open charges"

_FROZEN_CHARGE = """
    CREATE OR REPLACE FUNCTION charge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moving CONSTANT text[] := ARRAY['state', 'ready_at', 'billable_on', 'supply_from_on', 'supply_to_on',
            'purchase_order', 'cost_centre', 'department', 'ordered_by',
            'vat_category', 'vat_rate', 'exemption_code', 'exemption_text', 'trace'];
    BEGIN
        IF to_jsonb(NEW) - moving IS DISTINCT FROM to_jsonb(OLD) - moving
            OR OLD.state <> 'open' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
            RAISE EXCEPTION 'charge % is recorded: only an open one can be dated, decided or referred anew, invoiced or dropped', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'charge_frozen';
        END IF;
        RETURN NEW;
    END $$
"""

_PROFILES = """
    INSERT INTO acceptance_profile (code, name_en, name_nl, about_en, about_nl, wants, project_digits, one_order, wants_orderer, wants_ubl,
                                    wants_certificate, schemes, terms_days, changed_at) VALUES
    ('company', 'Company', 'Bedrijf', 'Pays on a complete invoice.', 'Betaalt op een volledige factuur.',
     'nothing', NULL, false, false, false, false, '[]', NULL, now()),
    ('public_body', 'Dutch public body', 'Nederlandse overheid',
     'Takes e-invoices only: UBL with the PDF by mail, one invoice a PDF, or by Peppol with its OIN or KvK number. Pays after 30 days.',
     'Neemt alleen e-facturen aan: UBL met de PDF per mail, één factuur per PDF, of via Peppol met OIN of KvK-nummer. Betaalt na 30 dagen.',
     'nothing', NULL, false, false, true, false, '["0190", "0106"]', 30, now()),
    ('university', 'University', 'Universiteit',
     'Returns invoices without an 11-digit project number or PO number, and without the name of who ordered.',
     'Stuurt facturen terug zonder projectnummer van 11 cijfers of inkoopnummer, en zonder de naam van de besteller.',
     'order_or_project', 11, true, true, false, false, '["0190", "0106"]', 30, now()),
    ('international_organisation', 'International organisation', 'Internationale organisatie',
     'Is exempt from VAT by treaty; we keep its exemption certificate.',
     'Is bij verdrag vrijgesteld van btw; we bewaren het vrijstellingscertificaat.',
     'nothing', NULL, false, false, false, true, '[]', NULL, now())
"""

_STATEMENTS = (
    _FROZEN_CHARGE,
    _PROFILES,
    "CREATE INDEX invoice_run_open ON invoice_run (made_at) WHERE state IN ('collecting', 'preview', 'issuing')",
    "CREATE INDEX invoice_run_group_queued ON invoice_run_group (run_id) WHERE state = 'queued'",
    "CREATE INDEX invoice_hold_waiting ON invoice_hold (held_at) WHERE state = 'held'",
    "CREATE INDEX charge_delivered ON charge (supply_to_on) WHERE state = 'open'",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="billing_runs", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
