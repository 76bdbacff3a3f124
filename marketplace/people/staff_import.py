"""Staff from a file: the preview, and the write in one transaction. What a line means is decided in ``staff_plan`` (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import asyncpg
import msgspec

from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor, Permission, require
from marketplace.people import names, scope, staff_files, staff_plan
from marketplace.people.staff_columns import AS_READ, Choices
from marketplace.people.staff_plan import FIELDS, Action, Known, LinePlan, Plan

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from marketplace.people.staff_files import StaffTable

_KNOWN = f"SELECT id, kind = 'relation', state = 'left', {', '.join(FIELDS)} FROM person WHERE company_id = $1"  # noqa: S608 - our own names
_VALUES = 3  # where the values of a record begin
_LINE = ("person_id", "is_new", *FIELDS, "sort_name", "search_text")
_TYPES = {"person_id": "uuid", "is_new": "boolean", "start_on": "date"}
_TEMPORARY = "CREATE TEMPORARY TABLE IF NOT EXISTS staff_line ({}) ON COMMIT DROP".format(
    ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _LINE)
)
_KEPT = (*FIELDS, "sort_name", "search_text")
_INSERT = f"""
    INSERT INTO person (id, company_id, kind, state, created_at, changed_at, {", ".join(_KEPT)})
    SELECT person_id, $1, 'employee', 'active', $2, $2, {", ".join(_KEPT)} FROM staff_line WHERE is_new
"""  # noqa: S608 - our own names
_UPDATE = f"""
    UPDATE person p SET changed_at = $2, {", ".join(f"{name} = l.{name}" for name in _KEPT)}
      FROM staff_line l WHERE p.id = l.person_id AND p.company_id = $1 AND NOT l.is_new
"""  # noqa: S608 - our own names
_LET_GO = """
    UPDATE person p SET email = NULL FROM staff_line l
     WHERE p.id = l.person_id AND p.company_id = $1 AND NOT l.is_new AND p.email IS DISTINCT FROM l.email
"""  # so that people may pass addresses on to each other in one file
_RELATIONS = """
    UPDATE person r SET sort_name = l.sort_name || ' ~' FROM staff_line l
     WHERE r.relation_of = l.person_id AND r.company_id = $1 AND NOT l.is_new
"""


async def preview(table: StaffTable, *, company_id: UUID, actor: Actor, choices: Choices = AS_READ) -> Plan:
    """Return what the file would do to the company's staff now; writes nothing."""
    require(actor, Permission.EDIT_PEOPLE)
    return await _plan(table, scope.company_of(actor, company_id), choices)


async def write(
    table: StaffTable, *, company_id: UUID, actor: Actor, now: datetime, choices: Choices = AS_READ, expected: str | None = None
) -> Plan:
    """Add and change the people that the file says, all or nothing, and return what was done.

    Lines with problems are left out. ``expected`` is the fingerprint of the plan that somebody saw: when the staff
    changed since, nothing is written. Raises ``Conflict`` ``staff_changed``, ``Invalid`` when columns are missing.
    """
    require(actor, Permission.EDIT_PEOPLE)
    company_id = scope.company_of(actor, company_id)
    async with db.atomic():
        await db.execute("SELECT 1 FROM company WHERE id = $1 FOR NO KEY UPDATE", company_id)  # one import at a time
        plan = await _plan(table, company_id, choices)
        if plan.missing:
            raise Invalid("columns_missing", plan.missing[0], fields={"file": " ".join(plan.missing)})
        if expected is not None and expected != plan.fingerprint:
            raise _changed_meanwhile()
        try:
            created = await _store(plan, company_id=company_id, actor=actor, now=now)
        except asyncpg.UniqueViolationError as clash:
            raise _changed_meanwhile() from clash
    return msgspec.structs.replace(plan, created=created)


async def _plan(table: StaffTable, company_id: UUID, choices: Choices) -> Plan:
    async with db.connection() as own:
        found = await own.fetch(_KNOWN, company_id)
    known = [Known(record[0], tuple(record)[_VALUES:], record[1], record[2]) for record in found]
    return await anyio.to_thread.run_sync(staff_plan.plan, table, known, choices)


async def _store(plan: Plan, *, company_id: UUID, actor: Actor, now: datetime) -> dict[int, UUID]:
    new, changed = plan.of(Action.NEW), plan.of(Action.CHANGED)
    if not new and not changed:
        return {}
    made = [(ids.new_id(), line) for line in new]
    await db.execute(_TEMPORARY)
    await db.execute("TRUNCATE staff_line")
    records = [(person_id, True, *_stored(line)) for person_id, line in made]
    records += [(line.person_id, False, *_stored(line)) for line in changed]
    await db.copy_rows("staff_line", _LINE, records)
    if changed:
        await db.execute("ANALYZE staff_line")
        await db.execute(_LET_GO, company_id)
        await db.execute(_UPDATE, company_id, now)
        await db.execute(_RELATIONS, company_id)
    if new:
        await db.execute(_INSERT, company_id, now)
    data = {"created": [person_id for person_id, _line in made], "changed": [(line.person_id, line.changed) for line in changed]}
    await audit.record("staff.imported", actor=actor, subject=("company", company_id), data=data, now=now)
    return {line.line: person_id for person_id, line in made}


def _stored(line: LinePlan) -> tuple[object, ...]:
    parts = [str(value or "") for value in line.values[:6]]
    return (*line.values, names.sort_key(parts[0], parts[1], parts[2]), names.search_text(*parts))


def _changed_meanwhile() -> Conflict:
    return Conflict(
        "staff_changed",
        _("The staff list changed since this preview, so nothing was written."),
        next_step=_("Look at the new preview and confirm again."),
    )


# For the command line


class Summary(msgspec.Struct, frozen=True):
    """What a file did, or would do: lines per action, and (line, sentences) of those that could not be used."""

    counts: dict[str, int]
    problems: list[tuple[int, str]]
    warnings: list[tuple[int, str]]


async def from_file(company: str, path: Path, *, dry_run: bool = False) -> Summary:
    """Import a file for the company with this id, KvK number or exact name, as the system.

    Raises ``NotFound`` for an unknown company, and what ``staff_files.read`` and ``write`` raise.
    """
    company_id = await db.value(
        "SELECT id FROM company WHERE id::text = $1 OR kvk = $1 OR sort_name = $2 ORDER BY id LIMIT 1", company, names.fold(company)
    )
    if company_id is None:
        raise NotFound("company_unknown", _("There is no company “{name}”.", name=company))
    table = staff_files.read(await anyio.Path(path).read_bytes())
    now = clock.now()
    if dry_run:
        plan = await preview(table, company_id=company_id, actor=SYSTEM)
    else:
        plan = await write(table, company_id=company_id, actor=SYSTEM, now=now)
    return summary(plan)


def summary(plan: Plan) -> Summary:
    """Return a plan in short."""
    problems = [(line.line, " ".join(line.problems)) for line in plan.lines if line.problems]
    problems += [(1, sentence) for sentence in plan.missing]
    return Summary(plan.counts, problems, [(line.line, " ".join(line.warnings)) for line in plan.lines if line.warnings])
