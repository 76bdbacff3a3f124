"""ECL's pages of the bank: files, what waits, one entry with its proposals, and what was done with it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing.bank import allocate, byhand, candidates, entries, files, intake, undo
from billing.bank.entries import NAMES
from billing.bank.matching import Kind
from billing.bank.unpack import MAX_BYTES
from marketplace.kit.clock import today
from marketplace.kit.errors import DomainError, Invalid
from marketplace.kit.i18n import _, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money, euros
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render, spreadsheet

_SHOWS: tuple[entries.Show, ...] = ("open", "in", "out", "settled", "all")
_CSV_ROWS = 10_000


@get("/bank-files", opt={"access": "ecl"})
async def show_files(request: WebRequest, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None) -> Html:
    """Show what waits, the form for a file, and the files that came."""
    return await _files(request, actor=actor, cursor=cursor)


async def _files(
    request: WebRequest, *, actor: Actor, cursor: str | None = None, form: forms.Form[Any] | None = None, status_code: int = 200
) -> Html:
    return render(
        request,
        "billing/bank_file_list.html",
        status_code=status_code,
        form=form,
        page=await files.page(paging.read(cursor, datetime, UUID), actor=actor),
        sums=await entries.sums(),
        balance=await files.balance(),
        Money=Money,
    )


@post("/bank-files", opt={"access": "ecl"}, status_code=303, request_max_body_size=MAX_BYTES + 1_000_000)
async def send_file(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Take in a file, and show what it brought."""
    require(actor, Permission.MANAGE_INVOICES)
    try:
        sent = await forms.upload(request, "file", max_bytes=MAX_BYTES)
        received = await intake.receive(sent.name, sent.content, actor=actor, now=now)
    except Invalid as refusal:
        return await _files(request, actor=actor, form=forms.blank().refuse(refusal), status_code=422)
    if received.replayed:
        flash(request, _("This file was here already."), _("Nothing changed."), tone="info")
    elif received.new_entries:
        flash(request, n_("One new entry.", "{n} new entries.", received.new_entries), _("Confirm what is certain, then look at the rest."))
    else:
        flash(request, _("Every entry in this file was here already."), _("Nothing changed."), tone="info")
    return redirect(f"/bank-files/{received.file_id}")


@get("/bank-files/{file_id:uuid}", opt={"access": "ecl", "noun": "bank_file"})
async def show_file(
    request: WebRequest, file_id: FromPath[UUID], actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None
) -> Html:
    """Show a file: its statements, and its entries with what they may pay."""
    file = await files.get(file_id, actor=actor)
    page = await entries.page("all", "", paging.read(cursor, date, UUID), actor=actor, file_id=file_id)
    proposed = await candidates.proposals(page.items)
    return render(
        request,
        "billing/bank_file_show.html",
        file=file,
        statements=await files.statements(file_id),
        page=page,
        proposed=proposed,
        certain=sum(1 for own in proposed.values() if own and own[0].certain),
        names=NAMES,
    )


