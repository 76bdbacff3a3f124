"""Doors for machines: answered before routing, without visitor, cookies, language, compression or page.

A handler says ``opt={…, "door": door(accept)}``: it stays in the route table with its access class, and POSTs to its plain
path go straight to ``accept``. For the few addresses where other machines knock often; they check who knocks themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from litestar.handlers import HTTPRouteHandler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litestar import Litestar
    from litestar.types import ASGIApp, Receive, Scope, Send

_FIXED = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


class Answer(NamedTuple):
    """What a door answers, whole."""

    status: int
    body: bytes
    media_type: str


def door(accept: Callable[[Scope, Receive], Awaitable[Answer]]) -> ASGIApp:
    """Return the ASGI application that answers with what ``accept`` returns; it must not raise."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        made = await accept(scope, receive)
        length = str(len(made.body)).encode()
        headers = [(b"content-type", made.media_type.encode()), (b"content-length", length), *_FIXED]
        await send({"type": "http.response.start", "status": made.status, "headers": headers})
        await send({"type": "http.response.body", "body": made.body, "more_body": False})

    return answer


def of(app: Litestar) -> dict[str, ASGIApp]:
    """Return an application's doors by path."""
    found: dict[str, Any] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and "door" in handler.opt:
                found[route.path] = handler.opt["door"]
    return found
