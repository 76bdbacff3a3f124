"""An issued invoice reaches Stripe once, to the cent, whatever goes wrong on the way; its payment comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from billing import inbox, invoices, mirror, reconcile, story, stripe_links, stripe_mirror
from billing.comparison import runs
from billing.projection import project
from billing.sandbox import control, hosted, store
from billing.sandbox.hosted import Amount, Choice, Method, Outcome
from billing.stripe_gateway import GatewayError
from billing.vat import VatBasis
from marketplace.kit import audit, db, ids, work
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_debtor, an_invoice, number_of
from tests.stripe.conftest import BASE

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.stripe_gateway import Gateway
    from marketplace.kit.clock import FakeClock
    from tests.stripe.spec import Judge

pytestmark = pytest.mark.asyncio(loop_scope="session")


def item(invoice_id: UUID, now: datetime, *, attempts: int = 1) -> work.WorkItem:
    """Describe the work item that copies an invoice."""
    names = {"invoice": str(invoice_id)}
    return work.WorkItem(
        id=ids.new_id(),
        kind="billing.stripe_mirror",
        payload=names,
        attempts=attempts,
        run_at=now,
        created_at=now,
        lease_token=ids.new_id(),
    )


async def copy(invoice_id: UUID, now: datetime, *, attempts: int = 1) -> None:
    """Walk the chain once."""
    await stripe_mirror.copy_to_stripe({"invoice": str(invoice_id)}, item=item(invoice_id, now, attempts=attempts), now=now)


async def token_of(invoice_id: UUID) -> str:
    """Return the word in an invoice's payment link."""
    url = str(await db.value("SELECT hosted_payment_url FROM invoice WHERE id = $1", invoice_id))
    return url.rsplit("/", 1)[1]


async def pay(invoice_id: UUID, method: Method = Method.IDEAL, outcome: Outcome = Outcome.OK, amount: Amount = Amount.EXACT) -> None:
    """Choose on the payment page."""
    await hosted.pay(await token_of(invoice_id), Choice(method=method, outcome=outcome, amount=amount), base=BASE)


async def standing(invoice_id: UUID) -> tuple[str, int]:
    """Return state and paid cents."""
    row = (await db.records("SELECT state, paid_cents FROM invoice WHERE id = $1", invoice_id))[0]
    return row["state"], row["paid_cents"]


async def work_off(now: datetime) -> None:
    """Read Stripe's events and do what they ask for (only that: documents and mails are other tests')."""
    await reconcile.read_events(now=now)
    for claimed in await work.claim(now, limit=500):
        if claimed.kind == "billing.stripe_event":
            assert await work.perform(claimed, now=now), await db.value("SELECT last_error FROM due_work WHERE id = $1", claimed.id)


