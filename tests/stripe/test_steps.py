"""After an invoice is open: credit notes, withdrawals, write-offs and refunds reach Stripe once, whatever goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from billing import credits as credit_notes
from billing import ledger, payments, refunds, stripe_links
from billing.changes import closing
from billing.comparison import differences, runs
from billing.credits import Credit
from billing.sandbox import acting, control, hosted
from billing.sandbox.hosted import Method
from billing.vat import VatBasis
from marketplace.kit import clock as kit_clock
from marketplace.kit import db, ids, work
from marketplace.kit.identity import SYSTEM, Actor, Role
from tests.builders.billing import a_debtor, an_invoice
from tests.stripe.conftest import BASE
from tests.stripe.test_mirror import pay, standing

if TYPE_CHECKING:
    from uuid import UUID

    from billing.stripe_gateway import Gateway
    from marketplace.kit.clock import FakeClock
    from tests.stripe.spec import Judge

pytestmark = pytest.mark.asyncio(loop_scope="session")
OURS = ("billing.stripe_mirror", "billing.stripe_credit", "billing.stripe_void", "billing.stripe_uncollectible",
        "billing.stripe_settled", "billing.stripe_refund", "billing.stripe_event", "billing.stripe_compare",
        "billing.stripe_compare_cash")  # fmt: skip
ECL = Actor(kind="member", account_id=ids.new_id(), member_id=ids.new_id(), roles=frozenset({Role.ECL}))
INVOICE: dict[str, Any] = {"amounts": (10_000, 5_000), "basis": VatBasis.COACHING}  # € 150.00 and € 31.50 VAT


async def settle(clock: FakeClock, *, rounds: int = 12) -> None:
    """Let the worker and Stripe do what they have to do, for some minutes, until nothing moves."""
    from billing import reconcile

    for _ in range(rounds):
        clock.move(timedelta(seconds=70))
        await hosted.settle_due()
        await reconcile.read_events(now=clock.now())
        found = await work.claim(clock.now(), limit=500, only=OURS)
        for item in found:
            await work.perform(item, now=clock.now())
        if not found:
            return


async def opened(clock: FakeClock, **values: Any) -> UUID:
    """Return an invoice that is open at Stripe."""
    invoice_id = await an_invoice(**{**INVOICE, **values})
    await settle(clock)
    assert (await standing(invoice_id))[0] == "open"
    return invoice_id


async def credit(invoice_id: UUID, cents: int | None = None, *, key: str = "k") -> UUID:
    """Credit every line, or so much of the first."""
    lines = await credit_notes.creditable(invoice_id)
    wanted = [(lines[0].id, cents)] if cents else [(line.id, None) for line in lines]
    note = Credit(invoice_id=invoice_id, lines=wanted, reason="Fewer lessons", cause="goodwill", key=f"{key}:{invoice_id}")
    return await credit_notes.credit(note, actor=SYSTEM, now=kit_clock.now())


async def theirs(kind: str) -> list[dict[str, Any]]:
    """Return Stripe's objects of a kind, oldest first."""
    return [row["body"] for row in await db.records("SELECT body FROM sandbox_object WHERE kind = $1 ORDER BY seq", kind)]


async def stuck() -> list[str]:
    """Return what waits for a person."""
    return [row["last_error"] for row in await db.records("SELECT last_error FROM due_work WHERE state = 'dead'")]


async def in_order(invoice_id: UUID, clock: FakeClock) -> None:
    """Hold that nothing differs and the books are right."""
    assert await stuck() == []
    await runs.start("person", now=clock.now())
    await settle(clock)
    assert [(one.kind, one.ours_cents, one.theirs_cents) for one in await differences.unresolved()] == []
    assert (await ledger.check()).right
    found = await runs.last()
    assert found is not None
    assert (found.waiting, found.failed, found.invoices) == (0, 0, 1)


