"""Events: made with what they tell, in the same transaction, and queued for every endpoint that wants them."""

from __future__ import annotations

from billing.sandbox import store
from billing.sandbox.invoice_shapes import visible
from billing.sandbox.operations import Call, operation
from billing.sandbox.wire import API_VERSION, Json, TimedListParams
from marketplace.kit import clock, db
from marketplace.kit.ids import new_id as row_id


class ListEvents(TimedListParams, kw_only=True):
    """Filters of the event list."""

    type: str | None = None
    types: list[str] | None = None
    delivery_success: bool | None = None


async def emit(call: Call, kind: str, subject: Json, previous: Json | None = None) -> None:
    """Record that something happened to ``subject`` and queue it for the endpoints."""
    data: Json = {"object": visible(subject)}
    if previous is not None:
        data["previous_attributes"] = previous
    endpoints = [
        endpoint["id"]
        for endpoint in await all_endpoints()
        if endpoint["status"] == "enabled" and {"*", kind} & set(endpoint["enabled_events"])
    ]
    event = {
        "id": store.new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": call.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": call.request_id, "idempotency_key": call.key},
        "type": kind,
    }
    await store.put(event)
    sql = "INSERT INTO sandbox_delivery (id, event_id, endpoint_id, state, attempts, next_at) VALUES ($1, $2, $3, 'waiting', 0, $4)"
    for endpoint_id in endpoints:
        await db.execute(sql, row_id(), event["id"], endpoint_id, clock.now())


async def all_endpoints() -> list[Json]:
    """Return every webhook endpoint, oldest first."""
    found = await db.records("SELECT body FROM sandbox_object WHERE kind = 'webhook_endpoint' ORDER BY seq")
    return [row["body"] for row in found]


@operation("events.list", "GET /v1/events", ListEvents)
async def list_events(call: Call, params: ListEvents) -> Json:  # noqa: ARG001 - the port's shape
    """Return events, newest first."""
    types = params.types or ([params.type] if params.type else None)
    return await store.page("event", params, url="/v1/events", types=types)


@operation("events.retrieve", "GET /v1/events/{id}")
async def retrieve_event(call: Call, params: object, event_id: str) -> Json:  # noqa: ARG001 - the port's shape
    """Return one event."""
    return await store.get("event", event_id)
