"""Money that isn't for our invoice: a duplicate made in Stripe's dashboard, and another currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from billing import inbox
from billing.projection import project
from billing.stripe_shapes import METADATA_KEY
from billing.vat import VatBasis
from marketplace.kit import db
from marketplace.kit.money import Money
from tests.builders.billing import an_invoice
from tests.stripe.test_mirror import copy, pay, standing

if TYPE_CHECKING:
    from datetime import datetime

    from billing.stripe_gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_duplicate_with_our_metadata_does_not_pay_our_invoice(stripe: Gateway, raw: httpx.AsyncClient, now: datetime) -> None:
    invoice_id = await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    await copy(invoice_id, now)
    customer = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = 'customer'")
    body = {"customer": customer, "collection_method": "send_invoice", "days_until_due": "30", f"metadata[{METADATA_KEY}]": str(invoice_id)}
    twin = (await raw.post("/v1/invoices", data=body)).json()["id"]
    assert await inbox.refresh(twin, now=now) is False
    ours = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = 'invoice' AND our_id = $1", invoice_id)
    assert await inbox.refresh(ours, now=now) is True


async def test_another_currency_counts_for_nothing_and_is_kept_as_a_difference(stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    await copy(invoice_id, now)
    await pay(invoice_id)
    ours = await db.value("SELECT stripe_id FROM stripe_link WHERE kind = 'invoice' AND our_id = $1", invoice_id)
    paid = await stripe.invoice(ours)
    assert paid is not None
    dollars = tuple(msgspec.structs.replace(one, paid=Money(one.paid.cents, "USD")) for one in paid.payments)
    await project(invoice_id, msgspec.structs.replace(paid, total=Money(paid.total.cents, "USD"), payments=dollars), now=now)
    assert await standing(invoice_id) == ("open", 0)
    assert await db.value("SELECT count(*) FROM audit_entry WHERE event = 'invoice.differs'") == 1
