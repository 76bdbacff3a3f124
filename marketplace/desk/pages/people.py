"""ECL's lists of members and of partners."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from marketplace.desk import parties
from marketplace.desk.pages.links import links
from marketplace.kit.identity import Actor
from marketplace.kit.web import Html, WebRequest, render


@get("/desk/accounts", opt={"access": "ecl"})
async def member_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    of: Annotated[str | None, QueryParameter(name="of")] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show who can sign in, for whom, in which role, and when they last did."""
    kind = of if of in parties.PLACES else None
    page = await parties.members(actor=actor, place_kind=kind, text=q[:100], cursor=cursor)
    return render(request, "desk/member_list.html", page=page, kind=kind, text=q[:100], link=links("/desk/accounts", of=kind, q=q[:100]))


@get("/desk/partners", opt={"access": "ecl"})
async def partner_list(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], cursor: FromQuery[str | None] = None
) -> Html:
    """Show each partner with what they have ahead and how they answer."""
    page = await parties.partners(actor=actor, now=now, cursor=cursor)
    return render(request, "desk/partner_list.html", page=page, most=parties.MOST, now=now, link=links("/desk/partners"))


HANDLERS = [member_list, partner_list]