@post("/bank-files/{file_id:uuid}/confirm", opt={"access": "ecl", "noun": "bank_file"}, status_code=303)
async def confirm_file(
    request: WebRequest, file_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Redirect:
    """Confirm all that is certain in a file."""
    await files.get(file_id, actor=actor)
    _confirmed(request, await allocate.confirm_certain(file_id, actor=actor, now=now))
    return redirect(f"/bank-files/{file_id}")


def _confirmed(request: WebRequest, count: int) -> None:
    if count:
        flash(request, n_("One entry is done.", "{n} entries are done.", count), _("What is left wants a look."))
    else:
        flash(request, _("Nothing here is certain."), _("Look at the entries one by one."), tone="info")


@get("/bank-entries", opt={"access": "ecl"})
async def show_entries(
    request: WebRequest,
    actor: NamedDependency[Actor],
    show: FromQuery[str] = "open",
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show entries: by default those that wait, with what they may pay."""
    wanted = _show(show)
    page = await entries.page(wanted, q[:100], paging.read(cursor, date, UUID), actor=actor)
    proposed = await candidates.proposals(page.items)
    certain = sum(1 for own in proposed.values() if own and own[0].certain)
    return render(
        request, "billing/bank_entry_list.html", page=page, proposed=proposed, certain=certain, show=wanted, q=q[:100],
        sums=await entries.sums(), names=NAMES, Money=Money,
    )  # fmt: skip


def _show(show: str) -> entries.Show:
    return next((one for one in _SHOWS if one == show), "open")


@get("/bank-entries.csv", opt={"access": "ecl"})
async def entries_file(
    actor: NamedDependency[Actor], now: NamedDependency[datetime], show: FromQuery[str] = "open", q: FromQuery[str] = ""
) -> Response[bytes]:
    """Send the same list as a file, at most the newest ten thousand."""
    page = await entries.page(_show(show), q[:100], paging.read(None, date, UUID, size=_CSV_ROWS), actor=actor)
    header = [_("Booked on"), _("Name"), _("IBAN"), _("Description"), _("Reference"), _("Amount"), _("Still to explain")]
    rows = [
        [row.booked_on.isoformat(), row.name, row.iban, row.text, row.end_to_end_id, euros(row.cents), euros(row.left_cents)]
        for row in page.items
    ]
    return spreadsheet.answer(f"bank-{today(now).isoformat()}.csv", header, rows)


@post("/bank-entries/confirm", opt={"access": "ecl"}, status_code=303)
async def confirm_all(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Confirm all that is certain, of every file."""
    _confirmed(request, await allocate.confirm_certain(None, actor=actor, now=now))
    return redirect("/bank-entries")


@get("/bank-entries/{entry_id:uuid}", opt={"access": "ecl", "noun": "bank_entry"})
async def show_entry(request: WebRequest, entry_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show one entry: what the bank said, what it may pay, what was done with it."""
    return await _entry(request, entry_id, actor=actor)


async def _entry(
    request: WebRequest,
    entry_id: UUID,
    *,
    actor: Actor,
    form: forms.Form[Any] | None = None,
    other: forms.Form[Any] | None = None,
) -> Html:
    entry = await entries.get(entry_id, actor=actor)
    return render(
        request,
        "billing/bank_entry_show.html",
        status_code=422 if form or other else 200,
        entry=entry,
        proposed=(await candidates.proposals([entry]))[entry.id],
        done=await entries.allocations(entry_id),
        form=form,
        other=other,
        names=NAMES,
        kinds=[(kind.value, _(NAMES[kind])) for kind in allocate.BY_HAND],
        Kind=Kind,
        Money=Money,
    )


class Confirm(msgspec.Struct, frozen=True):
    """Which proposal."""

    key: Annotated[str, msgspec.Meta(max_length=40)]


@post("/bank-entries/{entry_id:uuid}/confirm", opt={"access": "ecl", "noun": "bank_entry"}, status_code=303)
async def confirm(
    request: WebRequest, entry_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Do what a proposal says."""
    form = await forms.read(request, Confirm)
    if form.data is None:
        return await _entry(request, entry_id, actor=actor, form=form)
    try:
        new = await allocate.confirm(entry_id, form.data.key, actor=actor, now=now)
    except (Invalid, DomainError) as refusal:
        if refusal.status in {403, 404}:
            raise
        return await _entry(request, entry_id, actor=actor, form=forms.blank().refuse(refusal))
    flash(request, _("Done.") if new else _("This was done already."), "" if new else _("Nothing changed."))
    return redirect(f"/bank-entries/{entry_id}")


class ByHand(msgspec.Struct, frozen=True):
    """Invoices, one a line, and whether more than is open may be put on one."""

    parts: Annotated[str, msgspec.Meta(max_length=4000)]
    over: bool = False


@post("/bank-entries/{entry_id:uuid}/allocate", opt={"access": "ecl", "noun": "bank_entry"}, status_code=303)
async def give(
    request: WebRequest, entry_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Give (parts of) an entry to invoices by hand."""
    entry = await entries.get(entry_id, actor=actor)
    form = await forms.read(request, ByHand)
    if form.data is not None:
        try:
            parts = await byhand.read(form.data.parts, left_cents=max(0, entry.left_cents))
            await allocate.to_invoices(entry_id, parts, over=form.data.over, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("Done."), _("The invoices show it at once."))
            return redirect(f"/bank-entries/{entry_id}")
    return await _entry(request, entry_id, actor=actor, form=form)


class Other(msgspec.Struct, frozen=True):
    """What it was, if no company's payment."""

    kind: Literal["stripe_payout", "fees", "interest"]
    note: forms.Line
    amount: Money | None = None


@post("/bank-entries/{entry_id:uuid}/other", opt={"access": "ecl", "noun": "bank_entry"}, status_code=303)
async def give_other(
    request: WebRequest, entry_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Say that an entry is no company's payment."""
    form = await forms.read(request, Other)
    if form.data is not None:
        cents = form.data.amount.cents if form.data.amount else None
        try:
            await allocate.to_other(entry_id, Kind(form.data.kind), cents=cents, note=form.data.note, actor=actor, now=now)
        except Invalid as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("Done."), _("It stands in the books under what you said."))
            return redirect(f"/bank-entries/{entry_id}")
    return await _entry(request, entry_id, actor=actor, other=form)


class Undo(msgspec.Struct, frozen=True):
    """Which allocation."""

    allocation: UUID


@post("/bank-entries/{entry_id:uuid}/undo", opt={"access": "ecl", "noun": "bank_entry"}, status_code=303)
async def take_back(
    request: WebRequest, entry_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Take one allocation back."""
    form = await forms.read(request, Undo)
    if form.data is not None:
        try:
            new = await undo.undo(entry_id, form.data.allocation, actor=actor, now=now)
        except DomainError as refusal:
            if refusal.status == 404:
                raise
            form = form.refuse(refusal)
        else:
            flash(
                request,
                _("Taken back.") if new else _("This was taken back already."),
                _("The money waits again. The old step stays readable."),
            )
            return redirect(f"/bank-entries/{entry_id}")
    return await _entry(request, entry_id, actor=actor, form=form)


HANDLERS = [
    show_files,
    send_file,
    show_file,
    confirm_file,
    show_entries,
    entries_file,
    confirm_all,
    show_entry,
    confirm,
    give,
    give_other,
    take_back,
]
