"""Forms from elsewhere are refused: a foreign Origin or Sec-Fetch-Site, and a missing or wrong token, are 403.

The token is a random value in a cookie, signed together with the session it is for; the form (field ``_csrf``) or the
header ``X-CSRF-Token`` repeats it. ``opt={"csrf": "origin"}`` accepts a browser's proof of same origin instead of the
token: only for the language switch, which stands on cached pages that are the same for everybody.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from litestar import Request

from marketplace.kit.errors import Forbidden
from marketplace.kit.i18n import _
from marketplace.kit.web import cookies

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from marketplace.kit.web.visitor import Visitor

FIELD = "_csrf"
HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def check(connection: ASGIConnection[Any, Any, Any, Any], visitor: Visitor, *, rule: str) -> None:
    """Raise ``Forbidden`` unless the request is safe, exempt, or proven to come from our own page."""
    if connection.scope.get("method") in _SAFE or rule == "exempt":
        return
    proven = _same_origin(connection, visitor)
    if proven is False:
        raise Forbidden(
            "foreign_origin",
            _("This form came from another website, so nothing was done."),
            next_step=_("Open the page here and send the form again."),
        )
    given = await _given_token(connection)
    if not given and rule == "origin" and proven:
        return
    own = visitor.cookies.get(cookies.CSRF, "")
    if not own or not hmac.compare_digest(own.encode(), given.encode()) or not visitor.csrf_is_valid(own):
        raise Forbidden(
            "csrf",
            _("This page was open since before you signed in or out, so nothing was done."),
            next_step=_("Go back, reload the page and send the form again."),
        )


def _same_origin(connection: ASGIConnection[Any, Any, Any, Any], visitor: Visitor) -> bool | None:
    """Return True or False when the browser says where the form came from, None when it doesn't."""
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        return False
    if origin is None:
        return True if site == "same-origin" else None
    host = connection.headers.get("host", "")
    return origin in {visitor.config.origin, f"{connection.scope['scheme']}://{host}"}


async def _given_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    header = connection.headers.get(HEADER)
    if header is not None:
        return header
    if not isinstance(connection, Request):
        return ""
    value = (await connection.form()).get(FIELD, "")
    return value if isinstance(value, str) else ""
