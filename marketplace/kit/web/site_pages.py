"""Pages that belong to nobody in particular: terms, privacy, accessibility, status, and the language switch."""

from __future__ import annotations

from datetime import datetime

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from marketplace.kit import identity
from marketplace.kit.i18n import supported
from marketplace.kit.identity import Actor
from marketplace.kit.web import cookies, health, pages
from marketplace.kit.web.types import Html, WebRequest
from marketplace.kit.web.visitor import Visitor

_PUBLIC = {"access": "public", "anonymous_cache": 60}


@get("/terms", opt=_PUBLIC)
async def terms(request: WebRequest) -> Html:
    """Show the terms of sale."""
    return pages.render(request, "site/terms.html")


@get("/privacy", opt=_PUBLIC)
async def privacy(request: WebRequest) -> Html:
    """Show what is kept of people, why and for how long."""
    return pages.render(request, "site/privacy.html")


@get("/accessibility", opt=_PUBLIC)
async def accessibility(request: WebRequest) -> Html:
    """Show the accessibility statement."""
    return pages.render(request, "site/accessibility.html")


@get("/status", opt={"access": "public"})
async def status(request: WebRequest, now: NamedDependency[datetime]) -> Html:
    """Show whether the shop works at this moment."""
    return pages.render(request, "site/status.html", database=await health.database_answers(), now=now)


@post("/language", opt={"access": "public", "csrf": "origin"}, status_code=303)
async def choose_language(request: WebRequest, actor: NamedDependency[Actor]) -> Redirect:
    """Remember the chosen language, for a member with the account, and go back to the page."""
    form = await request.form()
    locale = supported(str(form.get("locale", "")))
    if locale:
        Visitor.of(request).set_cookie(cookies.LOCALE, locale, max_age=cookies.YEAR)
        if actor.account_id is not None:
            await identity.set_locale(actor.account_id, locale)
    return pages.redirect(pages.local_path(str(form.get("next", ""))))


HANDLERS = [terms, privacy, accessibility, status, choose_language]
