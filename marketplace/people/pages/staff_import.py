"""Importing staff: choose a file or paste cells, see what each line will do, confirm."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from marketplace.kit.errors import Conflict, DomainError, Invalid, TooLarge
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render
from marketplace.people import scope, staff_columns, staff_csv, staff_files, staff_import, uploads
from marketplace.people.pages.staff import LABELS
from marketplace.people.staff_columns import Choices
from marketplace.people.staff_plan import Action, LinePlan, Plan

if TYPE_CHECKING:
    from marketplace.people.uploads import StaffUpload

MAX_REQUEST = staff_files.MAX_BYTES + 200_000
LINES_SHOWN = 100
View = Literal["new", "changed", "unchanged", "problem", "warnings"]


class Confirmation(msgspec.Struct, frozen=True):
    """What somebody saw when they confirmed."""

    fingerprint: str


@get("/people/import", opt={"access": "company"})
async def show_upload(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
    """Show where to choose a file or paste cells."""
    require(actor, Permission.EDIT_PEOPLE)
    return render(request, "people/import_upload.html", form=forms.blank())


@post("/people/import", opt={"access": "company"}, status_code=303, request_max_body_size=MAX_REQUEST)
async def upload(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
    """Keep what was sent, and go to its preview."""
    require(actor, Permission.EDIT_PEOPLE)
    posted = await request.form()
    pasted = posted.get("pasted")
    text = pasted if isinstance(pasted, str) else ""
    try:
        name, content = await _sent(posted.get("file"), text)
        upload_id = await uploads.keep(name, content, actor=actor, now=now)
    except TooLarge:
        raise
    except DomainError as refusal:
        form = forms.blank(pasted=text[:100_000]).refuse(refusal)
        return render(request, "people/import_upload.html", status_code=422, form=form)
    return redirect(f"/people/import/{upload_id}")


async def _sent(file: object, text: str) -> tuple[str, bytes]:
    """Return the file's name and bytes, or the pasted cells; the file goes first."""
    if isinstance(file, UploadFile) and file.filename:
        return file.filename[-120:], await file.read()
    if text.strip():
        return "", text.encode("utf-8", errors="replace")
    sentence = _("Choose a file, or paste cells below.")
    raise Invalid("file_missing", sentence, fields={"file": sentence})


@get("/people/import/{upload_id:uuid}", opt={"access": "company", "noun": "staff_upload"})
async def show_preview(
    request: WebRequest,
    upload_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    view: FromQuery[View | None] = None,
    after: FromQuery[int] = 0,
) -> Html:
    """Show what each line will do; after the import, what was done and what was left out."""
    found = await uploads.get(upload_id, actor=actor)
    if found.state == "imported":
        return render(request, "people/import_done.html", upload=found, counts=found.result)
    plan = await _planned(found, actor)
    return _preview(request, found, plan, view=view, after=after)


async def _planned(found: StaffUpload, actor: Actor) -> Plan:
    return await staff_import.preview(found.table(), company_id=scope.company_of(actor), actor=actor, choices=found.choices)


def _preview(
    request: WebRequest, found: StaffUpload, plan: Plan, *, view: str | None = None, after: int = 0, status_code: int = 200
) -> Html:
    counts = plan.counts
    chosen = view or next((name for name in ("problem", "warnings", "changed", "new", "unchanged") if counts[name]), "new")
    lines = [line for line in _seen(plan, chosen) if line.line > after]
    table = found.table()
    return render(
        request, "people/import_preview.html", status_code=status_code, upload=found, table=table, plan=plan, counts=counts, view=chosen,
        lines=lines[:LINES_SHOWN], further=lines[LINES_SHOWN - 1].line if len(lines) > LINES_SHOWN else None, words=_words_of,
        headers=staff_columns.headers(table), examples=_examples(table), after=after,
        options=[(field, staff_columns.label(field)) for field in ("", *staff_columns.FIELDS)],
    )  # fmt: skip


def _seen(plan: Plan, view: str) -> list[LinePlan]:
    if view == "warnings":
        return [line for line in plan.lines if line.warnings]
    return plan.of(Action(view))


def _examples(table: staff_files.StaffTable) -> list[str]:
    """Return an example of each column: its first cell that isn't blank."""
    return [next((row.cells[at] for row in table.rows[:20] if at < len(row.cells) and row.cells[at]), "") for at in range(table.columns)]


def _words_of(line: LinePlan) -> str:
    """Return which fields a line changes, in words."""
    return ", ".join(_(LABELS[name]) for name in line.changed)


@post("/people/import/{upload_id:uuid}/columns", opt={"access": "company", "noun": "staff_upload"}, status_code=303)
async def choose_columns(request: WebRequest, upload_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[Any]:
    """Read the file with other columns."""
    posted = await request.form()
    fields = tuple(str(value) for value in posted.getall("column", []))[: staff_files.MAX_COLUMNS]
    await uploads.choose(upload_id, Choices(fields, str(posted.get("date_order", ""))), actor=actor)
    return redirect(f"/people/import/{upload_id}")


@post("/people/import/{upload_id:uuid}", opt={"access": "company", "noun": "staff_upload"}, status_code=303)
async def confirm(
    request: WebRequest, upload_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Write what the preview said; when the staff changed meanwhile, show the new preview instead."""
    form = await forms.read(request, Confirmation)
    try:
        plan = await uploads.confirm(upload_id, expected=form.data.fingerprint if form.data else "", actor=actor, now=now)
    except Conflict as refusal:
        flash(request, refusal.message, refusal.next_step or "", tone="warn")
        return redirect(f"/people/import/{upload_id}")
    if plan is not None and not plan.counts["problem"]:
        flash(request, _("The list is imported."), _("{new} added, {changed} changed, {unchanged} unchanged.", **_some(plan.counts)))
        return redirect("/people")
    return redirect(f"/people/import/{upload_id}")


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in ("new", "changed", "unchanged")}


@get("/people/import/{upload_id:uuid}/problems.csv", opt={"access": "company", "noun": "staff_upload"})
async def download_problems(upload_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send the lines that could not be used, as they were, with what to mend."""
    found = await uploads.get(upload_id, actor=actor)
    plan = await _planned(found, actor)
    body = staff_csv.write_problems(found.table(), plan)
    return Response(body, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="lines-to-mend.csv"'})


HANDLERS = [show_upload, upload, show_preview, choose_columns, confirm, download_problems]
