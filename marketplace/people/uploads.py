"""A staff file between upload and import. Kept in the database, so that any process can show the preview; gone after a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.people import scope, staff_columns, staff_files, staff_import
from marketplace.people.staff_columns import Choices

if TYPE_CHECKING:
    from marketplace.people.staff_files import StaffTable
    from marketplace.people.staff_plan import Plan

KEPT = timedelta(days=1)


class StaffUpload(msgspec.Struct, frozen=True):
    """An upload. ``content`` is None when it is gone; ``result`` has the counts once it is imported."""

    id: UUID
    name: str
    content: bytes | None
    choices: Choices
    state: str
    result: dict[str, int]
    created_at: datetime

    def table(self) -> StaffTable:
        """Return the file as cells; raise ``Conflict`` ``upload_gone`` after a day."""
        if self.content is None:
            raise Conflict(
                "upload_gone", _("This file is no longer kept: we delete it after a day."), next_step=_("Choose the file again.")
            )
        return staff_files.read(self.content)


_SELECT = "SELECT id, name, content, choices, state, result, created_at FROM staff_upload WHERE company_id = $1 AND id = $2"


async def keep(name: str, content: bytes, *, actor: Actor, now: datetime) -> UUID:
    """Keep a file for its preview and return its id. Raises what ``staff_files.read`` raises."""
    require(actor, Permission.EDIT_PEOPLE)
    staff_files.read(content)
    upload_id = ids.new_id()
    await db.execute(
        "INSERT INTO staff_upload (id, company_id, account_id, name, content, choices, state, result, created_at)"
        " VALUES ($1, $2, $3, $4, $5, '{}', 'waiting', '{}', $6)",
        upload_id, scope.company_of(actor), actor.account_id, name, content, now,
    )  # fmt: skip
    return upload_id


async def get(upload_id: UUID, *, actor: Actor) -> StaffUpload:
    """Return an upload of the actor's company; raise ``NotFound`` for any other."""
    require(actor, Permission.EDIT_PEOPLE)
    found = await db.row(StaffUpload, _SELECT, scope.company_of(actor), upload_id)
    if found is None:
        raise scope.not_found()
    return found


async def choose(upload_id: UUID, choices: Choices, *, actor: Actor) -> None:
    """Remember which column is what."""
    upload = await get(upload_id, actor=actor)
    kept = Choices(staff_columns.mapping(upload.table(), choices), choices.date_order if choices.date_order in ("dmy", "mdy") else "")
    sql = "UPDATE staff_upload SET choices = $3 WHERE company_id = $1 AND id = $2 AND state = 'waiting'"
    await db.execute(sql, scope.company_of(actor), upload_id, msgspec.json.encode(kept).decode())


async def confirm(upload_id: UUID, *, expected: str, actor: Actor, now: datetime) -> Plan | None:
    """Import the file and return what was done; None when that had happened already. Raises as ``staff_import.write``."""
    company_id = scope.company_of(actor)
    async with db.atomic():
        await db.execute("SELECT 1 FROM staff_upload WHERE company_id = $1 AND id = $2 FOR UPDATE", company_id, upload_id)
        upload = await get(upload_id, actor=actor)
        if upload.state == "imported":
            return None
        plan = await staff_import.write(
            upload.table(), company_id=company_id, actor=actor, now=now, choices=upload.choices, expected=expected
        )
        counts = msgspec.json.encode(plan.counts).decode()
        await db.execute("UPDATE staff_upload SET state = 'imported', result = $2 WHERE id = $1", upload_id, counts)
    return plan


async def tidy(*, now: datetime) -> int:
    """Forget the files that are older than a day and return how many."""
    return await db.execute("UPDATE staff_upload SET content = NULL, name = '' WHERE created_at < $1 AND content IS NOT NULL", now - KEPT)
