"""ECL's finance pages: each shows what is so, in both languages, to ECL only; a trace begins at any number or id."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing import payments
from billing.vat import VatBasis
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit import work
from tests.builders.billing import an_invoice, number_of
from tests.builders.catalog import a_session
from tests.builders.orders import an_order
from tests.builders.people import a_person
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
WORK = ("billing.issue", "fulfilment.ask_partner")
OK, SEE_OTHER, MISSING = 200, 303, 404
PAGES = (
    "/finance", "/finance/refunds", "/finance/vat", "/finance/vat?period=2026Q4&box=1a", "/finance/vat.csv", "/finance/ledger", "/finance/ledger?period=2026&account=vat",
    "/finance/ledger/2026Q4.csv", "/finance/ledger/2026.xaf",
)  # fmt: skip


async def an_ordered_invoice(cast: Cast, clock: FakeClock) -> tuple[UUID, str]:
    """Place an order of company A and let its invoice be issued; return its id and number."""
    await an_order((await a_session()).id, (await a_person(cast.company_a.id)).id, actor=cast.hr_a, purchase_order="PO-7")
    await work.drain(clock.now(), only=WORK)
    found = (await kit_db.records("SELECT id, number FROM invoice ORDER BY issued_at DESC LIMIT 1"))[0]
    return found["id"], found["number"]


@pytest.mark.parametrize("path", PAGES)
async def test_finance_is_ecls_only(cast: Cast, client: httpx.AsyncClient, clock: FakeClock, path: str) -> None:
    await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    for outsider in (cast.hr_a, cast.finance_a, cast.partner_a):
        assert (await (await signed_in(client, outsider)).get(path)).status_code == MISSING
    assert (await (await signed_in(client, None)).get(path)).status_code == SEE_OTHER
    for locale in ("en", "nl"):
        await kit_db.execute("UPDATE account SET locale = $2 WHERE id = $1", cast.ecl.account_id, locale)
        page = await (await signed_in(client, cast.ecl, locale=locale)).get(path)
        assert page.status_code == OK, page.text


async def test_a_trace_shows_the_whole_way(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice_id, number = await an_ordered_invoice(cast, clock)
    now = clock.move(timedelta(days=2))
    total = await kit_db.value("SELECT total_cents FROM invoice WHERE id = $1", invoice_id)
    await payments.record(invoice_id, source="stripe", external_id="py_trace", cents=total, method="ideal", received_at=now, now=now)
    entry, payment = (
        await kit_db.value("SELECT id FROM ledger_entry WHERE event = 'payment_received'"),
        await kit_db.value("SELECT id FROM payment"),
    )
    order = await kit_db.value("SELECT number FROM placed_order")
    charge = await kit_db.value("SELECT charge_id FROM invoice_line WHERE invoice_id = $1", invoice_id)
    browser = await signed_in(client, cast.ecl)
    for ref in (number, str(entry), str(payment), str(charge), "py_trace", str(invoice_id)):
        page = await browser.get(f"/finance/trace/{ref}")
        assert page.status_code == OK, ref
        for words in (
            number,
            f"/orders/{order}",
            "py_trace",
            "Nothing of this is open any more.",
            "1300",
            "1195",
            "2 entries",
        ):
            assert words in page.text, (ref, words)
    for outsider in (cast.hr_a, cast.finance_a, cast.partner_a):
        assert (await (await signed_in(client, outsider)).get(f"/finance/trace/{number}")).status_code == MISSING


@pytest.mark.parametrize(
    "ref", ["2026-999999", "C2026-000001", "nonsense", "in_none", "01970000-0000-7000-8000-000000000000", "x" * 200, "%00"]
)
async def test_what_nobody_knows_leads_nowhere(cast: Cast, client: httpx.AsyncClient, ref: str) -> None:
    assert (await (await signed_in(client, cast.ecl)).get(f"/finance/trace/{ref}")).status_code == MISSING


async def test_the_desk_says_who_is_late(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    browser = await signed_in(client, cast.ecl)
    assert "Nobody is late with paying." in (await browser.get("/finance")).text
    await an_ordered_invoice(cast, clock)
    clock.move(timedelta(days=45))
    page = await (await signed_in(client, cast.ecl)).get("/finance")
    assert "One company is late with" in page.text
    assert "Rijnvelde Biosciences" in page.text


async def test_vat_lines_lead_to_their_invoice(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    made = await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    period = f"{kit_clock.today(clock.now()).year}Q4"
    browser = await signed_in(client, cast.ecl)
    page = await browser.get(f"/finance/vat?period={period}&box=1a")
    assert await number_of(made) in page.text
    assert "€21 is to be paid to the tax office." in page.text
    empty = await browser.get(f"/finance/vat?period={period}&box=1b")
    assert "There are no lines in this box." in empty.text
    assert (await browser.get(f"/finance/vat?period={period}&box=5a")).status_code == MISSING
