"""A tiny shop of pages, forms and API calls for the tests of the web kit, and its cast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect

from marketplace.kit import identity
from marketplace.kit.errors import Conflict, NotFound, TooMany
from marketplace.kit.identity import ANONYMOUS, Actor, Permission, Role, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, api, flash, forms, redirect, render, sessions
from marketplace.kit.web.pages import page_context

OWN = UUID("00000000-0000-7000-8000-000000000001")
COMPANY = UUID("00000000-0000-7000-8000-00000000000a")
OTHER_COMPANY = UUID("00000000-0000-7000-8000-00000000000b")
PARTNER = UUID("00000000-0000-7000-8000-00000000000c")


class Thing(msgspec.Struct, frozen=True):
    given_name: forms.Name
    email: forms.Email
    start_on: date | None = None
    seats: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    price: Money | None = None
    days: list[str] = []
    wants_news: bool = False


@get("/things", opt={"access": "company"})
async def list_things(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    require(actor, Permission.SEE_ORDERS)
    return render(request, "site/terms.html")


@get("/things/{thing_id:uuid}", opt={"access": "company", "noun": "thing"})
async def show_thing(request: WebRequest, thing_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    if thing_id != OWN or actor.company_id != COMPANY:
        raise NotFound("not_found", f"no thing {thing_id} of {actor.company_id}")
    return render(request, "site/terms.html")


@post("/things", opt={"access": "company"}, status_code=303)
async def make_thing(request: WebRequest, actor: NamedDependency[Actor]) -> Html | Redirect:
    require(actor, Permission.PLACE_ORDERS)
    form = await forms.read(request, Thing)
    if form.data is not None:
        flash(request, f"{form.data.given_name} is made.", "Now book.")
        return redirect("/things")
    return render(request, "errors/error.html", status_code=422, code=422, sentence=str(form.errors), next_step=str(form.values), fields={})


@get("/desk-only", opt={"access": "ecl"})
async def desk_only(request: WebRequest) -> Html:
    return render(request, "site/terms.html")


@get("/broken", opt={"access": "public"})
async def broken() -> Html:
    message = "secret inside"
    raise RuntimeError(message)


@get("/full", opt={"access": "public"})
async def full() -> Html:
    raise Conflict("full", "This session is full.", next_step="Join the waiting list.")


@get("/often", opt={"access": "public"})
async def often() -> Html:
    raise TooMany("too_many", "Too often.", retry_after=7)


@get("/counted", opt={"access": "public", "anonymous_cache": 60})
async def counted(request: WebRequest, now: NamedDependency[datetime]) -> Html:
    return render(request, "errors/error.html", code=409, sentence=f"at {now:%H:%M}", next_step="", fields={})


@get("/enter", opt={"access": "public"})
async def show_enter(request: WebRequest) -> Html:
    return Response(f'<form method="post">{page_context(request)["csrf_input"]}</form>', media_type="text/html")


@post("/enter", opt={"access": "public"}, status_code=303)
async def enter(request: WebRequest, now: NamedDependency[datetime]) -> Redirect:
    form = await request.form()
    account_id = await sessions.authenticate(request, str(form.get("email", "")), str(form.get("password", "")), now=now)
    return await sessions.sign_in(request, redirect("/things"), account_id, now=now)


@post("/leave", opt={"access": "member"}, status_code=303)
async def leave(request: WebRequest, now: NamedDependency[datetime]) -> Redirect:
    return await sessions.sign_out(request, redirect("/"), now=now)


@get("/raises/{name:str}", opt={"access": "public"})
async def raises(name: FromPath[str]) -> Html:
    errors: dict[str, Exception] = {
        "lock": asyncpg.LockNotAvailableError("waited"),
        "data": asyncpg.DataError("invalid input for query argument $1"),
        "away": asyncpg.CannotConnectNowError("starting up"),
    }
    raise errors[name]


@post("/hook", opt={"access": "public"}, status_code=200)
async def plain_post() -> dict[str, bool]:
    return {"ok": True}


class NewThing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    email: api.EmailText | None = None


class ThingAnswer(msgspec.Struct, frozen=True):
    id: UUID
    price: Money


@get("/things", opt={"access": "api-company"})
async def api_list(
    actor: NamedDependency[Actor], cursor: api.Cursor = None, level: FromQuery[int | None] = None
) -> api.ListAnswer[ThingAnswer]:
    """List things."""
    require(actor, Permission.SEE_ORDERS)
    return api.list_answer([ThingAnswer(OWN, Money(69500))], cursor)


@post("/things", opt={"access": "api-company"})
async def api_make(data: JSONBody[NewThing], actor: NamedDependency[Actor], key: api.IdempotencyKey = None) -> ThingAnswer:
    """Make a thing."""
    require(actor, Permission.PLACE_ORDERS)
    if data.name == "full":
        raise Conflict("full", "This session is full.", next_step="Join the waiting list.")
    return ThingAnswer(OWN, Money(69500))


@get("/things/{thing_id:uuid}", opt={"access": "api-company", "noun": "thing"})
async def api_show(thing_id: FromPath[UUID], actor: NamedDependency[Actor]) -> ThingAnswer:
    """Show a thing."""
    if thing_id != OWN or actor.company_id != COMPANY:
        raise NotFound("not_found", "no such thing")
    return ThingAnswer(OWN, Money(69500))


PAGES = [list_things, show_thing, make_thing, desk_only, broken, full, often, counted, show_enter, enter, leave, plain_post, raises]
API = [api_list, api_make, api_show]


@dataclass
class Cast:
    """Who the accounts act as, in place of ``people``."""

    actors: dict[UUID, Actor]

    async def load(self, account_id: UUID) -> Actor | None:
        return self.actors.get(account_id)

    async def join(self, email: str, now: datetime, *, roles: set[Role], company: UUID | None = None, partner: UUID | None = None) -> UUID:
        account_id = await identity.create_account(email, name=email.partition("@")[0], now=now)
        self.actors[account_id] = msgspec.structs.replace(
            ANONYMOUS,
            kind="member",
            account_id=account_id,
            roles=frozenset(roles),
            company_id=company,
            partner_id=partner,
            email=email,
            name="Fleur de Wit",
        )
        return account_id
