"""Searching invoices: a part will do within one company; ECL searches all companies by what an index finds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from billing import invoices, payments
from billing.invoices import Filter
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.kit.ids import new_id
from marketplace.kit.web import paging
from tests.builders.billing import a_debtor, an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _found(text: str, actor: Actor) -> list[str]:
    page = await invoices.page(Filter(text=text), paging.read(None, date, str), actor=actor, today=date(2026, 11, 23))
    return [row.number for row in page.items]


async def test_search_by_number_po_and_order(db: None, now: datetime) -> None:
    owner = new_id()
    mine = await number_of(await an_invoice(await a_debtor(owner), purchase_order="Po-4500-x", order_number="100388"))
    other = await number_of(await an_invoice(purchase_order="PO-4500-x", order_number="100399"))
    finance = Actor(kind="member", company_id=owner, roles=frozenset({Role.FINANCE}))
    assert await _found("4500", finance) == [mine]
    assert await _found("1003", finance) == [mine]
    assert await _found(other, finance) == []
    assert await _found("po-4500-X", SYSTEM) == [other, mine]
    assert await _found("100399", SYSTEM) == [other]
    assert await _found("2026-", SYSTEM) == [other, mine]
    assert await _found(mine, SYSTEM) == [mine]
    for nonsense in ("%", "_", "\\", "\0", "'; --", "\N{PILE OF POO}"):
        assert await _found(nonsense, finance) in ([], [mine])
        await _found(nonsense, SYSTEM)


async def test_search_by_amount_as_people_type_it(db: None, now: datetime) -> None:
    owner = new_id()
    mine = await number_of(await an_invoice(await a_debtor(owner), amounts=(123_450,)))
    other = await number_of(await an_invoice(amounts=(123_450,)))
    finance = Actor(kind="member", company_id=owner, roles=frozenset({Role.FINANCE}))
    for text in ("\u20ac 1.234,50", "1,234.50", "1234.5", "1234,50"):
        assert await _found(text, finance) == [mine]
        assert await _found(text, SYSTEM) == [other, mine]
    assert await _found("1234.51", SYSTEM) == []


async def test_search_by_what_is_still_open(db: None, now: datetime) -> None:
    """Somebody with a transfer in hand knows what is left to pay, not the total."""
    owner = new_id()
    invoice_id = await an_invoice(await a_debtor(owner), amounts=(200_000,))
    mine = await number_of(invoice_id)
    await payments.record(invoice_id, source="bank", external_id="half", cents=75_050, method="bank_transfer", received_at=now, now=now)
    finance = Actor(kind="member", company_id=owner, roles=frozenset({Role.FINANCE}))
    assert await _found("1249.50", finance) == await _found("1.249,50", SYSTEM) == [mine]
    await payments.record(invoice_id, source="bank", external_id="rest", cents=124_950, method="bank_transfer", received_at=now, now=now)
    assert await _found("1249.50", SYSTEM) == await _found("0", SYSTEM) == []
