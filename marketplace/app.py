"""The web application: every package's handlers, named one by one, handed to the web kit."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from marketplace.kit.settings import settings
from marketplace.kit.web import application
from marketplace.kit.web.config import WebConfig, from_settings

if TYPE_CHECKING:
    from marketplace.kit.web.application import Marketplace

PAGES = (
    "catalog.pages",
    "billing.pages",
    "billing.webhooks",
    "marketplace.people.pages",
    "marketplace.enrolments.pages",
    "marketplace.orders.pages",
    "marketplace.scheduling.pages",
    "marketplace.fulfilment.pages",
    "marketplace.desk.pages",
    "marketplace.kit.web.design_pages",
)
API = (
    "catalog.api",
    "billing.api",
    "marketplace.people.api",
    "marketplace.enrolments.api",
    "marketplace.orders.api",
    "marketplace.scheduling.api",
    "marketplace.fulfilment.api",
    "marketplace.desk.api",
)


def _handlers_while_building(modules: tuple[str, ...]) -> list[Any]:
    """TEMPORARY until every package has landed: collect ``HANDLERS`` of the modules that exist. To become plain imports."""
    found: list[Any] = []
    for name in modules:
        parent = name.rpartition(".")[0]
        if importlib.util.find_spec(parent) is not None and importlib.util.find_spec(name) is not None:
            found += importlib.import_module(name).HANDLERS
    return found


def create_app(config: WebConfig | None = None, *, dsn: str | None = None, pool_size: int | None = None) -> Marketplace:
    """Return the application; with ``dsn`` it opens its own pool at start, else the caller has one open."""
    loaded = settings()
    return application.create(
        config or from_settings(loaded),
        pages=_handlers_while_building(PAGES),
        api=_handlers_while_building(API),
        dsn=dsn,
        pool_size=pool_size or loaded.pool_size,
    )
