"""Keys to the parts on the left, what may be there only once while it lives, and the order of the lists."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from marketplace.kit.migrations import statements

ID = "2026-11-22T06:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "keys to debtor and partner; live uniqueness; list order"

_STATEMENTS = (
    "ALTER TABLE company ADD CONSTRAINT company_debtor FOREIGN KEY (debtor_id) REFERENCES debtor (id)",
    "ALTER TABLE member ADD CONSTRAINT member_partner FOREIGN KEY (partner_id) REFERENCES partner (id)",
    "ALTER TABLE invitation ADD CONSTRAINT invitation_partner FOREIGN KEY (partner_id) REFERENCES partner (id)",
    "CREATE INDEX company_by_name ON company (sort_name, id)",
    "CREATE INDEX company_by_words ON company USING gin (sort_name gin_trgm_ops) WITH (fastupdate = off)",
    "CREATE INDEX account_by_words ON account USING gin (lower(name || ' ' || email) gin_trgm_ops) WITH (fastupdate = off)",
    "CREATE INDEX member_at_ecl ON member (id) WHERE company_id IS NULL AND partner_id IS NULL",
    "CREATE INDEX member_at_partners ON member (id) WHERE partner_id IS NOT NULL",
    "CREATE UNIQUE INDEX member_live ON member (account_id) WHERE state = 'active'",
    "CREATE UNIQUE INDEX invitation_token ON invitation (token_hash)",
    "CREATE UNIQUE INDEX invitation_live ON invitation"
    " (email, coalesce(company_id, partner_id, '00000000-0000-0000-0000-000000000000')) WHERE state = 'open'",
    "CREATE UNIQUE INDEX password_reset_token ON password_reset (token_hash)",
    "CREATE INDEX person_by_name ON person (company_id, sort_name, id)",
    "CREATE UNIQUE INDEX person_company_email ON person (company_id, email) WHERE email IS NOT NULL",
    "CREATE UNIQUE INDEX person_company_number ON person (company_id, personnel_number) WHERE personnel_number IS NOT NULL",
    "CREATE INDEX person_by_department ON person (company_id, department, sort_name, id)",
)


async def forwards() -> MigrationManager:
    """Add what Piccolo's own operations can't say."""
    manager = MigrationManager(migration_id=ID, app_name="people", description=DESCRIPTION)
    manager.add_raw(statements(*_STATEMENTS))
    return manager
