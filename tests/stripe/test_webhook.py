"""Events arrive: signed, once, in any order, at any time; what they lead to is the same."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from billing.sandbox import endpoints
from billing.sandbox.invoice_shapes import visible
from marketplace.kit import db, work
from tests.builders.billing import an_invoice
from tests.stripe.conftest import KEY, SECRET, served
from tests.stripe.test_mirror import copy, pay, standing

if TYPE_CHECKING:
    from datetime import datetime

    from litestar import Litestar

    from billing.stripe_gateway import Gateway
    from marketplace.kit.clock import FakeClock

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
_numbers = itertools.count(1)


def event(kind: str = "invoice.paid", *, at: int = 1_795_000_000) -> bytes:
    """Return an event about an invoice that nobody has."""
    body = {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "type": kind,
        "created": at,
        "data": {"object": {"id": "in_x", "object": "invoice"}},
    }
    return msgspec.json.encode(body)


async def send(client: httpx.AsyncClient, body: bytes, *, at: datetime, secret: str = SECRET) -> httpx.Response:
    """Post a signed event."""
    headers = {"stripe-signature": endpoints.signature(body, secret, at=at), "content-type": "application/json"}
    return await client.post("/stripe/webhook", content=body, headers=headers)


async def queued() -> int:
    """Return how many events wait for the worker."""
    return int(await db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.stripe_event'"))


async def test_a_signed_event_is_kept_once_and_queued_once(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    body = event()
    for _ in range(3):
        assert (await send(client, body, at=now)).status_code == 200
    assert (await db.value("SELECT count(*) FROM stripe_event"), await queued()) == (1, 1)


async def test_an_event_that_tells_nothing_is_kept_without_work(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    assert (await send(client, event("customer.updated"), at=now)).status_code == 200
    assert (await db.value("SELECT state FROM stripe_event"), await queued()) == ("ignored", 0)


@pytest.mark.parametrize(("away", "status"), [(-301, 400), (-299, 200), (299, 200), (301, 400)])
async def test_the_signature_counts_for_five_minutes_either_way(
    client: httpx.AsyncClient, stripe: Gateway, clock: FakeClock, away: int, status: int
) -> None:
    assert (await send(client, event(), at=clock.now() + timedelta(seconds=away))).status_code == status


@pytest.mark.parametrize(
    "header", ["", "t=1,v1=x", "nonsense", "t=,v1=", "v1=abc", "t=9999999999999999999999,v1=00", f"t={'9' * 5_000},v1=00"]
)
async def test_a_forged_event_is_refused_as_a_problem(client: httpx.AsyncClient, stripe: Gateway, header: str) -> None:
    answer = await client.post("/stripe/webhook", content=event(), headers={"stripe-signature": header})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0], answer.json()["code"]) == (
        400,
        "application/problem+json",
        "bad_signature",
    )
    assert await db.value("SELECT count(*) FROM stripe_event") == 0


async def test_the_door_answers_without_page_or_cookie_and_only_a_post(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    answer = await send(client, event(), at=now)
    assert (answer.json(), answer.headers["cache-control"], "set-cookie" in answer.headers) == ({"received": True}, "no-store", False)
    assert (await client.get("/stripe/webhook")).status_code == 405


async def test_one_of_several_signatures_is_enough(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    body = event()
    fits = endpoints.signature(body, SECRET, at=now)
    header = fits.replace("v1=", f"v1={'0' * 64},v1=") + ",v0=old"
    assert (await client.post("/stripe/webhook", content=body, headers={"stripe-signature": header})).status_code == 200


async def test_another_secret_or_a_changed_byte_is_refused(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    body = event()
    assert (await send(client, body, at=now, secret="whsec_other")).status_code == 400
    headers = {"stripe-signature": endpoints.signature(body, SECRET, at=now)}
    assert (await client.post("/stripe/webhook", content=body.replace(b"paid", b"Paid"), headers=headers)).status_code == 400


async def test_signed_nonsense_is_refused_and_too_much_is_413(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    for body in (b"", b"[]", b"{}", b"null", b'{"id": 1, "type": "x"}', b"\xff\xfe"):
        assert (await send(client, body, at=now)).status_code == 400
    assert (await send(client, b"x" * 1_000_001, at=now)).status_code == 413


async def test_without_a_secret_nothing_is_believed(client: httpx.AsyncClient, now: datetime) -> None:
    assert (await send(client, event(), at=now, secret="")).status_code == 400


async def test_events_three_times_and_shuffled_lead_to_one_payment(client: httpx.AsyncClient, stripe: Gateway, now: datetime) -> None:
    invoice_id = await an_invoice()
    await copy(invoice_id, now)
    await pay(invoice_id)
    told = [
        msgspec.json.encode(visible(row["body"]))
        for row in await db.records("SELECT body FROM sandbox_object WHERE kind = 'event' ORDER BY seq")
    ]
    for body in told[::-1] + told[::2] + told[1::2]:
        assert (await send(client, body, at=now)).status_code == 200
    for item in await work.claim(now, limit=500):
        if item.kind == "billing.stripe_event":
            assert await work.perform(item, now=now)
    assert await standing(invoice_id) == ("paid", 64_500)
    assert await db.value("SELECT count(*) FROM payment WHERE invoice_id = $1", invoice_id) == 1


async def test_the_same_event_at_the_same_time_is_one(committed: str, app: Litestar, stripe_settings: None, now: datetime) -> None:
    body = event()
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        answers = await asyncio.gather(*(send(client, body, at=now) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await db.value("SELECT count(*) FROM stripe_event"), await queued()) == (1, 1)


async def test_one_event_that_cannot_be_kept_does_not_refuse_its_neighbours(
    committed: str, app: Litestar, stripe_settings: None, now: datetime
) -> None:
    bodies = [event() for _ in range(30)]
    poison = bodies[7].replace(b'"in_x"', b'"in_\\u0000"')
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        answers = await asyncio.gather(*(send(client, body, at=now) for body in [*bodies[:7], poison, *bodies[8:]]))
    assert [answer.status_code for answer in answers].count(200) == 29
    assert answers[7].status_code >= 400
    assert (await db.value("SELECT count(*) FROM stripe_event"), await queued()) == (29, 29)


async def test_the_sandbox_delivers_signs_and_repeats_until_it_is_accepted(live_sandbox: str, app: Litestar, clock: FakeClock) -> None:
    async with httpx.AsyncClient() as client:
        await endpoints.ensure_endpoint("http://127.0.0.1:9/stripe/webhook", secret=SECRET, now=clock.now())
        made = await client.post(f"{live_sandbox}/v1/customers", data={"name": "A"}, headers={"authorization": f"Bearer {KEY}"})
        assert made.status_code == 200
        assert await endpoints.deliver_due(client) == 1
        assert await endpoints.deliver_due(client) == 0
        assert await db.value("SELECT state || attempts FROM sandbox_delivery") == "waiting1"
        async with served(app) as base:
            await db.execute(
                "UPDATE sandbox_object SET body = jsonb_set(body, '{url}', to_jsonb($1::text)) WHERE kind = 'webhook_endpoint'",
                f"{base}/stripe/webhook",
            )
            clock.move(timedelta(seconds=2))
            assert await endpoints.deliver_due(client) == 1
        assert await db.value("SELECT state || last_answer FROM sandbox_delivery") == "delivered200"
        assert await db.value("SELECT type FROM stripe_event") == "customer.created"


async def test_starting_again_elsewhere_moves_the_shops_endpoint(stripe: Gateway, now: datetime) -> None:
    first = await endpoints.ensure_endpoint("http://127.0.0.1:8000/stripe/webhook", secret=SECRET, now=now)
    assert await endpoints.ensure_endpoint("http://127.0.0.1:8000/stripe/webhook", secret=SECRET, now=now) == first
    assert await endpoints.ensure_endpoint("http://127.0.0.1:9000/stripe/webhook", secret=SECRET, now=now) != first
    assert len([found async for found in endpoints._endpoints()]) == 1
