"""Money in a real browser: a company's finance, ECL's month end, a partner's statement and its payout, HR who cancels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.walk import Walker, walker

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.product import Product
    from tests.browser.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def town(product: Product) -> Town:
    """Make one town for all four journeys; each walks among its own invoices."""
    return product.town("money", "Gracht")


async def comes_in(browser: Browser, product: Product, town: Town, who: str, *, script: bool = True) -> Walker:
    """Sign somebody in by the cookie: the form has a journey of its own."""
    person = await walker(browser, product, town, "en", script=script)
    await person.tab.context.add_cookies([{"name": "session", "value": town.cookies[who], "url": product.base}])
    return person


async def leaves(*people: Walker) -> None:
    """Close the tabs, in which nothing went wrong."""
    for person in people:
        assert not person.said
        await person.tab.context.close()


async def test_finance_finds_reads_and_pays_an_invoice(browser: Browser, product: Product, town: Town) -> None:
    finance = await comes_in(browser, product, town, "finance")
    number = town.nouns["to_pay"]
    await finance.opens("/invoices")
    await finance.types("q", "PO-TO-PAY")
    await finance.tab.keyboard.press("Enter")
    await expect(finance.tab.locator("main tbody tr")).to_have_count(1)
    await finance.uses(finance.tab.get_by_role("link", name=number, exact=True))
    await finance.uses(finance.tab.locator("details.why summary").first)
    await expect(finance.tab.locator("details.why[open] p").first).to_be_visible()
    await finance.sees_at_last(f"/invoices/{number}", "the invoice, with the e-invoice inside")
    pdf = await finance.tab.context.request.get(f"/invoices/{number}.pdf")
    assert (await pdf.body()).startswith(b"%PDF-")

    while not await (button := finance.tab.locator("main a.button.primary[href*='/i/']")).count():
        await finance.tab.wait_for_timeout(300)
        await finance.opens(f"/invoices/{number}")
    await finance.uses(button.first)
    await finance.uses(finance.tab.locator("button[name=outcome][value=ok]"))
    await expect(finance.tab.locator(".flash.ok").first).to_be_visible()
    await finance.sees_at_last(f"/invoices/{number}", "Paid")

    await finance.opens(f"/invoices/{town.nouns['credited']}")
    await finance.uses(finance.tab.get_by_role("link", name=re.compile(town.nouns["credit_note"])).first)
    await expect(finance.reads("This takes back part or all of invoice {number}.", number=town.nouns["credited"])).to_be_visible()
    await finance.opens("/account-statement")
    for paper in ("to_pay", "credited", "credit_note"):
        await expect(finance.tab.locator("main")).to_contain_text(town.nouns[paper])
    await leaves(finance)


async def test_month_end_from_the_preview_to_the_last_euro(browser: Browser, product: Product, town: Town) -> None:
    ecl = await comes_in(browser, product, town, "ecl")
    number = await bills_the_month(ecl, town)
    await explains_the_bank(ecl, town)

    await ecl.opens(f"/invoices/{number}")
    await ecl.presses("Make a credit note", role="link")
    await ecl.tab.get_by_role("radio", name=ecl.words("A part: the amounts below")).check()
    await ecl.tab.locator("main form fieldset input[type=text]").first.fill("45,00")
    await ecl.types("reason", "One lesson was cancelled")
    await ecl.presses("Show what it comes to")
    await about(ecl, "Issue credit note of {amount}")
    await expect(ecl.tab.locator("main a[href^='/invoices/C']").first).to_be_visible()
    await ecl.presses("Everything about it", role="link")
    await expect(ecl.tab).to_have_url(re.compile(f"/finance/trace/{number}$"))
    await expect(ecl.tab.locator("main")).to_contain_text(re.compile(r"C20\d\d-0"))
    await leaves(ecl)


async def bills_the_month(ecl: Walker, town: Town) -> str:
    """Preview a run with a blocker, mend it, issue it, and watch it to the end; return the number of the mended invoice."""
    blocked = f"Universiteit {town.tag}"
    await ecl.opens("/invoice-runs/new")
    await ecl.uses(ecl.tab.locator(".chips a").last)
    await ecl.tab.get_by_role("radio", name=ecl.words("Only the companies that I tick")).check()
    for company in (f"Duinrand {town.tag}", blocked):
        await ecl.tab.get_by_role("checkbox", name=company).check()
    await ecl.presses("Put the run together")
    await expect(ecl.reads("One invoice is ready")).to_be_visible()
    await ecl.uses(ecl.tab.get_by_role("link", name=blocked, exact=True))
    await expect(ecl.reads("Why it would come back")).to_be_visible()
    await ecl.types("purchase_order", "UNI-2026-118")
    await ecl.types("cost_centre", "P-4471")
    await ecl.types("ordered_by", "Dr. A. de Wit")
    await ecl.presses("Fill it in and look again")
    await expect(ecl.reads("{n} invoices are ready", n=2)).to_be_visible()
    await about(ecl, "Issue {n} invoices · {amount}")
    await expect(ecl.tab.locator("#run .badge, main .badge").filter(has_text=ecl.words("Issued")).first).to_be_visible(timeout=30_000)
    row = ecl.tab.get_by_role("row").filter(has_text=blocked)
    await expect(row.locator("a[href^='/invoices/']")).to_be_visible(timeout=30_000)
    return (await row.locator("a[href^='/invoices/']").inner_text()).strip()


async def explains_the_bank(ecl: Walker, town: Town) -> None:
    """Send a bank file, confirm what is certain, and give the other transfer to two invoices, the second in part."""
    content = town.nouns["bank_file"].encode()
    await ecl.opens("/bank-files")
    await ecl.tab.locator("input[type=file]").set_input_files({"name": "camt053.xml", "mimeType": "text/xml", "buffer": content})
    await ecl.presses("Read this file")
    await expect(ecl.reads("Certain")).to_be_visible()
    file_page = ecl.tab.url
    await ecl.uses(ecl.tab.get_by_role("row").filter(has_text=town.nouns["paid_whole"]).get_by_role("button"))
    await expect(ecl.reads("All of it is explained.")).to_be_visible()
    await ecl.opens(file_page)
    await ecl.uses(ecl.tab.get_by_role("row").filter(has_text="R. Kok").get_by_role("link").last)
    await ecl.types("parts", f"{town.nouns['paid_first']} 220,00\n{town.nouns['paid_rest']} 80,00")
    await about(ecl, "Give {amount} to these")
    await expect(ecl.reads("All of it is explained.")).to_be_visible()
    for paid, word in (("paid_whole", "Paid"), ("paid_first", "Paid"), ("paid_rest", "To pay")):
        await ecl.opens(f"/invoices/{town.nouns[paid]}")
        await expect(ecl.reads(word)).to_be_visible()


async def about(person: Walker, sentence: str) -> None:
    """Press the button that begins as this sentence does, whatever amount it names."""
    begin = person.words(sentence).partition("{")[0].strip()
    await person.uses(person.tab.get_by_role("button", name=re.compile(f"^{re.escape(begin)}")).first)


async def test_a_partner_answers_and_two_at_ecl_pay(browser: Browser, product: Product, town: Town) -> None:
    partner = await comes_in(browser, product, town, "partner")
    statement = town.nouns["statement"]
    await partner.opens("/statements")
    await partner.uses(partner.tab.get_by_role("link", name=statement, exact=True).first)
    await partner.uses(partner.tab.locator(f"main a[href^='/statements/{statement}/lines/']").first)
    await partner.types("reason", "Het waren zes mensen, geen vijf")
    await partner.presses("Send the objection")
    await partner.opens(f"/statements/{statement}")
    await about(partner, "Agree to {amount}")
    await expect(partner.tab.locator(".flash").first).to_be_visible()

    first, second = [await comes_in(browser, product, town, who) for who in ("ecl", "second")]
    await first.opens("/payout-batches")
    await about(first, "Draft a payout of {amount}")
    await expect(first.reads("You drafted it, so a colleague approves it.")).to_be_visible()
    await expect(first.tab.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    await second.opens(first.tab.url)
    await about(second, "Approve {amount}")
    await second.presses("Make the file")
    async with second.tab.expect_download() as downloading:
        await second.presses("Download the file", role="link")
    kept = await (await downloading.value).path()
    assert b"pain.001.001.09" in kept.read_bytes()
    await leaves(partner, first, second)


@pytest.mark.parametrize("script", [True, False], ids=["", "without JavaScript"])
async def test_hr_sees_what_cancelling_costs_and_cancels(script: bool, browser: Browser, product: Product, town: Town) -> None:
    hr = await comes_in(browser, product, town, "hr", script=script)
    person = "Aditi Raman" if script else "Mateus Ferreira"
    await hr.opens(f"/orders/{town.nouns['number']}")
    await hr.uses(hr.tab.get_by_role("row").filter(has_text=person).locator("a[href$='/cancel']:visible, a[href*='/cancel']:visible").first)
    await expect(hr.reads("What cancelling costs")).to_be_visible()
    await about(hr, "Cancel for {amount}")
    await expect(hr.tab).to_have_url(re.compile(f"/orders/{town.nouns['number']}$"))
    await expect(hr.tab.get_by_role("row").filter(has_text=person).first).to_contain_text(hr.words("Cancelled"))
    await leaves(hr)
