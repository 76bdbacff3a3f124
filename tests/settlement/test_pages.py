"""The pages: ECL agrees, makes, answers and pays; a partner sees its own only; a company sees none of it."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from billing import archive
from billing.settlement import accounts, contracts, lines, payees, payouts, statements
from billing.settlement.papers import SELF_BILLED, STATEMENT
from marketplace.kit import db as kit_db
from tests.builders.people import a_member
from tests.builders.settlement import IBANS, a_payee, a_seat, a_statement, agreed, an_account
from tests.cast import Browser, Cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Shop:
    """Partner A with an account and a statement, and who looks at it."""

    def __init__(self, payee_id: UUID, statement: statements.Statement, ecl: Browser, partner: Browser) -> None:
        self.payee_id, self.statement, self.ecl, self.partner = payee_id, statement, ecl, partner
        self.number = statement.number


@pytest_asyncio.fixture(loop_scope="session")
async def shop(cast: Cast, client: httpx.AsyncClient) -> Shop:
    payee_id = await a_payee(cast.partner_a_id)
    await an_account(payee_id)
    statement = await a_statement(payee_id, 64_500, 10_000, vat_basis="coaching")
    return Shop(payee_id, statement, await signed_in(client, cast.ecl), await signed_in(client, cast.partner_a))


async def test_a_partner_sees_what_it_earned_and_what_comes(shop: Shop) -> None:
    await a_seat(shop.payee_id, cents=20_000, ended_on=date(2026, 12, 18), session="NL-B1-26-1")
    page = (await shop.partner.get("/statements")).text
    assert shop.number in page
    assert "NL-B1-26-1" in page
    assert "1 Feb 2027" in page
    one = (await shop.partner.get(f"/statements/{shop.number}")).text
    assert "€766.23" in one
    assert "15%" in one
    assert f"SB-{shop.number[2:]}" in one


async def test_the_figures_say_what_the_list_says(shop: Shop) -> None:
    """A course whose days of holding end this month comes on the next statement, though it can't be paid for today."""
    await a_seat(shop.payee_id, cents=20_000, ended_on=date(2026, 11, 12))
    await a_seat(shop.payee_id, cents=30_000, ended_on=date(2026, 12, 18))
    page = (await shop.partner.get("/statements")).text
    assert re.search(r"€170\b.{0,40}on your next statement", page, re.DOTALL)
    assert re.search(r"€255\b.{0,40}on later statements", page, re.DOTALL)
    assert "1 Dec 2026" in page


@pytest.mark.parametrize("who", ["partner_b", "hr_a", "finance_a"])
async def test_outsiders_get_the_answer_of_an_unknown_number(cast: Cast, client: httpx.AsyncClient, shop: Shop, who: str) -> None:
    browser = await signed_in(client, getattr(cast, who))
    for path in (f"/statements/{shop.number}", f"/statements/{shop.number}.pdf", f"/partner-statements/{shop.number}"):
        foreign, unknown = await browser.get(path), await browser.get(path.replace(shop.number, "S-X-2026-999999"))
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.text.replace(shop.number, "X") == unknown.text.replace("S-X-2026-999999", "X")
    for path in ("/partner-statements", "/partner-contracts", "/payout-batches", f"/partner-contracts/{shop.payee_id}"):
        assert (await browser.get(path)).status_code == 404
    assert shop.number not in (await browser.get("/statements")).text


async def test_a_partner_sees_no_names_and_no_other_partners_lines(cast: Cast, client: httpx.AsyncClient, shop: Shop) -> None:
    other = await a_payee(cast.partner_b_id)
    await a_seat(other, cents=77_700, session="CB-SECRET")
    page = (await shop.partner.get("/statements")).text
    assert "CB-SECRET" not in page
    assert "CB-SECRET" in (await (await signed_in(client, cast.partner_b)).get("/statements")).text


async def test_papers_are_the_stored_bytes(shop: Shop, now: datetime) -> None:
    early = await shop.partner.get(f"/statements/{shop.number}.pdf")
    assert early.status_code == 404
    assert "being made" in early.text
    for subject, kind in ((STATEMENT, "pdf"), (STATEMENT, "csv"), (SELF_BILLED, "pdf"), (SELF_BILLED, "ubl")):
        name = f"{subject}.{kind}"
        await archive.store_paper((subject, shop.statement.id), kind=kind, name=name, content=name.encode(), now=now)
    for ending, content in (
        ("pdf", "partner_statement.pdf"),
        ("csv", "partner_statement.csv"),
        ("invoice.pdf", "self_billed.pdf"),
        ("ubl", "self_billed.ubl"),
    ):
        for browser, base in ((shop.partner, "/statements"), (shop.ecl, "/partner-statements")):
            assert (await browser.get(f"{base}/{shop.number}.{ending}")).text == content
    assert (await shop.partner.get(f"/statements/{shop.number}.docx")).status_code == 404


