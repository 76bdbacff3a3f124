"""The pages of dunning: what goes, what went, holding, the rules, a debtor let through; a company reads its own letters only."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest

from billing import archive
from billing.dunning import policy, reminders
from billing.dunning.policy import Policy
from marketplace.kit import db as database
from marketplace.kit import identity
from marketplace.kit.clock import FakeClock, today
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import an_invoice, number_of
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _reminded(cast: Cast, clock: FakeClock) -> tuple[UUID, UUID]:
    """Issue an invoice, let it be reminded of, with a paper that stands for the PDF; return invoice and reminder."""
    assert cast.company_a.debtor_id is not None
    invoice = await an_invoice(cast.company_a.debtor_id)
    clock.move(timedelta(days=31))
    (reminder,) = await reminders.write(cast.company_a.debtor_id, now=clock.now())
    await archive.store_paper(("reminder", reminder), kind="pdf", name="reminder.pdf", content=b"%PDF-1.7 letter", now=clock.now())
    await database.execute("UPDATE reminder SET state = 'sent', sent_at = $2 WHERE id = $1", reminder, clock.now())
    return invoice, reminder


async def test_ecl_sees_what_goes_what_went_and_who_is_late(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    assert "No reminders" in (await (await signed_in(client, cast.ecl)).get("/reminders")).text
    invoice, reminder = await _reminded(cast, clock)
    number = await number_of(invoice)
    ecl = await signed_in(client, cast.ecl)
    sent = await ecl.get("/reminders?show=sent")
    assert number in sent.text
    assert f"/reminders/{reminder}/pdf" in sent.text
    assert cast.company_a.name in (await ecl.get("/reminders?show=late")).text
    clock.move(timedelta(days=12))
    ecl = await signed_in(client, cast.ecl)
    upcoming = await ecl.get("/reminders")
    assert "Second reminder" in upcoming.text
    assert number in upcoming.text


async def test_holding_back_on_the_page(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    ecl = await signed_in(client, cast.ecl)
    number = await number_of(await an_invoice(cast.company_a.debtor_id))
    wrong = await ecl.post("/reminders/hold", {"number": "2026-999999", "reason": "x"}, form="/reminders?show=held")
    assert wrong.status_code == 422
    assert "There is no such invoice." in wrong.text
    assert (await ecl.post("/reminders/hold", {"number": number.lower(), "reason": "They wait for a PO"})).status_code == 303
    page = await ecl.get("/reminders?show=held")
    assert "They wait for a PO" in page.text
    hold = await database.value("SELECT id FROM reminder_hold")
    assert (await ecl.post(f"/reminders/holds/{hold}/lift")).status_code == 303
    assert "No invoice is held back." in (await ecl.get("/reminders?show=held")).text


async def test_the_rules_and_the_rates(cast: Cast, client: httpx.AsyncClient) -> None:
    ecl = await signed_in(client, cast.ecl)
    page = await ecl.get("/reminders/settings")
    assert "No limit is set: nobody is blocked." in page.text
    assert "10.15" in page.text
    wrong = await ecl.post("/reminders/settings", {"first_days": "14", "second_days": "14", "third_days": "x"})
    assert wrong.status_code == 422
    wrong = await ecl.post("/reminders/settings", {"first_days": "14", "second_days": "14", "third_days": "30"})
    assert "The second reminder comes after the first." in wrong.text
    right = {
        "first_days": "3",
        "second_days": "17",
        "third_days": "31",
        "block_after_days": "44",
        "block_over": "2.500,00",
        "interest": "on",
    }
    assert (await ecl.post("/reminders/settings", right)).status_code == 303
    assert await policy.get() == Policy(
        first_days=3, second_days=17, third_days=31, block_after_days=44, block_over_cents=250_000, interest=True
    )
    assert "2500,00" in (await ecl.get("/reminders/settings")).text
    assert (await ecl.post("/reminders/rates", {"from_on": "2027-01-02", "percent": "10,15"})).status_code == 422
    assert (await ecl.post("/reminders/rates", {"from_on": "2026-07-01", "percent": "10,25"})).status_code == 303
    known = await ecl.post("/reminders/rates", {"from_on": "2026-07-01", "percent": "10,25"})
    assert "The rate from this day is known already." in known.text


async def test_a_debtor_is_let_through_and_gets_its_own_limits(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    await policy.change(Policy(block_after_days=10), actor=SYSTEM, now=clock.now())
    await an_invoice(cast.company_a.debtor_id)
    clock.move(timedelta(days=60))
    ecl = await signed_in(client, cast.ecl)
    page = f"/reminders/debtors/{cast.company_a.debtor_id}"
    assert "so nothing new can be ordered now" in (await ecl.get(page)).text
    until = (today(clock.now()) + timedelta(days=3)).isoformat()
    assert (await ecl.post(f"{page}/pass", {"until_on": "2020-01-01", "reason": "x"}, form=page)).status_code == 422
    assert (await ecl.post(f"{page}/pass", {"until_on": until, "reason": "They pay on Friday"}, form=page)).status_code == 303
    assert "They pay on Friday" in (await ecl.get(page)).text
    assert "Let through until" in (await ecl.get("/reminders?show=late")).text
    assert (await ecl.post(f"{page}/end-pass")).status_code == 303
    assert (await ecl.post(f"{page}/limits", {"limits": "never"})).status_code == 303
    assert "They can order." in (await ecl.get(page)).text
    assert (await ecl.post(f"{page}/limits", {"limits": "policy"})).status_code == 303
    assert "so nothing new can be ordered now" in (await ecl.get(page)).text


async def test_a_company_reads_its_own_letters_only(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    invoice, reminder = await _reminded(cast, clock)
    own = await signed_in(client, cast.finance_a)
    assert (await own.get(f"/reminders/{reminder}/pdf")).content == b"%PDF-1.7 letter"
    invoices = await own.get("/invoices?show=overdue")
    assert f"/reminders/{reminder}/pdf" in invoices.text
    assert "Reminder" in (await own.get(f"/invoices/{await number_of(invoice)}")).text
    for outsider in (cast.hr_b, cast.partner_a):
        browser = await signed_in(client, outsider)
        assert (await browser.get(f"/reminders/{reminder}/pdf")).status_code == 404
    for path in ("/reminders", "/reminders/settings", f"/reminders/debtors/{cast.company_a.debtor_id}"):
        assert (await own.get(path)).status_code == 404


async def test_in_dutch(cast: Cast, client: httpx.AsyncClient, clock: FakeClock) -> None:
    await _reminded(cast, clock)
    assert cast.ecl.account_id is not None
    await identity.set_locale(cast.ecl.account_id, "nl")
    ecl = await signed_in(client, cast.ecl, locale="nl")
    debtor = cast.company_a.debtor_id
    for path, words in (
        ("/reminders", "Herinneringen"),
        ("/reminders/settings", "Regels voor herinneringen"),
        (f"/reminders/debtors/{debtor}", "Eigen grenzen"),
    ):
        assert words in (await ecl.get(path)).text
    assert date(2026, 12, 24) == today(clock.now())
