"""``marketplace invoice run``: a round of invoices from the command line, as a preview or issued, with its progress."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from uuid import UUID

    from billing.runs.read import Figures, GroupRow
    from marketplace.kit.settings import Settings


class Shown(msgspec.Struct, frozen=True):
    """What is printed."""

    id: str
    state: str
    until: date
    invoices: int
    blocked: int
    lines: int
    total_cents: int
    groups: list[dict[str, Any]]


@click.command(name="run")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Bill what may be billed until this day; default: the last of last month.")
@click.option("--everybody", is_flag=True, help="Also companies that are billed by the order.")
@click.option("--preview/--issue", "only_preview", default=True, help="Show what it would be (the default), or issue it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run(until: datetime | None, *, everybody: bool, only_preview: bool, as_json: bool) -> None:
    """Put a run together and show it; with --issue, give the numbers and wait until all are issued.

    A preview stays on the desk under “Invoice runs”. What would be sent back is never issued by this: mend it there.

    \b
    Example: marketplace invoice run --until 2026-11-30 --preview
    """
    from marketplace.commands.running import with_database

    async def do(_loaded: Settings) -> Shown:
        return await make(until.date() if until else None, everybody=everybody, only_preview=only_preview, quiet=as_json)

    shown = with_database(do)
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    if not shown.groups:
        click.echo(f"Nothing may be billed until {shown.until.isoformat()}. No run is left behind.")
        return
    for group in shown.groups:
        click.echo(f"{group['company']:<40.40} {group['what']:<28.28} {group['total']:>14}  {group['state']}")
        for problem in group["problems"]:
            click.echo(f"    {problem}")
    click.echo(
        f"{shown.invoices} invoices, {shown.blocked} blocked, {shown.lines} lines, {_euros(shown.total_cents)} with VAT: {shown.state}"
    )
    if shown.state == "preview":
        click.echo(f"Look it over and issue it at /invoice-runs/{shown.id}")


async def make(until: date | None, *, everybody: bool, only_preview: bool, quiet: bool) -> Shown:
    """Make a run, issue it if wanted, and return how it stands."""
    from billing.runs import collect, issue, read
    from marketplace.kit import clock
    from marketplace.kit.errors import DomainError
    from marketplace.kit.identity import SYSTEM
    from marketplace.kit.web import paging

    now = clock.now()
    until_on = until or clock.today(now).replace(day=1) - timedelta(days=1)
    run_id = await collect.make(until_on, scope="all" if everybody else "monthly", actor=SYSTEM, now=now)
    await collect.collect(run_id, now=now)
    if not (await read.groups(run_id, paging.read(None, int, size=1))).items:
        await issue.stop(run_id, actor=SYSTEM, now=now)
    elif not only_preview:
        try:
            await _issue(run_id, quiet=quiet)
        except DomainError as refusal:
            raise click.ClickException(f"{refusal.message} {refusal.next_step or ''}".strip()) from None
    return await _shown(run_id, await read.figures(run_id), until_on)


async def _issue(run_id: UUID, *, quiet: bool) -> None:
    """Issue a run and help the workers with it until nothing of it waits."""
    from billing.runs import collect, issue, read
    from billing.runs.states import RunState
    from marketplace.kit import clock, work
    from marketplace.kit.identity import SYSTEM

    whole = await issue.issue(run_id, actor=SYSTEM, now=clock.now())
    with click.progressbar(length=whole, label="Invoices", hidden=quiet) as bar:
        done = 0
        while (await collect.get(run_id)).state is RunState.ISSUING:
            items = await work.claim(clock.now(), only=["runs.issue_group"])
            for item in items:
                await work.perform(item, now=clock.now())
            left = (await read.figures(run_id)).queued
            bar.update(whole - left - done)
            done = whole - left
            if not items and left:
                await _pause(run_id)


async def _pause(run_id: UUID) -> None:
    """Wait for what a worker has in hand; give up where work got stuck."""
    import asyncio

    from billing.runs import read

    if await read.stuck(run_id):
        raise click.ClickException("Some invoices got stuck: see “marketplace jobs” or the desk, mend them and try again there.")
    await asyncio.sleep(0.3)


async def _shown(run_id: UUID, figures: Figures, until_on: date) -> Shown:
    from billing.runs import collect, read
    from marketplace.kit.web import paging

    found = (await read.groups(run_id, paging.read(None, int, size=10_000))).items
    return Shown(
        id=str(run_id),
        state=(await collect.get(run_id)).state.value,
        until=until_on,
        invoices=figures.ready + figures.queued + figures.issued,
        blocked=figures.blocked,
        lines=figures.lines,
        total_cents=figures.ready_cents + figures.issued_cents,
        groups=[_group(group) for group in found],
    )


def _group(group: GroupRow) -> dict[str, Any]:
    from billing import acceptance

    return {
        "company": group.debtor_name,
        "what": group.split_value or f"{group.lines} lines",
        "total": _euros(group.total_cents),
        "total_cents": group.total_cents,
        "state": group.invoice_number or group.state.value,
        "problems": [f"{said.asks}: not yet. {said.mend}" for said in acceptance.says(group.findings)],
    }


def _euros(cents: int) -> str:
    from marketplace.kit.i18n import fmt_money
    from marketplace.kit.money import Money

    return fmt_money(Money(cents))
