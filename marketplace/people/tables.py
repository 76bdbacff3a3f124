"""Tables of people: companies, members, invitations, staff and their relations, uploaded staff files.

``debtor_id`` points at billing's debtor and ``partner_id`` at the catalogue's partner; those keys, the partial indexes
and the checks over several columns are added by the second migration.
"""

from __future__ import annotations

from typing import Any

from piccolo.columns import JSONB, UUID, Array, Boolean, Bytea, Date, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from marketplace.kit.db import DB
from marketplace.kit.identity_tables import Account
from marketplace.kit.ids import new_id


class Company(Table, db=DB, tablename="company"):
    """An employer that buys. Its debtor in billing carries the same name and address for the invoices."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = UUID(null=True, default=None, index=True)
    name = Text(null=False, default="")
    sort_name = Text(null=False, default="")
    legal_form = Text(null=True, default=None)
    kvk = Text(null=True, default=None)
    vat_id = Text(null=True, default=None)
    sector = Text(null=True, default=None)
    street = Text(null=False, default="")
    postcode = Text(null=False, default="")
    city = Text(null=False, default="")
    country = Text(null=False, default="NL")
    language = Text(null=False, default="nl")
    invoice_email = Text(null=True, default=None)
    purchase_order_rule = Text(null=False, default="optional")
    purchase_order_pattern = Text(null=True, default=None)
    purchase_order_hint = Text(null=True, default=None)
    cost_centre_rule = Text(null=False, default="optional")
    cost_centre_pattern = Text(null=True, default=None)
    cost_centre_hint = Text(null=True, default=None)
    wants_names = Boolean(null=False, default=False)
    state = Text(null=False, default="active")
    created_at = Timestamptz(null=False, default=None)

    company_name = Check("name <> ''")
    company_language = Check("language IN ('en', 'nl')")
    company_country = Check("country ~ '^[A-Z]{2}$'")
    company_kvk = Check("kvk ~ '^[0-9]{8}$'")
    company_purchase_order_rule = Check("purchase_order_rule IN ('optional', 'required')")
    company_cost_centre_rule = Check("cost_centre_rule IN ('optional', 'required')")
    company_state = Check("state IN ('active', 'closed')")


class Member(Table, db=DB, tablename="member"):
    """An account's place at a company, at a partner, or (neither) at ECL. One active place an account."""

    id = UUID(primary_key=True, default=new_id)
    account_id = ForeignKey(Account, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    company_id = ForeignKey(Company, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    partner_id = UUID(null=True, default=None, index=True)
    roles = Array(base_column=Text(), null=False, default=list)
    state = Text(null=False, default="active")
    created_at = Timestamptz(null=False, default=None)

    member_one_place = Check("num_nonnulls(company_id, partner_id) <= 1")
    member_roles = Check(
        "cardinality(roles) > 0 AND CASE WHEN company_id IS NOT NULL"
        " THEN roles <@ ARRAY['owner', 'buyer', 'approver', 'finance', 'viewer']"
        " WHEN partner_id IS NOT NULL THEN roles = ARRAY['partner'] ELSE roles = ARRAY['ecl'] END"
    )
    member_state = Check("state IN ('active', 'removed')")


class Invitation(Table, db=DB, tablename="invitation"):
    """A mailed link by which one address may become a member, once, within seven days."""

    id = UUID(primary_key=True, default=new_id)
    email = Text(null=False, default="")
    company_id = ForeignKey(Company, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    partner_id = UUID(null=True, default=None, index=True)
    roles = Array(base_column=Text(), null=False, default=list)
    token_hash = Bytea(null=False, default=b"")
    state = Text(null=False, default="open")
    invited_by = ForeignKey(Account, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    created_at = Timestamptz(null=False, default=None)
    sent_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)

    invitation_email = Check("email = lower(email) AND email <> ''")
    invitation_one_place = Check("num_nonnulls(company_id, partner_id) <= 1")
    invitation_state = Check("state IN ('open', 'accepted', 'withdrawn')")


class PasswordReset(Table, db=DB, tablename="password_reset"):
    """A mailed link by which an account may choose a new password, once, within the hour."""

    id = UUID(primary_key=True, default=new_id)
    account_id = ForeignKey(Account, null=False, default=None, index=True, on_delete=OnDelete.cascade)
    token_hash = Bytea(null=False, default=b"")
    created_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    used_at = Timestamptz(null=True, default=None)


class Person(Table, db=DB, tablename="person"):
    """Somebody who can take part: an employee of a company, or a relation of one. Never the same row as a member."""

    id = UUID(primary_key=True, default=new_id)
    company_id = ForeignKey(Company, null=False, default=None, on_delete=OnDelete.restrict)
    kind = Text(null=False, default="employee")
    relation_of: ForeignKey[Any] = ForeignKey("self", null=True, default=None, index=True, on_delete=OnDelete.restrict)
    given_name = Text(null=False, default="")
    infix = Text(null=False, default="")
    family_name = Text(null=False, default="")
    sort_name = Text(null=False, default="")
    search_text = Text(null=False, default="")
    email = Text(null=True, default=None)
    personnel_number = Text(null=True, default=None)
    department = Text(null=True, default=None)
    cost_centre = Text(null=True, default=None)
    start_on = Date(null=True, default=None)
    language = Text(null=True, default=None)
    level = Text(null=True, default=None)
    state = Text(null=False, default="active")
    left_on = Date(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    person_kind = Check("kind IN ('employee', 'relation') AND (kind = 'relation') = (relation_of IS NOT NULL)")
    person_email = Check("email = lower(email) AND email <> ''")
    person_language = Check("language IN ('en', 'nl')")
    person_level = Check("level IN ('A0', 'A1', 'A2', 'B1', 'B2', 'C1', 'C2')")
    person_state = Check("state IN ('active', 'left')")


class StaffUpload(Table, db=DB, tablename="staff_upload"):
    """A staff file between its preview and its import. The bytes go when it is imported, or after a day."""

    id = UUID(primary_key=True, default=new_id)
    company_id = ForeignKey(Company, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    account_id = ForeignKey(Account, null=True, default=None, index=True, on_delete=OnDelete.restrict)
    name = Text(null=False, default="")
    content = Bytea(null=True, default=None)
    choices = JSONB(null=False, default="{}")
    state = Text(null=False, default="waiting")
    result = JSONB(null=False, default="{}")
    created_at = Timestamptz(null=False, default=None, index=True)

    staff_upload_state = Check("state IN ('waiting', 'imported')")
