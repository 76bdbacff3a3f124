"""``marketplace import-staff``: a company's staff from a file, as the pages do it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings
    from marketplace.people.staff_import import Summary


@click.command(name="import-staff")
@click.argument("company")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what each line would do.")
def import_staff(company: str, file: Path, *, dry_run: bool) -> None:
    """Import the staff of COMPANY (its name, KvK number or id) from the export of an HR system.

    \b
    Example: marketplace import-staff "Rijnvelde Biosciences" staff.csv --dry-run
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> Summary:
        from marketplace.people import staff_import

        return await staff_import.from_file(company, file, dry_run=dry_run)

    told = with_database(run)
    for line, sentence in sorted([*told.problems, *told.warnings]):
        click.echo(f"line {line}: {sentence}", err=True)
    counts = told.counts
    verb = "would be" if dry_run else "were"
    click.echo(
        f"{counts['new']} {verb} added, {counts['changed']} changed, {counts['unchanged']} unchanged; {counts['problem']} lines to mend left out."
    )
    if counts["problem"] or not any(counts.values()):
        raise click.exceptions.Exit(1)
