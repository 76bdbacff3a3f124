"""A small cache of finished pages for visitors who are not signed in, per process, for seconds.

A handler switches it on with ``opt={"access": "public", "anonymous_cache": 5}``. Only a 200 to a GET of a visitor without
session and without waiting message is kept, and only when it sets no cookie: so no token and nothing personal can be in
it. Forms on such a page are GET forms, and the language switch, which needs no token (see ``csrf``). The key is path, query,
language, theme and whether the browser takes gzip.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from litestar.types import Message, Scope, Send

MAX_PAGES = 500
MAX_QUERY = 300
Key = tuple[str, bytes, str, str, bool]


class _Kept(NamedTuple):
    until: float
    start: Message
    body: Message


class PageCache:
    """Finished answers by key, the longest unused thrown out first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, _Kept] = OrderedDict()

    @staticmethod
    def key(scope: Scope, cookies: dict[str, str], locale: str, accept_encoding: bytes) -> Key | None:
        """Return the key of a request that may be answered from here, or None."""
        if scope.get("method") != "GET" or "session" in cookies or "flash" in cookies:
            return None
        query = scope["query_string"]
        if len(query) > MAX_QUERY:
            return None
        return (scope["path"], query, locale, cookies.get("theme", ""), b"gzip" in accept_encoding)

    def find(self, key: Key) -> _Kept | None:
        """Return a page that is still fresh."""
        kept = self._pages.get(key)
        if kept is None:
            return None
        if kept.until < time.monotonic():
            del self._pages[key]
            return None
        self._pages.move_to_end(key)
        return kept

    def clear(self) -> None:
        """Forget every page of this process."""
        self._pages.clear()

    def recorder(self, key: Key, scope: Scope, send: Send) -> Send:
        """Return a ``send`` that also keeps the answer, if its handler asks for that."""
        started: list[Message] = []

        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            elif message["type"] == "http.response.body" and started and not message.get("more_body"):
                self._keep(key, scope, started[0], message)
                started.clear()
            else:
                started.clear()
            await send(message)

        return record

    def _keep(self, key: Key, scope: Scope, start: Message, body: Message) -> None:
        handler: Any = scope.get("route_handler")
        seconds = handler.opt.get("anonymous_cache") if handler is not None else None
        headers = start["headers"]  # type: ignore[typeddict-item]
        if not seconds or start["status"] != 200 or any(name == b"set-cookie" for name, _value in headers):  # type: ignore[typeddict-item]
            return
        self._pages[key] = _Kept(time.monotonic() + seconds, start, body)
        while len(self._pages) > MAX_PAGES:
            self._pages.popitem(last=False)
