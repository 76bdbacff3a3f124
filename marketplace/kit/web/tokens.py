"""The bearer token of an API request: whose it is, and how often it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketplace.kit import clock, identity
from marketplace.kit.errors import Unauthenticated
from marketplace.kit.i18n import _
from marketplace.kit.web import limits

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from marketplace.kit.web.visitor import Visitor


async def recognise(connection: ASGIConnection[Any, Any, Any, Any], visitor: Visitor, *, optional: bool = False) -> None:
    """Make the visitor the token's account; a browser session never counts here.

    Raises ``Unauthenticated`` without a live token (unless ``optional`` and none was sent), ``TooMany`` beyond the rate.
    """
    visitor.actor = identity.ANONYMOUS
    scheme, _space, token = connection.headers.get("authorization", "").partition(" ")
    if optional and not scheme:
        return
    actor = await identity.token_actor(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if actor is None:
        raise Unauthenticated("token_needed", _("Send a valid API token as “Authorization: Bearer …”."))
    await limits.count_request(identity.digest(token.strip()), per_minute=visitor.config.api_per_minute, now=clock.now())
    visitor.actor = actor
