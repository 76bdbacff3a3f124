"""Mails about partners' money: to the partner in its language, to ECL in Dutch. Written in the transaction of what they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.kit import db, mail
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.settlement.payees import Payee

ECL_LANGUAGE = "nl"


async def account_proposed(payee: Payee, account_id: UUID, *, now: datetime) -> None:
    """Tell the partner, at the address that we know, and ECL that another account was proposed."""
    iban = str(await db.value("SELECT iban FROM payee_account WHERE id = $1", account_id))
    context = {"payee": payee, "ending": iban[-4:], "url": f"{settings().base_url}/partner-contracts/{payee.id}"}
    if payee.email:
        key = f"settlement.account:{account_id}:partner"
        await mail.send(
            template="settlement/account_proposed", to=payee.email, locale=payee.language, context=context, dedupe_key=key, now=now
        )
    key = f"settlement.account:{account_id}:ecl"
    await mail.send(
        template="settlement/account_to_approve",
        to=settings().operator.email,
        locale=ECL_LANGUAGE,
        context=context,
        dedupe_key=key,
        now=now,
    )


async def account_decided(payee: Payee, account_id: UUID, *, approved: bool, now: datetime) -> None:
    """Tell the partner whether it is now paid on the new account."""
    if not payee.email:
        return
    iban = str(await db.value("SELECT iban FROM payee_account WHERE id = $1", account_id))
    await mail.send(
        template="settlement/account_decided",
        to=payee.email,
        locale=payee.language,
        context={"payee": payee, "ending": iban[-4:], "approved": approved},
        dedupe_key=f"settlement.account:{account_id}:decided",
        now=now,
    )


_OBJECTION = """
    SELECT o.reason, o.state, o.answer, s.number, p.legal_name, p.email, p.language, l.order_number, l.title_nl, l.title_en
    FROM statement_objection o JOIN partner_statement s ON s.id = o.statement_id JOIN payee p ON p.id = s.payee_id
        JOIN settlement_line l ON l.id = o.line_id WHERE o.id = $1
"""


async def objection_made(objection_id: UUID, *, now: datetime) -> None:
    """Tell ECL that a partner objects."""
    found = (await db.records(_OBJECTION, objection_id))[0]
    await mail.send(
        template="settlement/objection_made",
        to=settings().operator.email,
        locale=ECL_LANGUAGE,
        context={"objection": found, "title": found["title_nl"], "url": f"{settings().base_url}/partner-statements/{found['number']}"},
        dedupe_key=f"settlement.objection:{objection_id}:made",
        now=now,
    )


async def objection_answered(objection_id: UUID, *, now: datetime) -> None:
    """Tell the partner what ECL answered."""
    found = (await db.records(_OBJECTION, objection_id))[0]
    if not found["email"]:
        return
    title = found["title_nl"] if found["language"] == "nl" else found["title_en"]
    await mail.send(
        template="settlement/objection_answered",
        to=found["email"],
        locale=found["language"],
        context={"objection": found, "title": title, "url": f"{settings().base_url}/statements/{found['number']}"},
        dedupe_key=f"settlement.objection:{objection_id}:answered",
        now=now,
    )


_PAYMENT = """
    SELECT i.cents, i.end_to_end, i.return_reason, b.number AS batch, b.id AS batch_id, b.pay_on, s.number, p.legal_name, p.email, p.language, a.iban
    FROM payout_item i JOIN payout_batch b ON b.id = i.batch_id JOIN partner_statement s ON s.id = i.statement_id
        JOIN payee p ON p.id = i.payee_id JOIN payee_account a ON a.id = i.account_id WHERE i.id = $1
"""


async def payout_sent(item_id: UUID, *, now: datetime) -> None:
    """Tell the partner what is coming, on which account and when."""
    found = (await db.records(_PAYMENT, item_id))[0]
    if not found["email"]:
        return
    await mail.send(
        template="settlement/payout_sent",
        to=found["email"],
        locale=found["language"],
        context={"payment": found, "amount": Money(found["cents"]), "url": f"{settings().base_url}/statements/{found['number']}"},
        dedupe_key=f"settlement.payout:{item_id}:sent",
        now=now,
    )


async def payout_returned(item_id: UUID, *, now: datetime) -> None:
    """Tell ECL that the bank sent a payment back."""
    found = (await db.records(_PAYMENT, item_id))[0]
    url = f"{settings().base_url}/payout-batches/{found['batch_id']}"
    await mail.send(
        template="settlement/payout_returned",
        to=settings().operator.email,
        locale=ECL_LANGUAGE,
        context={"payment": found, "amount": Money(found["cents"]), "url": url},
        dedupe_key=f"settlement.payout:{item_id}:returned",
        now=now,
    )
