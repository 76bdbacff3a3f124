"""ECL's pages that change an issued invoice, and what the company sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from billing import credits as credit_notes
from billing import payments, states
from billing.credits import Credit
from billing.states import InvoiceState
from billing.vat import VatBasis
from marketplace.kit import db as kit_db
from marketplace.kit import identity, ids
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import an_invoice, number_of
from tests.cast import Browser, Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Mine:
    """An invoice of company A with two taxed lines: €500.00 and €200.00."""

    def __init__(self, invoice_id: UUID, number: str) -> None:
        self.id, self.number = invoice_id, number
        self.at = f"/invoices/{number}"


@pytest_asyncio.fixture(loop_scope="session")
async def mine(cast: Cast) -> Mine:
    made = await an_invoice(cast.company_a.debtor_id, amounts=(50_000, 20_000), basis=VatBasis.COACHING, purchase_order="45-old")
    return Mine(made, await number_of(made))


@pytest_asyncio.fixture(loop_scope="session")
async def ecl(cast: Cast, client: httpx.AsyncClient) -> Browser:
    return await signed_in(client, cast.ecl)


async def _pay(invoice: UUID, cents: int, now: datetime, source: str = "stripe") -> None:
    await payments.record(invoice, source=source, external_id=str(ids.new_id()), cents=cents, method="ideal", received_at=now, now=now)  # type: ignore[arg-type]


async def _credit(invoice: UUID, cents: int, now: datetime) -> None:
    line = (await credit_notes.creditable(invoice))[0]
    await credit_notes.credit(
        Credit(invoice_id=invoice, lines=[(line.id, cents)], reason="Lesson fell out", cause="goodwill", key=str(ids.new_id())),
        actor=SYSTEM,
        now=now,
    )


async def test_a_credit_note_is_shown_before_it_is_issued(ecl: Browser, mine: Mine) -> None:
    line = (await credit_notes.creditable(mine.id))[0]
    form = {"what": "part", "cause": "goodwill", "reason": "One lesson fell out", "key": "k1", line.field: "123,45", "verb": "preview"}
    shown = await ecl.post(f"{mine.at}/credit", form)
    assert shown.status_code == 200
    assert "€149.37" in shown.text
    assert 'value="123,45"' in shown.text
    assert await kit_db.value("SELECT count(*) FROM invoice WHERE kind = 'credit_note'") == 0
    for _click in range(2):
        done = await ecl.post(f"{mine.at}/credit", {**form, "verb": "issue"})
        assert (done.status_code, done.headers["location"]) == (303, mine.at)
    assert await kit_db.value("SELECT count(*) FROM invoice WHERE kind = 'credit_note'") == 1
    page = await ecl.get(mine.at)
    assert "Credit note C2026-000001" in page.text
    assert "€149.37 credited" in page.text


async def test_too_much_is_told_beside_the_line_and_nothing_is_lost(ecl: Browser, mine: Mine) -> None:
    line = (await credit_notes.creditable(mine.id))[0]
    page = await ecl.post(f"{mine.at}/credit", {"what": "part", "reason": "Too much", "key": "k", line.field: "500.01", "verb": "issue"})
    assert page.status_code == 422
    assert "At most €500.00 of this line can still be credited." in page.text
    assert 'value="Too much"' in page.text
    assert 'value="500.01"' in page.text
    no_reason = await ecl.post(f"{mine.at}/credit", {"what": "all", "reason": "", "key": "k", "verb": "issue"})
    assert no_reason.status_code == 422


async def test_the_company_reads_its_credit_note_and_what_is_left(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime) -> None:
    await _credit(mine.id, 10_000, now)
    browser = await signed_in(client, cast.finance_a, locale="nl")
    assert cast.finance_a.account_id
    await identity.set_locale(cast.finance_a.account_id, "nl")
    page = (await browser.get(mine.at)).text
    assert "Creditnota C2026-000001" in page
    assert "726,00" in page
    note = (await browser.get("/invoices/C2026-000001")).text
    assert "Lesson fell out" in note
    assert mine.number in note
    assert "Maak een creditnota" not in page
    assert "C2026-000001" in (await browser.get("/invoices?show=credit")).text


@pytest.mark.parametrize("path", ["credit", "correct", "withdraw", "give-up", "refund"])
@pytest.mark.parametrize("who", ["hr_a", "finance_a", "hr_b", "partner_a"])
async def test_only_ecl_has_these_pages(cast: Cast, client: httpx.AsyncClient, mine: Mine, who: str, path: str) -> None:
    browser = await signed_in(client, getattr(cast, who))
    assert (await browser.get(f"{mine.at}/{path}")).status_code == 404
    assert (await browser.post(f"{mine.at}/{path}", {"reason": "x"}, form="/privacy")).status_code == 404
    assert (await states.standing(mine.id)).credited_cents == 0


async def test_a_correction_leads_to_the_new_invoice(ecl: Browser, mine: Mine) -> None:
    form = {"purchase_order": "45-new", "cost_centre": "", "reason": "Another PO number", "key": "c"}
    done = await ecl.post(f"{mine.at}/correct", form)
    assert done.status_code == 303
    new = (await ecl.get(done.headers["location"])).text
    assert "45-new" in new
    assert mine.number in new
    assert "was corrected" in (await ecl.get(mine.at)).text


async def test_withdrawing_and_giving_up(ecl: Browser, mine: Mine, cast: Cast) -> None:
    assert "write off" in (await ecl.get(f"{mine.at}/give-up")).text.lower()
    assert (await ecl.post(f"{mine.at}/give-up", {"reason": "because"})).status_code == 422
    assert (await ecl.post(f"{mine.at}/give-up", {"reason": "bankrupt"})).status_code == 303
    assert (await states.standing(mine.id)).state is InvoiceState.UNCOLLECTIBLE
    other = await an_invoice(cast.company_a.debtor_id)
    at = f"/invoices/{await number_of(other)}"
    assert (await ecl.post(f"{at}/withdraw", {"reason": ""})).status_code == 422
    assert (await ecl.post(f"{at}/withdraw", {"reason": "Wrong company"})).status_code == 303
    assert (await states.standing(other)).state is InvoiceState.VOID


async def test_ecl_pays_back_by_every_road(ecl: Browser, mine: Mine, cast: Cast, now: datetime) -> None:
    await _pay(mine.id, 84_700, now)
    await _credit(mine.id, 50_000, now)
    other = await number_of(await an_invoice(cast.company_a.debtor_id, amounts=(10_000,)))
    assert mine.number in (await ecl.get("/desk/invoices?show=overpaid")).text
    page = (await ecl.get(f"{mine.at}/refund")).text
    assert "€605.00" in page
    assert other in page
    assert (await ecl.post(f"{mine.at}/refund", {"how": "setoff", "against": other})).status_code == 303
    assert (await ecl.post(f"{mine.at}/refund", {"how": "bank", "amount": "600", "on": "2026-11-20"})).status_code == 422
    assert (await ecl.post(f"{mine.at}/refund", {"how": "bank", "amount": "5", "on": "2026-11-20", "reference": "B-1"})).status_code == 303
    assert (await ecl.post(f"{mine.at}/refund", {"how": "stripe"})).status_code == 303
    assert await kit_db.value("SELECT sum(cents) FROM refund WHERE state <> 'failed'") == 60_500
    assert "nothing with us" in (await ecl.get(f"{mine.at}/refund")).text


async def test_finance_sets_off_itself_but_only_its_own(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime) -> None:
    await _pay(mine.id, 84_700, now)
    await _credit(mine.id, 10_000, now)
    own = await an_invoice(cast.company_a.debtor_id, amounts=(5_000,))
    foreign = await number_of(await an_invoice(cast.company_b.debtor_id, amounts=(5_000,)))
    browser = await signed_in(client, cast.finance_a)
    page = (await browser.get(mine.at)).text
    assert "€121.00 to pay back" in page
    assert foreign not in page
    await browser.post(f"{mine.at}/set-off", {"against": foreign})
    assert await kit_db.value("SELECT count(*) FROM refund") == 0
    await browser.post(f"{mine.at}/set-off", {"against": await number_of(own)})
    assert (await states.standing(own)).state is InvoiceState.PAID
    viewer = await signed_in(client, cast.viewer_a)
    assert (await viewer.post(f"{mine.at}/set-off", {"against": foreign}, form="/privacy")).status_code == 403
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.post(f"{mine.at}/set-off", {"against": foreign}, form="/privacy")).status_code == 404


async def test_what_only_ecl_has_is_the_404_of_an_unknown_page(cast: Cast, client: httpx.AsyncClient, mine: Mine) -> None:
    browser = await signed_in(client, cast.hr_a)
    assert (await browser.get(f"{mine.at}/credit")).text == (await browser.get("/nowhere")).text
