"""Where Stripe's events arrive. The signature is checked on the raw bytes, the event is kept, and that is all.

Machines come in by a door of their own, before routing: they have no language, no cookie and no page (see ``kit/web/doors``).
"""

from __future__ import annotations

import asyncio
import contextvars
from datetime import datetime
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.types import Receive, Scope

from billing import inbox
from billing.stripe_gateway import BadSignature, verify
from billing.stripe_port import StripeEventRef
from billing.stripe_shapes import event_ref
from marketplace.kit import clock, db
from marketplace.kit.settings import settings
from marketplace.kit.web.doors import Answer, door

MAX_BYTES = 1_000_000
MOST_TOGETHER = 50
_log = structlog.get_logger()
_OK = Answer(200, b'{"received":true}', "application/json")


def _problem(status: int, code: str, title: str) -> Answer:
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": title}
    return Answer(status, msgspec.json.encode(body), "application/problem+json")


async def _accept(scope: Scope, receive: Receive) -> Answer:
    """Keep a signed event, once, and answer at once: 200 also for one that we have; 400 forged or old, 413 too large."""
    headers = dict(scope["headers"])
    body = await _body(headers, receive)
    if body is None:
        return _problem(413, "too_large", "An event has at most one megabyte.")
    now = clock.now()
    try:
        verify(body, headers.get(b"stripe-signature", b"").decode("latin-1"), secret=settings().stripe_webhook_secret, now=now)
        event = event_ref(body)
    except BadSignature:
        return _problem(400, "bad_signature", "The signature does not belong to this event, or is more than five minutes old.")
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, OSError):
        return _problem(400, "bad_event", "This is not a Stripe event.")
    try:
        await _keep(event, now=now)
    except Exception:  # noqa: BLE001 - whatever it was, Stripe sends the event again
        _log.exception("webhook_not_kept", event=event.id)
        return _problem(503, "not_kept", "The event could not be kept; send it again.")
    return _OK


@post(
    "/stripe/webhook", status_code=200, request_max_body_size=None, include_in_schema=False,
    opt={"access": "public", "csrf": "exempt", "door": door(_accept)},
)  # fmt: skip
async def stripe_webhook(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Keep a signed event (``_accept``); by way of its door this is never reached, and answers the same."""
    made = await _accept(request.scope, request.receive)
    return Response(made.body, status_code=made.status, media_type=made.media_type)


async def _keep(event: StripeEventRef, *, now: datetime) -> None:
    if db.in_transaction():  # a test's own
        await inbox.receive([event], now=now)
        return
    await _together.add(event, now=now)


class _Together:
    """Keeps events that arrive at the same time by one statement, so that a burst costs few commits.

    Nobody waits for company: while one statement runs the next events gather, and each is answered after its commit.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[StripeEventRef, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, event: StripeEventRef, *, now: datetime) -> None:
        """Return when the event is kept; raise what keeping it raised."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, kept))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(now), context=contextvars.Context())
        await kept

    async def _run(self, now: datetime) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            try:
                await inbox.receive([event for event, _kept in batch], now=now)
            except Exception as error:  # noqa: BLE001 - each caller gets it
                await self._one_by_one(batch, error, now=now)
                continue
            for _event, kept in batch:
                if not kept.done():
                    kept.set_result(None)

    async def _one_by_one(self, batch: list[tuple[StripeEventRef, asyncio.Future[None]]], error: Exception, *, now: datetime) -> None:
        """Keep what can be kept, so that one event that can't be stored doesn't refuse its neighbours."""
        for event, kept in batch:
            failure: Exception | None = error
            if len(batch) > 1:
                try:
                    await inbox.receive([event], now=now)
                    failure = None
                except Exception as own:  # noqa: BLE001 - its caller gets it
                    failure = own
            if not kept.done():
                kept.set_exception(failure) if failure else kept.set_result(None)


_together = _Together()


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """Return the raw bytes, or None as soon as they are more than an event can be."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BYTES:
        return None
    body = bytearray()
    more = True
    while more:
        message: Any = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


HANDLERS = [stripe_webhook]
