"""Invoices over the API: the promised fields, whose they are, and the same bytes as on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing import archive, states
from billing.archive import Format
from billing.vat import VatBasis
from marketplace.kit import clock, identity
from tests.builders.billing import an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from marketplace.kit.identity import Actor
    from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _headers(actor: Actor) -> dict[str, str]:
    assert actor.account_id is not None
    return {"authorization": f"Bearer {await identity.create_token(actor.account_id, now=clock.now())}"}


async def test_invoice_has_what_is_promised(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    made = await an_invoice(cast.company_a.debtor_id, amounts=(64_500,), basis=VatBasis.COACHING, purchase_order="PO-1")
    number, headers = await number_of(made), await _headers(cast.finance_a)
    found = (await client.get(f"/api/v1/invoices/{number}", headers=headers)).json()
    assert found["number"] == number
    assert found["date"] == "2026-11-23"
    assert found["state"] == "issued"
    assert found["net"] == {"cents": 64_500, "currency": "EUR"}
    assert found["total"]["cents"] == 78_045
    assert found["paid"]["cents"] == 0
    [share] = found["vat_breakdown"]
    assert (share["category"], share["rate"], share["net"]["cents"], share["vat"]["cents"]) == ("S", 21, 64_500, 13_545)
    assert found["hosted_payment_url"] is None
    assert found["purchase_order"] == "PO-1"
    assert found["credits"] is None
    assert [line["description"] for line in found["lines"]] == ["Dutch A1, evenings"]
    await states.project_stripe(made, "open", hosted_payment_url="https://pay.example/1", now=now)
    again = (await client.get(f"/api/v1/invoices/{number}", headers=headers)).json()
    assert (again["state"], again["hosted_payment_url"]) == ("open", "https://pay.example/1")


async def test_ecl_lists_all_companies_and_a_company_its_own(cast: Cast, client: httpx.AsyncClient) -> None:
    first = await number_of(await an_invoice(cast.company_a.debtor_id))
    second = await number_of(await an_invoice(cast.company_b.debtor_id))

    async def listed(actor: Actor) -> set[str]:
        answer = await client.get("/api/v1/invoices", headers=await _headers(actor))
        assert answer.status_code == 200
        return {item["number"] for item in answer.json()["items"]}

    assert await listed(cast.ecl) == {first, second}
    assert await listed(cast.hr_a) == {first}
    assert await listed(cast.hr_b) == {second}


async def test_foreign_is_unknown_is_404(cast: Cast, client: httpx.AsyncClient) -> None:
    number = await number_of(await an_invoice(cast.company_a.debtor_id))
    for actor in (cast.hr_b, cast.partner_a):
        headers = await _headers(actor)
        for ending in ("", ".pdf", ".ubl", ".xml"):
            foreign = await client.get(f"/api/v1/invoices/{number}{ending}", headers=headers)
            unknown = await client.get(f"/api/v1/invoices/2026-999999{ending}", headers=headers)
            assert foreign.status_code == unknown.status_code == 404
            assert foreign.json()["code"] == unknown.json()["code"] == "not_found"
    assert (await client.get(f"/api/v1/invoices/{number}")).status_code == 401


async def test_documents_are_the_stored_bytes(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    made = await an_invoice(cast.company_a.debtor_id)
    number, headers = await number_of(made), await _headers(cast.ecl)
    early = await client.get(f"/api/v1/invoices/{number}.pdf", headers=headers)
    assert (early.status_code, early.json()["code"]) == (404, "being_made")
    await archive.store(made, {kind: kind.value.encode() for kind in Format}, now=now)
    for ending, kind in (("pdf", "pdf"), ("ubl", "ubl-peppol"), ("xml", "cii")):
        answer = await client.get(f"/api/v1/invoices/{number}.{ending}", headers=headers)
        assert answer.content == kind.encode()


async def test_list_filters_and_refuses_nonsense(cast: Cast, client: httpx.AsyncClient) -> None:
    number = await number_of(await an_invoice(cast.company_a.debtor_id, purchase_order="4500-77"))
    headers = await _headers(cast.finance_a)
    assert [item["number"] for item in (await client.get("/api/v1/invoices?show=unpaid&q=4500", headers=headers)).json()["items"]] == [
        number
    ]
    assert (await client.get("/api/v1/invoices?show=paid", headers=headers)).json() == {"items": [], "next": None}
    assert (await client.get("/api/v1/invoices?show=perhaps", headers=headers)).status_code in {400, 422}
    assert (await client.get("/api/v1/invoices?cursor=nonsense", headers=headers)).json()["code"] == "cursor"
