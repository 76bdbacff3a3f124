"""ECL's first page: what needs somebody today."""

from __future__ import annotations

from datetime import datetime

from litestar import get
from litestar.di import NamedDependency

from billing.vies import read as vat
from marketplace.desk import operations, today, waiting
from marketplace.kit import clock
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, render, set_rail_hook


@get("/desk", opt={"access": "ecl"})
async def show_today(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what needs ECL: partners, sessions, invoices, stuck work."""
    require(actor, Permission.SEE_DESK)
    stuck = await operations.stuck(actor=actor, size=5) if actor.may(Permission.MANAGE_JOBS) else None
    return render(
        request,
        "desk/today.html",
        found=await today.read(actor=actor, now=now),
        stuck=stuck,
        vat=await vat.matters(now=now),
        now=now,
        day=clock.today(now),
        days=waiting.SOON.days,
    )


set_rail_hook(waiting.rail_counts)

HANDLERS = [show_today]
