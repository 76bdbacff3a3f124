"""The application: Litestar with our rules around it. ``create`` is handed the handlers; which those are is ``marketplace.app``'s.

Around routing, for every request, 404s included: forwarded headers of trusted proxies, the language, who the visitor is,
and the cache of anonymous pages.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins.core import MsgspecDIPlugin

from marketplace.kit import clock, db
from marketplace.kit.i18n import DEFAULT_LOCALE, supported, use_locale
from marketplace.kit.identity import Actor
from marketplace.kit.web import access, cookies, doors, errors, headers, health, openapi, proxies, sessions, site_pages, static
from marketplace.kit.web.page_cache import PageCache
from marketplace.kit.web.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from litestar.plugins import PluginProtocol
    from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

    from marketplace.kit.web.config import WebConfig

_QUIET = ("/static/", "/livez", "/readyz", "/api/", "/stripe/webhook")


class Marketplace(Litestar):
    """Litestar, with every request's visitor known before it is routed."""

    web_config: WebConfig
    page_cache: PageCache
    doors: dict[str, ASGIApp]

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Only msgspec's: Pydantic comes with Piccolo, we use none of it, and loading it is a fifth of a start."""
        return [*plugins, MsgspecDIPlugin()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one connection, or the lifespan."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        door = self.doors.get(scope["path"]) if scope["method"] == "POST" else None
        if door is not None:
            await door(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope["method"], send = "GET", _without_body(send)
        proxies.apply(scope, self.web_config)
        raw = scope["headers"]
        sent = cookies.read(raw, self.web_config)
        locale = language_of(sent, raw)
        key = PageCache.key(scope, sent, locale, _header(raw, b"accept-encoding"))
        kept = self.page_cache.find(key) if key is not None else None
        if kept is not None:
            await send(kept.start)
            await send(kept.body)
            return
        await self._visit(scope, receive, self.page_cache.recorder(key, scope, send) if key else send, sent, locale)

    async def _visit(self, scope: Scope, receive: Receive, send: Send, sent: dict[str, str], locale: str) -> None:
        visitor = Visitor(self.web_config, sent, locale)
        client = scope.get("client")
        visitor.address = client[0] if client else ""
        scope.setdefault("state", {})["visitor"] = visitor
        if not scope["path"].startswith(_QUIET):
            try:
                await sessions.recognise(visitor, now=clock.now())
            except Exception as trouble:  # noqa: BLE001 - raised again by the guard, where it becomes an answer
                visitor.trouble = trouble
        with use_locale(visitor.locale):
            await super().__call__(scope, receive, send)


def _without_body(send: Send) -> Send:
    """Return a ``send`` that answers HEAD with what GET would answer, less its body."""

    async def only_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return only_headers


def language_of(sent: dict[str, str], raw: Any) -> str:  # noqa: ANN401 - ASGI headers
    """Return the language by cookie, else by ``Accept-Language``, else English."""
    chosen = supported(sent.get(cookies.LOCALE))
    if chosen:
        return chosen
    wishes: list[tuple[float, str]] = []
    for part in _header(raw, b"accept-language").decode("latin-1").split(",")[:20]:
        tag, _semicolon, weight = part.partition(";q=")
        locale = supported(tag)
        if locale:
            try:
                wishes.append((float(weight or 1), locale))
            except ValueError:
                continue
    return max(wishes, key=lambda wish: wish[0], default=(0, DEFAULT_LOCALE))[1]


def _header(raw: Any, name: bytes) -> bytes:  # noqa: ANN401 - ASGI headers
    return next((value for key, value in raw if key == name), b"")


async def _actor(request: Request[Any, Any, Any]) -> Actor:
    return Visitor.of(request).actor


async def _now() -> datetime:
    return clock.now()


def _lifespan(dsn: str | None, pool_size: int) -> Callable[[Litestar], Any]:
    @asynccontextmanager
    async def run(_app: Litestar) -> AsyncIterator[None]:
        if dsn is not None:
            await db.open_pool(dsn, max_size=pool_size)
        try:
            yield
        finally:
            if dsn is not None:
                await db.close_pool()

    return run


def create(
    config: WebConfig,
    *,
    pages: Sequence[ControllerRouterHandler],
    api: Sequence[ControllerRouterHandler] = (),
    dsn: str | None = None,
    pool_size: int = 10,
) -> Marketplace:
    """Return the application. ``api`` handlers are mounted under ``/api/v1``; with ``dsn`` it opens its own pool.

    Raises ``ImproperlyConfiguredException`` when a handler has no access class.
    """
    dependencies = {"actor": Provide(_actor), "now": Provide(_now)}
    own = [*static.HANDLERS, *health.HANDLERS, *site_pages.HANDLERS, *openapi.HANDLERS]
    app = Marketplace(
        route_handlers=[
            Router("/", route_handlers=[*own, *pages], include_in_schema=False),
            Router("/api/v1", route_handlers=list(api), include_in_schema=True, security=[{"bearer": []}]),
        ],
        dependencies=dependencies,
        guards=[access.guard],
        exception_handlers={Exception: errors.answer, HTTPException: errors.answer},
        before_send=[headers.SecurityHeaders(config)],
        lifespan=[_lifespan(dsn, pool_size)],
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, minimum_size=1000, exclude=["^/static/"]),
        request_max_body_size=config.max_body,
        openapi_config=None,
        debug=config.debug,
        logging_config=None,
    )
    app.web_config = config
    app.page_cache = PageCache()
    app.doors = doors.of(app)
    app.state.openapi = cache(lambda: openapi.describe(list(api), dict(dependencies)))
    access.route_table(app)
    return app
