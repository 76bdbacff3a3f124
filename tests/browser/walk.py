"""A person before the browser: says the product's own sentences in their language, and clicks or presses what they read."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from playwright.async_api import expect

from marketplace.kit.i18n import _, use_locale
from tests.browser.looking import context_of, listen
from tests.browser.town import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from tests.browser.product import Product
    from tests.browser.town import Town

_TABS = 150
_WITHIN = 120.0


class Walker:
    """One person in one browser context. ``by_keyboard``: nothing is clicked, only Tab, Enter, Space and typing."""

    def __init__(self, tab: Page, locale: str, *, by_keyboard: bool = False) -> None:
        self.tab = tab
        self.locale = locale
        self.by_keyboard = by_keyboard
        self.said = listen(tab)

    def words(self, sentence: str, **values: object) -> str:
        """Return a sentence of the product in this person's language."""
        with use_locale(self.locale):
            return str(_(sentence, **values))

    def reads(self, sentence: str, **values: object) -> Locator:
        """Return where the page's main part says a sentence."""
        return self.tab.get_by_text(self.words(sentence, **values)).locator("visible=true").first

    async def opens(self, address: str) -> None:
        """Type an address."""
        await self.tab.goto(address)

    async def presses(self, sentence: str, *, role: str = "button", within: Locator | None = None, **values: object) -> None:
        """Follow the button or link that says this."""
        name = self.words(sentence, **values)
        await self.uses((within or self.tab).get_by_role(role, name=name, exact=False).locator("visible=true").first)  # type: ignore[arg-type]

    async def uses(self, control: Locator, key: str = "Enter") -> None:
        """Click a control, or reach it by Tab and press it."""
        await expect(control).to_be_visible()
        if not self.by_keyboard:
            await control.click()
            return
        await self.reaches(control)
        await self.tab.keyboard.press(key)
        await self.tab.wait_for_load_state()

    async def reaches(self, control: Locator) -> None:
        """Press Tab until the control has the focus, and see that the focus shows."""
        for _attempt in range(_TABS):
            await self.tab.keyboard.press("Tab")
            if await control.evaluate("element => element === document.activeElement"):
                shown = await control.evaluate(
                    "e => [e, e.closest('label, .search, .card')].some(x => x && getComputedStyle(x).outlineStyle !== 'none')"
                )
                assert shown, f"the focus on {control} can't be seen"
                return
        raise AssertionError(f"{control} can't be reached by Tab")

    async def types(self, name: str, text: str) -> None:
        """Fill a field."""
        field = self.tab.locator(f"[name={name}]:visible").first
        if self.by_keyboard:
            await self.reaches(field)
            await self.tab.keyboard.press("Control+A")
            await self.tab.keyboard.type(text)
        else:
            await field.fill(text)

    async def ticks(self, person: str) -> None:
        """Tick a person."""
        box = self.tab.get_by_role("checkbox", name=re.compile(re.escape(person)))
        await self.uses(box.first, key="Space")
        await expect(box.first).to_be_checked()

    async def signs_in(self, address: str) -> None:
        """Sign in through the form."""
        await self.opens("/sign-in")
        await self.types("email", address)
        await self.types("password", PASSWORD)
        await self.presses("Sign in", within=self.tab.locator("main"))
        await expect(self.tab).not_to_have_url(re.compile("sign-in"))

    async def sees_at_last(self, address: str, sentence: str, **values: object) -> None:
        """Load a page again until it says something that another process has to do first."""
        until = time.monotonic() + _WITHIN
        while True:
            await self.opens(address)
            if await self.tab.locator("main").get_by_text(self.words(sentence, **values)).count():
                return
            assert time.monotonic() < until, f"{address} never said {self.words(sentence, **values)!r}"
            await self.tab.wait_for_timeout(300)


async def walker(
    browser: Browser, product: Product, town: Town, locale: str, *, script: bool = True, by_keyboard: bool = False, width: int = 1280
) -> Walker:
    """Return somebody who isn't signed in."""
    context = await context_of(browser, product, town, "nobody", locale, script=script, width=width)
    return Walker(await context.new_page(), locale, by_keyboard=by_keyboard)
