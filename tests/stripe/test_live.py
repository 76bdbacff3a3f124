"""The whole chain against Stripe itself when STRIPE_TEST_KEY is set (``STRIPE_TEST_KEY=sk_test_… pytest -m stripe_live``), and
always against our sandbox: what the sandbox claims is what Stripe does.

On the real side it makes customers and invoices in that test account, pays with Stripe's test cards, and leaves them there.
"""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from billing.sandbox import acting, control, hosted
from billing.sandbox.hosted import Choice, Method, Outcome
from billing.stripe_gateway import Gateway, GatewayError
from billing.stripe_port import (
    CreditLine,
    CreditMirror,
    DisputeState,
    InvoiceMirror,
    MirrorDebtor,
    MirrorLine,
    RefundState,
    StripeInvoice,
    StripeState,
)  # fmt: skip
from marketplace.kit import ids
from tests.stripe.conftest import BASE

KEY = os.environ.get("STRIPE_TEST_KEY", "")
pytestmark = pytest.mark.asyncio(loop_scope="session")
_LIVE = [pytest.mark.stripe_live, pytest.mark.skipif(not KEY.startswith("sk_test_"), reason="STRIPE_TEST_KEY is not set to a test key")]
_PATIENCE = 60


@pytest_asyncio.fixture(loop_scope="session", params=["sandbox", pytest.param("stripe", marks=_LIVE)])
async def real(request: pytest.FixtureRequest, stripe: Gateway) -> Gateway:
    """Give a gateway to the sandbox, and (with a key) one to Stripe."""
    return Gateway(api_key=KEY) if request.param == "stripe" else stripe


def _mirror() -> InvoiceMirror:
    debtor = MirrorDebtor(
        id=ids.new_id(),
        name="Rijnburg",
        email="ap@rijnburg.example",
        street="Rapenburg 1",
        postcode="2311 EZ",
        city="Leiden",
        country="NL",
        language="nl",
    )
    taxed = MirrorLine(description="Coaching", net_cents=10_000, vat_cents=2_100, vat_category="S", vat_rate=Decimal(21))
    exempt = MirrorLine(description="Dutch A1", net_cents=64_500, vat_cents=0, vat_category="E", vat_rate=Decimal(0))
    lines = (taxed, *(exempt for _ in range(11)))
    net = sum(line.net_cents for line in lines)
    return InvoiceMirror(
        invoice_id=ids.new_id(), number=f"T-{ids.public_code(10)}", currency="EUR", lines=lines, net_cents=net, vat_cents=2_100,
        total_cents=net + 2_100, due_days=30, debtor=debtor, purchase_order="PO-1",
    )  # fmt: skip


async def test_an_invoice_goes_from_draft_to_open_to_void_with_our_sums(real: Gateway) -> None:
    mirror = _mirror()
    customer = await real.create_customer(mirror.debtor, key=f"live-{mirror.debtor.id}")
    await real.update_customer(customer, mirror.debtor)
    draft = await real.create_invoice(mirror, customer_id=customer, key=f"live-{mirror.invoice_id}")
    again = await real.create_invoice(mirror, customer_id=customer, key=f"live-{mirror.invoice_id}")
    assert again.stripe_id == draft.stripe_id
    filled = await real.add_lines(draft.stripe_id, mirror.lines, key=f"live-{mirror.invoice_id}-lines")
    assert (filled.number, filled.net_cents, filled.vat_cents, filled.total.cents) == (
        mirror.number, mirror.net_cents, mirror.vat_cents, mirror.total_cents,
    )  # fmt: skip
    assert await real.line_count(filled) == len(mirror.lines)
    found = await real.find_invoice(mirror, customer_id=customer)
    assert found is not None
    final = await real.finalise(draft.stripe_id, key=f"live-{mirror.invoice_id}-finalise")
    assert (final.state, bool(final.hosted_url)) == (StripeState.OPEN, True)
    seen = await real.invoice(draft.stripe_id)
    assert seen is not None
    assert (seen.our_id, seen.payments) == (mirror.invoice_id, ())
    assert (await real.void(draft.stripe_id, key=f"live-{mirror.invoice_id}-void")).state is StripeState.VOID


async def test_a_key_with_other_parameters_is_refused_and_a_missing_invoice_is_none(real: Gateway) -> None:
    first, second = _mirror().debtor, _mirror().debtor
    key = f"live-{first.id}"
    await real.create_customer(first, key=key)
    with pytest.raises(GatewayError) as caught:
        await real.create_customer(second, key=key)
    assert not caught.value.again
    assert await real.invoice("in_1nothing") is None


async def _opened(real: Gateway) -> tuple[InvoiceMirror, StripeInvoice, str]:
    mirror = _mirror()
    customer = await real.create_customer(mirror.debtor, key=f"live-{mirror.debtor.id}")
    draft = await real.create_invoice(mirror, customer_id=customer, key=f"live-{mirror.invoice_id}")
    await real.add_lines(draft.stripe_id, mirror.lines, key=f"live-{mirror.invoice_id}-lines")
    return mirror, await real.finalise(draft.stripe_id, key=f"live-{mirror.invoice_id}-finalise"), customer


