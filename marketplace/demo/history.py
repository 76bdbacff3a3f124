"""Plays the past weeks in order: orders, partners' answers, invoices, payments, scheduled enrolments, each at its own time.

Everything goes through the verbs and the work handlers; only the clock is moved. Mails of the past are not written.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.sandbox.hosted import Method
from marketplace.demo import payments
from marketplace.demo.bookings import Answer, Booking
from marketplace.fulfilment import acceptances
from marketplace.kit import db, work
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import use_locale
from marketplace.orders import place
from marketplace.orders.place import LineWish, PlaceOrder
from marketplace.people.ordering_rules import Rule

if TYPE_CHECKING:
    from random import Random
    from uuid import UUID

    from marketplace.demo.companies import Firm
    from marketplace.demo.people import Cast, House
    from marketplace.kit.clock import FakeClock

Step = Callable[[datetime], Awaitable[None]]
_OWN_WORK = (
    "billing.issue", "fulfilment.ask_partner", "fulfilment.expire", "scheduling.run", "fulfilment.line_cancelled", "orders.accrue", "billing.vies_check", "billing.partner_register", "billing.remind",
    "runs.collect", "runs.issue_group", "settlement.advance", "settlement.partner_added", "settlement.line_cancelled",
    "settlement.redated", "settlement.statement",
)  # fmt: skip
_FORGOTTEN = {"demo": 5, "poelmeer": 2, "neckar": 1}  # the which-th invoice nobody pays
_FORGETFUL = frozenset({"instituut"})
_LATELY = timedelta(days=16)
_ONLINE = 0.3
_COPIES_AFTER = timedelta(minutes=31)
_BETWEEN_COPIES = timedelta(seconds=1)
_METHODS = (Method.IDEAL, Method.BANK_TRANSFER, Method.CARD)
_SOMETIMES = 0.6
_REASONS = (
    "The teacher for this level is away in these weeks. From March there is room again.",
    "One of the two is a level further; better two separate courses.",
    "Our coach for this language is on leave until the end of the month.",
)


class History:
    """A list of things to do, by time, that grows while it is played."""

    def __init__(self, cast: Cast, *, clock: FakeClock, until: datetime, chance: Random) -> None:
        self._cast = cast
        self._clock = clock
        self._until = until
        self._chance = chance
        self._heap: list[tuple[datetime, int, Step]] = []
        self._count = itertools.count()
        self._orders = itertools.count(18_700)
        self._seen: dict[UUID, int] = {}
        self._invoiced: Counter[str] = Counter()
        self.length = 0

    def add(self, at: datetime, step: Step) -> None:
        """Do something at an instant, if that is before the end."""
        if at < self._until:
            heapq.heappush(self._heap, (at, next(self._count), step))

    def book(self, booking: Booking) -> None:
        """Place an order, and let the partner answer."""

        async def step(now: datetime) -> None:
            await self._place(booking, now=now)

        self.add(booking.at, step)

    async def play(self, say: Callable[[int, int], None]) -> None:
        """Do everything in order; ``say`` hears how many steps are done, and of how many."""
        done = 0
        while self._heap:
            at, _, step = heapq.heappop(self._heap)
            now = self._clock.set(max(at, self._clock.now()))
            await step(now)
            await self.settle()
            done += 1
            say(done, done + len(self._heap))

    async def settle(self) -> None:
        """Do the work that the last step left, and plan the payment of what was invoiced."""
        now = self._clock.now()
        await work.drain(now, only=_OWN_WORK)
        sql = "SELECT i.id, d.owner_id, i.total_cents FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE i.issued_at = $1 AND i.kind = 'invoice'"
        for row in await db.records(sql, now):
            if row["id"] not in self._seen:
                self._seen[row["id"]] = len(self._seen)
                await self._expect(row["id"], self._house(row["owner_id"]))

    def _house(self, company_id: UUID) -> House:
        return next(house for house in self._cast.houses.values() if house.company_id == company_id)

    async def _expect(self, invoice_id: UUID, house: House) -> None:
        """Plan when an invoice is paid: in time, late, or not at all (some are forgotten).

        Most of it comes by ordinary transfer. The worker copies to Stripe what is still open when the demo is there.
        """
        now = self._clock.now()
        await payments.leave_to_worker(invoice_id, run_at=self._until + _COPIES_AFTER + len(self._seen) * _BETWEEN_COPIES, now=now)
        self._invoiced[house.firm.key] += 1
        forgotten = self._invoiced[house.firm.key] == _FORGOTTEN.get(house.firm.key)
        days = self._chance.uniform(3, 27) if self._chance.random() < house.firm.punctual else self._chance.uniform(34, 120)
        method = self._chance.choices(_METHODS, (6, 3, 1))[0]
        online = self._chance.random() < (_ONLINE if house.firm.key in {"demo", "other"} else _ONLINE / 4)

        async def step(now: datetime) -> None:
            if online:
                await payments.pay(invoice_id, method, clock=self._clock)
            else:
                await payments.pay_by_bank(invoice_id, now=now)

        if not forgotten:
            self.add(now + timedelta(days=days), step)

    async def _place(self, booking: Booking, *, now: datetime) -> None:
        house = self._cast.houses[booking.house]
        firm = house.firm
        wants_order = firm.purchase_order and (self._always_gives_one(firm, now) or self._chance.random() < _SOMETIMES)
        order = firm.purchase_order.format(n=next(self._orders)) if firm.purchase_order and wants_order else None
        centre = next((body.cost_centre for body in house.people if body.id == booking.seats[0][1]), None)
        command = PlaceOrder(lines=tuple(LineWish(*seat) for seat in booking.seats), purchase_order=order, cost_centre=centre)
        try:
            placed = await place.place(command, actor=house.buyer, now=now)
        except Conflict:
            return  # somebody was quicker: that happens
        if booking.answer in {Answer.ACCEPT, Answer.DECLINE}:
            self.add(now + timedelta(hours=self._chance.uniform(2, 30)), self._answer(placed.id, booking.answer))

    def _always_gives_one(self, firm: Firm, now: datetime) -> bool:
        """Tell whether a company gives its PO number; the university forgets it lately, and its invoices are held."""
        if firm.key in _FORGETFUL:
            return now < self._until - _LATELY
        return firm.facts.purchase_order_rule is Rule.REQUIRED

    def _answer(self, order_id: UUID, answer: Answer) -> Step:
        async def step(now: datetime) -> None:
            sql = "SELECT a.id, a.partner_id FROM acceptance a JOIN order_line l ON l.id = a.order_line_id WHERE l.order_id = $1 AND a.state = 'waiting'"
            for row in await db.records(sql, order_id):
                actor = next(one for one in self._cast.partner_actors.values() if one.partner_id == row["partner_id"])
                with use_locale("en"):
                    if answer is Answer.ACCEPT:
                        await acceptances.accept(row["id"], actor=actor, now=now)
                    else:
                        await acceptances.decline(row["id"], reason=self._chance.choice(_REASONS), actor=actor, now=now)

        return step
