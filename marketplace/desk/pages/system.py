"""ECL's view of the machinery: jobs and stuck work with a button to try again, the mail log, the audit trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from marketplace.desk import operations, trail
from marketplace.desk.pages.links import links
from marketplace.kit import periodic, work
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, redirect, render

BEHIND = timedelta(minutes=5)
Shown = Annotated[str | None, QueryParameter(name="state")]


@get("/desk/jobs", opt={"access": "ecl"})
async def show_jobs(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], cursor: FromQuery[str | None] = None
) -> Html:
    """Show what waits, what got stuck, and when each periodic job ran and will run."""
    require(actor, Permission.MANAGE_JOBS)
    page, backlog = await operations.stuck(actor=actor, cursor=cursor), await work.backlog(now)
    return render(
        request, "desk/jobs.html", page=page, backlog=backlog, jobs=await periodic.states(now), job_name=operations.job_name,
        oldest=operations.how_long(backlog.oldest_due_at, now), behind=_behind(backlog, now), link=links("/desk/jobs"),
    )  # fmt: skip


def _behind(backlog: work.Backlog, now: datetime) -> bool:
    """Tell whether something has been due for so long that the worker can't be running."""
    return backlog.oldest_due_at is not None and now - backlog.oldest_due_at > BEHIND


@post("/desk/jobs/{item_id:uuid}/retry", opt={"access": "ecl", "noun": "work"}, status_code=303)
async def retry(request: WebRequest, item_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Try stuck work again. Clicked twice it is tried once."""
    try:
        await operations.retry(item_id, actor=actor, now=now)
    except Conflict as refusal:
        flash(request, refusal.message, tone="warn")
    else:
        flash(request, _("It is queued again."), _("The worker tries it within seconds."))
    return redirect("/desk/jobs")


@get("/desk/mails", opt={"access": "ecl"})
async def mail_log(
    request: WebRequest, actor: NamedDependency[Actor], shown: Shown = None, q: FromQuery[str] = "", cursor: FromQuery[str | None] = None
) -> Html:
    """Show to whom mails went, about what and when; never their words."""
    state = shown if shown in {"queued", "sent"} else None
    page = await operations.mails(actor=actor, state=state, to=q[:200], cursor=cursor)
    return render(request, "desk/mail_list.html", page=page, state=state, text=q[:200], link=links("/desk/mails", state=state, q=q[:200]))


@get("/desk/audit", opt={"access": "ecl"})
async def audit_trail(
    request: WebRequest, actor: NamedDependency[Actor], q: FromQuery[str] = "", cursor: FromQuery[str | None] = None
) -> Html:
    """Show who did what to which id; ``q`` is a noun and an id, "order 0190…"."""
    text = " ".join(q[:160].split())
    kind, _space, subject = text.partition(" ")
    page = await trail.entries(actor=actor, kind=kind, subject=subject, cursor=cursor)
    return render(request, "desk/audit_list.html", page=page, text=text, found=bool(kind and subject), link=links("/desk/audit", q=text))


HANDLERS = [show_jobs, retry, mail_log, audit_trail]
