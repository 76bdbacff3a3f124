"""What is asked of every page: axe's rules, its width, its outline, its language, and a quiet console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

    from tests.browser.product import Product
    from tests.browser.town import Town

_AXE = Axe().axe_script
_RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "preload": False,  # nothing here needs the sheets a second time, and no page plays sound
}
_VIOLATIONS = """async options => (await axe.run(document, options)).violations
    .map(one => `axe ${one.id} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 160)}`)"""
_ENGLISH = re.compile(r"\b(the|your|with|and|this|from|until|who|which|are|please|choose|people|seats?|orders|invoices?)\b", re.IGNORECASE)
_OUTLINE = """() => ({
    headings: document.querySelectorAll('h1').length,
    title: document.title,
    lang: document.documentElement.lang,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    words: [...document.querySelectorAll('body *:not(script):not(style)')].filter(e => !e.closest('[lang=en], code, .code, pre, textarea'))
        .flatMap(e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim())).filter(Boolean),
})"""


async def context_of(
    browser: Browser,
    product: Product,
    town: Town,
    actor: str,
    locale: str = "en",
    *,
    width: int = 1280,
    script: bool = True,
    dark: bool = False,
) -> BrowserContext:
    """Return a browser context that is signed in as one of the town's actors."""
    context = await browser.new_context(
        base_url=product.base, viewport={"width": width, "height": 900}, java_script_enabled=script,
        color_scheme="dark" if dark else "light", locale="nl-NL" if locale == "nl" else "en-GB",
    )  # fmt: skip
    cookies = [("locale", locale)] + ([("session", town.cookies[actor])] if actor in town.cookies else [])
    await context.add_cookies([{"name": name, "value": value, "url": product.base} for name, value in cookies])
    context.set_default_timeout(20_000)
    return context


def listen(page: Page) -> list[str]:
    """Return the list to which the page's console errors go."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(f"console: {message.text} {message.location.get('url', '')}")

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(f"script: {error}"))
    return said


async def axe(page: Page) -> list[str]:
    """Return axe's violations, each as a line. The script is put into a page once, however often the page is asked."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(_AXE)
    found: list[str] = await page.evaluate(_VIOLATIONS, _RULES)
    return found


async def outline(page: Page, locale: str, *, read: bool = True) -> list[str]:
    """Return what is wrong with the page's width, headings, title and language; ``read`` also looks for English words in Dutch."""
    seen = await page.evaluate(_OUTLINE)
    wrong = [f"{seen['headings']} h1"] if seen["headings"] != 1 else []
    if not seen["title"].strip(" ·"):
        wrong.append("no title")
    if seen["lang"] != locale:
        wrong.append(f"lang {seen['lang']}")
    if seen["wide"] > 0:
        wrong.append(f"{seen['wide']} px too wide")
    if locale == "nl" and read:
        wrong += [f"English: {text[:80]!r}" for text in seen["words"] if "@" not in text and _ENGLISH.search(text)]
    return wrong
