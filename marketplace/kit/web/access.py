"""Access classes: every handler says in its ``opt`` who may come, and one guard holds it. Also the route table as data.

``opt={"access": CLASS}`` with CLASS one of ``public``, ``member`` (anybody signed in), or the kinds of actor joined by
``+``: ``company``, ``partner``, ``ecl``, ``company+ecl`` …; for the JSON API the same with ``api-`` before it. A path
that holds an id also has ``"noun"``. Whose *rows* they are is the query's business: it filters on the actor.

Pages: an anonymous visitor goes to sign-in and comes back; the wrong kind of actor gets the 404 of an unknown page.
API: no token or a wrong one is 401; the wrong kind of actor is 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler

from marketplace.kit import clock
from marketplace.kit.errors import NotFound, Unauthenticated
from marketplace.kit.i18n import _
from marketplace.kit.web import csrf, tokens
from marketplace.kit.web.hooks import basket_of, counts_of
from marketplace.kit.web.visitor import Visitor

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

    from marketplace.kit.identity import Actor

KINDS = frozenset({"company", "partner", "ecl"})
_HIDDEN_METHODS = frozenset({"OPTIONS", "HEAD"})


class Route(msgspec.Struct, frozen=True):
    """One way in: what the tenants gate reads."""

    path: str
    method: str
    access: str
    noun: str | None
    handler: str

    @property
    def is_api(self) -> bool:
        """Tell whether it answers JSON to a bearer token."""
        return self.access.startswith("api-")


def is_known(access: str) -> bool:
    """Tell whether this is an access class."""
    plain = access.removeprefix("api-")
    return plain in {"public", "member"} or set(plain.split("+")) <= KINDS


def admits(access: str, actor: Actor) -> bool:
    """Tell whether this kind of actor may come in by a handler of this class."""
    plain = access.removeprefix("api-")
    if plain == "public":
        return True
    if plain == "member":
        return actor.kind == "member"
    kinds = {"company": actor.is_company, "partner": actor.is_partner, "ecl": actor.is_ecl}
    return any(kinds[kind] for kind in plain.split("+"))


def route_table(app: Litestar) -> list[Route]:
    """Return every route, sorted; raise when a handler has no access class or a path with an id no noun."""
    table: list[Route] = []
    for route in app.routes:
        handlers = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
        for handler in handlers:
            if isinstance(handler, HTTPRouteHandler):
                methods = sorted(str(method) for method in handler.http_methods if method not in _HIDDEN_METHODS)
                table += [_checked(route.path, method, handler) for method in methods]
    return sorted(table, key=lambda route: (route.path, route.method))


def _checked(path: str, method: str, handler: HTTPRouteHandler) -> Route:
    access, noun = handler.opt.get("access"), handler.opt.get("noun")
    name = f"{handler.fn.__module__}.{handler.fn.__qualname__}"
    if not isinstance(access, str) or not is_known(access):
        message = f'{method} {path} ({name}) has no access class: give it opt={{"access": …}}, see kit/web/access.py'
        raise ImproperlyConfiguredException(message)
    if "{" in path and noun is None and access.removeprefix("api-") != "public":
        message = f'{method} {path} ({name}) holds an id: give it opt={{…, "noun": …}}'
        raise ImproperlyConfiguredException(message)
    if handler.opt.get("csrf") == "exempt" and not (path == "/stripe/webhook" or access.startswith("api-")):
        message = f"{method} {path} ({name}): only the Stripe webhook and the bearer API go without CSRF token"
        raise ImproperlyConfiguredException(message)
    return Route(path, method, access, noun, name)


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Hold the handler's access class, then the CSRF rule; runs before anything is parsed."""
    if connection.scope.get("method") == "OPTIONS":
        return
    visitor = Visitor.of(connection)
    access = str(handler.opt["access"])
    if access.startswith("api-"):
        await tokens.recognise(connection, visitor, optional=access == "api-public")
    elif visitor.trouble is not None:
        raise visitor.trouble
    _admit(access, visitor.actor)
    visitor.cacheable = "anonymous_cache" in handler.opt and visitor.actor.is_anonymous
    if access.startswith("api-"):
        return
    await csrf.check(connection, visitor, rule=str(handler.opt.get("csrf", "token")))
    if not visitor.actor.is_anonymous:
        visitor.held = await basket_of(visitor.actor, clock.now())
        visitor.counts = await counts_of(visitor.actor, clock.now())


def _admit(access: str, actor: Actor) -> None:
    if admits(access, actor):
        return
    if actor.is_anonymous:
        raise Unauthenticated("sign_in_needed", _("Sign in first."))
    raise NotFound("not_found", _("There is nothing here."))
