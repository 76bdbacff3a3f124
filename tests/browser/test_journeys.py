"""The whole job in a real browser: from looking for a course to an invoice that everybody sees is paid."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from marketplace.kit import clock
from tests.browser.product import eventually
from tests.browser.walk import Walker, walker

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from tests.browser.product import Product
    from tests.browser.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(("locale", "script"), [("en", True), ("nl", True), ("en", False)], ids=["EN", "NL", "EN without JavaScript"])
async def test_the_whole_job(locale: str, script: bool, browser: Browser, product: Product, tmp_path: Path) -> None:
    town = product.town("journey", f"{locale.upper()}{7 if script else 8}")
    hr = await walker(browser, product, town, locale, script=script)
    await hr.signs_in(town.accounts["hr"])
    await finds(hr, town)
    number = await buys(hr, ["Aditi Raman", "Mateus Ferreira"])
    await expect(hr.reads("Confirmed")).to_be_visible()

    await hr.opens(f"/programmes/{town.private_code}")
    asked = await buys(hr, ["Hana Novotná"])
    await expect(hr.reads("Waiting for the partner")).to_be_visible()
    partner = await walker(browser, product, town, locale, script=script)
    await partner.signs_in(town.accounts["partner"])
    await partner.opens("/acceptances")
    await partner.presses("Accept")
    await expect(partner.reads("{person} is on your roster.", person="Hana Novotná")).to_be_visible()
    await hr.sees_at_last(f"/orders/{asked}", "Confirmed")

    invoice = await invoice_arrives(hr, product, town, number, tmp_path)
    finance = await walker(browser, product, town, locale, script=script)
    await finance.signs_in(town.accounts["finance"])
    await pays(finance, invoice)
    ecl = await walker(browser, product, town, locale, script=script)
    await ecl.signs_in(town.accounts["ecl"])
    for person, address in ((finance, f"/invoices/{invoice}"), (hr, f"/invoices/{invoice}"), (ecl, f"/invoices/{invoice}")):
        await person.sees_at_last(address, "Paid")
    await hr.opens("/invoices")
    await expect(row(hr, invoice)).to_contain_text(hr.words("Paid"))
    await ecl.opens("/desk/invoices?q=" + invoice)
    await expect(row(ecl, invoice)).to_contain_text(ecl.words("Paid"))

    await plans(hr, town, "Tomasz Wilk")
    assert not [line for person in (hr, partner, finance, ecl) for line in person.said]
    for person in (hr, partner, finance, ecl):
        await person.tab.context.close()


async def test_a_purchase_by_keyboard_only(browser: Browser, product: Product) -> None:
    town = product.town("journey", "Keys")
    hr = await walker(browser, product, town, "en", by_keyboard=True)
    await hr.signs_in(town.accounts["hr"])
    await finds(hr, town)
    await buys(hr, ["Aditi Raman", "Hana Novotná"])
    await expect(hr.reads("Confirmed")).to_be_visible()
    await hr.tab.context.close()


async def test_a_purchase_on_a_phone(browser: Browser, product: Product) -> None:
    town = product.town("journey", "Phone")
    hr = await walker(browser, product, town, "nl", width=360)
    await hr.signs_in(town.accounts["hr"])
    await hr.opens(f"/programmes/{town.group_code}")
    await buys(hr, ["Aditi Raman"])
    await expect(hr.reads("Confirmed")).to_be_visible()
    await hr.tab.context.close()


def row(person: Walker, number: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a Locator
    """Return the table row of an invoice."""
    return person.tab.get_by_role("row").filter(has_text=number)


async def finds(hr: Walker, town: Town) -> None:
    """Search the course by its name and open it."""
    await hr.opens("/programmes")
    await hr.types("q", town.group_title[hr.locale])
    await hr.presses("Search", within=hr.tab.locator("main"))
    await expect(hr.tab).to_have_url(re.compile(r"q="))
    await hr.uses(hr.tab.get_by_role("link", name=re.compile(re.escape(town.group_title[hr.locale]))).first)
    await expect(hr.tab.get_by_role("heading", level=1)).to_have_text(town.group_title[hr.locale])


async def buys(hr: Walker, people: list[str]) -> str:
    """From the programme's page to the placed order; return its number."""
    await hr.presses("Choose people")
    for person in people:
        await hr.ticks(person)
    await hr.types("purchase_order", "4500128834")
    await hr.presses("Review order")
    await expect(hr.tab).to_have_url(re.compile(r"/basket$"))
    await expect(hr.tab.locator("main")).to_contain_text(people[0])
    place = hr.words("Place order · {total}").partition("{")[0].strip()
    await hr.uses(hr.tab.get_by_role("button", name=re.compile(re.escape(place))))
    await expect(hr.tab).to_have_url(re.compile(r"/orders/\d+$"))
    number = hr.tab.url.rpartition("/")[2]
    await expect(hr.reads("Order {number} is placed.", number=number)).to_be_visible()
    return number