async def test_an_issued_invoice_becomes_open_with_a_link(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice(amounts=(64_500, 12_345), basis=VatBasis.COACHING)
    await copy(invoice_id, now)
    assert await standing(invoice_id) == ("open", 0)
    ours = (await db.records("SELECT * FROM invoice WHERE id = $1", invoice_id))[0]
    theirs = await stripe.invoice(str(await stripe_links.of("invoice", invoice_id)))
    assert theirs is not None
    assert (theirs.number, theirs.net_cents, theirs.vat_cents, theirs.total.cents) == (
        ours["number"],
        ours["net_cents"],
        ours["vat_cents"],
        ours["total_cents"],
    )
    assert ours["hosted_payment_url"].startswith(f"{BASE}/i/")


async def test_vat_is_spread_so_that_stripes_total_is_the_legal_one(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice(amounts=tuple(333 + n for n in range(37)), basis=VatBasis.COACHING)
    await copy(invoice_id, now)
    assert (await standing(invoice_id))[0] == "open"


async def test_walking_again_makes_nothing_new(stripe: Gateway, now: datetime, judge: Judge) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    await copy(invoice_id, now, attempts=2)
    assert await db.value("SELECT count(*) FROM sandbox_object WHERE kind = 'invoice'") == 1
    assert judge.violations == []


async def test_one_debtor_is_one_customer_with_its_latest_address(stripe: Gateway, now: datetime) -> None:
    debtor_id = await a_debtor()
    for _ in range(2):
        await copy(await an_invoice(debtor_id), now)
    assert await db.value("SELECT count(*) FROM sandbox_object WHERE kind = 'customer'") == 1


async def test_a_customer_that_stripe_lost_is_made_again(stripe: Gateway, now: datetime) -> None:
    debtor_id = await a_debtor()
    await copy(await an_invoice(debtor_id), now)
    await store.drop(str(await stripe_links.of("customer", debtor_id)))
    invoice_id = await an_invoice(debtor_id)
    await copy(invoice_id, now)
    assert (await standing(invoice_id))[0] == "open"


@pytest.mark.parametrize("method", [Method.IDEAL, Method.CARD])
async def test_paying_on_the_page_makes_our_invoice_paid(stripe: Gateway, now: datetime, method: Method) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    await pay(invoice_id, method)
    await work_off(now)
    assert await standing(invoice_id) == ("paid", 64_500)
    assert await db.value("SELECT method FROM payment WHERE invoice_id = $1", invoice_id) == method.value


async def test_a_failed_payment_leaves_it_open_and_a_second_try_pays(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    await pay(invoice_id, Method.CARD, Outcome.FAIL)
    await work_off(now)
    assert await standing(invoice_id) == ("open", 0)
    await pay(invoice_id)
    await work_off(now)
    assert await standing(invoice_id) == ("paid", 64_500)


async def test_a_bank_transfer_is_processing_then_paid(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, clock.now())
    await pay(invoice_id, Method.BANK_TRANSFER)
    await work_off(clock.now())
    assert await standing(invoice_id) == ("processing", 0)
    await hosted.settle_due()
    assert await standing(invoice_id) == ("processing", 0)
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    await work_off(clock.now())
    assert await standing(invoice_id) == ("paid", 64_500)
    assert await db.value("SELECT method FROM payment WHERE invoice_id = $1", invoice_id) == "bank_transfer"


@pytest.mark.parametrize(("amount", "state"), [(Amount.SHORT, "open"), (Amount.OVER, "paid")])
async def test_too_little_stays_open_and_too_much_pays_once(stripe: Gateway, clock: FakeClock, amount: Amount, state: str) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, clock.now())
    await pay(invoice_id, Method.BANK_TRANSFER, amount=amount)
    await work_off(clock.now())
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    await work_off(clock.now())
    assert (await standing(invoice_id))[0] == state
    if amount is Amount.SHORT:
        await reconcile_again(invoice_id, clock.now())
        entries = await audit.of("invoice", invoice_id)
        told = [dict(entry.data) for entry in entries if entry.event == "invoice.partly_arrived"]
        assert told == [{"cents": 58_050, "left_cents": 6_450}]
        seen = await invoices.get(await number_of(invoice_id), actor=SYSTEM)
        titles = [step.title for step in story.tell(seen, entries, [], today=clock.now().date())]
        assert "€580.50 has come in, €64.50 is missing" in titles
        assert titles.count("Can be paid online") == 1


async def reconcile_again(invoice_id: UUID, now: datetime) -> None:
    """Hear of the invoice once more."""
    await inbox.refresh(
        str(await db.value("SELECT stripe_id FROM stripe_link WHERE our_id = $1 AND kind = 'invoice'", invoice_id)), now=now
    )


async def test_the_rest_of_a_short_transfer_completes_it(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, clock.now())
    for amount in (Amount.SHORT, Amount.EXACT):
        await pay(invoice_id, Method.BANK_TRANSFER, amount=amount)
        clock.move(timedelta(seconds=5))
        await hosted.settle_due()
    await work_off(clock.now())
    assert await standing(invoice_id) == ("paid", 64_500)


async def test_a_bounced_transfer_opens_it_again(stripe: Gateway, clock: FakeClock) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, clock.now())
    await pay(invoice_id, Method.BANK_TRANSFER, Outcome.FAIL)
    await work_off(clock.now())
    clock.move(timedelta(seconds=5))
    await hosted.settle_due()
    await work_off(clock.now())
    assert await standing(invoice_id) == ("open", 0)


async def test_a_difference_leaves_the_draft_and_calls_for_a_person(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    draft = await stripe_mirror._draft(stripe, await mirror.of(invoice_id), item=item(invoice_id, now), now=now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create()), base_url=BASE) as own:
        added = await own.post(
            f"/v1/invoices/{draft.stripe_id}/add_lines", data={"lines[0][amount]": "1"}, headers={"authorization": "Bearer sk_test_x"}
        )
        assert added.status_code == 200
    with pytest.raises(work.GiveUp, match="stays a draft"):
        await copy(invoice_id, now, attempts=2)
    assert (await standing(invoice_id))[0] == "issued"
    assert await db.value("SELECT count(*) FROM audit_entry WHERE event = 'invoice.differs'") == 1


def create() -> Any:
    """Make a sandbox that nothing pumps."""
    from billing.sandbox.app import create_sandbox

    return create_sandbox(pumping=False)


async def test_more_lines_than_stripe_takes_are_two_invoices(stripe: Gateway, now: datetime) -> None:
    await an_invoice(amounts=(100,) * 251)
    found = await db.records("SELECT id, total_cents FROM invoice ORDER BY number")
    assert [row["total_cents"] for row in found] == [25_000, 100]
    for row in found:
        await copy(row["id"], now)
    assert await db.value("SELECT count(*) FROM invoice WHERE state = 'open'") == 2


STEPS = ("customers.create", "customers.update", "invoices.create", "invoices.add_lines", "invoices.finalize")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["429", "409", "500", "500_done"])
async def test_a_refusal_at_any_step_ends_in_the_same_state(stripe: Gateway, now: datetime, step: str, kind: str) -> None:
    invoice_id = await an_invoice()
    await control.order_fault(control.FaultOrder(kind=kind, operation=step))
    for attempt in range(1, 4):
        try:
            await copy(invoice_id, now, attempts=attempt)
        except GatewayError as error:
            assert error.again  # noqa: PT017 - some faults are no error here
        else:
            break
    assert await standing(invoice_id) == ("open", 0)
    found = await db.records("SELECT body FROM sandbox_object WHERE kind = 'invoice'")
    assert [(row["body"]["status"], len(row["body"]["_lines"])) for row in found] == [("open", 1)]
    await pay(invoice_id)
    await work_off(now)
    assert await standing(invoice_id) == ("paid", 64_500)


