"""Members and invitations of a place: the same pages for a company's owner and, at other addresses, for ECL.

``_pages_of`` makes the handlers for one kind of place, so that a rule can't hold at one address and not at the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from catalog import partners
from marketplace.kit.errors import DomainError
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, Role, require
from marketplace.kit.web import Html, WebRequest, flash, forms, redirect, render
from marketplace.people import companies, invitations, members, role_words
from marketplace.people.places import ECL, Place, may_manage

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from marketplace.people.members import Member

Roles = Annotated[list[Role], msgspec.Meta(min_length=1, max_length=10, extra={"sentence": N_("Choose at least one role.")})]
PlaceOf = Callable[[Actor, UUID | None], Place]


class Invite(msgspec.Struct, frozen=True):
    """The form that invites somebody."""

    email: forms.Email
    roles: Roles


class Change(msgspec.Struct, frozen=True):
    """The form that changes somebody's roles."""

    roles: Roles


def _pages_of(prefix: str, access: str, place_of: PlaceOf, *, desk: bool) -> list[HTTPRouteHandler]:  # noqa: C901, PLR0915 - seven small handlers
    opt = {"access": access, "noun": "member"}
    listed = (
        {"access": access, "noun": "company" if prefix.startswith("/companies") else "partner"} if "{" in prefix else {"access": access}
    )

    async def place(request: WebRequest, actor: Actor) -> tuple[Place, str]:
        place_id = request.path_params.get("place_id")
        where = place_of(actor, place_id)
        await _name_of(where)  # a company or partner that isn't there is not found
        return where, prefix.replace("{place_id:uuid}", str(place_id))

    @get(prefix, opt=listed)
    async def show(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
        require(actor, Permission.SEE_MEMBERS)
        where, base = await place(request, actor)
        return await _list(request, where, base, actor=actor, now=now, desk=desk)

    @post(f"{prefix}/invite", opt=listed, status_code=303)
    async def invite(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
        where, base = await place(request, actor)
        may_manage(actor, where)
        form = await forms.read(request, Invite)
        sent = form.data
        if sent is not None:
            try:
                await invitations.create(sent.email, place=where, roles=frozenset(sent.roles), actor=actor, now=now)
            except DomainError as refusal:
                form = form.refuse(refusal) if refusal.fields else form.with_error("email", _joined(refusal))
            else:
                flash(request, _("{email} is invited.", email=sent.email), _("The link in the mail works for seven days."))
                return redirect(base)
        return await _list(request, where, base, actor=actor, now=now, desk=desk, form=form, status_code=422)

    @get(f"{prefix}/{{member_id:uuid}}", opt=opt)
    async def show_member(request: WebRequest, actor: NamedDependency[Actor]) -> Html:
        where, base = await place(request, actor)
        may_manage(actor, where)
        member = await members.get(request.path_params["member_id"], place=where)
        return await _member(request, where, base, member, forms.blank(roles=[role.value for role in member.roles]), desk=desk)

    @post(f"{prefix}/{{member_id:uuid}}", opt=opt, status_code=303)
    async def change(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
        where, base = await place(request, actor)
        may_manage(actor, where)
        member = await members.get(request.path_params["member_id"], place=where)
        form = await forms.read(request, Change)
        if form.data is not None:
            try:
                await members.change_roles(member.id, frozenset(form.data.roles), place=where, actor=actor, now=now)
            except DomainError as refusal:
                form = form.refuse(refusal) if refusal.fields else form.with_error("roles", _joined(refusal))
            else:
                flash(request, _("The roles of {name} are saved.", name=member.name), _("They sign in again to use them."))
                return redirect(base)
        return await _member(request, where, base, member, form, desk=desk, status_code=422)

    @post(f"{prefix}/{{member_id:uuid}}/remove", opt=opt, status_code=303)
    async def remove(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Response[Any]:
        where, base = await place(request, actor)
        may_manage(actor, where)
        member = await members.get(request.path_params["member_id"], place=where)
        try:
            await members.remove(member.id, place=where, actor=actor, now=now)
        except DomainError as refusal:
            form = forms.blank(roles=[role.value for role in member.roles]).with_error("", _joined(refusal))
            return await _member(request, where, base, member, form, desk=desk, status_code=refusal.status)
        flash(request, _("{name} is no longer a member.", name=member.name), _("Their orders stay."))
        return redirect("/" if member.id == actor.member_id else base)

    @post(f"{prefix}/invitations/{{invitation_id:uuid}}/send", opt=opt | {"noun": "invitation"}, status_code=303)
    async def send_again(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
        where, base = await place(request, actor)
        await invitations.resend(request.path_params["invitation_id"], place=where, actor=actor, now=now)
        flash(request, _("The invitation is sent again."), _("The new link works for seven days; the old one has ended."))
        return redirect(base)

    @post(f"{prefix}/invitations/{{invitation_id:uuid}}/withdraw", opt=opt | {"noun": "invitation"}, status_code=303)
    async def withdraw(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
        where, base = await place(request, actor)
        await invitations.withdraw(request.path_params["invitation_id"], place=where, actor=actor, now=now)
        flash(request, _("The invitation is withdrawn."), _("Its link no longer works."))
        return redirect(base)

    return [show, invite, show_member, change, remove, send_again, withdraw]


async def _list(
    request: WebRequest,
    where: Place,
    base: str,
    *,
    actor: Actor,
    now: datetime,
    desk: bool,
    form: forms.Form[Any] | None = None,
    status_code: int = 200,
) -> Html:
    name = await _name_of(where)
    return render(
        request, "people/member_list.html", status_code=status_code,
        members=await members.of(where), invitations=await invitations.open_of(where), base=base, place_name=name,
        manages=_manages(actor, where), form=form or forms.blank(roles=[Role.BUYER.value if where.company_id else where.roles()[0].value]),
        options=role_words.options(where.roles()), word=role_words.word, now=now,
        frame="desk.html" if desk else "base.html", above=_above(where),
    )  # fmt: skip


async def _member(
    request: WebRequest, where: Place, base: str, member: Member, form: forms.Form[Any], *, desk: bool, status_code: int = 200
) -> Html:
    return render(
        request, "people/member_form.html", status_code=status_code, member=member, form=form, base=base,
        options=role_words.options(where.roles()), place_name=await _name_of(where), frame="desk.html" if desk else "base.html",
    )  # fmt: skip


def _manages(actor: Actor, where: Place) -> bool:
    try:
        may_manage(actor, where)
    except DomainError:
        return False
    return True


async def _name_of(where: Place) -> str:
    if where.company_id is not None:
        return (await companies.get(where.company_id)).name
    return (await partners.get(where.partner_id)).name if where.partner_id is not None else _("ECL desk")


def _above(where: Place) -> str:
    if where.company_id is not None:
        return f"/companies/{where.company_id}"
    return "/partners" if where.partner_id is not None else "/desk"


def _joined(refusal: DomainError) -> str:
    return " ".join(part for part in (refusal.message, refusal.next_step) if part)


HANDLERS = [
    *_pages_of("/members", "company", lambda actor, _id: Place(actor.company_id), desk=False),
    *_pages_of("/companies/{place_id:uuid}/members", "ecl", lambda _actor, place_id: Place(company_id=place_id), desk=True),
    *_pages_of("/partners/{place_id:uuid}/members", "ecl", lambda _actor, place_id: Place(partner_id=place_id), desk=True),
    *_pages_of("/desk/members", "ecl", lambda _actor, _id: ECL, desk=True),
]
