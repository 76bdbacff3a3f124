"""Money in the demo's past: invoices copied to the sandbox in this process and paid on its payment page.

The sandbox is the ordinary one, called without a socket. Its address is the one at which it will listen, so that the
payment links work afterwards. Where Stripe itself is set, nothing is sent there: payments then came by bank.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import msgspec

from billing import inbox, payments, states, stripe_gateway
from billing.sandbox import hosted
from billing.sandbox.app import create_sandbox
from billing.sandbox.hosted import Choice, Method, Outcome
from marketplace.kit import db, work
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from marketplace.kit.clock import FakeClock

_SOMEWHERE = "http://127.0.0.1:12111"
_ARRIVES_IN = timedelta(days=4)


@asynccontextmanager
async def sandbox() -> AsyncIterator[bool]:
    """Install a gateway to the sandbox in this process for the block; gives False, and does nothing, where Stripe is real."""
    if settings().uses_real_stripe:
        yield False
        return
    base = settings().stripe_base or _SOMEWHERE
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_sandbox(pumping=False))) as http:  # type: ignore[arg-type]
        made = stripe_gateway.Gateway(api_key=settings().stripe_api_key or "sk_test_demo", base=base, retries=0, a_second=1e6, http=http)
        stripe_gateway.install(made)
        try:
            yield True
        finally:
            stripe_gateway.install(None)


async def pay(invoice_id: UUID, method: Method, *, clock: FakeClock) -> None:
    """Pay an invoice in full on the sandbox's page, and let the shop see it; a transfer arrives some seconds later."""
    copy = await _copy(invoice_id, now=clock.now())
    if copy is None:
        await pay_by_bank(invoice_id, now=clock.now())
        return
    await hosted.pay(_token(copy.link), Choice(method=method, outcome=Outcome.OK), base=_base(copy.link))
    if method is Method.BANK_TRANSFER:
        clock.move(timedelta(seconds=5))
        await hosted.settle_due()
    await inbox.refresh(copy.stripe_id, now=clock.now())


async def pay_by_bank(invoice_id: UUID, *, now: datetime) -> None:
    """Note that an invoice was paid by ordinary transfer to our account, before it had gone to Stripe."""
    if await work.withdraw(f"billing.stripe_mirror:{invoice_id}"):
        cents = (await states.standing(invoice_id)).open_cents
        if cents <= 0:
            return
        await payments.record(
            invoice_id, source="bank", external_id=f"NL-{invoice_id}", cents=cents, method="bank_transfer", received_at=now, now=now
        )


async def leave_to_worker(invoice_id: UUID, *, run_at: datetime, now: datetime) -> None:
    """Let the ordinary worker copy an invoice to Stripe at an instant."""
    key = f"billing.stripe_mirror:{invoice_id}"
    if await work.withdraw(key):
        await work.enqueue("billing.stripe_mirror", {"invoice": str(invoice_id)}, run_at=run_at, now=now, dedupe_key=key)


async def copy_to_stripe(invoice_id: UUID, *, now: datetime) -> None:
    """Do the work of copying one invoice to the sandbox now; nothing else of that kind is due in the past."""
    await leave_to_worker(invoice_id, run_at=now, now=now)
    await work.drain(now, only=["billing.stripe_mirror"])


class _Copy(msgspec.Struct, frozen=True):
    link: str
    stripe_id: str


_COPY = """
    SELECT i.hosted_payment_url AS link, l.stripe_id
    FROM invoice i JOIN stripe_link l ON l.kind = 'invoice' AND l.our_id = i.id WHERE i.id = $1 AND i.hosted_payment_url IS NOT NULL
"""


async def _copy(invoice_id: UUID, *, now: datetime) -> _Copy | None:
    """Return an invoice's copy in the sandbox, made if need be; None where payments go to Stripe itself."""
    if settings().uses_real_stripe:
        return None
    found = await db.row(_Copy, _COPY, invoice_id)
    if found is None:
        await copy_to_stripe(invoice_id, now=now)
        found = await db.row(_Copy, _COPY, invoice_id)
    return found


async def start_transfer(invoice_id: UUID, *, clock: FakeClock) -> None:
    """Start a bank transfer that takes some days, so that the invoice shows "processing" meanwhile."""
    copy = await _copy(invoice_id, now=clock.now())
    if copy is None:
        return
    await hosted.pay(_token(copy.link), Choice(method=Method.BANK_TRANSFER, outcome=Outcome.OK), base=_base(copy.link))
    sql = "UPDATE sandbox_transfer SET due_at = $2 WHERE invoice_id = $1 AND state = 'under_way'"
    await db.execute(sql, copy.stripe_id, clock.now() + _ARRIVES_IN)
    await inbox.refresh(copy.stripe_id, now=clock.now())


def _token(link: str) -> str:
    return link.rsplit("/", 1)[-1]


def _base(link: str) -> str:
    return link.rsplit("/i/", 1)[0]
