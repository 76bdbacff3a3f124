"""Sign in, sign out, and a new password by mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from marketplace.kit import identity
from marketplace.kit.errors import DomainError, NotFound, TooMany
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor
from marketplace.kit.web import Html, Visitor, WebRequest, flash, forms, limits, local_path, nav, redirect, render, sessions
from marketplace.people import passwords

if TYPE_CHECKING:
    from litestar.datastructures import FormMultiDict

Password = Annotated[str, msgspec.Meta(max_length=1000)]
_RESETS_PER_ADDRESS = 30
_WINDOW = timedelta(minutes=15)


class SignIn(msgspec.Struct, frozen=True):
    """The sign-in form."""

    email: Annotated[str, msgspec.Meta(max_length=254, extra={"sentence": N_("Give your e-mail address.")})]
    password: Password
    next: str = ""


class AskReset(msgspec.Struct, frozen=True):
    """The form that asks for a link."""

    email: forms.Email


class NewPassword(msgspec.Struct, frozen=True):
    """The form that sets a new password."""

    password: Password


@get("/sign-in", opt={"access": "public"})
async def show_sign_in(request: WebRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Show the form; somebody who is signed in goes on at once."""
    wanted = local_path(request.query_params.get("next"), "")
    if not actor.is_anonymous:
        return redirect(wanted or nav.home_of(actor))
    return render(request, "people/sign_in.html", form=forms.blank(next=wanted))


@post("/sign-in", opt={"access": "public"}, status_code=303)
async def sign_in(request: WebRequest, now: NamedDependency[datetime]) -> Response[Any]:
    """Sign in, with a new session; wrong and unknown get the same answer."""
    form = await forms.read(request, SignIn)
    if form.data is None:
        return render(request, "people/sign_in.html", status_code=422, form=form)
    try:
        account_id = await sessions.authenticate(request, form.data.email, _typed(await request.form()), now=now)
    except DomainError as refusal:
        return _refused(request, form, refusal)
    actor = await identity.actor_of(account_id)
    if actor is None:
        sentence = _("This account has no place at a company any more. Ask the person who manages your company's members.")
        return render(request, "people/sign_in.html", status_code=422, form=form.with_error("", sentence))
    target = local_path(form.data.next, "") or nav.home_of(actor)
    return await sessions.sign_in(request, redirect(target), account_id, now=now)


def _typed(posted: FormMultiDict) -> str:
    """Return the password exactly as typed: spaces at its ends belong to it."""
    value = posted.get("password", "")
    return value if isinstance(value, str) else ""


def _refused(request: WebRequest, form: forms.Form[SignIn], refusal: DomainError) -> Html:
    page = render(request, "people/sign_in.html", status_code=refusal.status, form=form.refuse(refusal))
    if isinstance(refusal, TooMany):
        page.headers["Retry-After"] = str(refusal.retry_after)
    return page


@post("/sign-out", opt={"access": "public"}, status_code=303)
async def sign_out(request: WebRequest, now: NamedDependency[datetime]) -> Redirect:
    """End this browser's session."""
    flash(request, _("You are signed out."))
    return await sessions.sign_out(request, redirect("/"), now=now)


@get("/password", opt={"access": "public"})
async def show_ask_reset(request: WebRequest) -> Html:
    """Show the form that asks for a link."""
    return render(request, "people/password_ask.html", form=forms.blank(), sent=False)


@post("/password", opt={"access": "public"})
async def ask_reset(request: WebRequest, now: NamedDependency[datetime]) -> Response[Any]:
    """Mail a link, if the address is known; the answer is the same when it isn't."""
    form = await forms.read(request, AskReset)
    if form.data is None:
        return render(request, "people/password_ask.html", status_code=422, form=form, sent=False)
    address = Visitor.of(request).address
    wait = await limits.take(f"reset:{address}", limit=_RESETS_PER_ADDRESS, window=_WINDOW, now=now)
    if wait is not None:
        raise TooMany(
            "too_many_tries",
            _("There were too many tries."),
            next_step=_("Try again in a quarter of an hour."),
            retry_after=int(wait.total_seconds()),
        )
    await passwords.ask_reset(form.data.email, now=now)
    return render(request, "people/password_ask.html", status_code=200, form=form, sent=True)


@get("/password/{token:str}", opt={"access": "public"})
async def show_reset(request: WebRequest, token: FromPath[str], now: NamedDependency[datetime]) -> Html:
    """Show the form for a new password; a link that has ended says so."""
    try:
        await passwords.account_of_link(token, now=now)
    except NotFound as ended:
        return _link_ended(request, ended)
    return render(request, "people/password_new.html", form=forms.blank(), action=request.url.path)


@post("/password/{token:str}", opt={"access": "public"}, status_code=303)
async def reset(request: WebRequest, token: FromPath[str], now: NamedDependency[datetime]) -> Response[Any]:
    """Set the new password and sign in with it."""
    form = await forms.read(request, NewPassword)
    try:
        if form.data is not None:
            account_id = await passwords.reset(token, _typed(await request.form()), now=now)
            flash(request, _("Your new password is set."), _("You were signed out everywhere else."))
            actor = await identity.actor_of(account_id)
            if actor is None:
                return redirect("/sign-in")
            return await sessions.sign_in(request, redirect(nav.home_of(actor)), account_id, now=now)
    except NotFound as ended:
        return _link_ended(request, ended)
    except DomainError as refusal:
        form = form.refuse(refusal)
    return render(request, "people/password_new.html", status_code=422, form=form, action=request.url.path)


def _link_ended(request: WebRequest, ended: NotFound) -> Html:
    return render(
        request, "people/link_ended.html", status_code=404, title=ended.message, why=ended.next_step or "",
        action=_("Ask for a new link"), href="/password",
    )  # fmt: skip


HANDLERS = [show_sign_in, sign_in, sign_out, show_ask_reset, ask_reset, show_reset, reset]
