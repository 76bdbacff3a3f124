"""One running product and one Chromium for all browser tests of a session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.browser.product import Product, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from tests.browser.town import Town

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_LINK = re.compile(r"/(?:invitations|password)/([\w-]+)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Debian's Chromium."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        yield made
        await made.close()


@pytest.fixture(scope="session")
def full_town(product: Product) -> Town:
    """Make a town with one of every noun, and fetch the links that only mails know."""
    town = product.town("pages", "Street")
    for noun, address in (("invitation_token", "new-street@town.example"), ("reset_token", town.accounts["finance"])):
        mail = eventually(lambda to=address: [one for one in product.mails(to) if _LINK.search(one["text"])])[0]  # type: ignore[misc]
        found = _LINK.search(mail["text"])
        assert found
        town.nouns[noun] = found[1]
    return town
