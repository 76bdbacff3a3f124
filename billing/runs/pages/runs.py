"""ECL's pages of invoice runs: the list, a new one, its preview with issue and stop, and one group with what is missing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing.acceptance import says
from billing.runs import collect, issue, read, references
from billing.runs.forms import ReferencesForm
from billing.runs.states import GROUP_NAMES, RUN_NAMES, RunState
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _, fmt_date, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money, euros
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render, spreadsheet

_SHOWS = ("ready", "blocked", "issued", "left")


class RunForm(msgspec.Struct, frozen=True):
    """What a new run takes."""

    until_on: date
    scope: Literal["monthly", "all", "chosen"] = "monthly"
    debtors: list[UUID] = []


@get("/invoice-runs", opt={"access": "ecl"})
async def show_list(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], cursor: FromQuery[str | None] = None
) -> Html:
    """Show the runs, newest first, with what of invoicing waits for ECL."""
    page = await read.listed(paging.read(cursor, datetime, UUID, size=25), actor=actor)
    waits = await read.for_ecl(today=today(now))
    return render(request, "billing/runs/run_list.html", page=page, names=RUN_NAMES, waits=waits, tab="runs", Money=Money)


@get("/invoice-runs/new", opt={"access": "ecl"})
async def show_new(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], until: FromQuery[str | None] = None
) -> Html:
    """Show who can be billed until a day, to choose from."""
    require(actor, Permission.MANAGE_INVOICES)
    until_on = _day(until) or today(now).replace(day=1) - timedelta(days=1)
    return await _form(request, forms.blank(until_on=until_on.isoformat(), scope="monthly", debtors=[]), until_on, actor, now)


@post("/invoice-runs/new", opt={"access": "ecl"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Begin a run; nothing is issued by it."""
    require(actor, Permission.MANAGE_INVOICES)
    form = await forms.read(request, RunForm)
    if form.data is not None:
        try:
            run_id = await collect.make(form.data.until_on, scope=form.data.scope, debtor_ids=form.data.debtors, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            return redirect(f"/invoice-runs/{run_id}")
    return await _form(request, form, form.data.until_on if form.data else today(now), actor, now, status_code=422)


async def _form(request: WebRequest, form: forms.Form[Any], until_on: date, actor: Actor, now: datetime, *, status_code: int = 200) -> Html:
    month_end = today(now).replace(day=1) - timedelta(days=1)
    found = await read.waiting(until_on, actor=actor)
    return render(
        request, "billing/runs/run_new.html", status_code=status_code, form=form, until_on=until_on, found=found,
        monthly=[one for one in found if one.rhythm == "month"], days=[month_end, today(now)],
        sum_of=lambda rows: Money(sum(row.net_cents for row in rows)),
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


@get("/invoice-runs/{run_id:uuid}", opt={"access": "ecl", "noun": "invoice_run"})
async def show(
    request: WebRequest,
    run_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    show: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show a run: its preview, how far it is, or what it issued."""
    require(actor, Permission.MANAGE_INVOICES)
    run = await collect.get(run_id)
    wanted: Any = show if show in _SHOWS else None
    figures = await read.figures(run_id)
    return render(
        request, "billing/runs/run_show.html", run=run, figures=figures, names=RUN_NAMES, group_names=GROUP_NAMES, says=says, Money=Money,
        page=await read.groups(run_id, paging.read(cursor, int), show=wanted), shown=wanted,
        stuck=await read.stuck(run_id) if run.state is RunState.ISSUING else 0, split_words=split_words,
        link=lambda **changes: f"/invoice-runs/{run_id}?" + urlencode({k: v for k, v in ({"show": wanted} | changes).items() if v}),
    )  # fmt: skip


@get("/invoice-runs/{run_id:uuid}/invoices.csv", opt={"access": "ecl", "noun": "invoice_run"})
async def groups_file(run_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send a run's invoices as a file."""
    require(actor, Permission.MANAGE_INVOICES)
    run = await collect.get(run_id)
    found = (await read.groups(run_id, paging.read(None, int, size=10_000))).items
    header = [
        _("Company"),
        _("Divided by"),
        _("State"),
        _("Invoice"),
        _("Lines"),
        _("Without VAT"),
        _("VAT"),
        _("Total"),
        _("What is missing"),
    ]
    rows = (
        [group.debtor_name, split_words(group), _(GROUP_NAMES[group.state]), group.invoice_number or "", group.lines,
         euros(group.net_cents), euros(group.vat_cents), euros(group.total_cents), "; ".join(said.asks for said in says(group.findings))]
        for group in found
    )  # fmt: skip
    return spreadsheet.answer(f"invoice-run-{run.until_on.isoformat()}.csv", header, rows)


@post("/invoice-runs/{run_id:uuid}/issue", opt={"access": "ecl", "noun": "invoice_run"}, status_code=303)
async def start(request: WebRequest, run_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Issue what is ready."""
    count = await issue.issue(run_id, actor=actor, now=now)
    if count:
        flash(
            request,
            n_("One invoice is being issued.", "{n} invoices are being issued.", count),
            _("Each is mailed as soon as its PDF is made."),
        )
    return redirect(f"/invoice-runs/{run_id}")


@post("/invoice-runs/{run_id:uuid}/stop", opt={"access": "ecl", "noun": "invoice_run"}, status_code=303)
async def stop(request: WebRequest, run_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Stop a run; what has a number stays."""
    left = await issue.stop(run_id, actor=actor, now=now)
    flash(
        request,
        _("The run is stopped."),
        n_("One invoice was not issued; it waits for the next run.", "{n} invoices were not issued; they wait for the next run.", left),
    )
    return redirect(f"/invoice-runs/{run_id}")


@post("/invoice-runs/{run_id:uuid}/again", opt={"access": "ecl", "noun": "invoice_run"}, status_code=303)
async def again(run_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Put the preview together anew."""
    await collect.again(run_id, actor=actor, now=now)
    return redirect(f"/invoice-runs/{run_id}")


@get("/invoice-runs/groups/{group_id:uuid}", opt={"access": "ecl", "noun": "invoice_run_group"})
async def show_group(request: WebRequest, group_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one invoice to be: its lines, and what stops it with how to mend it."""
    return await _group(request, group_id, forms.blank(), actor)


@post("/invoice-runs/groups/{group_id:uuid}", opt={"access": "ecl", "noun": "invoice_run_group"}, status_code=303)
async def fill_group(
    request: WebRequest, group_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Fill in what the company forgot to give, and look at the run again."""
    group = await read.group(group_id, actor=actor)
    form = await forms.read(request, ReferencesForm)
    if form.data is not None:
        try:
            count = await references.fill([line.id for line in await read.lines_of(group_id)], form.data.references, actor=actor, now=now)
            run = await collect.get(group.run_id)
            if run.state is RunState.PREVIEW:
                await collect.again(run.id, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, n_("Filled in on one line.", "Filled in on {n} lines.", count), _("The run is put together anew."))
            return redirect(f"/invoice-runs/{group.run_id}")
    return await _group(request, group_id, form, actor, status_code=422)


async def _group(request: WebRequest, group_id: UUID, form: forms.Form[Any], actor: Actor, *, status_code: int = 200) -> Html:
    group = await read.group(group_id, actor=actor)
    return render(
        request, "billing/runs/group_show.html", status_code=status_code, group=group, lines=await read.lines_of(group_id), form=form,
        run=await collect.get(group.run_id), names=GROUP_NAMES, findings=says(group.findings), split_words=split_words, Money=Money,
    )  # fmt: skip


def split_words(group: read.GroupRow) -> str:
    """Say what tells a group from its debtor's others: "cost centre 3120", "order 100388", "part 2 of 3"."""
    words = {
        "order": _("order {value}", value=group.split_value),
        "cost_centre": _("cost centre {value}", value=group.split_value),
        "purchase_order": _("PO {value}", value=group.split_value),
        "department": _("department {value}", value=group.split_value),
    }
    without = {
        "cost_centre": _("without a cost centre"),
        "purchase_order": _("without a PO number"),
        "department": _("without a department"),
    }
    own = words.get(group.split_by, "") if group.split_value else without.get(group.split_by, "")
    part = _("part {part} of {parts}", part=group.part, parts=group.parts) if group.parts > 1 else ""
    return ", ".join(text for text in (own, part) if text)


def title(until_on: date) -> str:
    """Return how a run is called."""
    return _("Run until {date}", date=fmt_date(until_on, "long"))


HANDLERS = [show_list, show_new, create, show, groups_file, start, stop, again, show_group, fill_group]
