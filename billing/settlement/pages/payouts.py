"""ECL's pages of payouts: what can be paid, batches from draft to done, and what the bank says by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from billing.settlement import payouts, transfers
from marketplace.kit import calendar, clock
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render

_VERBS = ("approve", "cancel", "export", "send", "paid")


class DraftForm(msgspec.Struct, frozen=True):
    """The day on which the bank pays."""

    pay_on: date


class ReturnForm(msgspec.Struct, frozen=True):
    """Why a payment came back, and when."""

    reason: Annotated[str, msgspec.Meta(max_length=300)]
    on: date


@get("/payout-batches", opt={"access": "ecl"})
async def show_list(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """List the payouts, and what the next one would pay."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    day = calendar.add_working_days(clock.today(now), 1)
    return await _list_page(request, forms.blank(pay_on=day.isoformat()))


async def _list_page(request: WebRequest, form: forms.Form[DraftForm], status_code: int = 200) -> Html:
    ready = await payouts.ready()
    return render(
        request,
        "settlement/payout_list.html",
        status_code=status_code,
        batches=await payouts.listed(),
        names=payouts.NAMES,
        ready=ready,
        total=Money(sum(one.cents for one in ready if one.account_id)),
        form=form,
        Money=Money,
    )


@post("/payout-batches", opt={"access": "ecl"}, status_code=303)
async def draft(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Put together a payout of everything that is ready."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    form = await forms.read(request, DraftForm)
    if form.data is not None:
        try:
            batch_id = await payouts.draft(pay_on=form.data.pay_on, actor=actor, now=now)
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The payout is drafted."), _("A colleague approves it. Nothing is paid before that."))
            return redirect(f"/payout-batches/{batch_id}")
    return await _list_page(request, form, 422)


@get("/payout-batches/{batch_id:uuid}", opt={"access": "ecl", "noun": "payout_batch"})
async def show(request: WebRequest, batch_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Html:
    """Show a payout with its payments, and what comes next."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    batch = await payouts.get(batch_id)
    return render(
        request,
        "settlement/payout_show.html",
        batch=batch,
        items=await payouts.items(batch_id),
        names=payouts.NAMES,
        own=batch.drafted_by == actor.account_id,
    )


@post("/payout-batches/{batch_id:uuid}/{verb:str}", opt={"access": "ecl", "noun": "payout_batch"}, status_code=303)
async def do(
    request: WebRequest,
    batch_id: FromPath[UUID],
    verb: FromPath[str],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
) -> Redirect:
    """Take a payout a step further: ``approve``, ``export``, ``send``, ``paid`` or ``cancel``."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    if verb not in _VERBS:
        raise NotFound("not_found", _("There is no such payout."))
    try:
        await _do(batch_id, verb, actor=actor, now=now)
    except NotFound:
        raise
    except DomainError as refusal:
        flash(request, refusal.message, refusal.next_step or "", tone="stop")
    else:
        flash(request, *_done(verb))
    return redirect(f"/payout-batches/{batch_id}")


async def _do(batch_id: UUID, verb: str, *, actor: Actor, now: datetime) -> None:
    if verb == "paid":
        await transfers.batch_paid(batch_id, on=clock.today(now), actor=actor, now=now)
        return
    if verb == "send":
        await transfers.send(batch_id, actor=actor, now=now)
        return
    steps = {"approve": payouts.approve, "cancel": payouts.cancel, "export": payouts.export}
    await steps[verb](batch_id, actor=actor, now=now)


def _done(verb: str) -> tuple[str, str]:
    return {
        "approve": (_("The payout is approved."), _("Now its file for the bank can be made.")),
        "cancel": (_("The payout is cancelled."), _("Its statements go into the next one.")),
        "export": (_("The file is made."), _("Download it, hand it to the bank, then say so here.")),
        "send": (_("The payout is at the bank."), _("The partners have a mail. The bank file closes it, or you do by hand.")),
        "paid": (_("The payout is paid."), _("The statements are done.")),
    }[verb]


@get("/payout-batches/{batch_id:uuid}/file", opt={"access": "ecl", "noun": "payout_batch"})
async def send_file(batch_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Send the file for the bank, byte for byte as it was made."""
    batch, content = await payouts.file(batch_id, actor=actor)
    headers = {
        "Content-Disposition": f'attachment; filename="{batch.number}.xml"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/xml", headers=headers)


@get("/payout-batches/items/{item_id:uuid}", opt={"access": "ecl", "noun": "payout_item"})
async def show_item(request: WebRequest, item_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show one payment, with the form that says it came back."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    return _item_page(request, await transfers.get(item_id), forms.blank(on=clock.today(now).isoformat()))


def _item_page(request: WebRequest, item: payouts.Item, form: forms.Form[ReturnForm], status_code: int = 200) -> Html:
    return render(request, "settlement/payout_item.html", status_code=status_code, item=item, form=form)


@post("/payout-batches/items/{item_id:uuid}", opt={"access": "ecl", "noun": "payout_item"}, status_code=303)
async def returned(
    request: WebRequest, item_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Html | Redirect:
    """Say that a payment came back."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    item = await transfers.get(item_id)
    form = await forms.read(request, ReturnForm)
    if form.data is not None:
        try:
            await transfers.payout_returned(item_id, reason=form.data.reason, on=form.data.on, actor=actor, now=now)
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("The payment came back."), _("Its statement is open again and goes into the next payout."))
            return redirect(f"/payout-batches/{item.batch_id}")
    return _item_page(request, item, form, 422)


HANDLERS = [show_list, draft, show, do, send_file, show_item, returned]
