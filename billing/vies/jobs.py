"""VAT ids that nobody answered for yet are asked about each night, however they came into the books."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing import seller
from billing.vies import checks
from marketplace.kit import db, work
from marketplace.kit.periodic import periodic
from marketplace.kit.settings import settings

_AT_ONCE = 500


@periodic("billing.vat_ids", cron="20 3 * * *")
async def ask_the_unanswered(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Queue a question for each debtor abroad whose VAT id has no final answer, at most five hundred a night."""
    sql = """
        SELECT d.id FROM debtor d WHERE d.vat_id IS NOT NULL AND d.country <> $1 AND NOT EXISTS (
            SELECT FROM vat_check c WHERE c.debtor_id = d.id AND c.vat_id = d.vat_id AND c.answer IN ('valid', 'invalid'))
        ORDER BY d.id LIMIT $2
    """
    for row in await db.records(sql, settings().operator.country, _AT_ONCE):
        await checks.ask(row["id"], now=now)


@work.handler("billing.partner_register")
async def partner_register(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Keep a new partner's stay in the CRKBO register, as it was filled in with the partner."""
    until = date.fromisoformat(payload["until_on"]) if payload["until_on"] else None
    await seller.first_register(str(payload["partner"]), date.fromisoformat(payload["from_on"]), until, now=now)
