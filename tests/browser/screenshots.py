"""``make screenshots``: the fourteen main pages of the demo, at both widths, into docs/screenshots/ as small PNG files."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.async_api import async_playwright

from marketplace.kit.settings import ROOT
from tests.browser.conftest import ARGUMENTS
from tests.browser.product import running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

INTO = ROOT / "docs" / "screenshots"
WIDTHS = (1280, 360)
_TALLEST = 2600
_PASSWORD = "demo-only-password"
_PEOPLE = {"hr": "hr@demo.example", "partner": "partner@demo.example", "ecl": "ecl@demo.example"}
_COURSE = "/programmes?q=Dutch&free=1"
PAGES = (
    ("01-welcome", "", ("/",)),
    ("02-catalogue", "hr", ("/programmes",)),
    ("03-programme", "hr", (_COURSE, ".cards a")),
    ("04-who-takes-part", "hr", (_COURSE, ".cards a", "form[action='/orders/new'] .button")),
    (
        "05-review",
        "hr",
        (
            _COURSE,
            ".cards a",
            "form[action='/orders/new'] .button",
            "tr:nth-child(1) [name=person_id]",
            "tr:nth-child(2) [name=person_id]",
            "[name=verb][value=review]",
        ),
    ),
    ("06-hr-home", "hr", ("/home",)),
    ("07-invoice", "hr", ("/invoices", "main tbody th a[href^='/invoices/2']")),
    ("08-staff", "hr", ("/people",)),
    ("09-partner", "partner", ("/acceptances",)),
    ("10-desk", "ecl", ("/desk",)),
    ("11-finance", "ecl", ("/finance",)),
    ("12-invoice-run", "ecl", ("/invoice-runs", "main tbody th a")),
    ("13-everything-about-this-euro", "ecl", ("/desk/invoices?show=credited", "main tbody th a", "main a[href^='/finance/trace/']")),
    ("14-partner-statement", "partner", ("/statements", "main tbody th a")),
)
"""Name, who looks, and the way there: an address, then what is clicked."""


def main() -> None:
    """Start the demo in an own folder (or use the address given), and take every picture."""
    if len(sys.argv) > 1:
        asyncio.run(_take(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", demo=True) as product:
        asyncio.run(_take(product.base))


async def _take(base: str) -> None:
    INTO.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        for who in ("", *_PEOPLE):
            tab = await _visitor(browser, base, who)
            for name, actor, way in PAGES:
                if actor == who:
                    await _picture(tab, name, way)
        await browser.close()


async def _visitor(browser: Browser, base: str, who: str) -> Page:
    context = await browser.new_context(
        base_url=base, viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB", reduced_motion="reduce"
    )
    await context.add_cookies([{"name": "locale", "value": "en", "url": base}])
    tab = await context.new_page()
    if who:
        await tab.goto("/sign-in")
        await tab.fill("[name=email]", _PEOPLE[who])
        await tab.fill("[name=password]", _PASSWORD)
        await tab.click("main form button.primary, main form .button")
        await tab.wait_for_url(lambda address: "sign-in" not in address)
        await tab.goto("/basket")
        if await tab.locator("form[action='/basket/empty'] button").count():  # of the run before this
            await tab.click("form[action='/basket/empty'] button")
    return tab


async def _picture(tab: Page, name: str, way: tuple[str, ...]) -> None:
    await tab.set_viewport_size({"width": WIDTHS[0], "height": 900})
    await tab.goto(way[0])
    for control in way[1:]:
        await tab.locator(control).locator("visible=true").first.click()
        await tab.wait_for_load_state()
    for width in WIDTHS:
        await tab.set_viewport_size({"width": width, "height": 900 if width > 720 else 780})
        taken = await tab.screenshot(full_page=True, animations="disabled")
        picture = Image.open(io.BytesIO(taken)).convert("RGB")
        picture = picture.crop((0, 0, picture.width, min(picture.height, _TALLEST)))
        _small(picture).save(INTO / f"{name}-{width}.png", optimize=True)


def _small(picture: Image.Image) -> Image.Image:
    """Return the picture with its 256 commonest colours as they are; pages are flat, so the rest is the edges of letters."""
    counted: list[tuple[int, tuple[int, int, int]]] = picture.getcolors(picture.width * picture.height) or []  # type: ignore[assignment]
    commonest = [colour for _count, colour in sorted(counted, reverse=True)[:256]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in commonest for part in colour] + [0] * 3 * (256 - len(commonest)))
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
