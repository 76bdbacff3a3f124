"""The wire of the sandbox's API: raw ASGI, because some faults break the connection on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from litestar import asgi
from litestar.enums import ScopeType

from billing.sandbox.gate import Answer, Request, answer
from billing.sandbox.wire import API_VERSION

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Scope, Send

MAX_BODY = 1_000_000


class ConnectionDropped(ConnectionResetError):
    """Raised after half an answer, so that the server closes the connection: the caller never learns the outcome."""


@asgi("/v1", is_mount=True, copy_scope=True, opt={"access": "public"})
async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one API request."""
    if scope["type"] != ScopeType.HTTP:
        return
    body = bytearray()
    more = True
    while more and len(body) <= MAX_BODY:
        message: Any = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    http: HTTPScope = scope
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in http["headers"]}
    path = "/v1/" + http["path"].strip("/").removeprefix("v1/")
    raw = bytes(body) if http["method"] == "POST" else http["query_string"]
    form = raw.decode("utf-8", "replace").replace("\x00", "%00")
    base = f"{http['scheme']}://{headers.get('host', '127.0.0.1')}"
    result = await answer(Request(method=http["method"], path=path, form=form, headers=headers, base=base))
    if result.hang_seconds:
        await asyncio.sleep(result.hang_seconds)
    await _send(result, send)


async def _send(result: Answer, send: Send) -> None:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(result.body)),
        "request-id": result.request_id,
        "stripe-version": API_VERSION,
    }
    if result.key:
        headers["idempotency-key"] = result.key
    if result.replayed:
        headers["idempotent-replayed"] = "true"
    if result.status == 429:
        headers["retry-after"] = "1"
    if result.drop:
        headers["content-length"] = str(len(result.body) + 1)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": result.status, "headers": raw})
    if result.drop:
        message = "the sandbox was asked to drop this connection"
        raise ConnectionDropped(message)
    await send({"type": "http.response.body", "body": result.body, "more_body": False})
