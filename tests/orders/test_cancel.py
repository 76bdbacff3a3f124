"""Cancelling: what it costs to the minute, and that seat, enrolment, money and words follow in one step."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from billing import charges, invoices, issuing, ledger
from billing import credits as credit_notes
from billing.changes import corrections
from billing.changes.corrections import Correction
from billing.credits import Credit
from billing.states import InvoiceState
from catalog import session_changes
from catalog.policies import ONE_TO_ONE
from marketplace.fulfilment import acceptances
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit import work
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM, Actor
from marketplace.orders import cancel, decide, read
from marketplace.orders.cancel import CancelLine
from marketplace.orders.states import LineState, OrderState
from tests.builders.catalog import a_programme, a_session
from tests.builders.orders import an_order
from tests.builders.people import a_company, a_member, a_person

if TYPE_CHECKING:
    from marketplace.kit.clock import FakeClock
    from marketplace.orders.read import Order
    from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")
START = datetime(2027, 1, 18, 8, 30, tzinfo=UTC)  # Monday 09:30 in Leiden
FREE_UNTIL = START - timedelta(days=14)
HALF_UNTIL = START - timedelta(days=7)
INSIDE = ("billing.issue",)
TELL = ("orders.tell_cancelled", "enrolments.tell_cancelled", "fulfilment.line_cancelled", "orders.session_cancelled", "orders.take_back")


async def _order(cast: Cast, people: int = 1, *, starts_at: datetime = START, issue: bool = True, **programme: object) -> Order:
    session = await a_session(starts_at=starts_at, programme_id=await a_programme(**programme))  # type: ignore[arg-type]
    order = await an_order(
        session.id, *[(await a_person(cast.company_a.id)).id for _n in range(people)], actor=cast.hr_a, purchase_order="45-1"
    )
    if issue:
        await work.drain(kit_clock.now(), only=INSIDE)
    return await read.by_id(order.id, actor=cast.hr_a)


async def _cancel(order: Order, cast: Cast, at: datetime, line: int = 0, **wanted: object) -> cancel.Cancelled:
    return await cancel.cancel(order.number, order.lines[line].id, CancelLine(**wanted), actor=cast.hr_a, now=at)  # type: ignore[arg-type]


async def _again(order: Order, cast: Cast) -> Order:
    return await read.by_number(order.number, actor=cast.hr_a)


@pytest.mark.parametrize(
    ("at", "cents"),
    [
        (FREE_UNTIL, 0), (FREE_UNTIL + timedelta(microseconds=1), 32_250), (FREE_UNTIL + timedelta(minutes=1), 32_250),
        (HALF_UNTIL, 32_250), (HALF_UNTIL + timedelta(minutes=1), 64_500), (START + timedelta(minutes=30), 64_500),
    ],
)  # fmt: skip
async def test_the_fee_that_is_shown_is_the_fee_that_is_charged(cast: Cast, at: datetime, cents: int) -> None:
    order = await _order(cast)
    shown = await cancel.cost(order.number, order.lines[0].id, actor=cast.hr_a, now=at)
    assert shown.fee.amount.cents == cents
    done = await _cancel(order, cast, at, shown_cents=cents)
    assert done.fee.cents == cents
    after = await _again(order, cast)
    assert after.lines[0].fee_cents == cents
    credited = sum(invoice.total_cents for invoice in after.invoices if invoice.kind == "credit_note")
    assert credited == 64_500 - cents
    assert after.total_cents == cents
    assert (await ledger.check()).right


@pytest.mark.parametrize("on", [date(2027, 3, 29), date(2026, 11, 1) + timedelta(days=365)])
async def test_the_boundary_keeps_its_time_on_the_wall_when_the_clock_changes(cast: Cast, clock: FakeClock, on: date) -> None:
    """Fourteen days before 09:30 is 09:30, although one of those days had 23 or 25 hours."""
    starts = kit_clock.instant(on, time(9, 30))
    order = await _order(cast, starts_at=starts, issue=False)
    boundary = kit_clock.instant(on - timedelta(days=14), time(9, 30))
    costs = [
        (await cancel.cost(order.number, order.lines[0].id, actor=cast.hr_a, now=at)).fee.amount.cents
        for at in (boundary, boundary + timedelta(minutes=1))
    ]
    assert costs == [0, 32_250]


async def test_one_to_one_counts_hours(cast: Cast) -> None:
    order = await _order(cast, policy=ONE_TO_ONE, issue=False)
    at = START - timedelta(hours=24)
    assert (await cancel.cost(order.number, order.lines[0].id, actor=cast.hr_a, now=at)).fee.amount.cents == 0
    assert (await cancel.cost(order.number, order.lines[0].id, actor=cast.hr_a, now=at + timedelta(seconds=1))).fee.amount.cents == 64_500


async def test_nobody_pays_more_than_they_saw(cast: Cast) -> None:
    order = await _order(cast)
    with pytest.raises(Conflict, match="fee_changed"):
        await _cancel(order, cast, FREE_UNTIL + timedelta(minutes=1), shown_cents=0)
    assert (await _again(order, cast)).lines[0].state is LineState.ACCEPTED
    assert (await _cancel(order, cast, FREE_UNTIL, shown_cents=32_250)).fee.cents == 0


async def test_seat_enrolment_and_order_follow(cast: Cast, now: datetime) -> None:
    order = await _order(cast, 2)
    await _cancel(order, cast, now)
    after = await _again(order, cast)
    assert [line.state for line in after.lines] == [LineState.CANCELLED, LineState.ACCEPTED]
    assert (after.state, after.total_cents) == (OrderState.CONFIRMED, 64_500)
    assert await kit_db.value("SELECT live FROM session WHERE id = $1", order.lines[0].session_id) == 1
    assert await kit_db.value("SELECT count(*) FROM enrolment WHERE state = 'cancelled'") == 1
    assert after.lines[0].credit_notes == ["C2026-000001"]
    await _cancel(order, cast, now, 1)
    assert (await _again(order, cast)).state is OrderState.CANCELLED
    assert await kit_db.value("SELECT live FROM session WHERE id = $1", order.lines[0].session_id) == 0
    assert [entry.event for entry in (await _again(order, cast)).events].count("order.cancelled") == 1


async def test_cancelling_twice_is_cancelling_once(cast: Cast) -> None:
    order = await _order(cast)
    first = await _cancel(order, cast, FREE_UNTIL + timedelta(minutes=1))
    again = await _cancel(order, cast, HALF_UNTIL + timedelta(days=1))
    assert (first.fee.cents, again.fee.cents, again.replayed) == (32_250, 32_250, True)
    assert await kit_db.value("SELECT count(*) FROM invoice WHERE kind = 'credit_note'") == 1
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'settlement.line_cancelled'") == 1


async def test_before_invoicing_the_course_is_not_billed_but_the_fee_is(cast: Cast) -> None:
    order = await _order(cast, issue=False, vat_basis="coaching")
    at = FREE_UNTIL + timedelta(minutes=1)
    await _cancel(order, cast, at)
    [charge] = await charges.of([order.lines[0].charge_id])
    assert charge.state == "dropped"
    await work.drain(at, only=INSIDE)
    after = await _again(order, cast)
    [invoice] = after.invoices
    assert (invoice.kind, invoice.net_cents, invoice.vat_cents) == ("invoice", 32_250, 6_773)
    found = await invoices.get(invoice.number, actor=SYSTEM)
    assert found.lines[0].description.startswith("Cancellation fee: Dutch for newcomers")
    assert (found.purchase_order, found.order_number, found.lines[0].vat_category) == ("45-1", str(order.number), "S")
    assert "cancellation_fee" in found.lines[0].trace
    assert await kit_db.value("SELECT kind FROM charge WHERE id = $1", found.lines[0].charge_id) == "cancellation_fee"
    assert after.total_cents == invoice.total_cents


async def test_before_invoicing_and_free_nothing_is_billed(cast: Cast) -> None:
    order = await _order(cast, issue=False)
    await _cancel(order, cast, FREE_UNTIL)
    await work.drain(FREE_UNTIL, only=INSIDE)
    assert await kit_db.value("SELECT count(*) FROM invoice") == 0
    assert (await _again(order, cast)).total_cents == 0


async def test_the_whole_price_stays_when_it_is_too_late(cast: Cast) -> None:
    order = await _order(cast)
    await _cancel(order, cast, HALF_UNTIL + timedelta(minutes=1))
    assert await kit_db.value("SELECT count(*) FROM invoice WHERE kind = 'credit_note'") == 0
    after = await _again(order, cast)
    assert (after.total_cents, after.lines[0].fee_cents) == (64_500, 64_500)


async def test_after_the_last_lesson_nothing_is_cancelled(cast: Cast) -> None:
    order = await _order(cast)
    with pytest.raises(Conflict, match="over"):
        await _cancel(order, cast, order.lines[0].ends_at)


async def test_what_was_credited_by_hand_before_is_not_credited_again(cast: Cast) -> None:
    order = await _order(cast)
    [invoice] = order.invoices
    [line] = await credit_notes.creditable(invoice.id)
    await credit_notes.credit(
        Credit(invoice_id=invoice.id, lines=[(line.id, 40_000)], reason="Goodwill", cause="goodwill", key="hand"),
        actor=SYSTEM,
        now=kit_clock.now(),
    )
    await _cancel(order, cast, FREE_UNTIL + timedelta(minutes=1))
    assert (await credit_notes.creditable(invoice.id))[0].left_cents == 24_500
    assert await kit_db.value("SELECT payload ->> 'kept_cents' FROM due_work WHERE kind = 'settlement.line_cancelled'") == "24500"


async def test_a_corrected_invoice_is_found_by_the_old_charge(cast: Cast) -> None:
    order = await _order(cast)
    made = await corrections.correct(
        Correction(invoice_id=order.invoices[0].id, reason="PO", key="c", purchase_order="45-2"), actor=cast.ecl, now=kit_clock.now()
    )
    await _cancel(order, cast, FREE_UNTIL)
    assert (await invoices.get(made.number, actor=SYSTEM)).state is InvoiceState.CREDITED
    assert (await ledger.check()).right


async def test_before_the_partner_has_said_yes_it_is_free_and_the_question_is_gone(cast: Cast, clock: FakeClock) -> None:
    order = await _order(cast, published_capacity=False, partner_id=cast.partner_a_id)
    question = await acceptances.ask(order.lines[0].id, now=clock.now())
    assert question is not None
    at = HALF_UNTIL + timedelta(minutes=1)
    assert (await _cancel(order, cast, at)).fee.cents == 0
    assert (await _again(order, cast)).state is OrderState.CANCELLED
    with pytest.raises(InvalidTransition):
        await acceptances.accept(question, actor=cast.partner_a, now=at)
    await work.drain(at, only=TELL)
    assert await kit_db.value("SELECT state FROM acceptance WHERE id = $1", question) == "withdrawn"
    await acceptances.expire(question, now=at + timedelta(days=9))
    mails = await kit_db.records("SELECT text, calendar FROM mail_message WHERE template = 'fulfilment/cancelled'")
    assert "hoeft" in mails[0]["text"]
    assert await kit_db.value("SELECT count(*) FROM mail_message WHERE template = 'enrolments/cancelled'") == 0


async def test_cancelling_the_one_who_waits_confirms_the_rest(cast: Cast, now: datetime) -> None:
    order = await _order(cast, 2, published_capacity=False)
    await decide.accept_line(order.lines[0].id, actor=SYSTEM, now=now)
    await _cancel(order, cast, now, 1)
    assert (await _again(order, cast)).state is OrderState.CONFIRMED
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue'") == 1


async def test_a_declined_line_is_not_cancelled(cast: Cast, now: datetime) -> None:
    order = await _order(cast, published_capacity=False)
    await decide.decline_line(order.lines[0].id, reason="Full", actor=SYSTEM, now=now)
    with pytest.raises(InvalidTransition):
        await _cancel(order, cast, now)


async def test_everybody_concerned_is_told(cast: Cast, now: datetime) -> None:
    order = await _order(cast, partner_id=cast.partner_a_id)
    await _cancel(order, cast, now)
    await work.drain(now, only=TELL)
    mails = {row["template"]: row for row in await kit_db.records("SELECT template, recipient, subject, text, calendar FROM mail_message")}
    assert mails["orders/cancelled"]["recipient"] == cast.hr_a.email
    assert "It costs you nothing." in mails["orders/cancelled"]["text"]
    assert b"METHOD:CANCEL" in mails["enrolments/cancelled"]["calendar"]
    assert b"SEQUENCE:1" in mails["enrolments/cancelled"]["calendar"]
    assert b"STATUS:CANCELLED" in mails["enrolments/cancelled"]["calendar"]
    assert "Aditi Raman" in mails["fulfilment/cancelled"]["text"]
    assert "645" not in mails["fulfilment/cancelled"]["text"]


async def test_ecl_takes_all_back_with_a_reason(cast: Cast) -> None:
    order = await _order(cast)
    line, at = order.lines[0].id, HALF_UNTIL + timedelta(days=1)
    with pytest.raises(Invalid, match="reason_missing"):
        await cancel.cancel(order.number, line, CancelLine(free=True), actor=cast.ecl, now=at)
    with pytest.raises(Forbidden):
        await cancel.cancel(order.number, line, CancelLine(free=True, reason="Please"), actor=cast.hr_a, now=at)
    done = await cancel.cancel(order.number, line, CancelLine(free=True, reason="Ill"), actor=cast.ecl, now=at)
    assert done.fee.cents == 0
    after = await _again(order, cast)
    assert (after.lines[0].cancelled_for, after.lines[0].cancel_reason, after.total_cents) == ("operator", "Ill", 0)
    assert [one.kind for one in after.invoices] == ["invoice", "credit_note"]


@pytest.mark.parametrize("how", ["on the invoice", "billed by itself", "not billed yet"])
async def test_ecl_excuses_a_fee(cast: Cast, how: str) -> None:
    order = await _order(cast, issue=how == "on the invoice")
    at = FREE_UNTIL + timedelta(minutes=1)
    await _cancel(order, cast, at)
    if how == "billed by itself":
        await work.drain(at, only=INSIDE)
    await cancel.excuse(order.number, order.lines[0].id, reason="They were ill", actor=cast.ecl, now=at)
    await work.drain(at, only=INSIDE)
    after = await _again(order, cast)
    owed = sum(one.total_cents * (-1 if one.kind == "credit_note" else 1) for one in after.invoices)
    assert (owed, after.total_cents, after.lines[0].fee_cents) == (0, 0, 0)
    assert (await ledger.check()).right
    with pytest.raises(Conflict, match="no_fee"):
        await cancel.excuse(order.number, order.lines[0].id, reason="Again", actor=cast.ecl, now=at)


async def test_a_session_that_ecl_calls_off_gives_everything_back(cast: Cast) -> None:
    order = await _order(cast, 3)
    session_id = order.lines[0].session_id
    other = await an_order(session_id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    at = HALF_UNTIL + timedelta(days=2)
    await session_changes.cancel(session_id, reason="The teacher is ill", actor=cast.ecl, now=at)
    await work.drain(at, only=TELL)
    mine, theirs = await _again(order, cast), await read.by_id(other.id, actor=cast.hr_b)
    assert {line.state for line in [*mine.lines, *theirs.lines]} == {LineState.CANCELLED}
    assert [one.total_cents for one in mine.invoices if one.kind == "credit_note"] == [3 * 64_500]
    assert theirs.invoices == []
    assert mine.lines[0].cancel_reason == "The teacher is ill"
    assert await kit_db.value("SELECT live FROM session WHERE id = $1", session_id) == 0
    mails = await kit_db.records("SELECT text FROM mail_message WHERE template = 'orders/cancelled' AND recipient = $1", cast.hr_a.email)
    assert len(mails) == 1
    assert "does not go ahead" in mails[0]["text"]
    assert await kit_db.value("SELECT count(*) FROM mail_message WHERE template = 'enrolments/cancelled'") == 4


async def test_a_foreign_line_is_not_there(cast: Cast, now: datetime) -> None:
    mine = await _order(cast)
    session = await a_session(starts_at=START)
    theirs = await an_order(session.id, (await a_person(cast.company_b.id)).id, actor=cast.hr_b)
    for number, line in ((theirs.number, theirs.lines[0].id), (mine.number, theirs.lines[0].id), (theirs.number, mine.lines[0].id)):
        with pytest.raises(NotFound):
            await cancel.cancel(number, line, CancelLine(), actor=cast.hr_a, now=now)
    with pytest.raises(Forbidden):
        await cancel.cancel(mine.number, mine.lines[0].id, CancelLine(), actor=cast.viewer_a, now=now)


# Races


async def _committed_order(people: int = 1) -> tuple[Order, Actor]:
    company = await a_company()
    hr = await a_member(company_id=company.id)
    session = await a_session(starts_at=START)
    order = await an_order(session.id, *[(await a_person(company.id)).id for _n in range(people)], actor=hr)
    return order, hr


async def test_cancelling_and_invoicing_at_once_bill_nothing_twice(committed: str, clock: FakeClock) -> None:
    """Whichever comes first: what is left to pay is the fee, once."""
    at = FREE_UNTIL + timedelta(minutes=1)
    for _try in range(6):
        order, hr = await _committed_order()
        await charges.ready(f"order:{order.id}", now=clock.now())
        await asyncio.gather(
            issuing.issue(f"order:{order.id}", now=at),
            *(cancel.cancel(order.number, order.lines[0].id, CancelLine(), actor=hr, now=at) for _n in range(3)),
        )
        await work.drain(at, only=INSIDE)
        after = await read.by_number(order.number, actor=hr)
        owed = sum(one.total_cents * (-1 if one.kind == "credit_note" else 1) for one in after.invoices)
        assert (owed, after.total_cents) == (32_250, 32_250)
    assert (await ledger.check()).right


async def test_two_seats_of_one_order_cancelled_at_once(committed: str, clock: FakeClock) -> None:
    order, hr = await _committed_order(4)
    await work.drain(clock.now(), only=INSIDE)
    await asyncio.gather(*(cancel.cancel(order.number, line.id, CancelLine(), actor=hr, now=clock.now()) for line in order.lines))
    after = await read.by_number(order.number, actor=hr)
    assert (after.state, after.total_cents) == (OrderState.CANCELLED, 0)
    assert (await invoices.get(after.invoices[0].number, actor=SYSTEM)).state is InvoiceState.CREDITED
