"""Placing an order: seats, enrolments, charges, order, audit and what follows, in one transaction or not at all.

Lock order: the idempotency key, then sessions by id, then our own new rows. Nothing here calls anybody outside.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import charges, seller
from billing.dunning import blocking
from catalog import seats, sessions
from catalog.seats import SeatWish, TakenSeat
from marketplace.enrolments import enrolments
from marketplace.enrolments.enrolments import EnrolmentState, NewEnrolment
from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.orders import baskets, decide, pricing
from marketplace.orders.states import LineState, OrderState
from marketplace.people import companies, ordering_rules, scope, staff
from marketplace.people.companies import CompanyState
from marketplace.people.staff import Person, PersonState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from catalog.sessions import SessionOffer
    from marketplace.orders.pricing import PricedLine
    from marketplace.people.companies import Company

MAX_LINES = baskets.MAX_LINES


class LineWish(msgspec.Struct, frozen=True):
    """One person for one session."""

    session_id: UUID
    person_id: UUID


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a buyer states it. With ``basket_id`` the lines are the basket's, on the seats it holds.

    ``reviewed`` is the fingerprint of what the buyer saw: if anything is different by now, nothing is ordered.
    """

    lines: tuple[LineWish, ...] = ()
    purchase_order: str | None = None
    cost_centre: str | None = None
    idempotency_key: str | None = None
    basket_id: UUID | None = None
    company_id: UUID | None = None
    reviewed: str | None = None


class PlacedOrder(msgspec.Struct, frozen=True):
    """The order that now exists. ``replayed``: it did already, this was the same request again."""

    id: UUID
    number: int
    replayed: bool = False


class _Used(msgspec.Struct, frozen=True):
    digest: bytes
    order_id: UUID
    number: int


async def place(command: PlaceOrder, *, actor: Actor, now: datetime) -> PlacedOrder:
    """Place an order and return it. The same ``idempotency_key`` with the same content is the same order, however often.

    Takes every seat or none. Lines of sessions with published capacity are accepted at once; when all are, the order is
    confirmed and its invoice on the way. Raises ``Forbidden``, ``NotFound`` (a person or session that is not there for
    this company), ``Invalid`` (references), ``Conflict`` (``full``, ``already_enrolled``, ``closed``,
    ``duplicate_person``, ``idempotency_key_reused``, ``basket_gone``, ``changed_meanwhile``, ``company_closed``,
    ``overdue_blocked``).
    """
    require(actor, Permission.PLACE_ORDERS)
    company_id = scope.company_of(actor, command.company_id)
    _check_lines(command)
    order_id = ids.new_id()
    async with db.atomic():
        claimed = await _claim_key(command, order_id, company_id=company_id, now=now)
        if isinstance(claimed, _Used):
            return PlacedOrder(claimed.order_id, claimed.number, replayed=True)
        basket = await baskets.lock(command.basket_id, actor=actor) if command.basket_id else None
        wishes = [LineWish(line.session_id, line.person_id) for line in basket.lines] if basket else list(command.lines)
        people = await staff.get_many([wish.person_id for wish in wishes], company_id=company_id)
        _check_people(people.values())
        offers = await _offers([wish.session_id for wish in wishes], now=now)
        head, sale = await _head(order_id, claimed, command, company_id=company_id, actor=actor)
        await blocking.check(head.debtor_id, now=now)
        priced = [pricing.line(offers[wish.session_id], people[wish.person_id], sale) for wish in wishes]
        _check_reviewed(command, priced)
        taken = await _take(wishes, basket, company_id=company_id, now=now)
        await _write(head, priced, taken, company_id=company_id, actor=actor, now=now)
        if basket:
            await baskets.forget(basket.id)
    return PlacedOrder(order_id, head.number)


def _check_lines(command: PlaceOrder) -> None:
    if not command.lines and command.basket_id is None:
        sentence = _("Choose at least one person.")
        raise Invalid("no_lines", sentence, fields={"lines": sentence})
    baskets.check_size(len(command.lines))
    if len(set(command.lines)) < len(command.lines):
        sentence = _("One person is on this order twice for the same dates.")
        raise Conflict("duplicate_person", sentence, next_step=_("Take one of the two out, or choose other dates for it."))