async def test_a_credit_before_payment_is_at_stripe_to_the_cent(stripe: Gateway, clock: FakeClock, judge: Judge) -> None:
    invoice_id = await opened(clock)
    await credit(invoice_id, 3_333)
    await settle(clock)
    note, number = (await theirs("credit_note"))[0], await db.value("SELECT number FROM invoice WHERE kind = 'credit_note'")
    assert (note["subtotal"], note["total"], note["memo"]) == (3_333, 3_333 + 700, number)
    await pay(invoice_id)
    await settle(clock)
    assert await standing(invoice_id) == ("paid", 18_150 - 4_033)
    await in_order(invoice_id, clock)
    assert judge.violations == []


async def test_a_whole_credit_closes_it_at_stripe_without_money(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await credit(invoice_id, 1_000, key="first")
    await credit(invoice_id)
    await settle(clock)
    assert await standing(invoice_id) == ("credited", 0)
    assert [(body["status"], body["amount_paid"]) for body in await theirs("invoice")] == [("paid", 0)]
    await in_order(invoice_id, clock)


@pytest.mark.parametrize("method", [Method.CARD, Method.IDEAL])
async def test_a_credit_after_payment_and_its_refund(stripe: Gateway, clock: FakeClock, method: Method) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id, method)
    await settle(clock)
    await credit(invoice_id, 3_333)
    made = await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await settle(clock)
    assert [body["amount"] for body in await theirs("refund")] == [4_033]
    assert [(one.id, one.state, one.cents) for one in await refunds.of(invoice_id)] == [(made[0], "done", 4_033)]
    assert [(body["post_payment_amount"], body["out_of_band_amount"]) for body in await theirs("credit_note")] == [(4_033, 4_033)]
    await in_order(invoice_id, clock)


