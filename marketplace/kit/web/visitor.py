"""One visit: who it is, in which language, with which cookies to send back. Made before routing, so 404 pages know too."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from marketplace.kit.identity import ANONYMOUS, Actor
from marketplace.kit.web import cookies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from marketplace.kit.web.config import WebConfig
    from marketplace.kit.web.nav import Count

MAX_FLASH = 2_000


class Flash(NamedTuple):
    """A message for the next page: the fact (bold), what follows, and the tone ``ok``, ``warn`` or ``stop``."""

    fact: str
    text: str = ""
    tone: str = "ok"


class Held(msgspec.Struct, frozen=True):
    """The seats in the visitor's basket, held until an instant."""

    count: int
    until: datetime
    href: str = "/basket"


class Visitor:
    """What is known about this request's visitor."""

    def __init__(self, config: WebConfig, found: dict[str, str], locale: str) -> None:
        self.config = config
        self.cookies = found
        self.locale = locale
        self.actor: Actor = ANONYMOUS
        self.session_id: UUID | None = None
        self.trouble: Exception | None = None
        self.held: Held | None = None
        self.counts: Mapping[str, Count] = {}
        self.address = ""
        self.cacheable = False
        self._flashes: list[Flash] = []
        self._out: dict[str, bytes] = {}

    @classmethod
    def of(cls, request: Any) -> Visitor:  # noqa: ANN401 - a request, a connection or a scope
        """Return the visitor of a request."""
        scope = request if isinstance(request, dict) else request.scope
        found: Visitor = scope["state"]["visitor"]
        return found

    def set_cookie(self, name: str, value: str, *, max_age: int | None = None) -> None:
        """Send a cookie with whatever answer leaves."""
        self._out[name] = cookies.header(self.config, name, value, max_age=max_age)

    def drop_cookie(self, name: str) -> None:
        """Ask the browser to forget a cookie, if it has it."""
        self._out.pop(name, None)
        if name in self.cookies:
            self._out[name] = cookies.header(self.config, name, "", max_age=0)

    def cookie_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the ``Set-Cookie`` headers that this visit gathered."""
        return [(b"set-cookie", value) for value in self._out.values()]

    # The token in forms: a random value, signed together with the session it is for.

    def csrf_token(self) -> str:
        """Return the token for this visitor's forms, setting its cookie at the first use."""
        current = self.cookies.get(cookies.CSRF, "")
        if not self.csrf_is_valid(current):
            current = cookies.signed(self.config, self._csrf_purpose(), secrets.token_urlsafe(24))
            self.cookies[cookies.CSRF] = current
            self.set_cookie(cookies.CSRF, current)
        return current

    def csrf_is_valid(self, token: str) -> bool:
        """Tell whether a token was signed by us for this session."""
        return cookies.unsigned(self.config, self._csrf_purpose(), token) is not None

    def _csrf_purpose(self) -> str:
        return f"csrf {self.session_id or 'anonymous'}"

    # Messages for the next page: in a signed cookie, so that nothing is written to show them.

    def add_flash(self, flash: Flash) -> None:
        """Keep a message until the next page that shows messages."""
        self._flashes.append(flash)
        packed = base64.urlsafe_b64encode(msgspec.json.encode(self._flashes[-3:])).decode()
        if len(packed) <= MAX_FLASH:
            self.set_cookie(cookies.FLASH, cookies.signed(self.config, "flash", packed), max_age=600)

    def take_flashes(self) -> list[Flash]:
        """Return the messages to show now, and forget them."""
        waiting = cookies.unsigned(self.config, "flash", self.cookies.get(cookies.FLASH, ""))
        shown = msgspec.json.decode(base64.urlsafe_b64decode(waiting), type=list[Flash]) if waiting else []
        shown += self._flashes
        self._flashes = []
        self.drop_cookie(cookies.FLASH)
        self.cookies.pop(cookies.FLASH, None)
        return shown
