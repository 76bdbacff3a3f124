"""Security headers on every answer, whatever made it: run by ``before_send``, because middleware misses 404s."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from marketplace.kit.web.visitor import Visitor

if TYPE_CHECKING:
    from litestar.types import Message, Scope

    from marketplace.kit.web.config import WebConfig

DOCS_PATH = "/api/docs"


def policy(config: WebConfig, *, docs: bool = False) -> str:
    """Return the Content-Security-Policy: our own files only, nothing inline; the API docs may style inline."""
    theme = urlsplit(config.theme_css)
    foreign = f" {theme.scheme}://{theme.netloc}" if theme.netloc else ""
    style = "style-src 'self' 'unsafe-inline'" if docs else f"style-src 'self'{foreign}"
    return (
        f"default-src 'none'; script-src 'self'; {style}; img-src 'self' data:; font-src 'self'{foreign}; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


class SecurityHeaders:
    """Adds the headers, and the visit's cookies, to the start of an answer."""

    def __init__(self, config: WebConfig) -> None:
        fixed = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        }
        if config.secure:
            fixed["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        self._fixed = [(name.encode(), value.encode()) for name, value in fixed.items()]
        self._pages = (b"content-security-policy", policy(config).encode())
        self._docs = (b"content-security-policy", policy(config, docs=True).encode())

    async def __call__(self, message: Message, scope: Scope) -> None:
        """Complete the headers of an answer that is about to start."""
        if message["type"] != "http.response.start":
            return
        headers = list(message["headers"])
        present = {name.lower() for name, _value in headers}
        extra = [*self._fixed, self._docs if scope["path"] == DOCS_PATH else self._pages]
        visitor = scope["state"].get("visitor")
        if isinstance(visitor, Visitor):
            extra += visitor.cookie_headers()
            if b"cache-control" not in present:
                extra.append((b"cache-control", b"no-cache" if visitor.actor.is_anonymous else b"no-store"))
        if b"vary" not in present and not scope["path"].startswith("/api/"):
            extra.append((b"vary", b"Cookie, Accept-Language, Accept-Encoding"))
        message["headers"] = headers + [pair for pair in extra if pair[0] == b"set-cookie" or pair[0] not in present]
