"""Money against the books: order, invoice, pay, credit, refund, settle, return, in any order, and every cent adds up.

Documents, ledger and the copies at Stripe are compared after each step or at the end of each example. A verb may refuse;
then nothing has changed. What it drives is real: the verbs, the database, the library ``stripe`` and the sandbox.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from billing import charges, inbox, issuing, ledger, payments, refunds, stripe_gateway
from billing import credits as credit_notes
from billing.changes import closing
from billing.credits import Credit
from billing.sandbox import hosted
from billing.sandbox.app import create_sandbox
from billing.sandbox.hosted import Amount, Choice, Method, Outcome
from billing.settlement import accounts, advance, agreeing, issue, lines, payees, payouts, statements, transfers
from billing.vat import VatBasis
from marketplace import registry
from marketplace.kit import calendar, db, ids, work
from marketplace.kit import clock as kit_clock
from marketplace.kit.errors import DomainError
from marketplace.kit.identity import SYSTEM, Actor
from tests.builders.billing import a_charge, a_debtor
from tests.builders.people import a_member
from tests.conftest import START
from tests.machines import InTransaction, Loop, loop_of_its_own
from tests.processes import FULL, measured

pytestmark = pytest.mark.slow
T = TypeVar("T")
EXAMPLES, STEPS = (200, 40) if FULL else (30, 40)
BASE = "http://sandbox.test"
AT_STRIPE = ("billing.stripe_mirror", "billing.stripe_credit", "billing.stripe_void", "billing.stripe_uncollectible",
             "billing.stripe_refund", "billing.stripe_settled")  # fmt: skip
_amounts = st.lists(st.integers(1, 200_000), min_size=1, max_size=4)
_bases = st.sampled_from([VatBasis.COACHING, VatBasis.GENERAL_LANGUAGE, VatBasis.REDUCED])


@pytest.fixture
def loop(server: str, template: str) -> Iterator[Loop]:
    with loop_of_its_own(server, template) as made:
        yield made


class Money(InTransaction):
    """Two debtors, one partner that bills through ECL, Stripe, a bank, and time that passes."""

    refused = done = 0

    @initialize(percent=st.integers(0, 40))
    def begin(self, percent: int) -> None:
        self.clock = kit_clock.FakeClock(START)
        kit_clock.install(self.clock)
        self.open()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=create_sandbox(pumping=False)))  # type: ignore[arg-type]
        stripe_gateway.install(stripe_gateway.Gateway(api_key="sk_test_m", base=BASE, retries=0, a_second=1e6, http=self.http))
        self.debtors = [self.run(a_debtor()), self.run(a_debtor(country="BE", vat_id="BE0428759497", kvk=None))]
        self.ecl: list[Actor] = [self.run(a_member(locale="en")) for _n in range(2)]
        self.groups: list[str] = []
        self.run(self._partner(percent))
        for debtor, basis in ((0, VatBasis.COACHING), (1, VatBasis.COACHING), (0, VatBasis.GENERAL_LANGUAGE)):
            self.order(debtor, [12_345, 67], basis, -1)
            self.do(issuing.issue(self.groups[-1], now=self.now))
        self.the_worker_talks_to_stripe()

    async def _partner(self, percent: int) -> None:
        now = self.clock.now()
        self.owner = payees.Owner(id=ids.new_id(), name="Taalhuis", code="TH", email="taalhuis@partner.example")
        self.payee = (await payees.ensure([self.owner], now=now))[self.owner.id]
        details = payees.PayeeDetails(
            legal_name="Taalhuis B.V.", code="TH", street="Rapenburg 1", postcode="2311 EZ", city="Leiden", email="th@partner.example",
            vat_id="NL123456782B90", kvk="12345678", self_billing_from_on=date(2026, 1, 1), objection_days=1,
        )  # fmt: skip
        await payees.save(self.payee, details, actor=self.ecl[0], now=now)
        new = agreeing.NewContract(from_on=date(2026, 1, 1), percent=Decimal(percent), hold_days=0)
        await agreeing.agree(self.payee, new, actor=self.ecl[0], now=now)
        account = await accounts.propose(self.payee, accounts.Proposal(iban="NL91ABNA0417164300"), actor=self.ecl[0], now=now)
        await accounts.approve(account, actor=self.ecl[1], now=now)

    def teardown(self) -> None:
        try:
            if hasattr(self, "http"):
                self._stripe_agrees()
                self.loop.run(self.http.aclose())
        finally:
            super().teardown()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def attempt(self, verb: Coroutine[Any, Any, T]) -> T | None:
        """Do a verb; what it refuses has changed nothing."""
        try:
            made = self.do(verb)
        except DomainError:
            type(self).refused += 1
            return None
        type(self).done += 1
        return made

    def one_of(self, data: st.DataObject, sql: str, *args: object) -> Any:
        """Choose a row of what is there, or None."""
        found = self.run(db.records(sql, *args))
        return data.draw(st.sampled_from(found)) if found else None

    def an_invoice(self, data: st.DataObject, where: str = "true") -> Any:
        return self.one_of(data, f"SELECT * FROM invoice WHERE kind = 'invoice' AND {where} ORDER BY number")

    # What people do.

    @rule(debtor=st.integers(0, 1), amounts=_amounts, basis=_bases, days=st.integers(-20, 20))
    def order(self, debtor: int, amounts: list[int], basis: VatBasis, days: int) -> None:
        group, on = f"order:{ids.new_id()}", kit_clock.today(self.now) + timedelta(days=days)
        new = [a_charge(self.debtors[debtor], group, cents=cents, basis=basis, supply_from_on=on, supply_to_on=on) for cents in amounts]
        self.do(self._order(new, basis))
        self.groups.append(group)

    async def _order(self, new: list[charges.NewCharge], basis: VatBasis) -> None:
        await charges.record(new, now=self.now)
        sold = [
            lines.NewLine(
                charge_id=one.id, owner=self.owner, order_number="1", programme="D-A1", session="D-A1-1", title_nl="Cursus", title_en="Course",
                placed_on=kit_clock.today(self.now), supply_from_on=one.supply_from_on, supply_to_on=one.supply_to_on, vat_basis=basis.value,
                teaching="on_site", net_cents=one.unit_price.cents,
            )
            for one in new
        ]  # fmt: skip
        await lines.accrue(sold, now=self.now)

    @rule(data=st.data())
    def invoice(self, data: st.DataObject) -> None:
        if self.groups:
            self.attempt(issuing.issue(data.draw(st.sampled_from(self.groups)), now=self.now))

    @rule(data=st.data())
    def cancel_before_invoicing(self, data: st.DataObject) -> None:
        row = self.one_of(data, "SELECT id FROM charge WHERE state = 'open' ORDER BY created_at, position, id")
        if row is not None:
            self.attempt(self._cancelled(row["id"], charges.drop([row["id"]], now=self.now), kept=0))

    @rule(data=st.data(), share=st.sampled_from([0, 50]))
    def cancel_after_invoicing(self, data: st.DataObject, share: int) -> None:
        row = self.one_of(data, "SELECT id, invoice_id, charge_id, net_cents FROM invoice_line WHERE charge_id IS NOT NULL ORDER BY id")
        if row is None:
            return
        kept = row["net_cents"] * share // 100
        back = row["net_cents"] - kept if share else None
        wanted = Credit(
            invoice_id=row["invoice_id"], lines=[(row["id"], back)], reason="Cancelled", cause="cancellation", key=f"c:{row['id']}"
        )
        self.attempt(self._cancelled(row["charge_id"], credit_notes.credit(wanted, actor=SYSTEM, now=self.now), kept=kept))

    async def _cancelled(self, charge_id: UUID, money: Coroutine[Any, Any, object], *, kept: int) -> None:
        await money
        await lines.cancel(charge_id, kept_cents=kept, now=self.now)

    @rule(data=st.data(), cents=st.integers(1, 50_000))
    def goodwill(self, data: st.DataObject, cents: int) -> None:
        row = self.one_of(data, "SELECT id, invoice_id FROM invoice_line WHERE charge_id IS NOT NULL ORDER BY id")
        if row is not None:
            wanted = Credit(
                invoice_id=row["invoice_id"], lines=[(row["id"], cents)], reason="Sorry", cause="goodwill", key=str(ids.new_id())
            )
            self.attempt(credit_notes.credit(wanted, actor=SYSTEM, now=self.now))

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        if (row := self.an_invoice(data)) is not None:
            self.attempt(closing.withdraw(row["id"], reason="Wrong company", actor=self.ecl[0], now=self.now))

    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        if (row := self.an_invoice(data)) is not None:
            self.attempt(closing.give_up(row["id"], reason="too_small", actor=self.ecl[0], now=self.now))

    @rule(data=st.data(), cents=st.integers(1, 300_000))
    def transfer_to_our_bank(self, data: st.DataObject, cents: int) -> None:
        if (row := self.an_invoice(data)) is not None:
            cents = data.draw(st.sampled_from([cents, max(1, row["total_cents"])]))
            paid = payments.record(
                row["id"],
                source="bank",
                external_id=str(ids.new_id()),
                cents=cents,
                method="bank_transfer",
                received_at=self.now,
                now=self.now,
            )
            self.attempt(paid)

    # What happens at Stripe.

    @rule()
    def the_worker_talks_to_stripe(self) -> None:
        self.run(work.drain(self.now, only=AT_STRIPE))

    @rule(data=st.data(), method=st.sampled_from(Method), amount=st.sampled_from(Amount))
    def pay_at_stripe(self, data: st.DataObject, method: Method, amount: Amount) -> None:
        row = self.an_invoice(data, "hosted_payment_url IS NOT NULL AND state IN ('open', 'processing')")
        if row is None:
            return
        token = str(row["hosted_payment_url"]).rsplit("/", 1)[1]
        self.run(hosted.pay(token, Choice(method=method, outcome=Outcome.OK, amount=amount), base=BASE))
        self.clock.move(timedelta(seconds=10))
        self.run(hosted.settle_due())
        self.run(self._heard(row["id"]))

    async def _heard(self, invoice_id: UUID) -> None:
        stripe_id = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = 'invoice' AND our_id = $1", invoice_id)
        await inbox.refresh(stripe_id, now=self.now)

    # Money that goes back.

    @rule(data=st.data(), road=st.sampled_from(["stripe", "bank", "setoff"]))
    def pay_back(self, data: st.DataObject, road: str) -> None:
        row = self.an_invoice(data, "paid_cents - refunded_cents > total_cents - credited_cents - written_off_cents")
        if row is None:
            return
        if road == "stripe":
            self.attempt(refunds.by_stripe(row["id"], actor=self.ecl[0], now=self.now))
        elif road == "bank":
            can = self.run(refunds.available(row["id"]))
            self.attempt(refunds.by_bank(row["id"], cents=can, on=kit_clock.today(self.now), actor=self.ecl[0], now=self.now))
        elif (other := self.an_invoice(data, "state IN ('issued', 'open')")) is not None:
            self.attempt(refunds.set_off(row["id"], other["number"], actor=self.ecl[0], now=self.now))

    @rule(data=st.data())
    def the_buyers_bank_takes_it_back(self, data: st.DataObject) -> None:
        row = self.one_of(data, "SELECT * FROM payment WHERE source = 'bank' ORDER BY id")
        if row is not None:
            self.attempt(
                refunds.taken_back(
                    row["invoice_id"], source="dispute", external_id=f"dp_{row['id']}", cents=row["cents"], at=self.now, now=self.now
                )
            )

    # The partner's side.

    @rule(days=st.integers(1, 35))
    def time_passes(self, days: int) -> None:
        self.clock.move(timedelta(days=days))
        self.do(advance.advance(now=self.now))
        self.do(statements.agree_silently(now=self.now))

    @rule()
    def settle(self) -> None:
        self.attempt(issue.issue(self.payee, kit_clock.today(self.now).replace(day=1) - timedelta(days=1), actor=self.ecl[0], now=self.now))

    @rule(outcome=st.sampled_from(["paid", "returned", "cancelled", "sent"]))
    def pay_out(self, outcome: str) -> None:
        pay_on = calendar.add_working_days(kit_clock.today(self.now), 1)
        batch = self.attempt(payouts.draft(pay_on=pay_on, actor=self.ecl[0], now=self.now))
        if batch is None:
            return
        if outcome == "cancelled":
            self.attempt(payouts.cancel(batch, actor=self.ecl[0], now=self.now))
            return
        self.do(payouts.approve(batch, actor=self.ecl[1], now=self.now))
        self.do(payouts.export(batch, actor=self.ecl[1], now=self.now))
        self.do(transfers.send(batch, actor=self.ecl[1], now=self.now))
        for item in self.run(payouts.items(batch)) if outcome != "sent" else []:
            if outcome == "paid":
                self.do(transfers.payout_paid(item.id, on=pay_on, actor=self.ecl[0], now=self.now))
            else:
                self.do(transfers.payout_returned(item.id, reason="AC04", on=pay_on, actor=self.ecl[0], now=self.now))

    # What always holds.

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "payee"):
            return
        self.run(db.execute("SET CONSTRAINTS ALL IMMEDIATE"))
        self.run(db.execute("SET CONSTRAINTS ALL DEFERRED"))
        books = self.run(ledger.check())
        assert books.right, books
        owed = "sum(total_cents - credited_cents - written_off_cents - paid_cents + refunded_cents)::bigint"
        documents = self.run(db.records(f"SELECT debtor_id, {owed} AS cents FROM invoice WHERE kind = 'invoice' GROUP BY 1"))
        booked = "SELECT debtor_id, sum(cents)::bigint AS cents FROM ledger_posting WHERE account = 'receivable' GROUP BY 1"
        assert {row["debtor_id"]: row["cents"] for row in documents if row["cents"]} == {
            row["debtor_id"]: row["cents"] for row in self.run(db.records(booked)) if row["cents"]
        }

    @invariant()
    def what_partners_are_owed_is_what_they_earned(self) -> None:
        if not hasattr(self, "payee"):
            return
        earned = self.run(db.value("SELECT coalesce(sum(earned_cents), 0)::bigint FROM settlement_line WHERE booked_on IS NOT NULL"))
        stated = self.run(db.value("SELECT coalesce(sum(vat_cents), 0)::bigint FROM partner_statement"))
        gone = "SELECT coalesce(sum(cents), 0)::bigint FROM payout_item WHERE state IN ('sent', 'paid')"
        balance = "SELECT coalesce(-sum(cents), 0)::bigint FROM ledger_posting WHERE account IN ('partner_accrued', 'partner_payable')"
        assert self.run(db.value(balance)) == earned + stated - self.run(db.value(gone))

    def _stripe_agrees(self) -> None:
        """Let the worker catch up, then hold each copy against its invoice."""
        self.clock.move(timedelta(hours=2))
        self.run(work.drain(self.now, only=AT_STRIPE))
        sql = "SELECT i.*, l.stripe_id FROM invoice i JOIN stripe_link l ON l.kind = 'invoice' AND l.our_id = i.id WHERE i.kind = 'invoice'"
        for row in self.run(db.records(sql)):
            copy = self.run(stripe_gateway.gateway().invoice(row["stripe_id"]))
            assert copy is not None
            assert (copy.number, copy.total.cents) == (row["number"], row["total_cents"])
            by_stripe = "SELECT coalesce(sum(cents), 0)::bigint FROM payment WHERE invoice_id = $1 AND source = 'stripe'"
            assert sum(one.paid.cents for one in copy.payments if one.method != "out_of_band") == self.run(db.value(by_stripe, row["id"]))


def test_every_cent_adds_up(loop: Loop) -> None:
    registry.load()
    Money.loop = loop
    before = kit_clock.install(kit_clock.FakeClock(START))
    chosen = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    try:
        run_state_machine_as_test(seed(20261123)(Money), settings=chosen)
    finally:
        stripe_gateway.install(None)
        kit_clock.install(before)
    measured(f"money machine: {EXAMPLES} examples of {STEPS} steps, {Money.done} verbs done, {Money.refused} refused")
    assert Money.done > EXAMPLES * STEPS // 8, "nearly everything was refused: the test shows nothing"
