"""Webhook endpoints, and the deliveries to them: signed, repeated with growing pauses, kept in PostgreSQL over restarts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import msgspec

from billing.sandbox import store
from billing.sandbox.invoice_shapes import visible
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import API_VERSION, Json, ListParams, Params
from marketplace.kit import clock, db

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PAUSES = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 3600, 10800, 10800)
_LEASE = timedelta(seconds=30)
_TIMEOUT_SECONDS = 10


class CreateEndpoint(Params, kw_only=True):
    """An address and the events that it wants; ``*`` is all."""

    url: str
    enabled_events: list[str]
    description: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    api_version: str | None = None


@operation("webhook_endpoints.create", "POST /v1/webhook_endpoints", CreateEndpoint)
async def create_endpoint(call: Call, params: CreateEndpoint) -> Json:
    """Register an address. Only this answer carries its secret."""
    body = endpoint(params, now=call.now, secret=f"whsec_{secrets.token_hex(24)}")
    await store.put(body)
    return {**body, "secret": body["_secret"]}


def endpoint(params: CreateEndpoint, *, now: int, secret: str) -> Json:
    """Return a new endpoint with its secret."""
    return {
        "id": store.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.api_version or API_VERSION,
        "application": None,
        "created": now,
        "description": params.description,
        "enabled_events": params.enabled_events,
        "livemode": False,
        "metadata": params.metadata,
        "status": "enabled",
        "url": params.url,
        "_secret": secret,
    }


@operation("webhook_endpoints.list", "GET /v1/webhook_endpoints", ListParams)
async def list_endpoints(call: Call, params: ListParams) -> Json:  # noqa: ARG001 - the port's shape
    """Return endpoints, newest first, without their secrets."""
    return await store.page("webhook_endpoint", params, url="/v1/webhook_endpoints")


@operation("webhook_endpoints.retrieve", "GET /v1/webhook_endpoints/{webhook_endpoint}")
async def retrieve_endpoint(call: Call, params: Params, endpoint_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return one endpoint."""
    return await store.get("webhook_endpoint", endpoint_id)


@operation("webhook_endpoints.delete", "DELETE /v1/webhook_endpoints/{webhook_endpoint}")
async def delete_endpoint(call: Call, params: Params, endpoint_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Forget an endpoint and what was still on its way to it."""
    await store.get("webhook_endpoint", endpoint_id, lock=True)
    await db.execute("DELETE FROM sandbox_delivery WHERE endpoint_id = $1 AND state = 'waiting'", endpoint_id)
    await store.drop(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def signature(payload: bytes, secret: str, *, at: datetime) -> str:
    """Return the ``Stripe-Signature`` header of a payload sent at an instant."""
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


class Delivery(msgspec.Struct, frozen=True):
    """A claimed delivery."""

    id: UUID
    event_id: str
    endpoint_id: str
    attempts: int


async def deliver_due(client: httpx.AsyncClient, *, limit: int = 20) -> int:
    """Try every delivery that is due once; return how many were tried. No transaction is open meanwhile."""
    sql = """
        UPDATE sandbox_delivery SET attempts = attempts + 1, next_at = $1 + $2::interval WHERE id IN (
            SELECT id FROM sandbox_delivery WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING id, event_id, endpoint_id, attempts
    """
    claimed = await db.rows(Delivery, sql, clock.now(), _LEASE, limit)
    for delivery in claimed:
        await _deliver(client, delivery)
    return len(claimed)


async def _deliver(client: httpx.AsyncClient, delivery: Delivery) -> None:
    event = await store.find("event", delivery.event_id)
    target = await store.find("webhook_endpoint", delivery.endpoint_id)
    if event is None or target is None:
        await _note(delivery, "failed", "the endpoint is gone")
        return
    payload = msgspec.json.encode(visible(event))
    headers = {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": signature(payload, target["_secret"], at=clock.now()),
        "user-agent": "Stripe/1.0 (sandbox)",
    }
    try:
        answer = await client.post(target["url"], content=payload, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        await _note(delivery, "waiting", type(error).__name__)
        return
    await _note(delivery, "delivered" if answer.is_success else "waiting", str(answer.status_code))


async def _note(delivery: Delivery, state: str, answer: str) -> None:
    if state == "waiting" and delivery.attempts > len(_PAUSES):
        state = "failed"
    pause = timedelta(seconds=_PAUSES[min(delivery.attempts, len(_PAUSES)) - 1])
    sql = "UPDATE sandbox_delivery SET state = $2, last_answer = $3, next_at = $4 WHERE id = $1"
    await db.execute(sql, delivery.id, state, answer, clock.now() + pause)
    if state == "delivered":
        less = "UPDATE sandbox_object SET body = jsonb_set(body, '{pending_webhooks}', to_jsonb(greatest((body->>'pending_webhooks')::int - 1, 0))) WHERE id = $1"
        await db.execute(less, delivery.event_id)


async def ensure_endpoint(url: str, *, secret: str, now: datetime) -> str:
    """Make sure that ``url`` receives every event, signed with this secret; return the endpoint's id.

    For a sandbox and an application that are started together and share the secret beforehand.
    """
    async with db.atomic():
        await db.execute("SELECT pg_advisory_xact_lock(727201, 1)")
        async for known in _endpoints():
            if known["url"] == url:
                await store.save({**known, "_secret": secret, "status": "enabled"})
                return str(known["id"])
            if (known["metadata"] or {}).get("made_by") == "marketplace up":
                await db.execute("DELETE FROM sandbox_delivery WHERE endpoint_id = $1 AND state = 'waiting'", known["id"])
                await store.drop(known["id"])
        params = CreateEndpoint(url=url, enabled_events=["*"], metadata={"made_by": "marketplace up"})
        body = await store.put(endpoint(params, now=int(now.timestamp()), secret=secret))
        return str(body["id"])


async def _endpoints() -> AsyncIterator[Json]:
    for row in await db.records("SELECT body FROM sandbox_object WHERE kind = 'webhook_endpoint' ORDER BY seq"):
        yield row["body"]
