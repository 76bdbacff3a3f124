"""The payment page and the sandbox's own table of what happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from billing.sandbox import hosted
from tests.stripe.test_sandbox_api import _invoice

if TYPE_CHECKING:
    import httpx

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _open(raw: httpx.AsyncClient, number: str = "2026-000001") -> str:
    invoice = await _invoice(raw, number=number)
    return str((await raw.post(f"/v1/invoices/{invoice}/finalize")).json()["hosted_invoice_url"])


async def test_the_page_says_what_is_paid_for_and_that_no_money_moves(raw: httpx.AsyncClient) -> None:
    page = await raw.get(await _open(raw))
    assert page.status_code == 200
    for words in (
        "Invoice 2026-000001",
        "Dutch A1",
        "€100.00",
        "€21.00",
        "€121.00",
        "No real money",
        "iDEAL",
        "Bank transfer",
        "Pay €121.00",
    ):
        assert words in page.text
    assert "style=" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_page_speaks_dutch(raw: httpx.AsyncClient) -> None:
    page = await raw.get(await _open(raw), headers={"accept-language": "nl-NL,nl;q=0.9"})
    assert "Hoe wilt u betalen?" in page.text
    assert 'lang="nl"' in page.text


@pytest.mark.parametrize("method", ["ideal", "card"])
async def test_paying_goes_back_to_the_page_which_says_paid(raw: httpx.AsyncClient, method: str) -> None:
    url = await _open(raw)
    answer = await raw.post(url, data={"method": method, "outcome": "ok"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/" + url.split("/", 3)[3])
    assert "This invoice is paid." in (await raw.get(url)).text
    again = await raw.post(url, data={"method": method, "outcome": "ok"})
    assert again.status_code == 303
    paid = [event for event in (await raw.get("/v1/events")).json()["data"] if event["type"] == "invoice.paid"]
    assert len(paid) == 1


async def test_a_failed_payment_says_so_and_can_be_tried_again(raw: httpx.AsyncClient) -> None:
    url = await _open(raw)
    await raw.post(url, data={"method": "card", "outcome": "fail"})
    page = (await raw.get(url)).text
    assert "The payment was not completed." in page
    assert "Pay €121.00" in page


async def test_a_transfer_is_on_its_way_then_arrives(raw: httpx.AsyncClient, clock: FakeClock) -> None:
    url = await _open(raw)
    await raw.post(url, data={"method": "bank_transfer", "outcome": "ok", "amount": "short"})
    page = await raw.get(url)
    assert ("on its way" in page.text, page.headers["refresh"]) == (True, "2")
    await raw.post("/_sandbox/clock", json={"seconds": 10})
    page = await raw.get(url)
    assert "€108.90 was received, €12.10 is still to come." in page.text
    await raw.post(url, data={"method": "bank_transfer", "outcome": "ok"})
    await raw.post("/_sandbox/clock", json={"seconds": 10})
    assert "This invoice is paid." in (await raw.get(url)).text
    assert await hosted.settle_due() == 0


async def test_a_choice_that_makes_no_sense_is_asked_again(raw: httpx.AsyncClient) -> None:
    url = await _open(raw)
    for data in ({}, {"method": "cash", "outcome": "ok"}, {"method": "ideal"}):
        assert (await raw.post(url, data=data)).status_code == 422


async def test_an_unknown_page_is_404(raw: httpx.AsyncClient) -> None:
    assert (await raw.get("/i/nothing")).status_code == 404
    assert (await raw.post("/i/nothing", data={"method": "ideal", "outcome": "ok"})).status_code == 404


async def test_the_table_shows_invoices_requests_and_switches(raw: httpx.AsyncClient) -> None:
    url = await _open(raw)
    page = (await raw.get("/")).text
    token = url.rsplit("/", 1)[1]
    assert f'href="/i/{token}"' in page
    for words in ("2026-000001", "invoices.finalize", "Order this trouble"):
        assert words in page
    assert re.search(r"customers\.create", page)


async def test_an_order_of_trouble_that_nobody_knows_is_refused(raw: httpx.AsyncClient) -> None:
    assert (await raw.post("/_sandbox/faults", json={"kind": "fire"})).status_code == 400
    assert (await raw.post("/_sandbox/clock", json={"seconds": "-1"})).status_code == 400
    assert (await raw.post("/_sandbox/faults", data={"kind": "429", "operation": "*", "times": "1", "seconds": ""})).status_code == 201
    assert (await raw.get("/v1/customers")).status_code == 429
    assert (await raw.get("/v1/customers")).status_code == 200
