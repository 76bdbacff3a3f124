"""The gate of the pages: each one, at both widths, in both languages, as everybody who sees it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

import pytest

from tests.browser.addresses import Page, every_page
from tests.browser.looking import axe, context_of, listen, outline

if TYPE_CHECKING:
    from litestar import Litestar
    from playwright.async_api import Browser

    from tests.browser.product import Product
    from tests.browser.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
WIDTHS, LOCALES = (1280, 360), ("en", "nl")
READERS = 3
"""Tabs at once: with two cores the browser is never idle while the server thinks."""
IN_ENGLISH = {"/design", "/desk/audit", "/api/docs"}
"""Pages whose data or samples are English."""
MAIN = (
    ("nobody", "/"), ("nobody", "/programmes"), ("nobody", "/programmes/{code}"), ("hr", "/home"), ("hr", "/orders/new?session={session}"),
    ("hr", "/orders/{number}"), ("hr", "/invoices/{invoice}"), ("hr", "/people"), ("partner", "/acceptances"), ("ecl", "/desk"),
)  # fmt: skip


async def test_every_page_holds_for_everybody(app: Litestar, browser: Browser, product: Product, full_town: Town) -> None:
    wrong: list[str] = []
    pages = every_page(app, full_town)
    visits = deque(sorted(((page, locale) for page in pages for locale in LOCALES), key=lambda visit: (visit[0].actor, visit[1])))
    await asyncio.gather(*(_reader(browser, product, full_town, visits, wrong) for _each in range(READERS)))
    assert not wrong, f"{len(wrong)} on {len(pages)} pages:\n" + "\n".join(sorted(wrong))


async def _reader(browser: Browser, product: Product, town: Town, visits: deque[tuple[Page, str]], wrong: list[str]) -> None:
    """Take the next page of the pile until there is none; a new context for each visitor and language."""
    tab, said, visitor = None, list[str](), None
    while visits:
        page, locale = visits.popleft()
        if tab is None or visitor != (page.actor, locale):
            if tab is not None:
                await tab.context.close()
            visitor = (page.actor, locale)
            tab = await (await context_of(browser, product, town, page.actor, locale)).new_page()
            said = listen(tab)
        said.clear()
        wrong += [f"{page} {locale} {problem}" for problem in await asyncio.wait_for(_look(tab, page, locale, said), 90)]
    if tab is not None:
        await tab.context.close()


async def _look(tab, page: Page, locale: str, said: list[str]) -> list[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    answer = await tab.goto(page.address, wait_until="load")
    wanted = 404 if page.route == "404" else 200
    if answer is None or answer.status != wanted:
        return [f"answered {answer and answer.status}"]
    wrong: list[str] = []
    for width in WIDTHS if tab.viewport_size["width"] == WIDTHS[0] else WIDTHS[::-1]:  # as wide as the last page was left, then the other
        await tab.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{width}: {problem}" for problem in [*await outline(tab, locale, read=page.route not in IN_ENGLISH), *await axe(tab)]]
    wrong += [problem for problem in said if wanted == 200 or "404" not in problem]
    return list(Counter(wrong))


@pytest.mark.parametrize("dark", [False, True], ids=["320 px", "dark"])
async def test_the_main_pages_reflow_and_glow(dark: bool, browser: Browser, product: Product, full_town: Town) -> None:
    wrong: list[str] = []
    for actor in ("nobody", "hr", "partner", "ecl"):
        context = await context_of(browser, product, full_town, actor, width=1280 if dark else 320, dark=dark)
        tab = await context.new_page()
        for address in [path.format(**full_town.nouns) for who, path in MAIN if who == actor]:
            await tab.goto(address)
            wrong += [f"{address}: {problem}" for problem in await (axe(tab) if dark else outline(tab, "en"))]
        await context.close()
    assert not wrong, "\n".join(wrong)
