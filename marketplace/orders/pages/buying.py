"""The buyer's pages: who takes part, the basket as review, placing, the list of orders and one order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from billing import charges, vat
from billing.runs import expected
from catalog import words
from marketplace.kit import clock
from marketplace.kit.errors import DomainError, NotFound
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money, euros
from marketplace.kit.web import Held, Html, WebRequest, flash, forms, redirect, render, set_basket_hook, spreadsheet
from marketplace.orders import baskets, candidates, place, pricing, read, review, story
from marketplace.orders.states import LineState, OrderState
from marketplace.people import companies

Reference = Annotated[str, msgspec.Meta(max_length=60)]

_LINE_WORDS = {
    LineState.AWAITING_PARTNER: N_("Partner answers"),
    LineState.ACCEPTED: N_("Accepted"),
    LineState.DECLINED: N_("Declined"),
    LineState.CANCELLED: N_("Cancelled"),
}


class ChoosePeople(msgspec.Struct, frozen=True):
    """The form of the second step."""

    session: UUID
    person_id: list[UUID] = []
    purchase_order: Reference | None = None
    cost_centre: Reference | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    verb: str = "review"


class BasketForm(msgspec.Struct, frozen=True):
    """The review's buttons."""

    basket_id: UUID | None = None
    session: UUID | None = None
    reviewed: Annotated[str, msgspec.Meta(max_length=64)] | None = None


@get("/orders/new", opt={"access": "company"})
async def choose(
    request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime], session: FromQuery[UUID | None] = None
) -> Html | Redirect:
    """Show who can take part in a session; people already in the basket for it are ticked."""
    require(actor, Permission.PLACE_ORDERS)
    if session is None:
        return redirect("/programmes")
    basket = await baskets.of(actor)
    ticked = [line.person_id for line in basket.lines if line.session_id == session] if basket else []
    form = forms.blank(
        purchase_order=(basket and basket.purchase_order) or "", cost_centre=(basket and basket.cost_centre) or "", q="", person_id=ticked
    )
    return await _people_page(request, actor, session, form, ticked=ticked, now=now)


