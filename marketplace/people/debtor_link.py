"""What a company tells billing about itself: its debtor carries the same name, address and wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing import debtors
from marketplace.kit.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor
    from marketplace.people.companies import CompanyFacts

_SAME = ("street", "postcode", "city", "country", "vat_id", "kvk", "wants_names")


def _told(facts: CompanyFacts) -> dict[str, object]:
    legal = f"{facts.name} {facts.legal_form}" if facts.legal_form and not facts.name.endswith(facts.legal_form) else facts.name
    told: dict[str, object] = {name: getattr(facts, name) for name in _SAME}
    return told | {"name": facts.name, "legal_name": legal, "email": facts.invoice_email or "", "language": facts.language}


async def create(company_id: UUID, facts: CompanyFacts, *, actor: Actor, now: datetime) -> UUID:
    """Make the company's debtor and return its id. Raises ``Invalid`` under the company's field names."""
    profile = msgspec.convert(_told(facts), debtors.DebtorProfile)
    try:
        return await debtors.create(profile, owner_id=company_id, actor=actor, now=now)
    except Invalid as refusal:
        raise _renamed(refusal) from refusal


async def update(debtor_id: UUID, facts: CompanyFacts, *, actor: Actor, now: datetime) -> None:
    """Bring the debtor up to date; what only billing knows (terms, e-invoice format) stays as it is."""
    before = await debtors.get(debtor_id)
    kept = {field.name: getattr(before, field.name) for field in msgspec.structs.fields(debtors.DebtorProfile)}
    try:
        await debtors.update(debtor_id, msgspec.convert(kept | _told(facts), debtors.DebtorProfile), actor=actor, now=now)
    except Invalid as refusal:
        raise _renamed(refusal) from refusal


def _renamed(refusal: Invalid) -> Invalid:
    fields: Mapping[str, str] = {"invoice_email" if name == "email" else name: sentence for name, sentence in refusal.fields.items()}
    return Invalid(refusal.code, refusal.message, fields=dict(fields))
