"""The stand-in's HTTP application, mounted beside the Stripe sandbox at ``/access-point``; its documents are a table.

What it does follows from the end of the receiver's id, as with HTTP's numbers: …404 isn't on the network (refused), …503 is busy,
…504 hangs for half a minute, …202 takes a minute until the receiver has it. Every other document is delivered in two seconds.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath

from billing.transport.peppol import Reply, Status
from marketplace.kit import clock, db

_HANG_SECONDS = 30
_QUICK, _SLOW = timedelta(seconds=2), timedelta(minutes=1)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it is handed over."""

    id: UUID
    sender: str
    receiver: str
    document_type: str
    process: str
    sha256: str
    content: str


class _Kept(msgspec.Struct, frozen=True):
    sender: str
    receiver: str
    content: bytes
    status: Status
    message: str
    reference: str
    final_at: datetime | None


_SELECT = "SELECT sender, receiver, content, status, message, reference, final_at FROM access_point_document WHERE id = $1"


def _refused(status: int, message: str) -> Response[dict[str, str]]:
    return Response({"message": message}, status_code=status)


def _known(request: Request[object, object, object]) -> bool:  # type: ignore[type-var]
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    return scheme == "Bearer" and bool(token)


@post("/documents")
async def take(request: Request) -> Response[Reply] | Response[dict[str, str]]:  # type: ignore[type-arg]
    """Take a document; the same id with the same bytes again is the same document, with other bytes it is refused."""
    if not _known(request):
        return _refused(401, "Send your token as Authorization: Bearer ….")
    try:
        sent = msgspec.json.decode(await request.body(), type=Sent)
        content = base64.b64decode(sent.content, validate=True)
    except (msgspec.DecodeError, msgspec.ValidationError, binascii.Error) as error:
        return _refused(400, f"The document can't be read: {error}")
    if hashlib.sha256(content).hexdigest() != sent.sha256:
        return _refused(422, "The document's bytes differ from its SHA-256.")
    if sent.receiver.endswith("503"):
        return _refused(503, "Too busy.")
    if sent.receiver.endswith("504"):
        await asyncio.sleep(_HANG_SECONDS)
    return await _keep(sent, content, now=clock.now())


async def _keep(sent: Sent, content: bytes, *, now: datetime) -> Response[Reply] | Response[dict[str, str]]:
    known = not sent.receiver.endswith("404")
    final_at = (now + (_SLOW if sent.receiver.endswith("202") else _QUICK)) if known else now
    status, message = (Status.ACCEPTED, "") if known else (Status.REJECTED, f"{sent.receiver} is not registered on the network.")
    sql = """
        INSERT INTO access_point_document (id, sender, receiver, document_type, content, status, message, reference, received_at, final_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING
    """
    args = (sent.sender, sent.receiver, sent.document_type, content, status.value, message, f"AP-{secrets.token_hex(5)}", now, final_at)
    await db.execute(sql, sent.id, *args)
    kept = await db.row(_Kept, _SELECT, sent.id)
    assert kept is not None
    if (kept.sender, kept.receiver, kept.content) != (sent.sender, sent.receiver, content):
        return _refused(409, "This id was used for another document.")
    return Response(_now(kept, now), status_code=202)


def _now(kept: _Kept, now: datetime) -> Reply:
    done = kept.status is Status.ACCEPTED and kept.final_at is not None and kept.final_at <= now
    return Reply(status=Status.DELIVERED if done else kept.status, message=kept.message, reference=kept.reference)


@get("/documents/{document_id:uuid}")
async def status(request: Request, document_id: FromPath[UUID]) -> Response[Reply] | Response[dict[str, str]]:  # type: ignore[type-arg]
    """Say what became of a document."""
    if not _known(request):
        return _refused(401, "Send your token as Authorization: Bearer ….")
    kept = await db.row(_Kept, _SELECT, document_id)
    if kept is None:
        return _refused(404, "There is no such document.")
    return Response(_now(kept, clock.now()))


access_point = Router(path="/access-point", route_handlers=[take, status])