async def test_steps_queued_before_the_invoice_is_there_wait_for_it(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await an_invoice(**INVOICE)
    await credit(invoice_id, 5_000)
    await control.order_fault(control.FaultOrder(kind="429", operation="invoices.create", times=3))
    await settle(clock)
    kinds = [row["operation"] for row in await db.records("SELECT operation FROM sandbox_call WHERE status = 200 ORDER BY seq")]
    assert kinds.index("invoices.finalize") < kinds.index("credit_notes.create")
    await in_order(invoice_id, clock)


async def test_withdrawn_and_given_up_invoices_end_at_stripe_too(stripe: Gateway, clock: FakeClock) -> None:
    debtor_id = await a_debtor()
    withdrawn, lost = await opened(clock, debtor_id=debtor_id), await opened(clock, debtor_id=debtor_id)
    await closing.withdraw(withdrawn, reason="Wrong company", actor=ECL, now=clock.now())
    await closing.give_up(lost, reason="bankrupt", actor=ECL, now=clock.now())
    await settle(clock)
    assert [body["status"] for body in await theirs("invoice")] == ["void", "uncollectible"]
    await pay(lost)
    await settle(clock)
    assert await standing(lost) == ("paid", 18_150)
    assert await stuck() == []
    await runs.start("person", now=clock.now())
    await settle(clock)
    assert await differences.unresolved() == []
    assert (await ledger.check()).right


async def test_what_was_paid_by_bank_can_no_longer_be_paid_at_stripe(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    at = clock.now()
    await payments.record(invoice_id, source="bank", external_id="b1", cents=18_150, method="bank_transfer", received_at=at, now=at)
    await settle(clock)
    assert [(body["status"], body["amount_paid_off_stripe"]) for body in await theirs("invoice")] == [("paid", 18_150)]
    await in_order(invoice_id, clock)


async def test_what_needs_no_collecting_never_goes_to_stripe(stripe: Gateway, clock: FakeClock) -> None:
    debtor_id, at = await a_debtor(), clock.now()
    by_bank, withdrawn, credited = [await an_invoice(debtor_id, **INVOICE) for _ in range(3)]
    await payments.record(by_bank, source="bank", external_id="b1", cents=18_150, method="bank_transfer", received_at=at, now=at)
    await closing.withdraw(withdrawn, reason="Wrong company", actor=ECL, now=at)
    await credit(credited)
    await settle(clock)
    assert (await theirs("invoice"), await theirs("customer"), await stuck()) == ([], [], [])
    assert await db.value("SELECT count(*) FROM due_work WHERE kind LIKE 'billing.stripe%' AND state <> 'done'") == 0


async def trouble(step: str) -> None:
    """Let the next calls of a step fail in every way, one after the other."""
    for kind in ("429", "409", "500", "500_done"):
        await control.order_fault(control.FaultOrder(kind=kind, operation=step))


STEPS = ("invoices.retrieve", "tax_rates.retrieve", "credit_notes.preview", "credit_notes.create", "refunds.create")


@pytest.mark.parametrize("step", STEPS)
async def test_every_trouble_at_any_step_makes_one_credit_and_one_refund(stripe: Gateway, clock: FakeClock, step: str) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await settle(clock)
    await credit(invoice_id, 3_333)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await trouble(step)
    await settle(clock)
    assert ([body["total"] for body in await theirs("credit_note")], [body["amount"] for body in await theirs("refund")]) == (
        [4_033],
        [4_033],
    )
    await in_order(invoice_id, clock)


@pytest.mark.parametrize("step", ["void", "mark_uncollectible", "pay"])
async def test_every_trouble_while_ending_an_invoice_ends_it_once(stripe: Gateway, clock: FakeClock, step: str) -> None:
    invoice_id = await opened(clock)
    await trouble(f"invoices.{step}")
    at = clock.now()
    if step == "void":
        await closing.withdraw(invoice_id, reason="Wrong company", actor=ECL, now=at)
    elif step == "pay":
        await payments.record(invoice_id, source="bank", external_id="b1", cents=18_150, method="bank_transfer", received_at=at, now=at)
    else:
        await closing.give_up(invoice_id, reason="bankrupt", actor=ECL, now=at)
    await settle(clock)
    wanted = {"void": "void", "mark_uncollectible": "uncollectible", "pay": "paid"}
    assert [body["status"] for body in await theirs("invoice")] == [wanted[step]]
    await in_order(invoice_id, clock)


@pytest.mark.parametrize("kind", ["billing.stripe_credit", "billing.stripe_refund"])
async def test_an_outcome_unknown_for_a_day_is_looked_up_before_it_is_repeated(stripe: Gateway, clock: FakeClock, kind: str) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await settle(clock)
    await credit(invoice_id, 3_333)
    await settle(clock)
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    await settle(clock)
    lost = "UPDATE due_work SET state = 'queued', attempts = 0, done_at = NULL, run_at = $2 WHERE kind = $1"
    await db.execute(lost, kind, clock.now() + timedelta(hours=25))
    await db.execute("DELETE FROM stripe_link WHERE kind = 'credit_note'")
    clock.move(timedelta(hours=25))
    await settle(clock)
    assert (len(await theirs("credit_note")), len(await theirs("refund"))) == (1, 1)
    await in_order(invoice_id, clock)


async def test_a_refund_that_stripe_refuses_fails_with_why_and_can_go_by_bank(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await opened(clock)
    await pay(invoice_id)
    await settle(clock)
    await credit(invoice_id, 3_333)
    await hosted_act("charge", "dispute")
    await refunds.by_stripe(invoice_id, actor=SYSTEM, now=clock.now())
    for item in await work.claim(clock.now(), only=["billing.stripe_credit"]):
        await work.perform(item, now=clock.now())
    for item in await work.claim(clock.now(), only=["billing.stripe_refund"]):
        await work.perform(item, now=clock.now())
    found = await refunds.of(invoice_id)
    assert [(one.source, one.state) for one in found] == [("stripe", "failed")]
    assert "charged back" in str(found[0].failure)
    await settle(clock)
    await in_order(invoice_id, clock)


async def hosted_act(kind: str, action: str) -> None:
    """Press a button in the sandbox's dashboard, on the newest object of a kind."""
    await acting.act((await control.objects(kind))[0], action, base=BASE)


async def test_a_stored_key_with_other_parameters_is_looked_up(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await an_invoice(**INVOICE)
    sql = "INSERT INTO sandbox_key (key, fingerprint, status, body, created_at) VALUES ($1, 'other', 200, '{}', $2)"
    await db.execute(sql, f"mp-invoice-{invoice_id}-create", clock.now())
    await settle(clock)
    assert (await standing(invoice_id))[0] == "open"
    assert len(await theirs("invoice")) == 1
    assert await stripe_links.of("invoice", invoice_id) is not None
    assert ids.new_id() != invoice_id
