"""What a process may die in the middle of. Each prepares, acts, and is done again by the same person or worker after a death."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from billing import charges, inbox, invoices, payments, refunds
from billing.bank import allocate, intake
from billing.dunning import reminders
from billing.runs import issue as run_issue
from billing.runs import jobs as run_jobs
from billing.sandbox import hosted
from billing.sandbox.hosted import Choice, Method, Outcome
from billing.settlement import accounts, advance, agreeing, lines, payees, payouts, statements, transfers
from billing.settlement import issue as statement_issue
from billing.settlement.accounts import Proposal
from billing.settlement.agreeing import NewContract
from billing.settlement.lines import NewLine
from billing.settlement.payees import Owner, PayeeDetails
from catalog import seats
from catalog.seats import SeatWish
from marketplace.kit import calendar, clock, db, identity, ids, work
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import Actor
from marketplace.orders import cancel, place
from marketplace.orders.cancel import CancelLine
from marketplace.orders.place import LineWish, PlaceOrder
from marketplace.people import staff_files, staff_import
from tests.builders import bank
from tests.builders.billing import a_charge, a_debtor
from tests.builders.catalog import a_programme, a_session
from tests.builders.people import a_company, a_member, a_person

Facts = dict[str, Any]
BASE = "http://sandbox.test"
# A PDF takes longer than all the rest, and mail has its own test with killed workers; what both do to the database is one transaction.
NOT_HERE = ("billing.render", "mail.send", "billing.reminder_mail", "settlement.render")


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


async def drain(at: datetime | None = None) -> None:
    """Do what is due, as a worker would; leases of the dead have run out."""
    await db.execute("UPDATE due_work SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'")
    kinds = [kind for kind in work.kinds() if kind not in NOT_HERE]
    await work.drain(at or clock.now(), only=kinds)


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


async def _ecl(name: str) -> Actor:
    account = await identity.account_by_email(f"{name}@ecl.example")
    actor = await identity.actor_of(account.id) if account else None
    return actor or await a_member(email=f"{name}@ecl.example")


async def an_ordered_seat() -> Facts:
    """An order that is invoiced and paid, and the worker at rest."""
    facts = await a_shop()
    buyer = await identity.actor_of(facts["account"])
    assert buyer is not None
    lines = tuple(LineWish(facts["session"], person) for person in facts["people"])
    placed = await place.place(PlaceOrder(lines=lines), actor=buyer, now=clock.now())
    await drain()
    row = (await db.records("SELECT id, total_cents FROM invoice"))[0]
    paid = {"source": "bank", "external_id": "b1", "cents": row["total_cents"], "method": "bank_transfer"}
    await payments.record(row["id"], received_at=clock.now(), now=clock.now(), **paid)
    await drain()
    line = await db.value("SELECT id FROM order_line ORDER BY position LIMIT 1")
    return facts | {"number": placed.number, "line": line, "invoice": row["id"]}


@scenario(an_ordered_seat, at_most=12)
async def cancelling_a_paid_seat(facts: Facts) -> None:
    """HR cancels, and presses again when no answer came: one credit note, one seat free, one reversal for the partner."""
    await cancelling(facts)


async def a_credit_to_pay_back() -> Facts:
    """A paid invoice that was cancelled, so that the company has money with us, and another invoice that is open."""
    facts = await an_ordered_seat()
    await cancelling(facts)
    await _ecl("one")
    debtor = await db.value("SELECT debtor_id FROM invoice WHERE id = $1", facts["invoice"])
    group = f"order:{ids.new_id()}"
    await charges.record([a_charge(debtor, group, cents=90_000)], now=clock.now())
    await invoices.request(group, now=clock.now())
    await drain()
    return facts | {"other": await db.value("SELECT number FROM invoice WHERE group_key = $1", group)}


async def cancelling(facts: Facts) -> None:
    """Cancel the first line."""
    buyer = await identity.actor_of(facts["account"])
    assert buyer is not None
    await cancel.cancel(facts["number"], facts["line"], CancelLine(), actor=buyer, now=clock.now())
    await drain()


@scenario(a_credit_to_pay_back)
async def setting_off(facts: Facts) -> None:
    """ECL uses it for the other invoice; the second time there is nothing left to use."""
    with suppress(Conflict):
        await refunds.set_off(facts["invoice"], facts["other"], actor=await _ecl("one"), now=clock.now())
    await drain()


async def a_month_of_charges() -> Facts:
    """Two debtors that are billed by the month, each with a few charges."""
    for split in ("none", "cost_centre"):
        debtor = await a_debtor(rhythm="month", split_by=split)
        for at in range(3):
            group = f"order:{ids.new_id()}"
            await charges.record([a_charge(debtor, group, cents=1_000 + at, cost_centre=f"{at % 2}")], now=clock.now())
            await charges.ready(group, now=clock.now())
    await _ecl("one")
    run = await run_jobs.propose(until_on=clock.today(clock.now()), now=clock.now())
    return {"run": run}


@scenario(a_month_of_charges, at_most=10)
async def issuing_a_run(facts: Facts) -> None:
    """ECL issues the run; the workers do its groups."""
    await run_issue.issue(facts["run"], actor=await _ecl("one"), now=clock.now())
    await drain()


async def earned_by_a_partner() -> Facts:
    """Lessons of last month that a partner is to be paid for."""
    one, other = await _ecl("one"), await _ecl("two")
    owner = Owner(id=ids.new_id(), name="Taalhuis", code="TH", email="taalhuis@crash.example")
    payee = (await payees.ensure([owner], now=clock.now()))[owner.id]
    details = PayeeDetails(
        legal_name="Taalhuis B.V.", code="TH", street="Rapenburg 1", postcode="2311 EZ", city="Leiden", email="th@crash.example",
        vat_id="NL123456782B90", kvk="12345678", self_billing_from_on=date(2026, 1, 1), objection_days=1,
    )  # fmt: skip
    await payees.save(payee, details, actor=one, now=clock.now())
    terms = NewContract(from_on=date(2026, 1, 1), percent=Decimal(15), hold_days=0)
    await agreeing.agree(payee, terms, actor=one, now=clock.now())
    account = await accounts.propose(payee, Proposal(iban="NL91ABNA0417164300"), actor=one, now=clock.now())
    await accounts.approve(account, actor=other, now=clock.now())
    debtor = await a_debtor()
    for cents in (10_000, 20_001):
        sold = a_charge(debtor, f"order:{ids.new_id()}", cents=cents)
        await charges.record([sold], now=clock.now())
        line = NewLine(
            charge_id=sold.id, owner=owner, order_number="1", programme="D", session="D-1", title_nl="Cursus", title_en="Course",
            placed_on=date(2026, 10, 1), supply_from_on=date(2026, 10, 5), supply_to_on=date(2026, 10, 20),
            vat_basis="coaching", teaching="on_site", net_cents=cents,
        )  # fmt: skip
        await lines.accrue([line], now=clock.now())
    await advance.advance(now=clock.now())
    return {"payee": payee}


@scenario(earned_by_a_partner)
async def making_a_statement(facts: Facts) -> None:
    """The statement of last month, with its number, its lines and its entry in the books."""
    await statement_issue.issue(facts["payee"], date(2026, 10, 31), actor=await _ecl("one"), now=clock.now())
    await drain()


async def a_drafted_payout() -> Facts:
    """A payout that one person has put together."""
    facts = await earned_by_a_partner()
    await statement_issue.issue(facts["payee"], date(2026, 10, 31), actor=await _ecl("one"), now=clock.now())
    later = clock.now() + timedelta(days=3)
    await statements.agree_silently(now=later)
    batch = await payouts.draft(pay_on=calendar.add_working_days(clock.today(later), 1), actor=await _ecl("one"), now=later)
    await drain()
    return facts | {"batch": batch, "later": later}


@scenario(a_drafted_payout, at_most=12)
async def paying_out(facts: Facts) -> None:
    """The other one approves, exports and sends it; the bank pays. Each step may be pressed again."""
    one, other, later = await _ecl("one"), await _ecl("two"), facts["later"]
    state = await db.value("SELECT state FROM payout_batch WHERE id = $1", facts["batch"])
    if state == "draft":
        await payouts.approve(facts["batch"], actor=other, now=later)
    await payouts.export(facts["batch"], actor=other, now=later)
    await transfers.send(facts["batch"], actor=other, now=later)
    await transfers.batch_paid(facts["batch"], on=clock.today(later), actor=one, now=later)
    await drain()


async def a_bank_file() -> Facts:
    """Two open invoices, and the bank's file that pays the one and half of the other."""
    debtor = await a_debtor(name="Rijnburg Instrumenten")
    numbers = []
    for cents in (12_345, 50_000):
        group = f"order:{ids.new_id()}"
        await charges.record([a_charge(debtor, group, cents=cents)], now=clock.now())
        await invoices.request(group, now=clock.now())
        await drain()
        numbers.append(await db.value("SELECT number FROM invoice WHERE group_key = $1", group))
    await _ecl("one")
    paid = [bank.Line(cents=12_345, text=f"Factuur {numbers[0]}"), bank.Line(cents=25_000, text=f"Factuur {numbers[1]}")]
    return {"file": bank.document(bank.statement(paid))}


