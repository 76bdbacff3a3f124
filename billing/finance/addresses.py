"""Addresses of the finance pages with their filters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable


def links(path: str, **filters: object) -> Callable[..., str]:
    """Return a function for templates that gives this page's address with some filters changed; empty ones are left out."""

    def link(**changed: object) -> str:
        wanted = {name: value for name, value in {**filters, **changed}.items() if value not in (None, "")}
        return f"{path}?{urlencode(wanted)}" if wanted else path

    return link
