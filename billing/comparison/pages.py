"""ECL's page of our books beside Stripe's: one sentence when they agree, else each difference with how to mend it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.comparison import differences, runs
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, redirect, render

_HERE = "/finance/differences"
_LOOK_AGAIN_SECONDS = 5


@get(_HERE, opt={"access": "ecl"})
async def show_differences(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show whether our books and Stripe's agree, what differs, and what was mended lately."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await differences.unresolved()
    under_way = await runs.under_way(now=now)
    answer = render(
        request, "comparison/difference_list.html", found=found, total=Money(sum(one.cents for one in found)),
        mended=await differences.resolved(), last=await runs.last(), under_way=under_way,
    )  # fmt: skip
    if under_way is not None:
        answer.headers["refresh"] = str(_LOOK_AGAIN_SECONDS)
    return answer


@post(_HERE, opt={"access": "ecl"}, status_code=303)
async def compare_now(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Begin a comparison now."""
    await runs.ask(actor=actor, now=now)
    flash(request, _("We are comparing."), _("This page shows how far it is."))
    return redirect(_HERE)


@post("/finance/differences/{difference_id:uuid}/take-over", opt={"access": "ecl", "noun": "stripe_difference"}, status_code=303)
async def take_over(
    request: WebRequest, difference_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Write a refund that somebody made at Stripe into our books."""
    await differences.take_over(difference_id, actor=actor, now=now)
    flash(request, _("The books have it now."), _("Credit the invoice if it need not be paid any more."))
    return redirect(_HERE)


HANDLERS = [show_differences, compare_now, take_over]