@scenario(a_bank_file, at_most=12)
async def taking_in_a_bank_file(facts: Facts) -> None:
    """ECL uploads it and confirms what is certain; and does so again."""
    received = await intake.receive("camt053.xml", facts["file"], actor=await _ecl("one"), now=clock.now())
    await allocate.confirm_certain(received.file_id, actor=await _ecl("one"), now=clock.now())
    await drain()


async def an_overdue_invoice() -> Facts:
    """An invoice that nobody paid, six weeks ago."""
    await some_charges()
    await drain()
    return {"later": clock.now() + timedelta(days=42)}


@scenario(an_overdue_invoice)
async def reminding(facts: Facts) -> None:
    """The job of the morning, and the worker after it."""
    await reminders.find(facts["later"], now=facts["later"])
    await drain(facts["later"])


async def a_staff_file() -> Facts:
    """A company, and a file with people who aren't there yet."""
    company = await a_company()
    member = await a_member(company_id=company.id, email="hr@crash.example")
    names = "\n".join(f"{n},Person{n},Crash,person{n}@crash.example" for n in range(1, 30))
    table = staff_files.read(f"Personnel number,First name,Last name,Email\n{names}\n".encode())
    return {"company": company.id, "account": member.account_id, "table": table}


@scenario(a_staff_file, at_most=6)
async def importing_staff(facts: Facts) -> None:
    """HR imports, and imports again: the same file changes nothing."""
    actor = await identity.actor_of(facts["account"])
    assert actor is not None
    await staff_import.write(facts["table"], company_id=facts["company"], actor=actor, now=clock.now())


__all__ = ["SCENARIOS", "Facts", "Scenario", "drain"]
