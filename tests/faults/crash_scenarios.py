"""What a process may die in the middle of. Each prepares, acts, and is done again by the same person or worker after a death."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from billing import charges, inbox, invoices
from billing.sandbox import hosted
from billing.sandbox.hosted import Choice, Method, Outcome
from catalog import seats
from catalog.seats import SeatWish
from marketplace.kit import clock, db, identity, ids, work
from marketplace.orders import place
from marketplace.orders.place import LineWish, PlaceOrder
from tests.builders.billing import a_charge, a_debtor
from tests.builders.catalog import a_programme, a_session
from tests.builders.people import a_company, a_member, a_person

Facts = dict[str, Any]
BASE = "http://sandbox.test"
# A PDF takes longer than all the rest, and mail has its own test with killed workers; what both do to the database is one transaction.
NOT_HERE = ("billing.render", "mail.send")


class Scenario(msgspec.Struct, frozen=True):
    """``act`` may be done again after a death; ``at_most`` is how many points of it are tried in an ordinary run."""

    name: str
    prepare: Callable[[], Awaitable[Facts]]
    act: Callable[[Facts], Awaitable[None]]
    at_most: int = 8


SCENARIOS: list[Scenario] = []


def scenario(prepare: Callable[[], Awaitable[Facts]], *, at_most: int = 8) -> Callable[[Callable[[Facts], Awaitable[None]]], None]:
    """Register an act with its preparation."""

    def register(act: Callable[[Facts], Awaitable[None]]) -> None:
        SCENARIOS.append(Scenario(act.__name__, prepare, act, at_most))

    return register


async def drain() -> None:
    """Do what is due, as a worker would; leases of the dead have run out."""
    await db.execute("UPDATE due_work SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'")
    kinds = [kind for kind in work.kinds() if kind not in NOT_HERE]
    await work.drain(clock.now(), only=kinds)


async def a_shop() -> Facts:
    """A company with two people, and a session that is published."""
    company = await a_company(invoice_email="invoices@crash.example")
    member = await a_member(company_id=company.id, email="hr@crash.example")
    session = await a_session(programme_id=await a_programme(), seats=4)
    people = [(await a_person(company.id)).id for _n in range(2)]
    return {"company": company.id, "account": member.account_id, "session": session.id, "people": people}


@scenario(a_shop, at_most=14)
async def placing_an_order(facts: Facts) -> None:
    """HR orders, and orders again under the same key when no answer came; the worker does the rest."""
    actor = await identity.actor_of(facts["account"])
    assert actor is not None
    lines = tuple(LineWish(facts["session"], person) for person in facts["people"])
    await place.place(PlaceOrder(lines=lines, idempotency_key="k"), actor=actor, now=clock.now())
    await drain()


async def some_charges() -> Facts:
    """Three charges of one order that stands."""
    group, debtor = f"order:{ids.new_id()}", await a_debtor()
    await charges.record([a_charge(debtor, group, cents=cents) for cents in (10_000, 3_333, 77)], now=clock.now())
    await invoices.request(group, now=clock.now())
    return {"group": group}


@scenario(some_charges, at_most=14)
async def issuing_and_copying_to_stripe(facts: Facts) -> None:
    """The worker gives the number and walks the chain at Stripe."""
    await drain()


async def issued_before() -> Facts:
    """One invoice that is issued, and the charges of the next."""
    await some_charges()
    await drain()
    return await some_charges()


async def an_open_invoice() -> Facts:
    """An invoice at Stripe that was just paid there."""
    facts = await some_charges()
    await drain()
    row = (await db.records("SELECT i.id, hosted_payment_url AS link, l.stripe_id FROM invoice i JOIN stripe_link l ON l.our_id = i.id"))[0]
    token = str(row["link"]).rsplit("/", 1)[1]
    await hosted.pay(token, Choice(method=Method.IDEAL, outcome=Outcome.OK), base=BASE)
    return facts | {"stripe_id": row["stripe_id"]}


@scenario(an_open_invoice)
async def hearing_of_a_payment(facts: Facts) -> None:
    """A webhook said that something changed; Stripe repeats it until it is answered."""
    await inbox.refresh(facts["stripe_id"], now=clock.now())
    await drain()


async def held_seats() -> Facts:
    """Seats that were held and whose time is over."""
    facts = await a_shop()
    wishes = [SeatWish(facts["session"], person, facts["company"]) for person in facts["people"]]
    await seats.hold(wishes, until=clock.now() + timedelta(minutes=1), now=clock.now())
    return facts


@scenario(held_seats, at_most=6)
async def expiring_holds(facts: Facts) -> None:
    """The sweeper lets them go."""
    await seats.expire(now=clock.now() + timedelta(minutes=2))


__all__ = ["SCENARIOS", "Facts", "Scenario", "drain"]