def _check_people(people: Iterable[Person]) -> None:
    left = [person.name for person in people if person.state is PersonState.LEFT]
    if left:
        raise Conflict(
            "person_left",
            _("{name} no longer works here.", name=", ".join(left)),
            next_step=_("Take them out of this order, or correct their leaving date."),
        )


async def _claim_key(command: PlaceOrder, order_id: UUID, *, company_id: UUID, now: datetime) -> _Used | int:
    """Return the new order's number, or the order that this key stands for already.

    A request under way with the same key is waited for.
    """
    key = command.idempotency_key or (f"basket:{command.basket_id}" if command.basket_id else None)
    if key is None:
        return int(await db.value("SELECT nextval('next_order_number')"))
    digest = _digest(command)
    sql = (
        "INSERT INTO order_key (id, company_id, key, digest, order_id, used_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT DO NOTHING RETURNING nextval('next_order_number')"
    )
    number = await db.value(sql, ids.new_id(), company_id, key, digest, order_id, now)
    if number is not None:
        return int(number)
    found = "SELECT k.digest, k.order_id, o.number FROM order_key k JOIN placed_order o ON o.id = k.order_id WHERE k.company_id = $1 AND k.key = $2"
    used = await db.row(_Used, found, company_id, key)
    if used is None or used.digest != digest:
        raise Conflict(
            "idempotency_key_reused",
            _("This key was used for another order."),
            next_step=_("Send a new Idempotency-Key with each new order."),
        )
    return used


def _digest(command: PlaceOrder) -> bytes:
    content = (
        (command.lines, command.purchase_order, command.cost_centre, command.basket_id) if command.basket_id is None else command.basket_id
    )
    return hashlib.sha256(msgspec.json.encode(content)).digest()


async def _offers(session_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, SessionOffer]:
    wanted = list(dict.fromkeys(session_ids))
    offers = {offer.session_id: offer for offer in await sessions.for_order(wanted, now=now)}
    if len(offers) < len(wanted):
        raise NotFound("not_found", _("There are no such dates."), next_step=_("Choose dates from the programmes."))
    return offers


async def _take(wishes: Sequence[LineWish], basket: baskets.Basket | None, *, company_id: UUID, now: datetime) -> list[TakenSeat]:
    if basket is not None:
        return await seats.confirm([line.seat_id for line in basket.lines], now=now)
    return await seats.take([SeatWish(wish.session_id, wish.person_id, company_id) for wish in wishes], now=now)


async def _head(
    order_id: UUID, number: int, command: PlaceOrder, *, company_id: UUID, actor: Actor
) -> tuple[pricing.OrderHead, pricing.Sale]:
    """Return what all lines share. Raises ``Invalid`` when the company wants other references."""
    company = await companies.get(company_id)
    _check_open(company)
    problems = ordering_rules.check(company.rules, purchase_order=command.purchase_order, cost_centre=command.cost_centre)
    if problems:
        raise Invalid("references", " ".join(problems.values()), fields=problems)
    debtor_id = pricing.debtor_of(company)
    selling, buyer = await seller.and_buyer(debtor_id)
    sale = pricing.Sale(seller=selling, buyer=buyer, language=company.language, wants_names=company.wants_names)
    head = pricing.OrderHead(
        id=order_id,
        number=number,
        debtor_id=debtor_id,
        purchase_order=command.purchase_order,
        cost_centre=command.cost_centre,
        ordered_by=actor.name,
    )
    return head, sale


