"""Whatever happens in whatever order: what lines, statements and payouts say is what the books say, to the cent."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.settlement import advance, issue, lines, payouts, rules, statements, transfers
from billing.settlement.rules import Split, Terms
from marketplace.kit import db as kit_db
from marketplace.kit.errors import DomainError
from marketplace.kit.identity import SYSTEM
from tests.builders.settlement import a_payee, a_seat, an_account, balance, two_of_ecl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from marketplace.kit.identity import Actor

_TERMS = st.one_of(
    st.decimals(0, 100, places=2).map(lambda percent: Terms(percent=percent)),
    st.integers(0, 100_000).map(lambda cents: Terms(fixed_cents=cents)),
)


@given(_TERMS, st.integers(0, 1_000_000), st.lists(st.integers(0, 1_000_000), max_size=4), st.booleans())
def test_a_cancelled_seat_is_left_with_its_share_of_the_fee(terms: Terms, net: int, kept: list[int], shares: bool) -> None:
    seat = rules.seat(net, terms)
    assert 0 <= seat.commission_cents <= net
    standing = seat
    for each in kept:
        back = rules.cancelled(seat, standing, kept_cents=each, terms=terms, shares_fees=shares)
        standing = Split(standing.net_cents + back.net_cents, standing.commission_cents + back.commission_cents)
        assert standing.net_cents == (min(each, net) if shares else 0)
        assert 0 <= standing.earned_cents <= standing.net_cents
    assert rules.cancelled(seat, standing, kept_cents=0, terms=terms, shares_fees=shares).net_cents == -standing.net_cents


@given(st.integers(1, 31), st.integers(0, 90))
def test_the_hold_begins_on_the_day_after(day: int, hold: int) -> None:
    ended = date(2026, 12, day)
    assert (rules.payable_on(ended, hold) - ended).days == hold + 1


def test_months_turn_with_the_year() -> None:
    assert rules.month_before(date(2027, 1, 1)) == date(2026, 12, 1)
    assert rules.month_of(date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 2, 29))


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["seat", "seat", "cancel", "fee", "night", "month", "agree", "pay", "return", "objection"]), st.integers(0, 9)
    ),
    min_size=4,
    max_size=14,
)


class Story:
    """One partner through some months."""

    def __init__(self, payee_id: UUID, ecl: tuple[Actor, Actor], clock: FakeClock) -> None:
        self.payee_id, self.ecl, self.clock = payee_id, ecl, clock
        self.seats: list[UUID] = []

    async def do(self, step: str, number: int) -> None:
        now = self.clock.now()
        if step == "seat":
            basis = ("general_language", "coaching")[number % 2]
            ended = now.date() - timedelta(days=20 * (number % 3))
            values = {"vat_basis": basis, "ended_on": ended, "invoiced": number % 4 > 0, "debtor_id": self.debtor_id}
            self.seats.append(await a_seat(self.payee_id, cents=1_000 * number + 333, **values))
        elif step in {"cancel", "fee"} and self.seats:
            await lines.cancel(self.seats[number % len(self.seats)], kept_cents=100 * number if step == "fee" else 0, now=now)
        elif step == "night":
            await advance.advance(now=now)
        elif step == "month":
            self.clock.move(timedelta(days=31))
            await advance.advance(now=self.clock.now())
            await issue.issue(self.payee_id, rules.month_before(self.clock.now().date()), actor=SYSTEM, now=self.clock.now())
        elif step == "agree":
            await statements.agree_silently(now=now + timedelta(days=40))
        elif step in {"pay", "return"}:
            await self._pay(back=step == "return")

    debtor_id: UUID

    async def _pay(self, *, back: bool) -> None:
        now = self.clock.now()
        day = next(
            day
            for at in range(9)
            if (day := now.date() + timedelta(days=at)).weekday() < 5 and (day.month, day.day) not in {(12, 25), (1, 1)}
        )
        with contextlib.suppress(DomainError):
            batch_id = await payouts.draft(pay_on=day, actor=self.ecl[0], now=now)
            await payouts.approve(batch_id, actor=self.ecl[1], now=now)
            await payouts.export(batch_id, actor=self.ecl[0], now=now)
            await transfers.send(batch_id, actor=self.ecl[0], now=now)
            for item in await payouts.items(batch_id):
                if back:
                    await transfers.payout_returned(item.id, reason="x", on=day, actor=self.ecl[0], now=now)
                else:
                    await transfers.payout_paid(item.id, on=day, actor=self.ecl[0], now=now)

    async def holds(self) -> None:
        sql = "SELECT coalesce(sum(earned_cents), 0)::bigint FROM settlement_line WHERE payee_id = $1 AND booked_on IS NOT NULL"
        earned = await kit_db.value(sql, self.payee_id)
        issued = await kit_db.records(
            "SELECT earned_cents, vat_cents, paid_out_cents FROM partner_statement WHERE payee_id = $1", self.payee_id
        )
        assert -await balance("partner_accrued", self.payee_id) == earned - sum(row["earned_cents"] for row in issued)
        owed = sum(row["earned_cents"] + row["vat_cents"] - row["paid_out_cents"] for row in issued)
        assert -await balance("partner_payable", self.payee_id) == owed
        assert await balance("partner_cost", self.payee_id) + await balance("commission", self.payee_id) == earned
        assert -await balance("bank", self.payee_id) == sum(row["paid_out_cents"] for row in issued)
        total = await kit_db.value("SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE payee_id = $1", self.payee_id)
        assert total == 0


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="session")
async def test_lines_statements_and_payouts_are_the_books(db: None, clock: FakeClock) -> None:
    from tests.builders.billing import a_debtor

    drawn: list[list[tuple[str, int]]] = []

    @settings(max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(_STEPS)
    def collect(steps: list[tuple[str, int]]) -> None:
        drawn.append(steps)

    collect()
    start, debtor = clock.now(), await a_debtor()
    fixed = [
        ("seat", 7),
        ("seat", 4),
        ("month", 0),
        ("agree", 0),
        ("return", 0),
        ("cancel", 0),
        ("seat", 2),
        ("pay", 0),
        ("month", 0),
        ("month", 0),
    ]
    for steps in [fixed, *drawn]:
        clock.set(start)
        ecl = await two_of_ecl()
        payee_id = await a_payee(percent=Decimal("12.5"))
        await an_account(payee_id, ecl=ecl)
        story = Story(payee_id, ecl, clock)
        story.debtor_id = debtor
        async with _undone():
            for step, number in steps:
                await story.do(step, number)
                await story.holds()


@contextlib.asynccontextmanager
async def _undone() -> AsyncIterator[None]:
    async with kit_db.connection() as own:
        await own.execute("SAVEPOINT story")
        yield
        await own.execute("ROLLBACK TO story; RELEASE story")