async def test_the_nightly_comparison_finds_nothing_when_all_is_well_and_a_lost_payment(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    await pay(invoice_id)
    names = {"invoice": str(invoice_id)}
    await runs.compare(names, item=item(invoice_id, now), now=now)
    assert await standing(invoice_id) == ("paid", 64_500)


async def test_events_are_read_from_the_cursor_on(stripe: Gateway, clock: FakeClock) -> None:
    await copy(await an_invoice(), clock.now())
    first = await reconcile.read_events(now=clock.now())
    clock.move(timedelta(hours=1))
    assert (first > 0, await reconcile.read_events(now=clock.now())) == (True, 0)
    await copy(await an_invoice(), clock.now())
    assert await reconcile.read_events(now=clock.now()) > 0


async def test_more_than_a_hundred_events_are_all_read(stripe: Gateway, now: datetime) -> None:
    debtor_id = await a_debtor()
    for _ in range(22):
        await copy(await an_invoice(debtor_id), now)
    made = await db.value("SELECT count(*) FROM sandbox_object WHERE kind = 'event'")
    assert (made > 100, await reconcile.read_events(now=now)) == (True, made)


async def test_somebody_elses_invoice_is_ignored_quietly(stripe: Gateway, now: datetime) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create()), base_url=BASE, headers={"authorization": "Bearer sk_test_x"}
    ) as own:
        customer = (await own.post("/v1/customers", data={"name": "Other"})).json()["id"]
        made = (await own.post("/v1/invoices", data={"customer": customer})).json()["id"]
        await own.post(f"/v1/invoices/{made}/add_lines", data={"lines[0][amount]": "1"})
        await own.post(f"/v1/invoices/{made}/finalize")
    await work_off(now)
    assert {row["state"] for row in await db.records("SELECT state FROM stripe_event")} == {"ignored"}


async def test_paid_never_goes_back(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    before = await stripe.invoice(str(await stripe_links.of("invoice", invoice_id)))
    assert before is not None
    await pay(invoice_id)
    await work_off(now)
    await project(invoice_id, before, now=now, failed=True)
    assert await standing(invoice_id) == ("paid", 64_500)


async def test_what_is_frozen_reads_the_same_twice(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    assert msgspec.json.encode(await mirror.of(invoice_id)) == msgspec.json.encode(await mirror.of(invoice_id))
