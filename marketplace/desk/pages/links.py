"""Addresses of lists: the filters that are on, with some changed; and the words under a page of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable


def links(path: str, **filters: object) -> Callable[..., str]:
    """Return a function for templates that gives the address of this list; empty filters are left out, a cursor is never kept."""

    def link(**changed: object) -> str:
        wanted = {name: value for name, value in {**filters, **changed}.items() if value not in (None, "")}
        return f"{path}?{urlencode(wanted)}" if wanted else path

    return link
