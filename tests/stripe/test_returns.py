"""Refunds, disputes and what people do in Stripe's dashboard: events in any order, each once; nothing happens silently."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from billing import ledger, refunds
from billing.comparison import differences, runs
from billing.comparison.judge import Kind
from billing.sandbox import acting, control, hosted
from billing.sandbox.hosted import Amount, Method
from billing.sandbox.invoice_shapes import visible
from billing.stripe_shapes import METADATA_KEY, REFUND_KEY
from marketplace.kit import db, ids, work
from marketplace.kit.errors import Conflict, Forbidden
from marketplace.kit.identity import SYSTEM, Actor, Role
from tests.stripe.conftest import BASE
from tests.stripe.test_mirror import pay, standing
from tests.stripe.test_steps import ECL, OURS, credit, hosted_act, in_order, opened, settle, stuck, theirs
from tests.stripe.test_webhook import send

if TYPE_CHECKING:
    from uuid import UUID

    from billing.stripe_gateway import Gateway
    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def paid(clock: FakeClock, method: Method = Method.CARD) -> UUID:
    """Return an invoice of € 181.50 that was paid at Stripe."""
    invoice_id = await opened(clock)
    await pay(invoice_id, method)
    await settle(clock)
    assert await standing(invoice_id) == ("paid", 18_150)
    return invoice_id


async def differing() -> list[tuple[Kind, int, int]]:
    """Return what differs now."""
    return [(one.kind, one.ours_cents, one.theirs_cents) for one in await differences.unresolved()]


async def by_hand(invoice_id: UUID, action: str) -> None:
    """Press a button on an invoice's copy in Stripe's dashboard."""
    stripe_id = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = 'invoice' AND our_id = $1", invoice_id)
    seen = await control.found(stripe_id)
    assert seen is not None
    await acting.act(seen, action, base=BASE)


async def test_a_dispute_opens_the_invoice_and_a_win_closes_it_again(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock)
    await hosted_act("charge", "dispute")
    await settle(clock)
    assert [(one.source, one.state, one.cents) for one in await refunds.of(invoice_id)] == [("dispute", "done", 18_150)]
    assert (await standing(invoice_id))[0] == "open"
    assert await db.value("SELECT count(*) FROM ledger_entry WHERE event = 'payment_returned'") == 1
    await hosted_act("dispute", "win")
    await settle(clock)
    assert await standing(invoice_id) == ("paid", 36_300)
    await in_order(invoice_id, clock)


async def test_a_lost_dispute_stays_open(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock)
    await hosted_act("charge", "dispute")
    await hosted_act("dispute", "lose")
    await settle(clock)
    assert (await standing(invoice_id))[0] == "open"
    assert (await ledger.check()).right
    await in_order(invoice_id, clock)


async def test_a_dispute_that_was_won_before_we_heard_of_it_moves_nothing(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock)
    await hosted_act("charge", "dispute")
    await hosted_act("dispute", "win")
    await settle(clock)
    assert await standing(invoice_id) == ("paid", 18_150)
    await in_order(invoice_id, clock)


async def test_a_refund_that_comes_back_is_money_received_again(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock, Method.IDEAL)
    await credit(invoice_id, 3_333)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await settle(clock)
    assert await refunds.available(invoice_id) == 0
    await hosted_act("refund", "fail_refund")
    await settle(clock)
    assert (await standing(invoice_id), await refunds.available(invoice_id)) == (("paid", 18_150 + 4_033), 4_033)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await settle(clock)
    assert await refunds.available(invoice_id) == 0
    assert [body["status"] for body in await theirs("refund")] == ["failed", "succeeded"]
    await in_order(invoice_id, clock)


async def test_a_refund_that_never_arrives_can_be_asked_again(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock, Method.IDEAL)
    await credit(invoice_id, 3_333)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    for kind in ("billing.stripe_credit", "billing.stripe_refund"):
        for item in await work.claim(clock.now(), only=[kind]):
            assert await work.perform(item, now=clock.now())
    assert [one.state for one in await refunds.of(invoice_id)] == ["sent"]
    await hosted_act("refund", "fail_refund")
    await settle(clock)
    assert [one.state for one in await refunds.of(invoice_id)] == ["failed"]
    assert await refunds.available(invoice_id) == 4_033


async def test_a_refund_that_a_dispute_overtook_is_a_difference_not_a_stuck_job(stripe: Gateway, clock: FakeClock) -> None:
    """Both take the same money: our books can't give back more than came, and somebody must look."""
    invoice_id = await paid(clock, Method.IDEAL)
    await credit(invoice_id, 3_333)
    [refund_id] = await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await refunds.taken_back(invoice_id, source="dispute", external_id="dp_first", cents=18_150, at=clock.now(), now=clock.now())
    await settle(clock)
    assert (await refunds.get(refund_id)).state == "sent"
    assert (await stuck(), (Kind.DISPUTE_NOT_BOOKED, 0, 4_033) in await differing()) == ([], True)
    await runs.start("person", now=clock.now())
    await settle(clock)
    assert (Kind.DISPUTE_NOT_BOOKED, 0, 4_033) in await differing()
    assert (await ledger.check()).right


