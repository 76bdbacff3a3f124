"""From a handler to a finished page: ``render``, ``redirect``, ``flash``. Pages are complete without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup, escape

from marketplace.kit import clock
from marketplace.kit.i18n import LOCALES, NAMES, current_locale, fmt_datetime, fmt_time
from marketplace.kit.templating import environment
from marketplace.kit.web import cookies, nav, static
from marketplace.kit.web.visitor import Flash, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketplace.kit.web.types import Html, WebRequest


class _CsrfInput:
    """The hidden field; the token, and its cookie, are made only when a template prints it."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def __html__(self) -> str:
        if self._visitor.cacheable:
            return ""
        return f'<input type="hidden" name="_csrf" value="{escape(self._visitor.csrf_token())}">'

    def __str__(self) -> str:
        return Markup(self.__html__())  # noqa: S704 - our own markup


class _Flashes:
    """The messages to show; they are spent when a template loops over them."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._shown: list[Flash] | None = None

    def _all(self) -> list[Flash]:
        if self._shown is None:
            self._shown = self._visitor.take_flashes()
        return self._shown

    def __iter__(self) -> Iterator[Flash]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def render(request: WebRequest, template: str, *, status_code: int = 200, **context: Any) -> Html:  # noqa: ANN401
    """Return the page that a template makes of ``context``, in the visitor's language."""
    text = environment().get_template(template).render({**page_context(request), **context})
    return Response(content=text, media_type="text/html", status_code=status_code)


def page_context(request: WebRequest) -> dict[str, Any]:
    """Return what ``base.html`` needs of every page."""
    visitor = Visitor.of(request)
    config = visitor.config
    path = request.url.path
    return {
        "actor": visitor.actor,
        "company_name": visitor.actor.acts_for,
        "nav": nav.items_for(visitor.actor, path),
        "rail": nav.rail_for(visitor.actor, path, visitor.counts),
        "rail_home": nav.home_of(visitor.actor),
        "desk_title": "" if visitor.actor.is_ecl else visitor.actor.acts_for,
        "frame": "desk.html" if visitor.actor.is_ecl or visitor.actor.is_partner else "base.html",
        "held": _held_words(visitor),
        "locale": current_locale(),
        "locales": [(locale, NAMES[locale]) for locale in LOCALES],
        "operator": config.operator,
        "demo": config.demo,
        "mail_page": config.mail_page,
        "flashes": _Flashes(visitor),
        "csrf_input": _CsrfInput(visitor),
        "asset": static.asset,
        "theme": visitor.cookies.get(cookies.THEME, ""),
        "theme_css": config.theme_css,
        "theme_class": config.theme_class,
        "path": path,
        "full_path": f"{path}?{request.url.query}" if request.url.query else path,
        "request": request,
    }


def _held_words(visitor: Visitor) -> dict[str, Any] | None:
    held = visitor.held
    if held is None:
        return None
    now = clock.now()
    until = fmt_time(held.until) if clock.today(held.until) == clock.today(now) else fmt_datetime(held.until)
    return {"count": held.count, "until": until, "href": held.href}


def redirect(path: str) -> Redirect:
    """Return a 303: what was posted is done, the browser now gets ``path``."""
    return Redirect(path, status_code=303)


def flash(request: WebRequest, fact: str, text: str = "", *, tone: str = "ok") -> None:
    """Keep a message for the next page: the fact, then what follows; ``tone`` is ``ok``, ``warn`` or ``stop``."""
    Visitor.of(request).add_flash(Flash(fact, text, tone))


def local_path(text: str | None, default: str = "/") -> str:
    """Return ``text`` when it is a path on this site, else ``default``; for ``next`` parameters."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(char) < 32 for char in text):
        return default
    parts = urlsplit(text)
    return default if parts.scheme or parts.netloc or "\\" in parts.path else text
