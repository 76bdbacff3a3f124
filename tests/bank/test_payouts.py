"""Partners' payouts at the bank: one by one, a whole batch in one entry, and what comes back."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from billing import ledger
from billing.bank import allocate, candidates, entries, undo
from billing.bank.matching import Kind, Proposal
from billing.settlement import payouts, transfers
from billing.settlement.payouts import BatchState
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM, Actor
from tests.builders.bank import Line, a_transfer
from tests.builders.settlement import IBANS, a_payee, a_statement, agreed, an_account, balance, two_of_ecl

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("db")]
PAY_ON = date(2026, 11, 24)


async def _batch(now: datetime, *amounts: int, send: bool = True) -> tuple[UUID, list[payouts.Item], Actor]:
    one, two = await two_of_ecl()
    for cents in amounts:
        payee = await a_payee()
        await an_account(payee, ecl=(one, two))
        await agreed(await a_statement(payee, cents))
    batch = await payouts.draft(pay_on=PAY_ON, actor=one, now=now)
    await payouts.approve(batch, actor=two, now=now)
    await payouts.export(batch, actor=one, now=now)
    if send:
        await transfers.send(batch, actor=one, now=now)
    return batch, list(await payouts.items(batch)), one


async def _best(entry_id: UUID) -> Proposal | None:
    entry = await entries.get(entry_id, actor=SYSTEM)
    return next(iter((await candidates.proposals([entry]))[entry_id]), None)


async def test_each_payout_is_found_by_its_id_and_comes_back_open(now: datetime) -> None:
    _id, (item,), actor = await _batch(now, 64_500)
    (went,) = await a_transfer(Line(cents=-item.cents, name="Taalhuis", end_to_end=item.end_to_end))
    best = await _best(went)
    assert best is not None
    assert (best.kind, best.certain) == (Kind.PAYOUT, True)
    assert await allocate.confirm_certain(None, actor=actor, now=now) == 1
    assert (await balance("payout_transit"), await balance("unallocated"), await balance("bank")) == (0, 0, -item.cents)
    (back,) = await a_transfer(Line(cents=item.cents, name="Taalhuis", end_to_end=item.end_to_end, returned="AC04"), on=date(2026, 11, 25))
    best = await _best(back)
    assert best is not None
    assert (best.kind, best.certain) == (Kind.PAYOUT_RETURNED, True)
    await allocate.confirm(back, best.key, actor=actor, now=now)
    assert (await balance("partner_payable"), await balance("unallocated"), await balance("bank")) == (-item.cents, 0, 0)
    assert (await ledger.check()).right
    (made,) = await entries.allocations(back)
    with pytest.raises(Conflict, match="payout_settled"):
        await undo.undo(back, made.id, actor=actor, now=now)


async def test_what_the_bank_paid_counts_although_an_account_changed_since(now: datetime) -> None:
    """Otherwise the only way on would be to cancel the batch, and to pay its statements once more."""
    batch, items, actor = await _batch(now, 64_500, 30_000, send=False)
    await an_account(items[0].payee_id, iban=IBANS[3])
    number = (await payouts.get(batch)).number
    (went,) = await a_transfer(Line(cents=-sum(item.cents for item in items), name="", iban="", text=f"SEPA batch {number}"))
    best = await _best(went)
    assert best is not None
    await allocate.confirm(went, best.key, actor=actor, now=now)
    assert (await payouts.get(batch)).state is BatchState.PAID
    assert await payouts.ready() == []
    assert (await ledger.check()).right


async def test_a_payout_that_is_not_at_the_bank_is_not_paid_by_hand(now: datetime) -> None:
    batch, _items, actor = await _batch(now, 64_500, send=False)
    with pytest.raises(Conflict, match="not_under_way"):
        await transfers.batch_paid(batch, on=PAY_ON, actor=actor, now=now)
    assert (await payouts.get(batch)).state is BatchState.EXPORTED


@pytest.mark.parametrize("send", [True, False])
async def test_a_batch_that_the_bank_books_in_one_is_found_by_its_sum(now: datetime, *, send: bool) -> None:
    batch, items, actor = await _batch(now, 64_500, 30_000, send=send)
    whole = sum(item.cents for item in items)
    number = (await payouts.get(batch)).number
    (went,) = await a_transfer(Line(cents=-whole, name="", iban="", text=f"SEPA batch {number}"))
    best = await _best(went)
    assert best is not None
    assert (best.kind, best.certain, best.label) == (Kind.PAYOUT, True, number)
    await allocate.confirm(went, best.key, actor=actor, now=now)
    assert (await payouts.get(batch)).state is BatchState.PAID
    assert (await balance("payout_transit"), await balance("unallocated"), await balance("bank")) == (0, 0, -whole)
    assert (await ledger.check()).right


async def test_another_amount_under_our_id_is_not_taken_for_it(now: datetime) -> None:
    _id, (item,), _actor = await _batch(now, 64_500)
    (went,) = await a_transfer(Line(cents=-item.cents + 1, name="Taalhuis", end_to_end=item.end_to_end))
    assert await _best(went) is None