@post("/orders/new", opt={"access": "company"}, status_code=303)
async def hold(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Search, or hold seats for the people who are ticked and go on to the review."""
    require(actor, Permission.PLACE_ORDERS)
    form = await forms.read(request, ChoosePeople)
    session = _session_of(form)
    ticked = form.data.person_id if form.data else [UUID(text) for text in form.values["person_id"] if _is_uuid(text)]
    if form.data is not None and form.data.verb == "search":
        return await _people_page(request, actor, session, form, ticked=ticked, search=form.data.q, now=now)
    if form.data is not None:
        try:
            await baskets.choose(
                session, ticked, purchase_order=form.data.purchase_order, cost_centre=form.data.cost_centre, actor=actor, now=now
            )
        except NotFound:
            raise
        except DomainError as refusal:
            form = form.refuse(refusal)
        else:
            return redirect("/basket")
    return await _people_page(request, actor, session, form, ticked=ticked, now=now, status_code=422)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _session_of(form: forms.Form[ChoosePeople]) -> UUID:
    if form.data is not None:
        return form.data.session
    if _is_uuid(str(form.values.get("session", ""))):
        return UUID(str(form.values["session"]))
    raise NotFound("not_found", _("There are no such dates."), next_step=_("Choose dates from the programmes."))


async def _people_page(
    request: WebRequest,
    actor: Actor,
    session: UUID,
    form: forms.Form[ChoosePeople],
    *,
    ticked: list[UUID],
    now: datetime,
    search: str = "",
    status_code: int = 200,
) -> Html:
    known = await review.estimate(session, actor=actor, now=now)
    if known is None or actor.company_id is None:
        raise NotFound("not_found", _("There are no such dates."), next_step=_("Choose dates from the programmes."))
    offer, vat_category, vat_rate = known
    found = await candidates.of(actor.company_id, session, search=search, ticked=ticked)
    basket = await baskets.of(actor)
    own = sum(line.session_id == session for line in basket.lines) if basket and basket.held_until > now else 0
    company = await companies.get(actor.company_id)
    return render(
        request,
        "orders/order_people.html",
        status_code=status_code,
        form=form,
        offer=offer,
        vat_category=vat_category,
        vat_rate=vat_rate,
        price=Money(offer.price_cents),
        price_unit=words.name(offer.price_unit),
        found=found,
        ticked=set(ticked),
        own=own,
        rules=company.rules,
        search=search,
    )


@get("/basket", opt={"access": "company"})
async def show_basket(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show what would be ordered: net, VAT, total and the terms of cancelling."""
    require(actor, Permission.PLACE_ORDERS)
    return render(request, "orders/basket.html", review=await review.of(actor, now=now), form=None)


@post("/basket/remove", opt={"access": "company"}, status_code=303)
async def remove(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Take one session out of the basket."""
    require(actor, Permission.PLACE_ORDERS)
    form = await forms.read(request, BasketForm)
    if form.data is not None and form.data.session is not None:
        await baskets.remove_session(form.data.session, actor=actor, now=now)
        flash(request, _("The seats are free again."), _("Nothing was ordered."))
    return redirect("/basket")


@post("/basket/empty", opt={"access": "company"}, status_code=303)
async def empty(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Redirect:
    """Give every seat back."""
    require(actor, Permission.PLACE_ORDERS)
    await baskets.empty(actor=actor, now=now)
    flash(request, _("Your basket is empty."), _("The seats are free again. Nothing was ordered."))
    return redirect("/basket")


@post("/orders", opt={"access": "company"}, status_code=303)
async def create(request: WebRequest, actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html | Redirect:
    """Place the basket. Clicked twice it is one order."""
    require(actor, Permission.PLACE_ORDERS)
    form = await forms.read(request, BasketForm)
    if form.data is None or form.data.basket_id is None:
        return redirect("/basket")
    basket = await baskets.of(actor)
    command = place.PlaceOrder(
        basket_id=form.data.basket_id,
        purchase_order=basket.purchase_order if basket else None,
        cost_centre=basket.cost_centre if basket else None,
        reviewed=form.data.reviewed,
    )
    try:
        placed = await place.place(command, actor=actor, now=now)
    except DomainError as refusal:
        return render(
            request, "orders/basket.html", status_code=refusal.status, review=await review.of(actor, now=now), form=form.refuse(refusal)
        )
    if not placed.replayed:
        flash(
            request,
            _("Order {number} is placed.", number=placed.number),
            _("We mail you the invoice as soon as the seats are certain."),
        )
    return redirect(f"/orders/{placed.number}")


def _state(text: str | None) -> OrderState | None:
    return OrderState(text) if text in set(OrderState) else None


@get("/orders", opt={"access": "company"})
async def show_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    shown: Annotated[str | None, QueryParameter(name="state")] = None,
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Html:
    """List the company's orders, newest first."""
    text = (q or "").strip()
    number = int(text) if text.isdecimal() and len(text) < 12 else (0 if text else None)
    page = await read.listed(actor=actor, state=_state(shown), number=number, cursor=cursor)
    numbers = await read.invoice_numbers([row.id for row in page.items])
    return render(request, "orders/order_list.html", page=page, numbers=numbers, state=_state(shown), q=text, states=list(OrderState))


@get("/orders.csv", opt={"access": "company"})
async def csv_file(actor: NamedDependency[Actor]) -> Response[bytes]:
    """Give every order line of the company as a CSV that Excel opens."""
    rows = await read.lines_for_csv(actor=actor)
    header = [
        _("Order"),
        _("Date"),
        _("PO number"),
        _("Cost centre"),
        _("Programme"),
        _("Starts"),
        _("Person"),
        _("State"),
        _("Price without VAT"),
    ]
    return spreadsheet.answer("orders.csv", header, (_csv_cells(row) for row in rows))


def _csv_cells(row: read.CsvLine) -> list[object]:
    placed_on, starts_on = clock.today(row.placed_at).isoformat(), clock.today(row.starts_at).isoformat()
    price = euros(row.price_cents)
    return [
        row.number,
        placed_on,
        row.purchase_order,
        row.cost_centre,
        row.title,
        starts_on,
        row.person_name,
        _(_LINE_WORDS[LineState(row.state)]),
        price,
    ]


@get("/orders/{number:int}", opt={"access": "company+ecl", "noun": "order"})
async def show(request: WebRequest, number: FromPath[int], actor: NamedDependency[Actor], now: NamedDependency[datetime]) -> Html:
    """Show one order with its time line."""
    order = await read.by_number(number, actor=actor)
    return render(
        request,
        "orders/order_show.html",
        order=order,
        groups=read.by_session(order),
        story=story.tell(order, now=now, billing=await expected.of_group(pricing.group_key(order.id), now=now)),
        may_cancel=actor.may(Permission.CANCEL_ORDERS),
        billed={charge.id: charge for charge in await charges.of([line.charge_id for line in order.lines])},
        vat=vat,
        now=now,
    )


async def held(actor: Actor, now: datetime) -> Held | None:
    """Say for the head of every page how many seats the member's basket holds."""
    basket = await baskets.of(actor)
    if basket is None or basket.held_until <= now:
        return None
    return Held(count=len(basket.lines), until=basket.held_until, href="/basket")


set_basket_hook(held)

HANDLERS = [choose, hold, show_basket, remove, empty, create, show_list, csv_file, show]
