"""HR's home: what needs you, what comes, what it cost."""

from __future__ import annotations

from datetime import datetime

from litestar import Response, get
from litestar.di import NamedDependency

from marketplace.desk import agenda, greeting, spending, todo
from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_date
from marketplace.kit.identity import Actor, Permission
from marketplace.kit.money import euros
from marketplace.kit.web import Html, WebRequest, render, spreadsheet


@get("/home", opt={"access": "company"})
async def show_home(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show the company's home, as far as the member's role goes."""
    inbox = await todo.inbox(actor=actor, now=now)
    busy = await agenda.learning(actor=actor, now=now)
    weeks, later = await agenda.coming(actor=actor, now=now)
    return render(
        request,
        "desk/home.html",
        greeting=greeting.greet(actor.name, now),
        sentence=greeting.sentence(needs=inbox.needs, today=inbox.today, people=busy.people, programmes=busy.programmes),
        inbox=inbox,
        may_order=actor.may(Permission.PLACE_ORDERS),
        weeks=weeks,
        later=later,
        spent=await spending.of_this_year(actor=actor, now=now),
        this_month=clock.today(now).replace(day=1),
        month_name=lambda day: fmt_date(day, "short").rpartition(" ")[2][:3],
    )


@get("/home/spending.csv", opt={"access": "company"})
async def spending_file(actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[bytes]:
    """Give this year's amounts by month and category as a CSV that Excel opens."""
    found = await spending.of_this_year(actor=actor, now=now)
    rows = (
        (f"{found.year}-{one.month:02d}", spending.category_name(one.category), euros(one.invoiced_cents), euros(one.coming_cents))
        for one in found.amounts
    )
    return spreadsheet.answer(
        f"spending-{found.year}.csv", [_("Month"), _("Category"), _("Invoiced, without VAT"), _("Not yet invoiced, without VAT")], rows
    )


HANDLERS = [show_home, spending_file]