BY_HAND = [
    ("void", Kind.VOIDED_THERE, 18_150, 0),
    ("give_up", Kind.GIVEN_UP_THERE, 18_150, 0),
    ("pay", Kind.PAID_OUTSIDE, 0, 18_150),
    ("credit", Kind.CREDITED_THERE, 0, 18_150),
]


@pytest.mark.parametrize(("action", "kind", "here", "there"), BY_HAND)
async def test_what_somebody_does_at_stripe_is_a_difference_and_changes_nothing_here(
    stripe: Gateway, clock: FakeClock, action: str, kind: Kind, here: int, there: int
) -> None:
    invoice_id = await opened(clock)
    await by_hand(invoice_id, action)
    await settle(clock)
    assert (await standing(invoice_id), await differing(), await stuck()) == (("open", 0), [(kind, here, there)], [])
    assert await db.value("SELECT count(*) FROM audit_entry WHERE event = 'invoice.differs'") == 1
    await runs.start("person", now=clock.now())
    await settle(clock)
    assert (await differing(), await db.value("SELECT count(*) FROM stripe_difference")) == ([(kind, here, there)], 1)
    assert (await ledger.check()).right


async def test_a_difference_that_was_mended_closes_by_itself(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await by_hand(invoice_id, "credit")
    await settle(clock)
    await credit(invoice_id)
    await settle(clock)
    assert [reason for reason in await stuck() if "refuses a credit note" in reason]
    await db.execute("DELETE FROM due_work WHERE state = 'dead'")
    await runs.start("person", now=clock.now())
    await settle(clock)
    assert (await differing(), len(await differences.resolved())) == ([], 1)


async def test_a_refund_made_at_stripe_waits_for_a_person_and_can_be_taken_over(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock)
    await hosted_act("charge", "refund")
    await settle(clock)
    assert (await standing(invoice_id), await differing()) == (("paid", 18_150), [(Kind.REFUNDED_THERE, 0, 18_150)])
    found = (await differences.unresolved())[0]
    with pytest.raises(Forbidden):
        await differences.take_over(found.id, actor=Actor(kind="member", roles=frozenset({Role.FINANCE})), now=clock.now())
    await differences.take_over(found.id, actor=ECL, now=clock.now())
    with pytest.raises(Conflict):
        await differences.take_over(found.id, actor=ECL, now=clock.now())
    assert ((await standing(invoice_id))[0], await differing()) == ("open", [])
    assert (await ledger.check()).right
    await in_order(invoice_id, clock)


async def test_what_a_transfer_brought_too_much_is_shown(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id, Method.BANK_TRANSFER, amount=Amount.OVER)
    await settle(clock)
    await runs.start("night", now=clock.now())
    await settle(clock)
    assert (await standing(invoice_id), await differing()) == (("paid", 18_150), [(Kind.UNUSED_CASH, 0, 1_815)])


async def test_events_of_a_whole_life_in_any_order_lead_to_the_same(client: httpx.AsyncClient, stripe: Gateway, clock: FakeClock) -> None:
    """Pay, credit, refund, come back, dispute: 3 × shuffled by webhook, and once more by the cursor."""
    invoice_id = await paid(clock, Method.IDEAL)
    await credit(invoice_id, 3_333)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await settle(clock)
    await hosted_act("refund", "fail_refund")
    await hosted_act("charge", "dispute")
    told = [msgspec.json.encode(visible(body)) for body in await theirs("event")] * 3
    await db.execute("DELETE FROM due_work WHERE kind = 'billing.stripe_event'")
    await db.execute("DELETE FROM stripe_event")
    random.Random(8).shuffle(told)
    for body in told:
        assert (await send(client, body, at=clock.now())).status_code == 200
    await settle(clock)
    assert (await standing(invoice_id))[0] == "open"
    kinds = [(one.source, one.state, one.cents) for one in await refunds.of(invoice_id)]
    assert kinds == [("stripe", "done", 4_033), ("dispute", "done", 18_150)]
    await in_order(invoice_id, clock)


async def test_a_lost_cursor_reads_two_days_again_and_changes_nothing(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await paid(clock)
    await hosted_act("charge", "dispute")
    await settle(clock)
    await db.execute("DELETE FROM stripe_cursor")
    await db.execute("DELETE FROM stripe_event")
    await db.execute("DELETE FROM due_work WHERE kind = 'billing.stripe_event'")
    await settle(clock)
    assert (len(await refunds.of(invoice_id)), (await standing(invoice_id))[0]) == (1, "open")
    await in_order(invoice_id, clock)


async def test_what_no_event_told_is_found_by_night(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await hosted_act("charge", "dispute")
    await runs.compare_all(clock.now(), now=clock.now())
    for item in await work.claim(clock.now(), limit=50, only=["billing.stripe_compare"]):
        assert await work.perform(item, now=clock.now())
    assert await standing(invoice_id) == ("open", 18_150)
    assert [one.source for one in await refunds.of(invoice_id)] == ["dispute"]


async def test_a_payment_stuck_on_its_way_is_opened_again_by_night(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id, Method.BANK_TRANSFER, hosted.Outcome.FAIL)
    from billing import reconcile

    await reconcile.read_events(now=clock.now())
    for item in await work.claim(clock.now(), limit=50, only=OURS):
        await work.perform(item, now=clock.now())
    assert (await standing(invoice_id))[0] == "processing"
    clock.move(timedelta(seconds=10))
    await hosted.settle_due()
    await runs.start("night", now=clock.now())
    for item in await work.claim(clock.now(), limit=50, only=["billing.stripe_compare"]):
        await work.perform(item, now=clock.now())
    assert (await standing(invoice_id))[0] == "open"


async def test_an_invoice_that_stripe_lost_is_a_difference(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await db.execute("DELETE FROM sandbox_object WHERE kind = 'invoice'")
    await runs.start("night", now=clock.now())
    await settle(clock)
    assert (await standing(invoice_id), await differing()) == (("open", 0), [(Kind.GONE, 18_150, 0)])


async def test_objects_that_are_not_ours_disturb_nothing(raw: httpx.AsyncClient, stripe: Gateway, clock: FakeClock) -> None:
    """A stranger in the same account: own customer, invoice with junk in our keys, payment, credit, refund, dispute."""
    mine = await paid(clock)
    data = {"customer": (await raw.post("/v1/customers", data={"metadata[marketplace_debtor]": "?"})).json()["id"]}
    for junk in ("not-a-uuid", str(ids.new_id()), str(mine)):
        made = (await raw.post("/v1/invoices", data={**data, f"metadata[{METADATA_KEY}]": junk})).json()["id"]
        await raw.post(f"/v1/invoices/{made}/add_lines", data={"lines[0][amount]": "5000"})
        url = (await raw.post(f"/v1/invoices/{made}/finalize")).json()["hosted_invoice_url"]
        await raw.post("/v1/credit_notes", data={"invoice": made, "amount": "1000", "metadata[marketplace_credit_note]": junk})
        await raw.post(url, data={"method": "card", "outcome": "ok"})
        charge = (await raw.get("/v1/charges", params={"limit": 1})).json()["data"][0]["id"]
        await raw.post("/v1/refunds", data={"charge": charge, "amount": "100", f"metadata[{REFUND_KEY}]": junk})
        await raw.post(f"/o/{charge}", data={"action": "dispute"})
    await settle(clock)
    assert (await standing(mine), await differing(), await stuck()) == (("paid", 18_150), [], [])
    assert await refunds.of(mine) == []
    await in_order(mine, clock)


async def test_a_round_says_how_far_it_is_and_only_one_runs(stripe: Gateway, clock: FakeClock) -> None:
    await opened(clock)
    await runs.ask(actor=ECL, now=clock.now())
    with pytest.raises(Conflict):
        await runs.ask(actor=ECL, now=clock.now())
    found = await runs.under_way(now=clock.now())
    assert found is not None
    assert (found.invoices, found.waiting) == (1, 2)
    await settle(clock)
    ended: Any = await runs.last()
    assert (ended.id, ended.waiting, await runs.under_way(now=clock.now())) == (found.id, 0, None)