async def test_a_partner_objects_and_ecl_answers(shop: Shop) -> None:
    row = (await statements.rows(shop.statement.id))[0]
    address = f"/statements/{shop.number}/lines/{row.id}"
    assert "Dutch A1" in (await shop.partner.get(address)).text
    assert (await shop.partner.post(address, {"reason": ""})).status_code == 422
    assert (await shop.partner.post(address, {"reason": "Six, not five"})).status_code == 303
    listed = (await shop.ecl.get("/partner-statements/objections")).text
    assert "Six, not five" in listed
    objection = await kit_db.value("SELECT id FROM statement_objection")
    answer = f"/partner-statements/objections/{objection}"
    missing = await shop.ecl.post(answer, {"answer": "Indeed", "outcome": "more", "amount": ""}, form=answer)
    assert missing.status_code == 422
    assert "Say how much" in missing.text
    assert (await shop.ecl.post(answer, {"answer": "Indeed", "outcome": "more", "amount": "85,00"})).status_code == 303
    assert "Answer: Indeed" in (await shop.partner.get(f"/statements/{shop.number}")).text
    assert await kit_db.value("SELECT earned_cents FROM settlement_line WHERE key LIKE 'objection%'") == 8_500


async def test_a_partner_agrees(shop: Shop) -> None:
    page = await shop.partner.get(f"/statements/{shop.number}")
    assert "Agree to €766.23" in page.text
    assert (await shop.partner.post(f"/statements/{shop.number}/accept")).status_code == 303
    assert "goes into our next payout" in (await shop.partner.get(f"/statements/{shop.number}")).text


async def test_a_payout_by_two_colleagues(cast: Cast, client: httpx.AsyncClient, shop: Shop) -> None:
    await agreed(shop.statement)
    assert "€766.23" in (await shop.ecl.get("/payout-batches")).text
    wrong = await shop.ecl.post("/payout-batches", {"pay_on": "2026-11-28"})
    assert wrong.status_code == 422
    assert "working day" in wrong.text
    made = await shop.ecl.post("/payout-batches", {"pay_on": "2026-11-24"})
    batch = made.headers["location"]
    own = (await shop.ecl.get(batch)).text
    assert "a colleague approves it" in own
    assert "/approve" not in own
    await shop.ecl.post(f"{batch}/approve")
    assert "drafted it yourself" in (await shop.ecl.get(batch)).text
    second = await signed_in(client, await a_member(name="Joost Second", email="joost@ecl.example"))
    await second.get(batch)
    await second.post(f"{batch}/approve")
    await second.post(f"{batch}/export")
    file = await second.get(f"{batch}/file")
    assert file.headers["content-disposition"] == 'attachment; filename="P-2026-000001.xml"'
    assert b"766.23" in file.content
    assert (await second.post(f"{batch}/nonsense")).status_code == 404
    await second.post(f"{batch}/send")
    item = (await payouts.items((await payouts.listed())[0].id))[0]
    assert (await second.post(f"/payout-batches/items/{item.id}", {"reason": "", "on": "x"})).status_code == 422
    await second.post(f"{batch}/paid")
    assert "This statement is paid out" in (await shop.partner.get(f"/statements/{shop.number}")).text
    await second.post(f"/payout-batches/items/{item.id}", {"reason": "AC04", "on": "2026-11-25"})
    assert "AC04" in (await second.get(batch)).text
    assert "€766.23" in (await second.get("/payout-batches")).text


async def test_ecl_agrees_a_contract_and_ends_it(shop: Shop) -> None:
    address = f"/partner-contracts/{shop.payee_id}"
    both = await shop.ecl.post(f"{address}/new", {"from_on": "2027-01-01", "percent": "10", "fixed": "25"})
    assert both.status_code == 422
    assert "either a percentage" in both.text
    assert (
        await shop.ecl.post(f"{address}/new", {"from_on": "2027-01-01", "fixed": "25,50", "programme": "NL-A1", "hold_days": "7"})
    ).status_code == 303
    page = (await shop.ecl.get(address)).text
    assert "€25.50 each" in page
    made = next(one for one in await contracts.of(shop.payee_id) if one.programme)
    assert (await shop.ecl.post(f"/partner-contracts/contracts/{made.id}", {"until_on": "2026-01-01"})).status_code == 422
    assert (await shop.ecl.post(f"/partner-contracts/contracts/{made.id}", {"until_on": "2027-06-30"})).status_code == 303
    assert "30 Jun 2027" in (await shop.ecl.get(address)).text


