"""Finance's pages: own invoices only, the stored bytes, and the reason for each VAT mark."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from billing import archive, delivery, invoices, payments, states
from billing import credits as credit_notes
from billing.archive import Format
from billing.credits import Credit
from billing.vat import VatBasis
from marketplace.kit import db as kit_db
from marketplace.kit import identity
from tests.builders.billing import an_invoice, number_of
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

    from marketplace.kit.clock import FakeClock
    from marketplace.kit.identity import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Mine:
    """An invoice of company A with two lines, and its number."""

    def __init__(self, invoice_id: UUID, number: str) -> None:
        self.id, self.number = invoice_id, number


@pytest_asyncio.fixture(loop_scope="session")
async def mine(cast: Cast) -> Mine:
    made = await an_invoice(
        cast.company_a.debtor_id, amounts=(64_500, 10_001), basis=VatBasis.GENERAL_LANGUAGE, purchase_order="4500128834"
    )
    return Mine(made, await number_of(made))


async def _speak_dutch(actor: Actor) -> None:
    assert actor.account_id is not None
    await identity.set_locale(actor.account_id, "nl")


async def test_finance_sees_own_invoices(cast: Cast, client: httpx.AsyncClient, mine: Mine) -> None:
    page = await (await signed_in(client, cast.finance_a)).get("/invoices")
    assert page.status_code == 200
    assert mine.number in page.text
    assert "4500128834" in page.text
    assert "€745.01" in page.text


@pytest.mark.parametrize("who", ["hr_b", "partner_a"])
@pytest.mark.parametrize("ending", ["", ".pdf", ".ubl", ".xml"])
async def test_outsiders_get_the_answer_of_an_unknown_number(
    cast: Cast, client: httpx.AsyncClient, mine: Mine, who: str, ending: str, now: datetime
) -> None:
    await archive.store(mine.id, dict.fromkeys(Format, b"<secret/>"), now=now)
    browser = await signed_in(client, getattr(cast, who))
    foreign = await browser.get(f"/invoices/{mine.number}{ending}")
    unknown = await browser.get(f"/invoices/2026-999999{ending}")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(mine.number, "X") == unknown.text.replace("2026-999999", "X")


async def test_outsider_sees_an_empty_list(cast: Cast, client: httpx.AsyncClient, mine: Mine) -> None:
    browser = await signed_in(client, cast.hr_b)
    assert mine.number not in (await browser.get("/invoices")).text
    assert "No invoices yet" in (await browser.get("/invoices")).text
    assert mine.number not in (await browser.get("/invoices.csv")).text
    assert (await (await signed_in(client, cast.partner_a)).get("/invoices")).status_code == 404
    assert (await (await signed_in(client, None)).get("/invoices")).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("who", ["hr_a", "finance_a", "approver_a", "viewer_a", "ecl"])
async def test_own_company_and_ecl_open_it(cast: Cast, client: httpx.AsyncClient, mine: Mine, who: str) -> None:
    page = await (await signed_in(client, getattr(cast, who))).get(f"/invoices/{mine.number}")
    assert page.status_code == 200
    assert "general education, which is exempt" in page.text
    assert "art. 11(1)(o)" in page.text
    assert "being made" in page.text


async def test_pay_button_is_for_those_who_pay(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime) -> None:
    address = f"/invoices/{mine.number}"
    assert "payment page is ready in" in (await (await signed_in(client, cast.finance_a)).get(address)).text
    await states.project_stripe(mine.id, "open", hosted_payment_url="https://pay.example/i/1", now=now)
    assert "https://pay.example/i/1" in (await (await signed_in(client, cast.finance_a)).get(address)).text
    seen = (await (await signed_in(client, cast.viewer_a)).get(address)).text
    assert "https://pay.example/i/1" not in seen
    await payments.record(mine.id, source="stripe", external_id="py_1", cents=74_501, method="ideal", received_at=now, now=now)
    paid = (await (await signed_in(client, cast.finance_a)).get(address)).text
    assert "https://pay.example/i/1" not in paid
    assert "was paid in full" in paid
    assert "iDEAL" in paid


async def test_documents_are_the_stored_bytes(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime) -> None:
    browser = await signed_in(client, cast.finance_a)
    early = await browser.get(f"/invoices/{mine.number}.pdf")
    assert early.status_code == 404
    assert "still being made" in early.text
    await delivery.make_documents({"invoice": str(mine.id)}, item=None, now=now)  # type: ignore[arg-type]
    kept = {
        row["kind"]: row["content"] for row in await kit_db.records("SELECT kind, content FROM document WHERE invoice_id = $1", mine.id)
    }
    for ending, kind in (("pdf", "pdf"), ("ubl", "ubl-peppol"), ("xml", "cii")):
        answer = await browser.get(f"/invoices/{mine.number}.{ending}")
        assert answer.content == kept[kind] == await archive.stored_document(mine.number, kind)
        assert answer.headers["content-type"].startswith("application/pdf" if ending == "pdf" else "application/xml")
    assert kept["pdf"].startswith(b"%PDF")
    assert mine.number.encode() in kept["cii"]
    assert (await browser.get(f"/invoices/{mine.number}.docx")).status_code == 404


async def test_filters_and_search(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime, clock: FakeClock) -> None:
    paid = await an_invoice(cast.company_a.debtor_id, amounts=(100,))
    await payments.record(paid, source="stripe", external_id="py_1", cents=100, method="card", received_at=now, now=now)
    paid_number = await number_of(paid)
    browser = await signed_in(client, cast.finance_a)

    async def shown(query: str) -> set[str]:
        text = (await browser.get(f"/invoices?{query}")).text
        return {number for number in (mine.number, paid_number) if f'href="/invoices/{number}"' in text}

    assert await shown("") == {mine.number, paid_number}
    assert await shown("show=unpaid") == {mine.number}
    assert await shown("show=paid") == {paid_number}
    assert await shown("show=overdue") == set()
    assert await shown("q=4500128834") == {mine.number}
    assert await shown(f"q={paid_number}") == {paid_number}
    assert await shown("q=%25") == set()
    clock.move(timedelta(days=40))
    fresh = await signed_in(client, cast.finance_a)
    assert mine.number in (await fresh.get("/invoices?show=overdue")).text
    assert "past its due date" in (await fresh.get("/invoices")).text


async def test_list_goes_on_by_key(cast: Cast, client: httpx.AsyncClient) -> None:
    numbers = [await number_of(await an_invoice(cast.company_a.debtor_id, amounts=(100,))) for _ in range(52)]
    browser = await signed_in(client, cast.finance_a)
    first = (await browser.get("/invoices")).text
    assert numbers[-1] in first
    assert f'href="/invoices/{numbers[0]}"' not in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = (await browser.get(older)).text
    assert numbers[0] in second
    assert numbers[1] in second
    assert f'href="/invoices/{numbers[2]}"' not in second
    newer = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert numbers[-1] in (await browser.get(newer)).text


async def test_csv_has_the_list_and_no_formulas(cast: Cast, client: httpx.AsyncClient, mine: Mine) -> None:
    await an_invoice(cast.company_a.debtor_id, purchase_order="=HYPERLINK(1)")
    await _speak_dutch(cast.finance_a)
    answer = await (await signed_in(client, cast.finance_a)).get("/invoices.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["Factuur"] for row in rows][-1] == mine.number
    assert rows[-1]["Totaal"] == "745,01"
    assert any(row["Inkoopnummer (PO)"] == "'=HYPERLINK(1)" for row in rows)


async def test_pages_speak_dutch(cast: Cast, client: httpx.AsyncClient, mine: Mine) -> None:
    await _speak_dutch(cast.finance_a)
    browser = await signed_in(client, cast.finance_a)
    assert "Er is één factuur te betalen" in (await browser.get("/invoices")).text
    page = (await browser.get(f"/invoices/{mine.number}")).text
    assert "algemeen onderwijs" in page
    assert "Gefactureerd aan" in page


async def test_a_column_of_the_csv_adds_up(cast: Cast, client: httpx.AsyncClient, mine: Mine, now: datetime) -> None:
    """Invoices less credit notes less payments is what is still to pay."""
    invoice = await invoices.get(mine.number, actor=identity.SYSTEM)
    asked = Credit(invoice_id=invoice.id, lines=[(invoice.lines[0].id, 10_000)], reason="Goodwill", cause="goodwill", key="csv")
    await credit_notes.credit(asked, actor=identity.SYSTEM, now=now)
    answer = await (await signed_in(client, cast.finance_a)).get("/invoices.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["State"] for row in rows if row["Total"].startswith("-")] == ["Credit note"]
    whole = {head: sum(Decimal(row[head]) for row in rows) for head in ("Total", "Paid", "To pay", "Credited")}
    assert whole["Total"] - whole["Paid"] == whole["To pay"]
    assert whole["Credited"] == 100
