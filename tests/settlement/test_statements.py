"""Statements: frozen sums, VAT by the partner's own treatment, self-billing, objections, and what is carried over."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import seller
from billing.settlement import advance, issue, lines, objections, papers, payees, statements
from billing.settlement.statements import StatementState
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money
from tests.builders.settlement import a_payee, a_seat, a_statement, an_account, balance

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("db")]
OCTOBER = date(2026, 10, 1)


async def _self_billed(owner_id: UUID | None = None, **details: object) -> UUID:
    payee_id = await a_payee(owner_id, **details)
    await an_account(payee_id)
    return payee_id


async def test_a_statement_sums_its_lines_and_is_made_once(now: datetime) -> None:
    payee_id = await _self_billed()
    statement = await a_statement(payee_id, 64_500, 10_001)
    code = (await payees.get(payee_id)).code
    assert (statement.number, statement.invoice_number) == (f"S-{code}-2026-000001", f"SB-{code}-2026-000001")
    assert (statement.net_cents, statement.commission_cents, statement.earned_cents) == (74_501, 11_175, 63_326)
    assert (statement.vat_cents, statement.total_cents, statement.carried_cents) == (0, 63_326, 0)
    assert (statement.dated_on, statement.objection_until_on) == (date(2026, 11, 23), date(2026, 12, 7))
    await a_seat(payee_id)
    await advance.advance(now=now)
    assert await issue.issue(payee_id, OCTOBER, actor=SYSTEM, now=now) == statement.id
    assert await balance("partner_payable", payee_id) == -63_326
    assert await balance("partner_accrued", payee_id) == -54_825


async def test_only_what_was_payable_by_the_end_of_the_month_is_on_it(now: datetime) -> None:
    payee_id = await _self_billed()
    await a_seat(payee_id, ended_on=date(2026, 11, 1))
    await advance.advance(now=now)
    assert await issue.issue(payee_id, OCTOBER, actor=SYSTEM, now=now) is None
    with pytest.raises(Invalid, match="isn't over"):
        await issue.issue(payee_id, date(2026, 11, 2), actor=SYSTEM, now=now)


async def test_missing_details_stop_the_statement_and_nothing_else(now: datetime) -> None:
    without_account = await a_payee()
    await a_seat(without_account)
    other = await _self_billed()
    await a_seat(other)
    await advance.advance(now=now)
    with pytest.raises(Conflict, match="missing"):
        await issue.issue(without_account, OCTOBER, actor=SYSTEM, now=now)
    assert await issue.issue_all(OCTOBER, actor=SYSTEM, now=now) == 2


async def test_vat_is_the_partners_own(cast: Cast, now: datetime) -> None:
    registered = await _self_billed(cast.partner_a_id)
    await seller.enter_crkbo(date(2026, 1, 1), holder=str(cast.partner_a_id), actor=SYSTEM, now=now)
    not_registered, small = await _self_billed(), await a_payee(self_billing=False, small_business=True)
    course = {"vat_basis": "professional_course"}
    vats = [(await a_statement(payee, 10_000, **course)).vat_cents for payee in (registered, not_registered, small)]
    assert vats == [0, 1_785, 0]
    assert await balance("input_vat", not_registered) == 1_785


async def test_a_partner_in_another_country_charges_no_vat(now: datetime) -> None:
    payee_id = await _self_billed(country="BE", vat_id="BE0428759497", kvk=None)
    statement = await a_statement(payee_id, 10_000, vat_basis="coaching")
    (share,) = await statements.shares(statement.id)
    assert (share.vat_category, share.vat_cents) == ("AE", 0)


async def test_without_self_billing_the_partners_invoice_is_registered_first(cast: Cast, now: datetime) -> None:
    payee_id = await a_payee(self_billing=False)
    statement = await a_statement(payee_id, 10_000, vat_basis="coaching")
    assert statement.invoice_number is None
    assert await balance("partner_payable", payee_id) == 0
    given = {"invoice_number": "F-26-11", "invoice_on": date(2026, 11, 23), "actor": cast.ecl, "now": now}
    with pytest.raises(Invalid, match="€102.85"):
        await statements.register_invoice(statement.number, total=Money(8_500), **given)
    await statements.register_invoice(statement.number, total=Money(10_285), **given)
    assert await balance("partner_payable", payee_id) == -10_285
    assert await balance("partner_accrued", payee_id) == 0
    with pytest.raises(Conflict):
        await statements.register_invoice(statement.number, total=Money(10_285), **given)


async def test_what_is_below_zero_goes_into_the_next(clock: FakeClock, now: datetime) -> None:
    payee_id = await _self_billed()
    first = await a_statement(payee_id, 10_000, vat_basis="coaching")
    (line,) = await kit_db.records("SELECT charge_id FROM settlement_line WHERE statement_id = $1", first.id)
    await lines.cancel(line["charge_id"], kept_cents=0, now=now)
    clock.set(clock.now().replace(month=12, day=20))
    below = await a_statement(payee_id, 1_000, month=date(2026, 11, 1), vat_basis="coaching")
    assert (below.earned_cents, below.vat_cents, below.total_cents) == (-7_650, -1_607, -9_257)
    await statements.agree_silently(now=clock.now() + timedelta(days=30))
    clock.set(clock.now().replace(year=2027, month=2, day=1))
    third = await a_statement(payee_id, 20_000, month=date(2027, 1, 1), vat_basis="coaching")
    assert (third.carried_cents, third.total_cents) == (-9_257, 20_570 - 9_257)
    assert (await statements.by_id(below.id)).state is StatementState.CARRIED
    assert await balance("partner_payable", payee_id) == -(first.total_cents + third.total_cents)


async def test_the_database_keeps_a_statement_as_it_is(now: datetime) -> None:
    payee_id = await _self_billed()
    statement = await a_statement(payee_id)
    for sql in (
        "UPDATE partner_statement SET earned_cents = 1 WHERE id = $1",
        "UPDATE partner_statement SET invoice_number = 'X' WHERE id = $1",
        "DELETE FROM partner_statement WHERE id = $1",
        "UPDATE settlement_line SET earned_cents = 1 WHERE statement_id = $1",
        "UPDATE partner_statement SET state = 'paid' WHERE id = $1",
    ):
        with pytest.raises(asyncpg.PostgresError):
            async with kit_db.atomic():
                await kit_db.execute(sql, statement.id)
    with pytest.raises(asyncpg.PostgresError, match="does not add up"):
        async with kit_db.atomic():
            copied = "payee_id, number || 'X', period_from_on - 90, period_to_on, dated_on, objection_until_on, payee, operator, 1, 1"
            await kit_db.execute(
                "INSERT INTO partner_statement (id, payee_id, number, period_from_on, period_to_on, dated_on, objection_until_on, payee, operator,"
                " net_cents, earned_cents, commission_cents, vat_cents, carried_cents, total_cents, paid_out_cents, language, self_billed, state,"
                f" state_at, issued_at) SELECT gen_random_uuid(), {copied}, 0, 0, 0, 1, 0, 'nl', false, 'issued', now(), now()"
                " FROM partner_statement WHERE id = $1",
                statement.id,
            )
            await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def test_a_partner_objects_in_time_and_ecl_answers(cast: Cast, clock: FakeClock, now: datetime) -> None:
    payee_id = await _self_billed(cast.partner_a_id)
    statement = await a_statement(payee_id, 64_500, 10_000)
    line = (await statements.rows(statement.id))[0]
    with pytest.raises(NotFound):
        await objections.make(statement.number, line.id, reason="No", actor=cast.partner_b, now=now)
    with pytest.raises(Invalid):
        await objections.make(statement.number, line.id, reason=" ", actor=cast.partner_a, now=now)
    objection = await objections.make(statement.number, line.id, reason="We agreed on 10%", actor=cast.partner_a, now=now)
    with pytest.raises(Conflict):
        await objections.make(statement.number, line.id, reason="Again", actor=cast.partner_a, now=now)
    with pytest.raises(Forbidden):
        await objections.answer(objection, text="Yes", correction_cents=1, actor=cast.partner_a, now=now)
    await objections.answer(objection, text="You are right", correction_cents=500, actor=cast.ecl, now=now)
    with pytest.raises(Conflict):
        await objections.answer(objection, text="Again", correction_cents=500, actor=cast.ecl, now=now)
    clock.set(now.replace(month=12, day=8))
    with pytest.raises(Conflict, match="no longer"):
        await objections.make(
            statement.number, (await statements.rows(statement.id))[1].id, reason="Late", actor=cast.partner_a, now=clock.now()
        )
    await advance.advance(now=clock.now())
    following = await a_statement(payee_id, 1_000, month=date(2026, 11, 1))
    assert following.earned_cents == 850 + 500
    subjects = [
        row["template"] for row in await kit_db.records("SELECT template FROM mail_message WHERE template LIKE 'settlement/objection%'")
    ]
    assert subjects == ["settlement/objection_made", "settlement/objection_answered"]


async def test_silence_is_agreement_and_accepting_is_sooner(cast: Cast, now: datetime) -> None:
    mine = await a_statement(await _self_billed(cast.partner_a_id))
    other = await a_statement(await _self_billed())
    await statements.accept(mine.number, actor=cast.partner_a, now=now)
    with pytest.raises(NotFound):
        await statements.accept(mine.number, actor=cast.partner_b, now=now)
    assert (await statements.by_id(mine.id)).state is StatementState.AGREED
    assert await statements.agree_silently(now=now + timedelta(days=14)) == 0
    assert await statements.agree_silently(now=now + timedelta(days=15)) == 1
    assert (await statements.by_id(other.id)).state is StatementState.AGREED


async def test_nothing_to_pay_is_done_at_once(now: datetime) -> None:
    payee_id = await a_payee(self_billing=False, percent=Decimal(100))
    statement = await a_statement(payee_id)
    assert statement.total_cents == 0
    await statements.agree_silently(now=now + timedelta(days=15))
    assert (await statements.by_id(statement.id)).state is StatementState.PAID


async def test_papers_say_what_the_rows_say(now: datetime) -> None:
    payee_id = await _self_billed(language="nl")
    statement = await a_statement(payee_id, 10_000, 10_000, 5_000, vat_basis="coaching")
    rows, parts = await statements.rows(statement.id), await statements.shares(statement.id)
    sheet = papers.sheet(statement, rows, parts)
    assert [(line.people, line.share_cents, line.commission_text) for line in sheet.lines] == [(2, 17_000, "15%"), (1, 4_250, "15%")]
    assert (sheet.payout_cents, sheet.closing_cents, sheet.payout_on) == (25_713, 0, date(2026, 12, 8))
    invoice = papers.invoice(statement, rows, parts)
    assert [(line.quantity, line.unit_price_cents) for line in invoice.lines] == [(2, 8_500), (1, 4_250)]
    assert (invoice.total_cents, invoice.seller.legal_id, invoice.is_self_billed) == (25_713, "12345678", True)
    assert papers.csv_rows(statement, rows)[0][6:9] == [Decimal("100.00"), Decimal("15.00"), Decimal("85.00")]


async def test_more_back_than_earned_is_a_self_billed_credit_note(clock: FakeClock, now: datetime) -> None:
    payee_id = await _self_billed()
    first = await a_statement(payee_id, 10_000, vat_basis="coaching")
    (line,) = await kit_db.records("SELECT charge_id FROM settlement_line WHERE statement_id = $1", first.id)
    await lines.cancel(line["charge_id"], kept_cents=0, now=now)
    clock.set(now.replace(month=12, day=20))
    below = await a_statement(payee_id, 1_000, month=date(2026, 11, 1), vat_basis="coaching")
    rows = await statements.rows(below.id)
    back = await papers._taken_back(rows)
    invoice = papers.invoice(below, rows, await statements.shares(below.id), back)
    assert (invoice.is_credit, invoice.total_cents) == (True, 9_257)
    assert [one.number for one in invoice.credits] == [first.invoice_number]
    assert papers.sheet(below, rows, await statements.shares(below.id)).closing_cents == -9_257


@pytest.mark.slow
async def test_the_papers_are_made_once_and_mailed(now: datetime) -> None:
    from billing import archive

    payee_id = await _self_billed()
    statement = await a_statement(payee_id, 64_500, 10_000)
    for _again in range(2):
        await papers.make({"statement": str(statement.id)}, item=None, now=now)  # type: ignore[arg-type]
    pdf = await archive.paper((papers.STATEMENT, statement.id), kind="pdf")
    invoice = await archive.paper((papers.SELF_BILLED, statement.id), kind="xml")
    assert pdf is not None
    assert invoice is not None
    assert pdf.content.startswith(b"%PDF")
    assert (statement.invoice_number or "").encode() in invoice.content
    (mail,) = await kit_db.records("SELECT attachments, subject FROM mail_message WHERE template = 'settlement/statement'")
    assert statement.number in mail["subject"]
    assert len(mail["attachments"]) == 5
