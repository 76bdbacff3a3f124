"""The statement of account: the books' receivable, movement by movement; a company sees its own, ECL every one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import archive, payments, refunds
from billing.account import paper, statement
from billing.account.statement import Account
from billing.bank import allocate, entries, undo
from billing.bank.matching import Part
from billing.documents.account import EntryKind
from marketplace.kit import db as database
from marketplace.kit import ids, mail
from marketplace.kit.clock import FakeClock, today
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.identity import SYSTEM
from tests.builders.bank import Line, a_transfer
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.cast import Cast, signed_in

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
YEAR = {"from_on": date(2026, 1, 1), "to_on": date(2026, 12, 31)}


@pytest_asyncio.fixture(loop_scope="session")
async def debtor(db: None, now: datetime) -> UUID:
    return await a_debtor()


async def _of(debtor: UUID, **period: date) -> Account:
    return await statement.of(debtor, **{**YEAR, **period}, today=date(2026, 11, 23))


async def _receivable(debtor: UUID) -> int:
    return int(
        await database.value(
            "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = 'receivable' AND debtor_id = $1", debtor
        )
    )


async def test_everything_that_moved_and_what_is_open(debtor: UUID, clock: FakeClock, now: datetime) -> None:
    one, two = await an_invoice(debtor), await an_invoice(debtor, amounts=(10_000,))
    (entry,) = await a_transfer(Line(cents=70_000), on=date(2026, 11, 23))
    await allocate.to_invoices(entry, [Part(one, 70_000)], actor=SYSTEM, now=now, over=True)
    await refunds.set_off(one, await number_of(two), cents=5_000, actor=SYSTEM, now=now)
    found = await _of(debtor)
    assert [(line.kind, line.cents) for line in found.lines] == [
        (EntryKind.INVOICE, 64_500),
        (EntryKind.INVOICE, 10_000),
        (EntryKind.PAYMENT, -70_000),
        (EntryKind.SET_OFF, 5_000),
        (EntryKind.SET_OFF, -5_000),
    ]
    assert found.closing_cents == await _receivable(debtor) == 4_500
    assert found.open_items is not None
    assert {item.number: item.open_cents for item in found.open_items} == {await number_of(one): -500, await number_of(two): 5_000}
    document = statement.document(found, language="nl", dated_on=date(2026, 11, 23))
    assert document.closing_cents == 4_500
    assert statement.csv_rows(found)[-1][-1] == statement.csv_rows(found)[0][-1] + sum(row[5] for row in statement.csv_rows(found)[1:-1])  # type: ignore[operator,misc]


async def test_periods_join_and_another_debtor_is_not_in_it(debtor: UUID, clock: FakeClock) -> None:
    await an_invoice(debtor)
    await an_invoice(await a_debtor())
    clock.move(timedelta(days=20))
    invoice = await an_invoice(debtor, amounts=(10_000,))
    (entry,) = await a_transfer(Line(cents=10_000), on=today(clock.now()))
    await allocate.to_invoices(entry, [Part(invoice, 10_000)], actor=SYSTEM, now=clock.now())
    early, late = await _of(debtor, to_on=date(2026, 11, 30)), await _of(debtor, from_on=date(2026, 12, 1))
    assert (early.opening_cents, early.closing_cents) == (0, 64_500)
    assert (late.opening_cents, late.closing_cents) == (64_500, 64_500)
    assert (await _of(debtor, from_on=date(2026, 11, 23), to_on=date(2026, 11, 23))).closing_cents == 64_500
    with pytest.raises(Invalid):
        await _of(debtor, from_on=date(2026, 12, 2), to_on=date(2026, 12, 1))


async def test_a_payment_that_was_booked_elsewhere_shows_as_taken_back(debtor: UUID, now: datetime) -> None:
    invoice = await an_invoice(debtor)
    (entry,) = await a_transfer(Line(cents=64_500))
    await allocate.to_invoices(entry, [Part(invoice, 64_500)], actor=SYSTEM, now=now)
    (made,) = await entries.allocations(entry)
    await undo.undo(entry, made.id, actor=SYSTEM, now=now)
    found = await _of(debtor)
    assert [line.kind for line in found.lines if line.cents > 0] == [EntryKind.INVOICE, EntryKind.CORRECTION]
    assert found.closing_cents == await _receivable(debtor) == 64_500


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 200_000)), max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_closing_balance_is_always_the_books(db: None, now: datetime, steps: list[tuple[int, int]]) -> None:
    owner = await a_debtor()
    invoices = [await an_invoice(owner)]
    for kind, cents in steps:
        if kind == 0:
            invoices.append(await an_invoice(owner, amounts=(cents,)))
        else:
            await payments.record(
                invoices[-1], source="bank", external_id=str(ids.new_id()), cents=cents, method="bank_transfer", received_at=now, now=now
            )
        if kind == 2 and (back := await refunds.available(invoices[-1])):
            await refunds.by_bank(invoices[-1], cents=back, on=today(now), actor=SYSTEM, now=now)
    found = await _of(owner)
    assert found.closing_cents == await _receivable(owner)
    assert found.open_items is not None
    assert sum(item.open_cents for item in found.open_items) == found.closing_cents
    statement.document(found, language="en", dated_on=today(now))


class _Item:
    def __init__(self, item_id: UUID) -> None:
        self.id = item_id


async def _do() -> None:
    for row in await database.records(
        "SELECT id, payload FROM due_work WHERE kind = 'billing.account_paper' AND state = 'queued' ORDER BY id"
    ):
        item: Any = _Item(row["id"])
        await paper.make(row["payload"], item=item, now=row["payload"] and datetime.fromisoformat("2026-11-23T10:00:00+00:00"))


@pytest.mark.slow
async def test_on_paper_once_and_by_mail_each_time(debtor: UUID, now: datetime) -> None:
    await an_invoice(debtor)
    found = await _of(debtor)
    for to in (None, None, "me@rijnburg.example", "me@rijnburg.example"):
        await paper.ask(found, language="en", mail_to=to, actor=SYSTEM, now=now)
    assert await database.value("SELECT count(*) FROM due_work WHERE kind = 'billing.account_paper'") == 3
    await _do()
    await _do()
    assert len(await mail.sent_to("me@rijnburg.example")) == 2
    assert await database.value("SELECT count(*) FROM issued_paper") == 1
    made = await paper.stored(found, "en")
    assert made is not None
    assert made.content.startswith(b"%PDF")
    assert await paper.stored(found, "nl") is None
    assert (await paper.of(debtor, paper.subject(found, "en")[1])).name == "account-2026-01-01-2026-12-31.pdf"
    with pytest.raises(NotFound):
        await paper.of(await a_debtor(), paper.subject(found, "en")[1])


async def test_ten_mails_a_day_are_enough(debtor: UUID, now: datetime) -> None:
    found = await _of(debtor)
    for _each in range(10):
        await paper.ask(found, language="en", mail_to="a@b.example", actor=SYSTEM, now=now)
    with pytest.raises(Conflict, match="asked_often"):
        await paper.ask(found, language="en", mail_to="a@b.example", actor=SYSTEM, now=now)


async def test_the_companys_page_and_ecls(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    number = await number_of(await an_invoice(cast.company_a.debtor_id))
    ecls = f"/companies/{cast.company_a.id}/account-statement"
    for actor, path in ((cast.finance_a, "/account-statement"), (cast.ecl, ecls)):
        browser = await signed_in(client, actor)
        page = await browser.get(path)
        assert page.status_code == 200
        assert number in page.text
        assert "€645.00 is to be paid at the end of" in page.text
        wrong = await browser.get(f"{path}?from_on=2026-12-01&to_on=2026-01-01")
        assert wrong.status_code == 422
        assert "Choose a day after the first." in wrong.text
        assert (await browser.get(f"{path}?from_on=soon")).status_code == 422
        file = await browser.get(f"{path}.csv?from_on=2026-01-01")
        assert number in file.text
        assert (await browser.post(path, {"to": "me", "from_on": "2026-01-01", "to_on": "2026-11-23"}, form=path)).status_code == 303
    other = await signed_in(client, cast.hr_b)
    assert number not in (await other.get("/account-statement")).text
    assert (await other.get(ecls)).status_code == 404


async def test_a_stored_paper_is_its_companys_only(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    assert cast.company_a.debtor_id is not None
    subject = (f"account:{cast.company_a.debtor_id}", ids.new_id())
    await archive.store_paper(subject, kind="pdf", name="account.pdf", content=b"%PDF", now=now)
    for actor, path, status in (
        (cast.finance_a, f"/account-statement/{subject[1]}", 200),
        (cast.hr_b, f"/account-statement/{subject[1]}", 404),
        (cast.ecl, f"/companies/{cast.company_a.id}/account-statement/{subject[1]}", 200),
        (cast.ecl, f"/companies/{cast.company_b.id}/account-statement/{subject[1]}", 404),
        (cast.partner_a, f"/account-statement/{subject[1]}", 404),
    ):
        assert (await (await signed_in(client, actor)).get(path)).status_code == status
