"""Cookies and their signatures. Every cookie is first-party, ``HttpOnly`` and ``SameSite=Lax``; over https ``__Host-``."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketplace.kit.web.config import WebConfig

SESSION = "session"
CSRF = "csrf"
FLASH = "flash"
LOCALE = "locale"
THEME = "theme"
YEAR = 365 * 24 * 3600


def name_of(config: WebConfig, name: str) -> str:
    """Return the name on the wire; ``__Host-`` ties a cookie to this host and https."""
    return f"__Host-{name}" if config.secure else name


def header(config: WebConfig, name: str, value: str, *, max_age: int | None = None) -> bytes:
    """Return a ``Set-Cookie`` value; ``max_age`` in seconds, None until the browser closes, 0 to forget it."""
    parts = [f"{name_of(config, name)}={quote(value, safe='')}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if config.secure:
        parts.append("Secure")
    return "; ".join(parts).encode("latin-1")


def read(headers: Iterable[tuple[bytes, bytes]], config: WebConfig) -> dict[str, str]:
    """Return our cookies of a request, by their plain names."""
    raw = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    if not raw:
        return {}
    wanted = {name_of(config, name): name for name in (SESSION, CSRF, FLASH, LOCALE, THEME)}
    found: dict[str, str] = {}
    for part in raw.split(";"):
        name, _, value = part.strip().partition("=")
        if name in wanted:
            found[wanted[name]] = unquote(value)
    return found


def sign(config: WebConfig, purpose: str, text: str) -> str:
    """Return the signature of a text for one purpose (HMAC-SHA256, 160 bits of it)."""
    return hmac.new(config.secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()[:40]


def signed(config: WebConfig, purpose: str, text: str) -> str:
    """Return the text with its signature."""
    return f"{text}.{sign(config, purpose, text)}"


def unsigned(config: WebConfig, purpose: str, value: str) -> str | None:
    """Return the text of a signed value, or None when the signature isn't ours."""
    text, _, signature = value.rpartition(".")
    return text if text and hmac.compare_digest(signature.encode(), sign(config, purpose, text).encode()) else None