async def invoice_arrives(hr: Walker, product: Product, town: Town, order: str, folder: Path) -> str:
    """Wait for the mail with the PDF, and open the invoice's page; return the invoice's number."""
    await hr.sees_at_last(f"/orders/{order}", "Invoice")
    link = hr.tab.locator("main a[href^='/invoices/']").first
    invoice = (await link.get_attribute("href") or "").rpartition("/")[2]
    mail = eventually(lambda: [one for one in product.mails(f"invoices-{town.tag}".lower()) if invoice in one["subject"]])[0]
    sent = product.attachment(mail)
    assert sent.startswith(b"%PDF-")
    kept = folder / "invoice.pdf"
    kept.write_bytes(sent)
    checked = subprocess.run(["qpdf", "--check", str(kept)], capture_output=True, text=True, check=False)  # noqa: ASYNC221 - short, and nothing else waits
    assert checked.returncode == 0, checked.stdout + checked.stderr
    await hr.presses("Invoice {number}", role="link", number=invoice)
    await expect(hr.tab.get_by_role("heading", level=1)).to_contain_text(invoice)
    opened = await hr.tab.context.request.get(f"/invoices/{invoice}.pdf")
    assert opened.headers["content-type"] == "application/pdf"
    assert await opened.body() == sent
    return invoice


async def pays(finance: Walker, invoice: str) -> None:
    """Pay on the sandbox's page, with iDEAL."""
    await finance.opens("/invoices")
    await finance.uses(finance.tab.get_by_role("link", name=invoice, exact=True).first)
    await finance.uses(finance.tab.locator("main a.button.primary, main .button[href*='/i/']").first)
    await expect(finance.tab.get_by_role("radio", name="iDEAL")).to_be_checked()
    await finance.uses(finance.tab.locator("button[name=outcome][value=ok]"))
    await expect(finance.tab.locator("main .flash.ok, .flash.ok").first).to_be_visible()


async def plans(hr: Walker, town: Town, person: str) -> None:
    """Put somebody on the course on a later day."""
    await hr.opens(f"/programmes/{town.group_code}")
    await hr.presses("Put someone on a date for later", role="link")
    await hr.tab.locator("select[name=person_id]").select_option(label=await _option(hr, person))
    await hr.types("run_on", (clock.today(clock.now()) + timedelta(days=14)).isoformat())
    await hr.types("run_time", "09:00")
    await hr.presses("Plan it")
    await expect(hr.tab).to_have_url(re.compile(r"/scheduled-enrolments"))
    await expect(hr.tab.get_by_role("row").filter(has_text=person)).to_contain_text(hr.words("Planned"))


async def _option(hr: Walker, person: str) -> str:
    return (await hr.tab.locator("select[name=person_id] option").filter(has_text=person).inner_text()).strip()
