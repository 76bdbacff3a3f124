"""The page behind an invitation's link: name, password, and in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from marketplace.kit import identity
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.web import Html, WebRequest, flash, forms, nav, redirect, render, sessions
from marketplace.people import invitations
from marketplace.people.pages.sign_in import Password


class Acceptance(msgspec.Struct, frozen=True):
    """Who somebody is, in their own words."""

    name: forms.Name
    password: Password


@get("/invitations/{token:str}", opt={"access": "public"})
async def show(request: WebRequest, token: FromPath[str], now: NamedDependency[datetime]) -> Html:
    """Show who invites to what; nothing changes yet."""
    try:
        invitation = await invitations.of_link(token, now=now)
    except NotFound as ended:
        return _ended(request, ended)
    return render(request, "people/invitation_accept.html", form=forms.blank(), invitation=invitation, action=request.url.path)


@post("/invitations/{token:str}", opt={"access": "public"}, status_code=303)
async def accept(request: WebRequest, token: FromPath[str], now: NamedDependency[datetime]) -> Response[Any]:
    """Make the member and sign them in."""
    form = await forms.read(request, Acceptance)
    try:
        invitation = await invitations.of_link(token, now=now)
    except NotFound as ended:
        return _ended(request, ended)
    try:
        if form.data is not None:
            typed = str((await request.form()).get("password", ""))
            account_id = await invitations.accept(token, name=form.data.name, password=typed, locale=current_locale(), now=now)
            actor = await identity.actor_of(account_id)
            flash(
                request,
                _("Welcome, {name}.", name=form.data.name),
                _("From now on you sign in with your e-mail address and this password."),
            )
            home = nav.home_of(actor) if actor else "/sign-in"
            return await sessions.sign_in(request, redirect(home), account_id, now=now)
    except NotFound as ended:
        return _ended(request, ended)
    except DomainError as refusal:
        form = form.refuse(refusal)
    return render(request, "people/invitation_accept.html", status_code=422, form=form, invitation=invitation, action=request.url.path)


def _ended(request: WebRequest, ended: NotFound) -> Html:
    return render(
        request,
        "people/link_ended.html",
        status_code=404,
        title=ended.message,
        why=ended.next_step or "",
        action=_("Sign in"),
        href="/sign-in",
    )


HANDLERS = [show, accept]
