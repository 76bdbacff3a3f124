"""The web application: every package's handlers, named one by one, handed to the web kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import billing.account.pages
import billing.api
import billing.bank.pages
import billing.changes.pages
import billing.comparison.pages
import billing.dunning.pages
import billing.finance.pages
import billing.pages
import billing.runs.pages
import billing.settlement.pages
import billing.vies.pages
import billing.webhooks
import catalog.api
import catalog.pages
import marketplace.desk.pages
import marketplace.fulfilment.pages
import marketplace.kit.web.design_pages
import marketplace.orders.api
import marketplace.orders.pages
import marketplace.people.api
import marketplace.people.pages
import marketplace.scheduling.api
import marketplace.scheduling.pages
from marketplace import registry
from marketplace.kit.settings import settings
from marketplace.kit.web import application
from marketplace.kit.web.config import WebConfig, from_settings

if TYPE_CHECKING:
    from marketplace.kit.web.application import Marketplace

PAGES: tuple[Any, ...] = (
    *catalog.pages.HANDLERS,
    *billing.pages.HANDLERS,
    *billing.settlement.pages.HANDLERS,
    *billing.changes.pages.HANDLERS,
    *billing.runs.pages.HANDLERS,
    *billing.account.pages.HANDLERS,
    *billing.bank.pages.HANDLERS,
    *billing.comparison.pages.HANDLERS,
    *billing.dunning.pages.HANDLERS,
    *billing.finance.pages.HANDLERS,
    *billing.vies.pages.HANDLERS,
    *billing.webhooks.HANDLERS,
    *marketplace.people.pages.HANDLERS,
    *marketplace.orders.pages.HANDLERS,
    *marketplace.scheduling.pages.HANDLERS,
    *marketplace.fulfilment.pages.HANDLERS,
    *marketplace.desk.pages.HANDLERS,
    *marketplace.kit.web.design_pages.HANDLERS,
)
API: tuple[Any, ...] = (
    *catalog.api.HANDLERS,
    *billing.api.HANDLERS,
    *marketplace.people.api.HANDLERS,
    *marketplace.orders.api.HANDLERS,
    *marketplace.scheduling.api.HANDLERS,
)


def create_app(config: WebConfig | None = None, *, dsn: str | None = None, pool_size: int | None = None) -> Marketplace:
    """Return the application; with ``dsn`` it opens its own pool at start, else the caller has one open."""
    registry.load()  # so that the desk knows every job by name
    loaded = settings()
    return application.create(
        config or from_settings(loaded),
        pages=list(PAGES),
        api=list(API),
        dsn=dsn,
        pool_size=pool_size or loaded.pool_size,
    )
