"""ECL's pages of runs, held invoices and profiles, and the page on which a company says how it is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from billing import debtors
from billing.runs import holds, profiles
from marketplace.kit import db as kit_db
from marketplace.kit import work
from tests.builders.runs import a_held_order, a_monthly_debtor, a_preview, a_ready_charge
from tests.cast import Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.asyncio(loop_scope="session")
INSIDE = ("runs.collect", "runs.issue_group", "billing.issue")


async def test_ecl_makes_looks_over_and_issues_a_run(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    debtor = await a_monthly_debtor(legal_name="Hortus Labs B.V.")
    await a_ready_charge(debtor)
    ecl = await signed_in(client, cast.ecl)
    assert "Hortus Labs" in (await ecl.get("/invoice-runs/new?until=2026-11-23")).text
    made = await ecl.post("/invoice-runs/new", data={"until_on": "2026-11-23", "scope": "monthly"})
    assert made.status_code == 303
    where = made.headers["location"]
    assert 'data-poll="2"' in (await ecl.get(where)).text
    await work.drain(now, only=INSIDE)
    page = (await ecl.get(where)).text
    assert "Issue one invoice · €645.00" in page
    assert "Hortus Labs" in page
    assert (await ecl.post(f"{where}/issue", form="/privacy")).status_code == 303
    assert "0 of 1 invoices" in (await ecl.get(where)).text
    await work.drain(now, only=INSIDE)
    page = (await ecl.get(where)).text
    assert "2026-000001" in page
    assert "data-poll" not in page
    assert "Until 23 November 2026" in (await ecl.get("/invoice-runs")).text
    assert "Hortus Labs B.V.;;Invoice issued;2026-000001;1;645.00;0.00;645.00" in (await ecl.get(f"{where}/invoices.csv")).text


async def test_a_blocked_group_says_what_to_mend_and_takes_it(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    await a_ready_charge(await a_monthly_debtor(acceptance_profile="university", wants_ubl=True), ordered_by="F. de Wit")
    run_id = await a_preview()
    ecl = await signed_in(client, cast.ecl)
    page = (await ecl.get(f"/invoice-runs/{run_id}?show=blocked")).text
    assert "a project number of 11 digits or a PO number" in page
    group_id = await kit_db.value("SELECT id FROM invoice_run_group WHERE run_id = $1", run_id)
    assert "Fill it in and look again" in (await ecl.get(f"/invoice-runs/groups/{group_id}")).text
    empty = await ecl.post(f"/invoice-runs/groups/{group_id}", data={"purchase_order": ""})
    assert empty.status_code == 422
    filled = await ecl.post(f"/invoice-runs/groups/{group_id}", data={"purchase_order": "4500128834"})
    assert filled.headers["location"] == f"/invoice-runs/{run_id}"
    await work.drain(now, only=INSIDE)
    assert "One invoice is ready" in (await ecl.get(f"/invoice-runs/{run_id}")).text


async def test_a_run_is_stopped(cast: Cast, client: httpx.AsyncClient) -> None:
    await a_ready_charge(await a_monthly_debtor())
    run_id = await a_preview()
    ecl = await signed_in(client, cast.ecl)
    assert (await ecl.post(f"/invoice-runs/{run_id}/stop", form="/privacy")).status_code == 303
    assert "Stopped" in (await ecl.get(f"/invoice-runs/{run_id}")).text
    assert (await ecl.post(f"/invoice-runs/{run_id}/issue", form="/privacy")).status_code == 409


async def test_a_held_invoice_is_mended(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    hold_id = await a_held_order()
    ecl = await signed_in(client, cast.ecl)
    listed = (await ecl.get("/invoice-runs/held")).text
    assert "The name of who ordered is on the invoice" in listed
    assert "Fill it in and issue" in (await ecl.get(f"/invoice-runs/held/{hold_id}")).text
    half = await ecl.post(f"/invoice-runs/held/{hold_id}/references", form="/privacy", data={"purchase_order": "4500128834"})
    assert half.headers["location"] == f"/invoice-runs/held/{hold_id}"
    whole = await ecl.post(f"/invoice-runs/held/{hold_id}/references", form="/privacy", data={"ordered_by": "F. de Wit"})
    assert whole.headers["location"] == "/invoice-runs/held"
    await work.drain(now, only=INSIDE)
    assert await holds.waiting() == []
    assert (await ecl.get(f"/invoice-runs/held/{hold_id}")).status_code == 404


async def test_a_held_invoice_goes_as_it_is_with_a_reason(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    hold_id = await a_held_order()
    ecl = await signed_in(client, cast.ecl)
    assert (await ecl.post(f"/invoice-runs/held/{hold_id}/anyway", form="/privacy", data={"reason": ""})).status_code == 422
    assert (await ecl.post(f"/invoice-runs/held/{hold_id}/anyway", form="/privacy", data={"reason": "Agreed by phone"})).status_code == 303
    await work.drain(now, only=INSIDE)
    assert await kit_db.value("SELECT count(*) FROM invoice") == 1


async def test_profiles_are_kept_by_ecl(cast: Cast, client: httpx.AsyncClient, now: datetime) -> None:
    ecl = await signed_in(client, cast.ecl)
    assert "11 digits" in (await ecl.get("/acceptance-profiles")).text
    wrong = await ecl.post(
        "/acceptance-profiles/new", data={"code": "X y", "name_en": "Hospital", "name_nl": "Ziekenhuis", "wants": "project"}
    )
    assert wrong.status_code == 422
    assert "Say how many digits" in wrong.text
    sent = {"code": "hospital", "name_en": "Hospital", "name_nl": "Ziekenhuis", "wants": "order", "order_starts": "70", "terms_days": "30"}
    assert (await ecl.post("/acceptance-profiles/new", data=sent)).status_code == 303
    assert (await profiles.get("hospital")).terms_days == 30
    assert (await ecl.post("/acceptance-profiles/hospital", data={**sent, "wants_ubl": "on", "schemes": ["0106"]})).status_code == 303
    assert (await profiles.get("hospital")).schemes == ("0106",)
    assert (await ecl.get("/acceptance-profiles/nowhere")).status_code == 404


async def test_these_pages_are_ecls(cast: Cast, client: httpx.AsyncClient) -> None:
    run_id, hold_id = await a_preview(), await a_held_order()
    pages = ("/invoice-runs", "/invoice-runs/new", f"/invoice-runs/{run_id}", "/invoice-runs/held", f"/invoice-runs/held/{hold_id}",
             "/invoice-runs/due", "/acceptance-profiles", "/acceptance-profiles/company")  # fmt: skip
    for who in (cast.hr_a, cast.finance_a, cast.partner_a):
        browser = await signed_in(client, who)
        assert {(await browser.get(page)).status_code for page in pages} == {404}
    ecl = await signed_in(client, cast.ecl)
    assert {(await ecl.get(page)).status_code for page in pages} == {200}


async def _debtor(company_id: UUID) -> debtors.Debtor:
    found = await debtors.of_owner(company_id)
    assert found is not None
    return found


async def test_finance_chooses_what_is_its_own(cast: Cast, client: httpx.AsyncClient) -> None:
    page = f"/companies/{cast.company_a.id}/billing"
    finance = await signed_in(client, cast.finance_a)
    shown = (await finance.get(page)).text
    assert "Will this be accepted?" in shown
    assert 'name="terms_days"' not in shown
    sent = {"language": "nl", "split_by": "cost_centre", "ubl_profile": "nlcius", "wants_ubl": "on", "terms_days": "14", "rhythm": "month"}
    assert (await finance.post(page, data=sent)).status_code == 303
    kept = await _debtor(cast.company_a.id)
    assert (kept.language, kept.split_by, kept.ubl_profile, kept.wants_ubl) == ("nl", "cost_centre", "nlcius", True)
    assert (kept.terms_days, kept.rhythm) == (30, "order"), "what was agreed with ECL isn't the company's to change"
    assert await kit_db.value("SELECT language FROM company WHERE id = $1", cast.company_a.id) == "nl"
    viewer = await signed_in(client, cast.viewer_a)
    assert 'name="split_by"' not in (await viewer.get(page)).text
    assert (await viewer.post(page, data=sent)).status_code == 403
    outsider = await signed_in(client, cast.hr_b)
    assert (await outsider.get(page)).status_code == 404
    assert (await outsider.post(page, data=sent)).status_code == 404


async def test_ecl_agrees_the_terms_and_sees_what_would_come_back(cast: Cast, client: httpx.AsyncClient) -> None:
    page = f"/companies/{cast.company_a.id}/billing"
    ecl = await signed_in(client, cast.ecl)
    sent = {
        "language": "en", "split_by": "none", "acceptance_profile": "public_body", "rhythm": "month", "billing_moment": "delivery",
        "terms_days": "14", "channel": "mail", "ubl_profile": "peppol",
    }  # fmt: skip
    looked = await ecl.post(page, data={**sent, "check": "on"})
    assert looked.status_code == 200
    assert "Nothing is saved yet." in looked.text
    assert "2 things would send every invoice back" in looked.text
    assert (await _debtor(cast.company_a.id)).rhythm == "order"
    wrong = await ecl.post(page, data={**sent, "channel": "peppol", "peppol_scheme": "0190", "peppol_id": "123"})
    assert wrong.status_code == 422
    right = {**sent, "terms_days": "30", "channel": "peppol", "peppol_scheme": "0190", "peppol_id": "00000001003214345000"}
    assert (await ecl.post(page, data=right)).status_code == 303
    kept = await _debtor(cast.company_a.id)
    assert (kept.rhythm, kept.billing_moment, kept.channel, kept.peppol_id) == ("month", "delivery", "peppol", "00000001003214345000")
    assert "Nothing here stops an invoice." in (await ecl.get(page)).text
    assert (await ecl.post(page, data={**right, "acceptance_profile": "nothing"})).status_code == 422