async def _write(
    head: pricing.OrderHead, priced: Sequence[PricedLine], taken: Sequence[TakenSeat], *, company_id: UUID, actor: Actor, now: datetime
) -> None:
    """Write it all down. The seats' sessions are locked by now, so nothing here waits for an answer before COMMIT."""
    stands = all(line.accepted for line in priced)
    await enrolments.open([_enrolment(line, seat, company_id) for line, seat in zip(priced, taken, strict=True)], now=now)
    await charges.record([pricing.charge(line, head) for line in priced], now=now, fresh=True)
    await _insert_order(head, priced, stands=stands, company_id=company_id, actor=actor, now=now)
    await _insert_lines(head, priced, company_id=company_id, now=now)
    await audit.record("order.placed", actor=actor, subject=("order", head.id), data={"number": head.number, "lines": len(priced)}, now=now)
    for line in priced:
        if not line.accepted:
            await work.later("fulfilment.ask_partner", {"order_line_id": line.id}, run_at=now, dedupe_key=f"ask:{line.id}")
    await work.later("orders.tell_placed", {"order_id": head.id}, run_at=now, dedupe_key=f"placed:{head.id}")
    if stands:
        await decide.follow_confirmed(head.id, actor=actor, now=now)


def _check_open(company: Company) -> None:
    if company.state is CompanyState.CLOSED:
        raise Conflict("company_closed", _("This company no longer orders."), next_step=_("Ask Expat Centre Leiden to open it again."))


def _check_reviewed(command: PlaceOrder, priced: Sequence[PricedLine]) -> None:
    """Nobody pays what they did not see: a price, a date or somebody in another tab may have changed since the review."""
    seats_now = [(line.offer, line.person.id, line.vat) for line in priced]
    now_reads = pricing.fingerprint(seats_now, purchase_order=command.purchase_order, cost_centre=command.cost_centre)
    if command.reviewed is not None and command.reviewed != now_reads:
        raise Conflict(
            "changed_meanwhile",
            _("Your order is no longer what you looked at, so nothing is ordered."),
            next_step=_("This is how it stands now. Look it over, then order."),
        )


def _enrolment(line: PricedLine, seat: TakenSeat, company_id: UUID) -> NewEnrolment:
    return NewEnrolment(
        id=line.enrolment_id,
        session_id=line.offer.session_id,
        seat_id=seat.id,
        person_id=line.person.id,
        company_id=company_id,
        partner_id=line.offer.partner_id,
        state=EnrolmentState.CONFIRMED if line.accepted else EnrolmentState.REQUESTED,
    )


async def _insert_order(
    head: pricing.OrderHead, priced: Sequence[PricedLine], *, stands: bool, company_id: UUID, actor: Actor, now: datetime
) -> None:
    """Write the order; one that ``stands``, because nobody needs asking, is confirmed from the start."""
    net, vat = pricing.totals(priced)
    await db.soon(
        "INSERT INTO placed_order (id, number, company_id, placed_by, ordered_by, purchase_order, cost_centre, state,"
        " net_cents, vat_cents, total_cents, placed_at, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        head.id, head.number, company_id, actor.account_id, actor.name, head.purchase_order, head.cost_centre,
        (OrderState.CONFIRMED if stands else OrderState.PLACED).value,
        net.cents, vat.cents, net.cents + vat.cents, now, now if stands else None,
    )  # fmt: skip


_LINE = """
    INSERT INTO order_line (id, order_id, position, company_id, partner_id, session_id, person_id, enrolment_id, charge_id, state,
                            programme_version, title_nl, title_en, starts_at, ends_at, price_cents, vat_category, vat_rate, policy, state_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
"""


async def _insert_lines(head: pricing.OrderHead, priced: Sequence[PricedLine], *, company_id: UUID, now: datetime) -> None:
    rows = [
        (
            line.id, head.id, position, company_id, line.offer.partner_id, line.offer.session_id, line.person.id,
            line.enrolment_id, line.charge_id, (LineState.ACCEPTED if line.accepted else LineState.AWAITING_PARTNER).value,
            line.offer.programme_version, line.offer.title_nl, line.offer.title_en, line.offer.starts_at, line.offer.ends_at,
            line.offer.price_cents, line.vat.category.value, line.vat.rate, msgspec.json.encode(line.offer.policy).decode(), now,
        )
        for position, line in enumerate(priced, start=1)
    ]  # fmt: skip
    await db.soon_many(_LINE, rows)
