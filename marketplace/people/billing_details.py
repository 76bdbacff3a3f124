"""How a company is billed: what it chooses itself, and what it agreed with ECL. Billing keeps it; here is who may say it.

Language and names on invoices are the company's too, so that its mails and its next orders follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from billing import acceptance, debtors
from billing.debtors import DebtorProfile
from billing.runs import expected, judging, profiles
from marketplace.kit import audit, clock, db
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.people import companies

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.acceptance import Finding
    from billing.debtors import Debtor

_OF_COMPANY = ("language", "wants_names")


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a company chooses itself."""

    language: Literal["nl", "en"] = "nl"
    wants_names: bool = False
    split_by: Literal["none", "cost_centre", "purchase_order", "department"] = "none"
    wants_ubl: bool = False
    ubl_profile: Literal["peppol", "nlcius"] = "peppol"
    buyer_reference: str | None = None


class Agreement(Choices, frozen=True, kw_only=True):
    """That, and what it agreed with ECL."""

    acceptance_profile: str = "company"
    rhythm: Literal["order", "month"] = "order"
    billing_moment: Literal["confirmation", "start", "delivery"] = "confirmation"
    terms_days: Literal[14, 30] = 30
    channel: Literal["mail", "peppol"] = "mail"
    peppol_scheme: str | None = None
    peppol_id: str | None = None
    oin: str | None = None
    attention: str | None = None
    reminders: bool = True


async def debtor_of(company_id: UUID) -> Debtor:
    """Return how a company is billed now. Raises ``NotFound``, ``Conflict`` when it has no billing profile."""
    company = await companies.get(company_id)
    if company.debtor_id is None:
        raise Conflict("no_billing_details", _("This company has no billing details yet."), next_step=_("Save its details once."))
    return await debtors.get(company.debtor_id)


async def change(company_id: UUID, wanted: Choices, *, actor: Actor, now: datetime) -> list[str]:
    """Save what was chosen and return the names of what changed. An ``Agreement`` is ECL's to save.

    It holds for what is invoiced from now on, also of orders that stand already. Raises ``Forbidden``, ``Invalid`` per field, ``NotFound``.
    """
    require(actor, Permission.MANAGE_INVOICES if isinstance(wanted, Agreement) else Permission.EDIT_BILLING)
    async with db.atomic():
        await db.execute("SELECT FROM company WHERE id = $1 FOR UPDATE", company_id)
        before = await debtor_of(company_id)
        profile = await _checked(before, wanted)
        await debtors.update(before.id, profile, actor=actor, now=now)
        changed = [name for name in wanted.__struct_fields__ if getattr(before, name) != getattr(profile, name)]
        if "billing_moment" in changed:
            await expected.follow_moment(before.id)
        if set(changed) & set(_OF_COMPANY):
            sql = "UPDATE company SET language = $2, wants_names = $3 WHERE id = $1"
            await db.execute(sql, company_id, wanted.language, wanted.wants_names)
            data = {"fields": sorted(set(changed) & set(_OF_COMPANY))}
            await audit.record("company.changed", actor=actor, subject=("company", company_id), data=data, now=now)
    return changed


async def pre_flight(company_id: UUID, wanted: Choices | None = None, *, now: datetime) -> list[Finding]:
    """Return what this company asks of an invoice, each with whether it is met: as saved, or as ``wanted`` would have it."""
    debtor = await debtor_of(company_id)
    if wanted is not None:
        debtor = msgspec.structs.replace(debtor, **_clean(wanted))
    return (await judging.judge_of([debtor], on=clock.today(now))).findings(debtor)


async def _checked(before: Debtor, wanted: Choices) -> DebtorProfile:
    given = _clean(wanted)
    kept = {field.name: getattr(before, field.name) for field in msgspec.structs.fields(DebtorProfile)} | given
    fields: dict[str, str] = {}
    if kept["channel"] == "peppol" and not kept["peppol_id"]:
        fields["peppol_id"] = _("Give the address that this company has on Peppol.")
    if kept["peppol_id"] and not kept["peppol_scheme"]:
        fields["peppol_scheme"] = _("Choose what the address is.")
    elif kept["peppol_id"] and not acceptance.is_peppol_id(kept["peppol_scheme"], kept["peppol_id"]):
        fields["peppol_id"] = _("An OIN has 20 digits, a KvK number 8, a Dutch VAT id looks like NL123456782B90.")
    if kept["acceptance_profile"] not in await profiles.many([kept["acceptance_profile"]]):
        fields["acceptance_profile"] = _("Choose one of the options.")
    if fields:
        raise Invalid("invalid", _("Some of the billing details can't be used."), fields=fields)
    return DebtorProfile(**kept)


def _clean(wanted: Choices) -> dict[str, Any]:
    """Return the fields with blanks as None; a scheme without an address is no address."""
    given = {name: (value.strip() or None) if isinstance(value, str) else value for name, value in msgspec.structs.asdict(wanted).items()}
    if "peppol_id" in given and given["peppol_id"] is None:
        given["peppol_scheme"] = None
    return given
