"""Giving a bank entry to invoices: once, never more than there is, in parts, back again; and the books stay right."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from billing import ledger, refunds, states
from billing.bank import allocate, candidates, entries, undo
from billing.bank.matching import Kind, Part, Proposal
from billing.ledger import Account
from billing.states import InvoiceState
from marketplace.kit import db as database
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from tests.builders.bank import Line, a_transfer
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.cast import Cast

pytestmark = [pytest.mark.asyncio(loop_scope="session")]


async def _on(account: Account) -> int:
    return int(await database.value("SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = $1", account.value))


async def _proposed(entry_id: UUID) -> list[Proposal]:
    entry = await entries.get(entry_id, actor=SYSTEM)
    return (await candidates.proposals([entry]))[entry_id]


async def _at(invoice_id: UUID) -> tuple[InvoiceState, int]:
    at = await states.standing(invoice_id)
    return at.state, at.open_cents


@pytest_asyncio.fixture(loop_scope="session")
async def debtor(db: None, now: datetime) -> UUID:
    return await a_debtor(name="Rijnburg Instrumenten", legal_name="Rijnburg Instrumenten B.V.")


async def test_a_certain_proposal_pays_the_invoice_and_leaves_the_books_right(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=64_500, text=f"Betreft {await number_of(invoice)}"))
    (best, *_rest) = await _proposed(entry)
    assert best.certain
    assert await allocate.confirm(entry, best.key, actor=SYSTEM, now=now)
    assert await _at(invoice) == (InvoiceState.PAID, 0)
    assert await _on(Account.UNALLOCATED) == 0
    assert (await ledger.check()).right
    assert not await allocate.confirm(entry, best.key, actor=SYSTEM, now=now)
    assert (await entries.get(entry, actor=SYSTEM)).state == "settled"


async def test_stripe_hears_that_an_invoice_was_paid_elsewhere(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=64_500))
    await allocate.to_invoices(entry, [Part(invoice, 64_500)], actor=SYSTEM, now=now)
    assert await database.value("SELECT count(*) FROM due_work WHERE kind = 'billing.stripe_settled'") == 1


async def test_one_transfer_pays_several_in_parts_by_hand(debtor: UUID, now: datetime) -> None:
    one, two = await an_invoice(debtor), await an_invoice(debtor, amounts=(10_000,))
    (entry,) = await a_transfer(Line(cents=70_000))
    await allocate.to_invoices(entry, [Part(one, 64_500), Part(two, 5_500)], actor=SYSTEM, now=now)
    assert await _at(one) == (InvoiceState.PAID, 0)
    assert (await _at(two))[1] == 4_500
    assert (await ledger.check()).right


async def test_too_much_stays_with_the_company_and_only_when_it_is_said(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=70_000))
    with pytest.raises(Invalid, match="more_than_open"):
        await allocate.to_invoices(entry, [Part(invoice, 70_000)], actor=SYSTEM, now=now)
    await allocate.to_invoices(entry, [Part(invoice, 70_000)], actor=SYSTEM, now=now, over=True)
    assert await _at(invoice) == (InvoiceState.PAID, -5_500)
    assert await refunds.available(invoice) == 5_500
    assert (await ledger.check()).right


async def test_never_more_than_is_left_and_never_on_nothing(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry, out) = await a_transfer(Line(cents=1_000), Line(cents=-1_000))
    for parts in ([], [Part(invoice, 0)], [Part(invoice, -5)], [Part(invoice, 500), Part(invoice, 500)], [Part(invoice, 1_001)]):
        with pytest.raises(Invalid):
            await allocate.to_invoices(entry, parts, actor=SYSTEM, now=now)
    with pytest.raises(Invalid, match="money_went_out"):
        await allocate.to_invoices(out, [Part(invoice, 500)], actor=SYSTEM, now=now)
    assert await _on(Account.UNALLOCATED) == 0


async def test_undoing_gives_the_money_back_to_what_waits_and_keeps_the_story(debtor: UUID, now: datetime) -> None:
    wrong, right = await an_invoice(debtor), await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=64_500))
    await allocate.to_invoices(entry, [Part(wrong, 64_500)], actor=SYSTEM, now=now)
    (made,) = await entries.allocations(entry)
    assert await undo.undo(entry, made.id, actor=SYSTEM, now=now)
    assert not await undo.undo(entry, made.id, actor=SYSTEM, now=now)
    assert await _at(wrong) == (InvoiceState.OPEN, 64_500)
    assert await _on(Account.UNALLOCATED) == -64_500
    await allocate.to_invoices(entry, [Part(right, 64_500)], actor=SYSTEM, now=now)
    assert await _at(right) == (InvoiceState.PAID, 0)
    assert [(one.cents, one.undone) for one in await entries.allocations(entry)] == [(64_500, True), (-64_500, False), (64_500, False)]
    assert (await ledger.check()).right
    with pytest.raises(NotFound):
        await undo.undo(entry, (await entries.allocations(entry))[1].id, actor=SYSTEM, now=now)


async def test_what_went_back_to_the_company_cannot_be_undone(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=70_000))
    await allocate.to_invoices(entry, [Part(invoice, 70_000)], actor=SYSTEM, now=now, over=True)
    await refunds.by_bank(invoice, cents=5_500, on=date(2026, 11, 21), actor=SYSTEM, now=now)
    (made,) = await entries.allocations(entry)
    with pytest.raises(Conflict, match="went_back"):
        await undo.undo(entry, made.id, actor=SYSTEM, now=now)


async def test_our_own_refund_is_found_again_at_the_bank(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (came,) = await a_transfer(Line(cents=70_000))
    await allocate.to_invoices(came, [Part(invoice, 70_000)], actor=SYSTEM, now=now, over=True)
    await refunds.by_bank(invoice, cents=5_500, on=date(2026, 11, 21), actor=SYSTEM, now=now)
    (went,) = await a_transfer(Line(cents=-5_500, name="RIJNBURG INSTRUMENTEN BV"), on=date(2026, 11, 21))
    (best, *_rest) = await _proposed(went)
    assert best.kind is Kind.REFUND
    bank = await _on(Account.BANK)
    await allocate.confirm(went, best.key, actor=SYSTEM, now=now)
    assert await _on(Account.BANK) == bank + 5_500 == 64_500
    assert await _on(Account.UNALLOCATED) == 0
    assert (await ledger.check()).right
    (again,) = await a_transfer(Line(cents=-5_500, name="RIJNBURG INSTRUMENTEN BV"), on=date(2026, 11, 22))
    assert not [one for one in await _proposed(again) if one.kind is Kind.REFUND]


async def test_a_refund_that_nobody_noted_is_noted_from_the_bank(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (came,) = await a_transfer(Line(cents=70_000))
    await allocate.to_invoices(came, [Part(invoice, 70_000)], actor=SYSTEM, now=now, over=True)
    (went,) = await a_transfer(Line(cents=-5_500, name="Rijnburg Instrumenten", text=f"terug {await number_of(invoice)}"))
    (best, *_rest) = await _proposed(went)
    await allocate.confirm(went, best.key, actor=SYSTEM, now=now)
    assert (await _at(invoice))[1] == 0
    assert await _on(Account.BANK) == 64_500
    assert (await ledger.check()).right


async def test_a_payout_by_stripe_and_bank_charges_go_where_they_belong(debtor: UUID, now: datetime) -> None:
    stripe, fee = await a_transfer(
        Line(cents=12_000, name="STRIPE PAYMENTS EUROPE", text="STRIPE X1"), Line(cents=-950, name="", iban="", text="Kosten betaalpakket")
    )
    (best, *_rest) = await _proposed(stripe)
    assert (best.kind, best.certain) == (Kind.STRIPE_PAYOUT, False)  # our books expect nothing there
    await allocate.confirm(stripe, best.key, actor=SYSTEM, now=now)
    (best, *_rest) = await _proposed(fee)
    assert best.kind is Kind.FEES
    await allocate.confirm(fee, best.key, actor=SYSTEM, now=now)
    assert (await _on(Account.STRIPE), await _on(Account.FEES), await _on(Account.BANK)) == (-12_000, 950, 11_050)
    (made,) = await entries.allocations(fee)
    await undo.undo(fee, made.id, actor=SYSTEM, now=now)
    assert (await _on(Account.FEES), await _on(Account.UNALLOCATED)) == (0, 950)


async def test_by_hand_only_what_is_no_companys_money(debtor: UUID, now: datetime) -> None:
    (entry,) = await a_transfer(Line(cents=4_000))
    for kind, note, cents in (
        (Kind.PAYOUT, "x", 1),
        (Kind.FEES, " ", 1),
        (Kind.INTEREST, "x", 4_001),
        (Kind.INTEREST, "x", 0),
        (Kind.INTEREST, "x", -1),
    ):
        with pytest.raises(Invalid):
            await allocate.to_other(entry, kind, cents=cents, note=note, actor=SYSTEM, now=now)
    await allocate.to_other(entry, Kind.INTEREST, cents=1_500, note="statutory interest on 2026-000001", actor=SYSTEM, now=now)
    assert (await _on(Account.INTEREST), await _on(Account.UNALLOCATED)) == (-1_500, -2_500)


async def test_a_proposal_that_is_no_longer_so_is_refused(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry, other) = await a_transfer(Line(cents=64_500, text=await number_of(invoice)), Line(cents=64_500))
    (best, *_rest) = await _proposed(entry)
    await allocate.to_invoices(other, [Part(invoice, 64_500)], actor=SYSTEM, now=now)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        await allocate.confirm(entry, best.key, actor=SYSTEM, now=now)


async def test_all_certain_ones_at_once_and_the_account_is_remembered(debtor: UUID, now: datetime) -> None:
    invoices = [await an_invoice(debtor, amounts=(cents,)) for cents in (10_000, 20_000, 30_000)]
    named = [await number_of(one) for one in invoices]
    await a_transfer(Line(cents=10_000, text=named[0]), Line(cents=20_000, text=named[1]), Line(cents=777, text="?"))
    assert await allocate.confirm_certain(None, actor=SYSTEM, now=now) == 2
    assert await allocate.confirm_certain(None, actor=SYSTEM, now=now) == 0
    (later,) = await a_transfer(Line(cents=30_000, text="", name="administratie"))
    (best, *_rest) = await _proposed(later)
    assert [part.invoice_id for part in best.parts] == [invoices[2]]
    assert best.score == 90


async def test_only_ecl_may(cast: Cast, debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=64_500))
    for actor in (cast.hr_a, cast.finance_a, cast.partner_a):
        for asked in (
            allocate.to_invoices(entry, [Part(invoice, 1)], actor=actor, now=now),
            allocate.confirm(entry, "x", actor=actor, now=now),
            allocate.confirm_certain(None, actor=actor, now=now),
            allocate.to_other(entry, Kind.FEES, note="x", actor=actor, now=now),
            undo.undo(entry, entry, actor=actor, now=now),
        ):
            with pytest.raises(Forbidden):
                await asked


async def test_many_at_once_give_one_entry_away_once(committed: str, now: datetime) -> None:
    debtor = await a_debtor()
    invoices = [await an_invoice(debtor, amounts=(1_000,)) for _each in range(8)]
    (entry,) = await a_transfer(Line(cents=3_000))
    outcomes = await asyncio.gather(
        *(allocate.to_invoices(entry, [Part(one, 1_000)], actor=SYSTEM, now=now) for one in invoices), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 3
    made = await entries.allocations(entry)
    undone = await asyncio.gather(*(undo.undo(entry, made[0].id, actor=SYSTEM, now=now) for _each in range(6)))
    assert sum(undone) == 1
    assert await _on(Account.UNALLOCATED) == -1_000
    assert (await ledger.check()).right
