"""Payouts: two people, an approved account, one file, and what the bank says afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing.settlement import accounts, objections, payouts, statements, transfers
from billing.settlement.accounts import Proposal
from billing.settlement.payouts import BatchState
from billing.settlement.statements import StatementState
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition
from tests.builders.settlement import IBANS, a_payee, a_statement, agreed, an_account, balance, two_of_ecl

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor
    from tests.cast import Cast

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("db")]
PAY_ON = date(2026, 11, 24)


class Desk:
    """Two colleagues and a statement that is to be paid."""

    def __init__(self, one: Actor, two: Actor, payee_id: UUID, statement: statements.Statement) -> None:
        self.one, self.two, self.payee_id, self.statement = one, two, payee_id, statement


async def _desk(owner_id: UUID | None = None, *amounts: int) -> Desk:
    one, two = await two_of_ecl()
    payee_id = await a_payee(owner_id)
    await an_account(payee_id, ecl=(one, two))
    return Desk(one, two, payee_id, await agreed(await a_statement(payee_id, *amounts)))


async def _sent(desk: Desk, now: datetime) -> tuple[UUID, payouts.Item]:
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    await payouts.export(batch_id, actor=desk.one, now=now)
    await transfers.send(batch_id, actor=desk.one, now=now)
    (item,) = await payouts.items(batch_id)
    return batch_id, item


async def test_a_payout_from_draft_to_paid(now: datetime) -> None:
    desk = await _desk()
    batch_id, item = await _sent(desk, now)
    assert (item.cents, item.end_to_end, item.iban) == (54_825, "P-2026-000001-1", IBANS[0])
    assert (await balance("partner_payable"), await balance("payout_transit")) == (0, -54_825)
    await transfers.payout_paid(item.id, on=PAY_ON, actor=desk.one, now=now)
    await transfers.payout_paid(item.id, on=PAY_ON, actor=desk.one, now=now)
    assert (await balance("payout_transit"), await balance("bank")) == (0, -54_825)
    assert (await payouts.get(batch_id)).state is BatchState.PAID
    assert (await statements.by_id(desk.statement.id)).state is StatementState.PAID
    states = await kit_db.records("SELECT DISTINCT state FROM settlement_line WHERE statement_id = $1", desk.statement.id)
    assert [row["state"] for row in states] == ["paid"]
    with pytest.raises(Conflict, match="nothing to pay"):
        await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)


async def test_who_drafts_doesnt_approve_and_the_database_says_so_too(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    with pytest.raises(Forbidden, match="Somebody else"):
        await payouts.approve(batch_id, actor=desk.one, now=now)
    with pytest.raises(asyncpg.CheckViolationError, match="four_eyes"):
        async with kit_db.atomic():
            sql = "UPDATE payout_batch SET state = 'approved', approved_by = drafted_by, approved_at = now() WHERE id = $1"
            await kit_db.execute(sql, batch_id)
    with pytest.raises(Conflict, match="isn't approved"):
        await payouts.export(batch_id, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)


async def test_partners_and_companies_have_no_say(cast: Cast, now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    for who in (cast.partner_a, cast.hr_a):
        for verb in (payouts.approve, payouts.cancel, payouts.export, transfers.send):
            with pytest.raises(Forbidden):
                await verb(batch_id, actor=who, now=now)


async def test_the_file_is_made_once(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    first = await payouts.export(batch_id, actor=desk.one, now=now)
    assert await payouts.export(batch_id, actor=desk.two, now=now + timedelta(days=3)) == first
    assert b"P-2026-000001" in first
    assert (await payouts.get(batch_id)).state is BatchState.EXPORTED
    with pytest.raises(asyncpg.PostgresError):
        async with kit_db.atomic():
            await kit_db.execute("UPDATE payout_batch SET file = 'x' WHERE id = $1", batch_id)


async def test_a_day_that_has_passed_is_the_next_on_which_banks_pay(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    file = await payouts.export(batch_id, actor=desk.one, now=now + timedelta(days=5))
    assert b"<Dt>2026-11-30</Dt>" in file


async def test_only_working_days_to_come(now: datetime) -> None:
    desk = await _desk()
    for day in (date(2026, 11, 20), date(2026, 11, 28), date(2026, 12, 25)):
        with pytest.raises(Invalid):
            await payouts.draft(pay_on=day, actor=desk.one, now=now)


async def test_a_cancelled_batch_leaves_its_statements_to_be_paid(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.cancel(batch_id, actor=desk.one, now=now)
    again = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    assert [item.cents for item in await payouts.items(again)] == [54_825]
    with pytest.raises(InvalidTransition):
        await payouts.approve(batch_id, actor=desk.two, now=now)


async def test_a_return_opens_the_statement_for_another_batch(now: datetime) -> None:
    desk = await _desk()
    batch_id, item = await _sent(desk, now)
    await transfers.payout_paid(item.id, on=PAY_ON, actor=desk.one, now=now)
    for _twice in range(2):
        await transfers.payout_returned(item.id, reason="AC04 account closed", on=PAY_ON, actor=desk.one, now=now)
    assert (await balance("bank"), await balance("partner_payable")) == (0, -54_825)
    assert (await statements.by_id(desk.statement.id)).state is StatementState.AGREED
    assert (await payouts.get(batch_id)).state is BatchState.PAID
    again = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    (second,) = await payouts.items(again)
    assert (second.cents, second.end_to_end) == (54_825, "P-2026-000002-1")
    assert await transfers.find("P-2026-000002-1") == second
    assert await transfers.find("P-1") is None


async def test_what_never_left_is_returned_from_what_was_under_way(now: datetime) -> None:
    desk = await _desk()
    _batch, item = await _sent(desk, now)
    await transfers.payout_returned(item.id, reason="refused", on=PAY_ON, actor=desk.one, now=now)
    assert [await balance(name) for name in ("bank", "payout_transit", "partner_payable")] == [0, 0, -54_825]


async def test_an_objected_line_waits_and_the_rest_is_paid(cast: Cast, now: datetime) -> None:
    one, two = await two_of_ecl()
    payee_id = await a_payee(cast.partner_a_id)
    await an_account(payee_id, ecl=(one, two))
    statement = await a_statement(payee_id, 10_000, 5_000, vat_basis="coaching")
    line = next(row for row in await statements.rows(statement.id) if row.net_cents == 5_000)
    objection = await objections.make(statement.number, line.id, reason="It was 6,000", actor=cast.partner_a, now=now)
    await agreed(statement)
    desk = Desk(one, two, payee_id, statement)
    _batch, item = await _sent(desk, now)
    assert item.cents == 8_500 + 1_785
    await transfers.payout_paid(item.id, on=PAY_ON, actor=one, now=now)
    assert (await statements.by_id(statement.id)).state is StatementState.AGREED
    await objections.answer(objection, text="It was 5,000", correction_cents=0, actor=two, now=now)
    _batch, rest = await _sent(desk, now)
    assert rest.cents == statement.total_cents - item.cents
    await transfers.payout_paid(rest.id, on=PAY_ON, actor=one, now=now)
    assert (await statements.by_id(statement.id)).state is StatementState.PAID
    assert await balance("partner_payable") == 0


async def test_without_an_approved_account_nothing_is_paid(now: datetime) -> None:
    one, _two = await two_of_ecl()
    payee_id = await a_payee(self_billing=False)
    statement = await agreed(await a_statement(payee_id))
    await accounts.propose(payee_id, Proposal(iban=IBANS[1]), actor=one, now=now)
    given = {"invoice_number": "F1", "invoice_on": date(2026, 11, 1), "total": statement.total, "actor": one, "now": now}
    await statements.register_invoice(statement.number, **given)
    assert [found.account_id for found in await payouts.ready()] == [None]
    with pytest.raises(Conflict, match="nothing to pay"):
        await payouts.draft(pay_on=PAY_ON, actor=one, now=now)


async def test_an_account_is_approved_by_somebody_else(cast: Cast, now: datetime) -> None:
    one, two = await two_of_ecl()
    payee_id = await a_payee(cast.partner_a_id)
    for who in (cast.partner_b, cast.hr_a):
        with pytest.raises(Forbidden):
            await accounts.propose(payee_id, Proposal(iban=IBANS[0]), actor=who, now=now)
    for wrong in ("NL91ABNA0417164301", "hello", "BR1500000000000010932840814P2"):
        with pytest.raises(Invalid):
            await accounts.propose(payee_id, Proposal(iban=wrong), actor=one, now=now)
    own = await accounts.propose(payee_id, Proposal(iban=IBANS[0]), actor=one, now=now)
    with pytest.raises(Forbidden, match="proposed it yourself"):
        await accounts.approve(own, actor=one, now=now)
    with pytest.raises(Forbidden):
        await accounts.approve(own, actor=cast.partner_a, now=now)
    with pytest.raises(asyncpg.CheckViolationError, match="four_eyes"):
        async with kit_db.atomic():
            await kit_db.execute(
                "UPDATE payee_account SET state = 'approved', decided_by = proposed_by, decided_at = now() WHERE id = $1", own
            )
    theirs = await accounts.propose(payee_id, Proposal(iban=IBANS[1]), actor=cast.partner_a, now=now)
    with pytest.raises(Conflict):
        await accounts.approve(own, actor=two, now=now)
    await accounts.approve(theirs, actor=one, now=now)
    approved = await accounts.approved(payee_id)
    assert approved is not None
    assert approved.iban == IBANS[1]
    told = await kit_db.records(
        "SELECT template, count(*) AS n FROM mail_message WHERE template LIKE 'settlement/account%' GROUP BY 1 ORDER BY 1"
    )
    assert {row["template"][11:]: row["n"] for row in told} == {"account_decided": 1, "account_proposed": 2, "account_to_approve": 2}


async def test_a_changed_account_ends_the_approval_and_is_what_is_paid(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    change = await accounts.propose(desk.payee_id, Proposal(iban=IBANS[2]), actor=desk.two, now=now)
    assert (await payouts.items(batch_id))[0].iban == IBANS[0]
    await accounts.approve(change, actor=desk.one, now=now)
    assert (await payouts.get(batch_id)).state is BatchState.DRAFT
    with pytest.raises(Conflict, match="isn't approved"):
        await payouts.export(batch_id, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    assert IBANS[2].encode() in await payouts.export(batch_id, actor=desk.one, now=now)


async def test_a_file_with_an_old_account_is_not_sent(now: datetime) -> None:
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    await payouts.export(batch_id, actor=desk.one, now=now)
    await an_account(desk.payee_id, iban=IBANS[3], ecl=(desk.two, desk.one))
    with pytest.raises(Conflict, match="has changed"):
        await transfers.send(batch_id, actor=desk.one, now=now)
    with pytest.raises(Conflict, match="has changed"):
        await payouts.file(batch_id, actor=desk.one)
    with pytest.raises(Conflict, match="has changed"):
        await payouts.export(batch_id, actor=desk.one, now=now)
    await payouts.cancel(batch_id, actor=desk.one, now=now)
    assert (await statements.by_id(desk.statement.id)).state is StatementState.AGREED


async def test_the_file_of_a_cancelled_payout_is_not_given_out(now: datetime) -> None:
    """Its statements are in the next batch: whoever sent the old file too would pay everybody twice."""
    desk = await _desk()
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    await payouts.approve(batch_id, actor=desk.two, now=now)
    await payouts.export(batch_id, actor=desk.one, now=now)
    await payouts.cancel(batch_id, actor=desk.one, now=now)
    await payouts.draft(pay_on=PAY_ON, actor=desk.one, now=now)
    with pytest.raises(Conflict, match="is cancelled"):
        await payouts.file(batch_id, actor=desk.one)
    with pytest.raises(Conflict, match="is cancelled"):
        await payouts.export(batch_id, actor=desk.one, now=now)
