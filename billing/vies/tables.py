"""What was asked of VIES and answered, the papers that make a line 0 %, what waits for an answer, what was set by hand.

Checks are append-only: each is the proof of one day. Triggers in the migration hold that.
"""

from piccolo.columns import JSONB, UUID, Bytea, Date, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from billing.tables import Debtor
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id


class VatCheck(Table, db=DB, tablename="vat_check"):
    """One question about a VAT id and its answer; ``consultation_number`` is what the Commission calls the proof."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, on_delete=OnDelete.restrict)
    vat_id = Text(null=False, default="")
    requester = Text(null=False, default="")
    adapter = Text(null=False, default="offline")
    answer = Text(null=False, default="unavailable")
    code = Text(null=False, default="")
    consultation_number = Text(null=True, default=None)
    said = JSONB(null=False, default="{}")
    note = Text(null=False, default="")
    checked_by = UUID(null=True, default=None)
    checked_at = Timestamptz(null=False, default=None)

    vat_check_answer = Check("answer IN ('valid', 'invalid', 'refused', 'unavailable')")
    vat_check_adapter = Check("adapter IN ('live', 'offline', 'hand')")


class VatCertificate(Table, db=DB, tablename="vat_certificate"):
    """An international organisation's exemption certificate: the paper itself, its days, and who at ECL accepted it."""

    id = UUID(primary_key=True, default=new_id)
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    number = Text(null=False, default="")
    issuer = Text(null=False, default="")
    from_on = Date(null=False, default=None)
    until_on = Date(null=False, default=None)
    file_name = Text(null=False, default="")
    content = Bytea(null=False, default=b"")
    sha256 = Bytea(null=False, default=b"")
    approved_by = UUID(null=True, default=None)
    approved_name = Text(null=False, default="")
    approved_at = Timestamptz(null=False, default=None)
    ended_on = Date(null=True, default=None)
    ended_by = UUID(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    vat_certificate_days = Check("until_on >= from_on")
    vat_certificate_ended = Check("(ended_on IS NULL) = (ended_at IS NULL)")


class VatHold(Table, db=DB, tablename="vat_hold"):
    """A group of charges whose invoice waits until it is known whether the buyer's VAT id is in use."""

    group_key = Text(primary_key=True, default="")
    debtor_id = ForeignKey(Debtor, null=False, default=None, index=True, on_delete=OnDelete.restrict)
    held_at = Timestamptz(null=False, default=None)


class VatOverride(Table, db=DB, tablename="vat_override"):
    """What ECL's tax adviser decided for one programme, in a period; ``subject_id`` is the programme's id, opaque here."""

    id = UUID(primary_key=True, default=new_id)
    subject_id = UUID(null=False, default=None)
    treatment = Text(null=False, default="taxed")
    reason = Text(null=False, default="")
    from_on = Date(null=False, default=None)
    until_on = Date(null=True, default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=False, default=None)

    vat_override_treatment = Check("treatment IN ('exempt', 'exempt_if_registered', 'taxed', 'reduced')")
    vat_override_days = Check("until_on IS NULL OR until_on >= from_on")
