"""``marketplace jobs``: periodic jobs, the backlog, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def jobs(ctx: click.Context, *, as_json: bool) -> None:
    """Show periodic jobs with their last and next run, the backlog, and what was given up after too many tries.

    \b
    Example: marketplace jobs
             marketplace jobs retry 0198c0de-…
    """
    if ctx.invoked_subcommand is None:
        from marketplace.commands.running import with_database

        click.echo(with_database(lambda loaded: _show(loaded, as_json=as_json)))


@jobs.command()
@click.argument("item_id", metavar="ID", type=click.UUID)
def retry(item_id: UUID) -> None:
    """Try an item again that was given up.

    \b
    Example: marketplace jobs retry 0198c0de-7b1f-7000-8000-0123456789ab
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> None:
        from marketplace.kit import clock, work

        await work.retry_dead(item_id, now=clock.now())

    with_database(run)
    click.echo("Queued again; a worker takes it up within a second.")


async def _show(_loaded: Settings, *, as_json: bool) -> str:
    from marketplace.kit import clock, periodic, work

    now = clock.now()
    states, backlog, dead = await periodic.states(now), await work.backlog(now), await work.dead_letters()
    if as_json:
        return msgspec.json.encode({"jobs": states, "backlog": backlog, "dead": dead}).decode()
    lines = [f"{'job':<34} {'last':<17} next (UTC)"]
    lines += [f"{one.name:<34} {_at(one.last_slot):<17} {_at(one.next_slot)}" for one in states]
    facts = ", ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in msgspec.structs.asdict(backlog).items())
    lines += ["", f"Backlog: {facts}", ""]
    lines += [f"Given up: {len(dead)}" + ("; “marketplace jobs retry ID” tries one again" if dead else "")]
    lines += [f"  {one.id}  {one.kind}  {one.last_error}" for one in dead]
    return "\n".join(lines)


def _at(instant: datetime | None) -> str:
    return "never" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def _text(value: object) -> str:
    return "none" if value is None else str(value)
