"""Signed Stripe events over HTTP against an endpoint that inserts one row and checks nothing, under the same server settings."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import time
from typing import TYPE_CHECKING

import msgspec

from marketplace.bench import common
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GATE = 0.8
SENDERS = 16
_OK = 200
_numbers = itertools.count(1)


class WebhookBench(msgspec.Struct, frozen=True):
    """Events a second; ``lost`` are those that were answered 200 and are not in the inbox."""

    events: common.Ratio
    lost: int
    gate: float
    passed: bool


async def run(*, seconds: float = 3, rounds: int = 6) -> WebhookBench:
    """Measure on a database of its own."""
    async with common.database() as dsn:
        await db.execute("CREATE TABLE bare_row (id uuid PRIMARY KEY, payload jsonb NOT NULL)")
        with common.web(dsn) as shop, common.web(dsn, ("-m", "marketplace.bench.bare")) as bare:
            await shop.ready("/livez")
            await bare.ready("/plain")
            kept: list[int] = []
            ours, other = _sender(shop.port, "/stripe/webhook", kept), _sender(bare.port, "/row", [])
            events = await common.compare(ours, other, workers=SENDERS, seconds=seconds, rounds=rounds, ok=_OK)
        lost = len(kept) - int(await db.value("SELECT count(*) FROM stripe_event"))
    return WebhookBench(events=events, lost=lost, gate=GATE, passed=events.ratio >= GATE and lost == 0)


def _sender(port: int, path: str, kept: list[int]) -> Callable[[int], Awaitable[int]]:
    clients = [common.Client(port) for _sender in range(SENDERS)]

    async def step(worker: int) -> int:
        number = next(_numbers)
        body = _event(number)
        headers = {"Content_Type": "application/json", "Stripe_Signature": _signature(body)}
        status, _answer = await clients[worker].send(common.request("POST", path, body, **headers))
        if status == _OK:
            kept.append(number)
        return status

    return step


def _event(number: int) -> bytes:
    """Return an event as Stripe sends it, with an invoice inside."""
    invoice = {
        "id": f"in_{number:024d}", "object": "invoice", "customer": "cus_bench", "status": "paid", "amount_paid": 69500, "currency": "eur",
        "lines": {"object": "list", "data": [{"id": f"il_{at}", "description": "Dutch for newcomers", "amount": 69500} for at in range(5)]},
    }  # fmt: skip
    event = {
        "id": f"evt_{number:024d}", "object": "event", "type": "invoice.paid", "created": int(time.time()), "livemode": False,
        "api_version": "2026-05-27", "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}, "data": {"object": invoice},
    }  # fmt: skip
    return msgspec.json.encode(event)


def _signature(body: bytes) -> str:
    now = int(time.time())
    signed = hmac.new(common.WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={signed}"
