"""Where Stripe's events arrive. The signature is checked on the raw bytes, the event is kept, and that is all."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, post

from billing import inbox
from billing.stripe_gateway import BadSignature, verify
from billing.stripe_shapes import event_ref
from marketplace.kit import clock
from marketplace.kit.settings import settings

MAX_BYTES = 1_000_000
_OK = b'{"received":true}'


def _problem(status: int, code: str, title: str) -> Response[bytes]:
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": title}
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/problem+json")


@post("/stripe/webhook", status_code=200, request_max_body_size=None, opt={"access": "public", "csrf": "exempt"}, include_in_schema=False)
async def stripe_webhook(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Keep a signed event, once, and answer at once: 200 also for one that we have; 400 forged or old, 413 too large."""
    body = await _body(request)
    if body is None:
        return _problem(413, "too_large", "An event has at most one megabyte.")
    now = clock.now()
    try:
        verify(body, request.headers.get("stripe-signature", ""), secret=settings().stripe_webhook_secret, now=now)
        event = event_ref(msgspec.json.decode(body))
    except BadSignature:
        return _problem(400, "bad_signature", "The signature does not belong to this event, or is more than five minutes old.")
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return _problem(400, "bad_event", "This is not a Stripe event.")
    await inbox.receive(event, now=now)
    return Response(_OK, status_code=200, media_type="application/json")


async def _body(request: Request[Any, Any, Any]) -> bytes | None:
    """Return the raw bytes, or None as soon as they are more than an event can be."""
    if int(request.headers.get("content-length") or 0) > MAX_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


HANDLERS = [stripe_webhook]