async def test_ecl_keeps_details(shop: Shop) -> None:
    address = f"/partner-contracts/{shop.payee_id}/details"
    before = await payees.get(shop.payee_id)
    given = {
        "legal_name": "Taalhuis Rapenburg B.V.", "code": before.code, "email": "pay@taalhuis.example", "street": "Rapenburg 1", "postcode": "2311 EZ",
        "city": "Leiden", "country": "NL", "kvk": "1234", "language": "nl", "objection_days": "10", "shares_fees": "on",
    }  # fmt: skip
    wrong = await shop.ecl.post(address, given)
    assert wrong.status_code == 422
    assert "eight digits" in wrong.text
    assert (await shop.ecl.post(address, given | {"kvk": "12345678"})).status_code == 303
    after = await payees.get(shop.payee_id)
    assert (after.legal_name, after.self_billing_from_on, after.shares_fees) == ("Taalhuis Rapenburg B.V.", None, True)
    assert (await shop.ecl.post(address, given | {"code": "OTHER", "kvk": "12345678"})).status_code == 422


async def test_an_account_goes_through_two_people(cast: Cast, client: httpx.AsyncClient, shop: Shop) -> None:
    wrong = await shop.partner.post("/statements/account", {"iban": "NL00"})
    assert wrong.status_code == 422
    assert "isn&#39;t right" in wrong.text
    assert (await shop.partner.post("/statements/account", {"iban": "nl20 ingb 0001 2345 67"})).status_code == 303
    assert "ending in 4567 is being checked" in (await shop.partner.get("/statements/account")).text
    pending = (await accounts.of(shop.payee_id))[0]
    await shop.ecl.get(f"/partner-contracts/{shop.payee_id}")
    await shop.ecl.post(f"/partner-contracts/accounts/{pending.id}/approve")
    approved = await accounts.approved(shop.payee_id)
    assert approved is not None
    assert approved.iban == IBANS[1]
    await shop.ecl.post(f"/partner-contracts/{shop.payee_id}/account", {"iban": IBANS[2]})
    page = (await shop.ecl.get(f"/partner-contracts/{shop.payee_id}")).text
    assert "You proposed it yourself" in page
    assert "/approve" not in page


async def test_a_line_is_held_back_and_freed(shop: Shop) -> None:
    charge = await a_seat(shop.payee_id)
    (line,) = await lines.of_charge(charge)
    address = f"/partner-statements/lines/{line.id}"
    assert (await shop.ecl.post(address, {"reason": " "})).status_code == 422
    assert (await shop.ecl.post(address, {"reason": "Teacher was ill"})).status_code == 303
    assert "Teacher was ill" in (await shop.partner.get("/statements")).text
    incident = await kit_db.value("SELECT id FROM settlement_incident")
    assert (await shop.ecl.post(f"/partner-statements/incidents/{incident}", {"outcome": "Given later"})).status_code == 303
    assert "Given later" in (await shop.ecl.get("/partner-statements/incidents")).text


async def test_a_partners_own_invoice_is_registered(cast: Cast, shop: Shop) -> None:
    payee_id = await a_payee(cast.partner_b_id, self_billing=False)
    statement = await a_statement(payee_id, 10_000)
    address = f"/partner-statements/{statement.number}"
    assert "It must come to €85.00" in (await shop.ecl.get(address)).text
    wrong = await shop.ecl.post(f"{address}/invoice", {"invoice_number": "F1", "invoice_on": "2026-11-20", "total": "90"}, form=address)
    assert wrong.status_code == 422
    assert "The statement comes to €85.00" in wrong.text
    assert (
        await shop.ecl.post(f"{address}/invoice", {"invoice_number": "F1", "invoice_on": "2026-11-20", "total": "85,00"})
    ).status_code == 303
    assert (await statements.by_id(statement.id)).invoice_number == "F1"


async def test_lists_filter_and_speak_dutch(cast: Cast, client: httpx.AsyncClient, shop: Shop) -> None:
    await a_seat(await a_payee(percent=None))
    assert shop.number in (await shop.ecl.get("/partner-statements?state=issued")).text
    assert shop.number not in (await shop.ecl.get("/partner-statements?state=paid")).text
    assert "One line has no contract" in (await shop.ecl.get("/partner-statements")).text
    for show in ("waiting", "accrued", "payable", "held", "stated", "nonsense"):
        assert (await shop.ecl.get(f"/partner-statements/lines?show={show}")).status_code == 200
    await kit_db.execute("UPDATE account SET locale = 'nl'")
    for browser, path, words in (
        (await signed_in(client, cast.ecl, locale="nl"), "/partner-statements", "Afrekeningen"),
        (await signed_in(client, cast.ecl, locale="nl"), "/payout-batches", "Uitbetalingen"),
        (await signed_in(client, cast.partner_a, locale="nl"), "/statements", "Afrekeningen"),
    ):
        page = await browser.get(path)
        assert page.status_code == 200
        assert words in page.text


async def test_making_the_months_statements(shop: Shop) -> None:
    answer = await shop.ecl.post("/partner-statements/make", {"month": "2026-10-01"}, form="/partner-statements")
    assert answer.status_code == 303
    assert "nothing to state" in (await shop.ecl.get("/partner-statements")).text
    await shop.ecl.post("/partner-statements/make", {"month": "2026-11-01"})
    assert "isn&#39;t over" in (await shop.ecl.get("/partner-statements")).text
