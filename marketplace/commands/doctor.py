"""``marketplace doctor``: is everything there, and if not, what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from marketplace.doctor import Report
    from marketplace.kit.settings import Settings

_SIGNS = {"ok": "  ok  ", "note": " note ", "failed": "FAILED"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool) -> int:
    """Check database, schema, clock, worker, PDF libraries, fonts, mail and Stripe, and say the mend for each.

    Prints the effective settings, secrets masked. Exit code 1 when anything failed; a note is no failure.

    \b
    Example: marketplace doctor --json
    """
    from marketplace import runtime
    from marketplace.commands.running import install_clock

    with runtime.joined() as loaded:
        install_clock(loaded)
        report = asyncio.run(_examine(loaded))
    click.echo(msgspec.json.encode(report).decode() if as_json else _text(report))
    return 1 if report.failed else 0


async def _examine(loaded: Settings) -> Report:
    import asyncpg

    from marketplace import doctor as own
    from marketplace import registry
    from marketplace.kit import db

    registry.load()
    try:
        await db.open_pool(loaded.database_url, max_size=2, name="marketplace doctor")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return await own.examine(loaded)
    try:
        return await own.examine(loaded)
    finally:
        await db.close_pool()


def _text(report: Report) -> str:
    lines = []
    for one in report.findings:
        lines.append(f"{_SIGNS[one.state.value]}  {one.part:<10} {one.text}")
        if one.mend:
            lines.append(f"{'':19}→ {one.mend}")
    lines += ["", "Settings"]
    lines += [f"  {name}={value}" for name, value in report.settings.items()]
    return "\n".join(lines)
