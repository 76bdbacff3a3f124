'''The web kit: how to write a page, a form and an API handler. Only ``pages.py``, ``api.py`` and ``webhooks.py`` use it.

A page module (``marketplace/people/pages.py``); note that Litestar reads the types at run time, so import them for real::

    from datetime import datetime
    from uuid import UUID

    import msgspec
    from litestar import get, post
    from litestar.di import NamedDependency
    from litestar.params import FromPath, FromQuery
    from litestar.response import Redirect

    from marketplace.kit.errors import DomainError
    from marketplace.kit.i18n import _
    from marketplace.kit.identity import Actor, Permission, require
    from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render

    class NewPerson(msgspec.Struct, frozen=True):          # one field per form field; see forms.py
        given_name: forms.Name
        email: forms.Email
        start_on: date | None = None                       # may be left blank
        departments: list[UUID] = []                       # several ticks
        newsletter: bool = False                           # a checkbox

    @get("/people", opt={"access": "company"})
    async def show_list(request: WebRequest, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None) -> Html:
        require(actor, Permission.SEE_PEOPLE)
        page = await staff.list_page(actor.company_id, cursor=cursor)           # a paging.Page
        return render(request, "people/person_list.html", page=page)

    @get("/people/new", opt={"access": "company"})
    async def show_form(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
        require(actor, Permission.EDIT_PEOPLE)
        return render(request, "people/person_form.html", form=forms.blank(start_on=""))

    @post("/people/new", opt={"access": "company"}, status_code=303)
    async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
        require(actor, Permission.EDIT_PEOPLE)
        form = await forms.read(request, NewPerson)
        if form.data is not None:
            try:
                person_id = await staff.create(form.data, actor=actor, now=now)  # one verb
            except DomainError as refusal:
                form = form.refuse(refusal)                                      # its sentences, on the form
            else:
                flash(request, _("{name} is on your list.", name=form.data.given_name), _("You can book now."))
                return redirect(f"/people/{person_id}")
        return render(request, "people/person_form.html", status_code=422, form=form)

    @get("/people/{person_id:uuid}", opt={"access": "company", "noun": "person"})
    async def show(request: WebRequest, person_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
        ...                                                # verbs raise NotFound for a missing and for a foreign row

    HANDLERS = [show_list, show_form, create, show]

- ``opt``: ``access`` is needed on every handler (see ``access.py``), ``noun`` where the path holds an id. Also
  ``anonymous_cache: seconds`` for public GET pages (see ``page_cache.py``; such a page may hold GET forms only).
  ``request_max_body_size=10_000_000`` on a handler that takes a file (else 1 MiB); read it with ``forms.upload``.
- **Not caught is right**: raise ``DomainError``s; they become a page (403 404 409 413 422 429) or problem+json, with the
  next step. Anonymous on a ``company`` page → 303 to ``/sign-in?next=``; the wrong kind of actor → 404.
- **Templates** get ``actor nav held locale locales operator demo flashes csrf_input asset theme theme_css theme_class path
  full_path request company_name`` beside yours. Each POST form prints ``{{ csrf_input }}``. Undefined names are errors. Keep
  markup out of sentences: ``_("Read the {terms}.", terms=link)`` with ``link`` as Markup keeps it, and escapes the rest.
- ``redirect(path)`` is a 303; ``local_path(next, default)`` makes a ``next`` parameter safe; ``nav.home_of(actor)``.
- **Lists**: ``paging.read(cursor, datetime, UUID)`` → SQL → ``paging.page(rows, place, key=…)``; see ``paging.py``.
- **Sign-in** (people): ``account_id = await sessions.authenticate(request, email, password, now=now)`` then ``return await
  sessions.sign_in(request, redirect(…), account_id, now=now)``; ``sessions.sign_out(request, redirect("/"), now=now)``;
  ``identity.set_actor_loader(fn)``; changed roles or password: ``identity.end_sessions(account_id, now=now)``.
- Leave for another site (the hosted payment page) by a link, never by a form: ``form-action 'self'`` holds for redirects too.
- ``set_basket_hook(async fn(actor, now) -> Held | None)``: the held seats in the head of the page.
- ``set_rail_hook(async fn(actor, now) -> {address: Count})``: the numbers in the rail of ECL's desk and the partners'.
- A page for a company and ECL alike begins with ``{% extends frame %}``: the rail for ECL, the street for the company.

An API module (``api.py``); paths are relative to ``/api/v1``::

    class NewPersonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        given_name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
        email: api.EmailText

    @get("/people", opt={"access": "api-company"}, tags=["people"])
    async def list_people(actor: NamedDependency[Actor], cursor: api.Cursor = None) -> api.ListAnswer[PersonAnswer]:
        """List the people of your company."""                                   # becomes the description
        require(actor, Permission.SEE_PEOPLE)
        return api.page_answer(await staff.list_page(actor.company_id, cursor=cursor), PersonAnswer.of)

    @post("/people", opt={"access": "api-company"}, tags=["people"])
    async def create_person(data: JSONBody[NewPersonBody], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> PersonAnswer:
        ...                                                                      # POST answers 201 by itself

Every error answer is described for every operation by the kit; declare only success. ``key: api.IdempotencyKey = None`` reads
the header. Webhooks: ``@post("/stripe/webhook", opt={"access": "public", "csrf": "exempt"})`` and ``await request.body()``.
'''

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketplace.kit.web import api, forms, nav, paging, sessions
    from marketplace.kit.web.access import Route, route_table
    from marketplace.kit.web.hooks import set_basket_hook, set_rail_hook
    from marketplace.kit.web.nav import Count
    from marketplace.kit.web.pages import flash, local_path, redirect, render
    from marketplace.kit.web.types import Html, WebRequest
    from marketplace.kit.web.visitor import Held, Visitor

# Name → its module. Imported when first asked for: a worker that only reads a page of rows needs no web framework.
_HOME = {
    "Count": "nav",
    "Held": "visitor",
    "Html": "types",
    "Route": "access",
    "Visitor": "visitor",
    "WebRequest": "types",
    "flash": "pages",
    "local_path": "pages",
    "redirect": "pages",
    "render": "pages",
    "route_table": "access",
    "set_basket_hook": "hooks",
    "set_rail_hook": "hooks",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    home = _HOME.get(name)
    if home is not None:
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


__all__ = [
    "Count",
    "Held",
    "Html",
    "Route",
    "Visitor",
    "WebRequest",
    "api",
    "flash",
    "forms",
    "local_path",
    "nav",
    "paging",
    "redirect",
    "render",
    "route_table",
    "sessions",
    "set_basket_hook",
    "set_rail_hook",
]