async def _paid(real: Gateway, stripe_id: str, customer: str, card: str) -> StripeInvoice:
    """Pay by a card: in the sandbox on its page, at Stripe with a test card."""
    if real._stripe._requestor._options.base_addresses.get("api", "").startswith(BASE):
        copy = await real.invoice(stripe_id)
        assert copy is not None
        assert copy.hosted_url is not None
        await hosted.pay(copy.hosted_url.rsplit("/", 1)[1], Choice(method=Method.CARD, outcome=Outcome.OK), base=BASE)
        if card.endswith("Dispute"):
            await acting.act((await control.objects("charge"))[0], "dispute", base=BASE)
    else:
        client: Any = real._stripe.v1
        method = await client.payment_methods.attach_async(card, {"customer": customer})
        await client.invoices.pay_async(stripe_id, {"payment_method": method.id})
    found = await real.invoice(stripe_id)
    assert found is not None
    return found


def _note(mirror: InvoiceMirror, net: int, vat: int) -> CreditMirror:
    line = CreditLine(description="Fewer lessons", net_cents=net, vat_cents=vat, vat_category="S", vat_rate=Decimal(21))
    return CreditMirror(
        note_id=ids.new_id(), number=f"C-{mirror.number}", invoice_id=mirror.invoice_id, cause="goodwill", lines=(line,), net_cents=net,
        vat_cents=vat, total_cents=net + vat,
    )  # fmt: skip


async def test_a_credit_before_payment_lowers_what_is_left_with_our_vat(real: Gateway) -> None:
    mirror, copy, _customer = await _opened(real)
    note = _note(mirror, 1_003, 211)
    rates = await real.tax_rates(copy)
    assert Decimal(21) in rates
    would = await real.preview_credit(note, copy.stripe_id, rates, after_cents=0)
    made = await real.create_credit(note, copy.stripe_id, rates, after_cents=0, key=f"live-{note.note_id}")
    assert [(one.net_cents, one.vat_cents, one.total.cents) for one in (would, made)] == [(1_003, 211, 1_214)] * 2
    assert [(one.our_id, one.stripe_id) for one in await real.credits_of(copy.stripe_id)] == [(note.note_id, made.stripe_id)]
    after = await real.invoice(copy.stripe_id)
    assert after is not None
    assert (after.left.cents, after.credited.cents) == (mirror.total_cents - 1_214, 1_214)


async def test_a_payment_is_credited_outside_and_refunded_in_part(real: Gateway) -> None:
    mirror, copy, customer = await _opened(real)
    paid = await _paid(real, copy.stripe_id, customer, "pm_card_visa")
    assert (paid.state, paid.paid.cents, paid.payments[0].method) == (StripeState.PAID, mirror.total_cents, "card")
    note = _note(mirror, 1_000, 210)
    await real.create_credit(note, copy.stripe_id, await real.tax_rates(paid), after_cents=1_210, key=f"live-{note.note_id}")
    intent = str(paid.payments[0].intent_id)
    assert await real.intent_of(paid.payments[0].stripe_id) == intent
    assert await real.invoice_of_payment(intent) == copy.stripe_id
    refund_id = ids.new_id()
    made = await real.create_refund(refund_id, intent_id=intent, cents=1_210, key=f"live-{refund_id}")
    seen = await real.refund(made.stripe_id)
    assert (seen.our_id, seen.amount.cents, seen.state) == (refund_id, 1_210, RefundState.ARRIVED)
    assert [one.stripe_id for one in await real.refunds_of(intent)] == [made.stripe_id]
    assert await real.disputes_of(intent) == []
    with pytest.raises(GatewayError) as caught:
        await real.create_refund(ids.new_id(), intent_id=intent, cents=mirror.total_cents, key=f"live-{refund_id}-more")
    assert not caught.value.again


async def test_a_dispute_is_found_by_its_payment(real: Gateway) -> None:
    _ours, copy, customer = await _opened(real)
    paid = await _paid(real, copy.stripe_id, customer, "pm_card_createDispute")
    intent = str(paid.payments[0].intent_id)
    found = await real.disputes_of(intent)
    for _ in range(_PATIENCE):
        if found:
            break
        await asyncio.sleep(1)  # Stripe makes it a moment later
        found = await real.disputes_of(intent)
    assert [(one.state, one.amount, one.intent_id) for one in found] == [(DisputeState.TAKEN, paid.paid, intent)]
    assert (await real.dispute(found[0].stripe_id)).stripe_id == found[0].stripe_id


async def test_collecting_ends_by_giving_up_and_by_payment_elsewhere(real: Gateway) -> None:
    _lost, first, customer = await _opened(real)
    _paid_elsewhere, second, _other = await _opened(real)
    assert (await real.give_up(first.stripe_id, key=f"live-{first.stripe_id}")).state is StripeState.UNCOLLECTIBLE
    closed = await real.paid_elsewhere(second.stripe_id, key=f"live-{second.stripe_id}")
    assert (closed.state, closed.paid_elsewhere.cents, closed.left.cents) == (StripeState.PAID, second.total.cents, 0)
    assert await real.unused_cash(customer) == {}


async def test_a_draft_can_be_deleted_and_is_then_gone(real: Gateway) -> None:
    mirror = _mirror()
    customer = await real.create_customer(mirror.debtor, key=f"live-{mirror.debtor.id}")
    draft = await real.create_invoice(mirror, customer_id=customer, key=f"live-{mirror.invoice_id}")
    await real.delete_draft(draft.stripe_id)
    assert await real.invoice(draft.stripe_id) is None
