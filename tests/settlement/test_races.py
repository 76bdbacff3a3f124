"""Several people at once, with real commits: nobody is paid twice, nobody approves twice, nothing is earned twice."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing.settlement import advance, issue, lines, payouts
from billing.settlement.statements import StatementState
from marketplace.kit import db as kit_db
from marketplace.kit.errors import DomainError
from marketplace.kit.identity import SYSTEM
from tests.builders.settlement import a_payee, a_seat, a_statement, agreed, an_account, two_of_ecl

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAY_ON = date(2026, 11, 24)


async def _together(*doings: Awaitable[object]) -> list[object]:
    found = await asyncio.gather(*doings, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, DomainError):
            raise one
    return list(found)


async def test_nobody_is_paid_or_stated_twice(committed: str, now: datetime) -> None:
    first, second = await two_of_ecl()
    payee_id = await a_payee()
    await an_account(payee_id, ecl=(first, second))
    charge = await a_seat(payee_id)
    await advance.advance(now=now)
    made = await _together(*[issue.issue(payee_id, date(2026, 10, 1), actor=SYSTEM, now=now) for _each in range(6)])
    assert len(set(made)) == 1
    await kit_db.execute("UPDATE partner_statement SET state = $1", StatementState.AGREED.value)
    await _together(*[payouts.draft(pay_on=PAY_ON, actor=who, now=now) for who in (first, second) * 3])
    (batch,) = await payouts.listed()
    await _together(*[payouts.approve(batch.id, actor=who, now=now) for who in (first, second) * 3])
    batch = await payouts.get(batch.id)
    assert batch.approved_by != batch.drafted_by
    files = await _together(*[payouts.export(batch.id, actor=first, now=now) for _each in range(4)])
    assert len(set(files)) == 1
    await _together(*[lines.cancel(charge, kept_cents=0, now=now) for _each in range(4)])
    assert len(await lines.of_charge(charge)) == 2


async def test_without_the_guard_two_drafts_would_pay_twice(committed: str, now: datetime) -> None:
    """The control: with the index gone and the state not looked at, one statement gets into two batches."""
    first, second = await two_of_ecl()
    payee_id = await a_payee()
    await an_account(payee_id, ecl=(first, second))
    await agreed(await a_statement(payee_id))
    batch_id = await payouts.draft(pay_on=PAY_ON, actor=first, now=now)
    copy = (
        "INSERT INTO payout_item (id, batch_id, position, statement_id, payee_id, account_id, cents, end_to_end, state, state_at)"
        " SELECT gen_random_uuid(), batch_id, position + 1, statement_id, payee_id, account_id, cents, end_to_end || 'b', state, state_at FROM payout_item"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="payout_item_one_live"):
        await kit_db.execute(copy)
    await kit_db.execute("DROP INDEX payout_item_one_live")
    await kit_db.execute(copy)
    assert len(await payouts.items(batch_id)) == 2
