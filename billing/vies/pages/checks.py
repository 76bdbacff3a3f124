"""VAT ids: where each stands, what was asked, asking again, and an answer by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from billing.vies import certificates, read, words
from billing.vies import checks as vies
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.settings import settings
from marketplace.kit.web import Html, WebRequest, flash, forms, paging, redirect, render


class ByHand(msgspec.Struct, frozen=True):
    """What somebody found out without VIES."""

    answer: Literal["valid", "invalid"]
    note: Annotated[str, msgspec.Meta(max_length=500)]
    number: Annotated[str | None, msgspec.Meta(max_length=60)] = None


@get("/vat-checks", opt={"access": "ecl"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    show: FromQuery[str | None] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show the VAT ids that decide something, and where each stands."""
    only_open, search = show == "open", q[:100]
    found = await read.overview(paging.read(cursor, str, UUID), only_open=only_open, search=search, actor=actor, now=now)
    return render(
        request, "billing/vat/check_list.html", found=found, only_open=only_open, search=search, states=words.STATES, trouble=words.trouble,
        by_whom=words.who, ending=await certificates.ending(now=now),
        link=lambda **changes: "/vat-checks?" + urlencode({k: v for k, v in ({"show": show, "q": search} | changes).items() if v}),
    )  # fmt: skip


@get("/vat-checks/{debtor_id:uuid}", opt={"access": "ecl", "noun": "debtor"})
async def show(request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what was asked about a debtor's VAT id."""
    require(actor, Permission.MANAGE_INVOICES)
    return await _page(request, debtor_id, forms.blank(answer="valid"), now)


@post("/vat-checks/{debtor_id:uuid}/ask", opt={"access": "ecl", "noun": "debtor"}, status_code=303)
async def ask(request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Ask VIES again, now."""
    if await vies.ask_again(debtor_id, actor=actor, now=now):
        flash(request, _("VIES is being asked."), _("Load this page again in a few seconds."))
    else:
        flash(request, _("VIES was asked just now, or there is nothing to ask."))
    return redirect(f"/vat-checks/{debtor_id}")


@post("/vat-checks/{debtor_id:uuid}", opt={"access": "ecl", "noun": "debtor"}, status_code=303)
async def keep(
    request: WebRequest, debtor_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
) -> Response[Any]:
    """Keep an answer that was found out by hand."""
    require(actor, Permission.MANAGE_INVOICES)
    await read.holder(debtor_id)
    form = await forms.read(request, ByHand)
    if form.data is not None:
        sent = form.data
        try:
            await vies.by_hand(
                debtor_id, valid=sent.answer == "valid", number=sent.number or "", note=sent.note or "", actor=actor, now=now
            )
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            flash(request, _("Kept."), _("What is not invoiced yet follows it, and invoices that waited are made now."))
            return redirect(f"/vat-checks/{debtor_id}")
    return await _page(request, debtor_id, form, now, status_code=422)


async def _page(request: WebRequest, debtor_id: UUID, form: forms.Form[Any], now: datetime, *, status_code: int = 200) -> Html:
    holder = await read.holder(debtor_id)
    return render(
        request, "billing/vat/check_show.html", status_code=status_code, form=form, holder=holder, now=now,
        standing=await vies.standing(debtor_id, now=now), history=await read.history(debtor_id), states=words.STATES, answers=words.ANSWERS,
        trouble=words.trouble, by_whom=words.who, certificates=await certificates.of_debtor(debtor_id),
        days=settings().vat_proof_days,
    )  # fmt: skip


HANDLERS = [show_list, show, ask, keep]
