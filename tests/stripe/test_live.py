"""The same chain against Stripe itself, when STRIPE_TEST_KEY is set: ``STRIPE_TEST_KEY=sk_test_… pytest -m stripe_live``.

It makes a customer and an invoice in that test account, voids the invoice, and checks what the sandbox claims.
"""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
import pytest_asyncio

from billing.stripe_gateway import Gateway, GatewayError
from billing.stripe_port import InvoiceMirror, MirrorDebtor, MirrorLine, StripeState
from marketplace.kit import ids

KEY = os.environ.get("STRIPE_TEST_KEY", "")
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.stripe_live,
    pytest.mark.skipif(not KEY.startswith("sk_test_"), reason="STRIPE_TEST_KEY is not set to a test key"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def real() -> Gateway:
    """Give a gateway to Stripe."""
    return Gateway(api_key=KEY)


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
