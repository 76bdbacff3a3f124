"""A trace begins at any kind of row and tells the whole way: buyer's money above, partner's below, entries that add up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from billing import credits as credit_notes
from billing import refunds, states, write_offs
from billing.bank import allocate
from billing.bank.matching import Part
from billing.books import check
from billing.credits import Credit
from billing.finance import flow, trace, trace_story
from billing.settlement import payouts, transfers
from marketplace.kit import db as kit_db
from marketplace.kit import ids
from marketplace.kit.errors import Forbidden, NotFound
from marketplace.kit.identity import SYSTEM
from tests.builders.bank import Line, a_transfer
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.builders.settlement import a_payee, a_seat, a_statement, agreed, an_account, two_of_ecl
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

    from billing.finance.trace import Trace
    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
OK = 200


async def traced(ref: object) -> Trace:
    found = await trace.read(str(ref), actor=SYSTEM)
    assert found.adds_up
    return found


async def credit(invoice_id: UUID, now: datetime) -> UUID:
    lines = [(line.id, None) for line in await credit_notes.creditable(invoice_id)]
    wanted = Credit(invoice_id=invoice_id, lines=lines, reason="Too few people", cause="cancellation", key=str(ids.new_id()))
    return await credit_notes.credit(wanted, actor=SYSTEM, now=now)


async def test_a_transfer_a_credit_and_money_back_are_one_story(db: None, clock: FakeClock) -> None:
    debtor = await a_debtor()
    invoice, other = await an_invoice(debtor), await an_invoice(debtor, amounts=(10_000,))
    (entry,) = await a_transfer(Line(cents=74_500, text="samen"))
    now = clock.move(timedelta(days=1))
    await allocate.to_invoices(entry, [Part(invoice, 64_500), Part(other, 10_000)], actor=SYSTEM, now=now)
    note = await credit(invoice, clock.move(timedelta(days=1)))
    back = await refunds.by_bank(invoice, cents=64_500, on=date(2026, 11, 26), actor=SYSTEM, now=clock.move(timedelta(days=1)))
    number, credited = await number_of(invoice), await number_of(note)
    for ref in (number, credited, back, note):
        found = await traced(ref)
        assert [paper.number for paper in found.papers] == [number, credited]
        assert [one.id for one in found.bank] == [entry]
        assert [one.id for one in found.refunds] == [back]
        assert (found.owed.cents, found.bank[0].part_cents) == (0, 64_500)
    whole = await traced(entry)
    assert {paper.id for paper in whole.papers} == {invoice, other, note}
    assert whole.bank[0].part_cents == 74_500
    told = [one.title for one in trace_story.tell(await traced(number))]
    order = [
        f"Invoice {number}", "€645.00 received", f"Credit note {credited}", "€645.00 paid back",
    ]  # fmt: skip
    assert [title for title in told if title in order] == ["€645.00 received", *[title for title in order if title != "€645.00 received"]]
    picture = flow.of(await traced(number))
    assert {head.words for head in picture.heads} == {"Order", "Billed item", "Invoice", "Money", "Bank"}
    assert len(picture.lines) >= 5
    assert (await check.check()).right


async def test_a_write_off_leads_to_its_invoice(db: None, now: datetime) -> None:
    invoice = await an_invoice()
    await write_offs.write_off(await states.standing(invoice, lock=True), now=now)
    entry = await kit_db.value("SELECT id FROM ledger_entry WHERE event = 'written_off'")
    found = await traced(entry)
    assert (found.start.entry_id, [paper.id for paper in found.papers], len(found.entries)) == (entry, [invoice], 2)


async def test_a_partners_money_is_followed_to_the_bank(db: None, now: datetime) -> None:
    one, two = await two_of_ecl()
    payee = await a_payee()
    await an_account(payee, ecl=(one, two))
    statement = await agreed(await a_statement(payee, 64_500, 30_000, invoiced=True))
    batch = await payouts.draft(pay_on=date(2026, 11, 24), actor=one, now=now)
    await payouts.approve(batch, actor=two, now=now)
    await payouts.export(batch, actor=one, now=now)
    await transfers.send(batch, actor=one, now=now)
    (item,) = await payouts.items(batch)
    line = (await kit_db.records("SELECT id, charge_id FROM settlement_line ORDER BY id LIMIT 1"))[0]
    number = await kit_db.value("SELECT number FROM payout_batch")
    for ref in (statement.number, statement.invoice_number, statement.id, batch, number, item.id):
        found = await traced(ref)
        assert [told.number for told in found.statements] == [statement.number]
        assert [out.id for out in found.payouts] == [item.id]
        assert len(found.earned) == 2
        assert {entry.event for entry in found.entries} == {"partner_accrued", "statement_issued", "payout_sent"}
        assert found.papers == []
    for ref in (line["id"], line["charge_id"]):
        found = await traced(ref)
        assert len(found.papers) == 1
        assert [one.id for one in found.earned] == [line["id"]]
        assert [told.id for told in found.statements] == [statement.id]
        assert "invoice_issued" in {entry.event for entry in found.entries}
    assert (await check.check()).right
    await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await kit_db.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ALL")
    await kit_db.execute("UPDATE ledger_entry SET source_id = gen_random_uuid() WHERE event = 'payout_sent'")
    assert (await check.check()).missing == 1


async def test_what_is_not_billed_yet_has_a_trace_too(db: None, now: datetime) -> None:
    charge = await a_seat(await a_payee(), invoiced=False)
    found = await traced(charge)
    assert ([item.charge_id for item in found.items], found.papers, found.entries) == ([charge], [], [])


@pytest.mark.parametrize("locale", ["en", "nl"])
async def test_every_kind_of_trace_is_a_page(cast: Cast, client: httpx.AsyncClient, now: datetime, locale: str) -> None:
    await kit_db.execute("UPDATE account SET locale = $2 WHERE id = $1", cast.ecl.account_id, locale)
    payee = await a_payee()
    await an_account(payee)
    statement = await a_statement(payee)
    invoice = await an_invoice()
    (entry,) = await a_transfer(Line(cents=64_500))
    await allocate.to_invoices(entry, [Part(invoice, 64_500)], actor=SYSTEM, now=now)
    note = await credit(invoice, now)
    browser = await signed_in(client, cast.ecl, locale=locale)
    for ref in (statement.number, entry, await number_of(invoice), await number_of(note)):
        page = await browser.get(f"/finance/trace/{ref}")
        assert page.status_code == OK, page.text
    for outsider in (cast.finance_a, cast.partner_a):
        with pytest.raises(Forbidden):
            await trace.read(statement.number, actor=outsider)
    with pytest.raises(NotFound):
        await trace.read("", actor=cast.ecl)
