"""Partners' money for the gate: a statement with an objection for each partner, and a payout with its file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from billing.settlement import accounts, incidents, lines, objections, payouts, statements, transfers
from billing.settlement.accounts import Proposal
from marketplace.kit import clock, db
from tests.builders.settlement import IBANS, a_payee, a_seat, a_statement, agreed, an_account

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor


async def of_partner(partner_id: UUID) -> dict[tuple[str, str, str], str]:
    """Make a partner's statement, and return what its pages ask for."""
    payee_id = await a_payee(partner_id, self_billing=False)
    await an_account(payee_id)
    statement = await a_statement(payee_id)
    row = (await statements.rows(statement.id))[0]
    return {
        ("partner_statement", "name", ""): statement.number,
        ("statement_line", "name", ""): statement.number,
        ("statement_line", "line_id", ""): str(row.id),
    }


async def of_ecl(ecl: Actor, second: Actor, partner: Actor) -> dict[tuple[str, str, str], str]:
    """Make one of everything that ECL manages: held back, objected to, paid out; with an account that waits."""
    now = clock.now()
    payee_id = await a_payee()
    await an_account(payee_id, ecl=(ecl, second))
    await agreed(await a_statement(payee_id))
    (line,) = await lines.of_charge(await a_seat(payee_id))
    batch_id = await payouts.draft(pay_on=date(2026, 11, 24), actor=second, now=now)
    await payouts.approve(batch_id, actor=ecl, now=now)
    await payouts.export(batch_id, actor=ecl, now=now)
    await transfers.send(batch_id, actor=ecl, now=now)
    item = (await payouts.items(batch_id))[0]
    ready = await a_payee()
    await an_account(ready, ecl=(ecl, second))
    await agreed(await a_statement(ready))
    (held,) = await lines.of_charge(await a_seat(payee_id))
    return {
        ("payee", "payee_id", ""): str(payee_id),
        ("partner_contract", "contract_id", ""): str(await db.value("SELECT id FROM partner_contract WHERE payee_id = $1", payee_id)),
        ("payee_account", "account_id", ""): str(await accounts.propose(payee_id, Proposal(iban=IBANS[1]), actor=second, now=now)),
        ("settlement_line", "line_id", ""): str(line.id),
        ("incident", "incident_id", ""): str(await incidents.report(held.id, reason="A lesson was missed", actor=ecl, now=now)),
        ("objection", "objection_id", ""): str(await _objection(partner)),
        ("payout_batch", "batch_id", ""): str(batch_id),
        ("payout_batch", "verb", ""): "paid",
        ("payout_item", "item_id", ""): str(item.id),
    }


async def _objection(partner: Actor) -> UUID:
    sql = "SELECT s.number, l.id FROM partner_statement s JOIN settlement_line l ON l.statement_id = s.id JOIN payee p ON p.id = s.payee_id WHERE p.owner_id = $1"
    found = (await db.records(sql, partner.partner_id))[0]
    return await objections.make(found["number"], found["id"], reason="It was more", actor=partner, now=clock.now())
