"""The client of a Peppol access point, in the general form that such services have: JSON over HTTPS, a token, our document id.

``POST /documents`` hands a document over; the same id again is the same document. ``GET /documents/{id}`` says what became of it.
What a certain provider names otherwise is changed here and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum
from typing import Literal
from uuid import UUID

import httpx
import msgspec

from marketplace.kit.settings import settings

_KEPT = 500
_REFUSES_US = frozenset({401, 403})
_BUSY = frozenset({429, 503})


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A document for the network. ``id`` is ours; parties are ``scheme:id``, as in ``0106:90000011``."""

    id: UUID
    sender: str
    receiver: str
    document_type: str
    process: str
    content: bytes


class Status(StrEnum):
    """What became of a document: on its way, with the receiver, or refused for good."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REJECTED = "rejected"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the access point says. ``reference`` is its own number for the document."""

    status: Status
    message: str = ""
    reference: str | None = None


class Unreachable(Exception):
    """No answer that counts. ``unavailable``: it surely was not taken; ``unknown``: it may have been."""

    def __init__(self, outcome: Literal["unavailable", "unknown"], message: str) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message


class AccessPoint:
    """One access point. ``transport`` is for tests that have the other side in the same process."""

    def __init__(self, base: str, token: str, *, timeout_seconds: float = 20, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._timeout = timeout_seconds
        self._transport = transport

    async def send(self, package: Package) -> Reply:
        """Hand a document over. Raises ``Unreachable``."""
        answer = await self._call("POST", "/documents", json=body(package), headers={"Idempotency-Key": str(package.id)})
        return _read(answer)

    async def status(self, document_id: UUID) -> Reply | None:
        """Return what became of a document, None when it never arrived there. Raises ``Unreachable``."""
        answer = await self._call("GET", f"/documents/{document_id}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else _read(answer)

    async def _call(self, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
        try:
            async with httpx.AsyncClient(timeout=self._timeout, transport=self._transport, follow_redirects=False) as client:
                return await client.request(method, f"{self._base}{path}", json=json, headers={**self._headers, **(headers or {})})
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable("unavailable", f"It could not be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise Unreachable("unknown", f"It gave no answer: {type(error).__name__}") from error


def body(package: Package) -> dict[str, object]:
    """Return a package as it goes over the wire."""
    return {
        "id": str(package.id),
        "sender": package.sender,
        "receiver": package.receiver,
        "document_type": package.document_type,
        "process": package.process,
        "sha256": hashlib.sha256(package.content).hexdigest(),
        "content": base64.b64encode(package.content).decode(),
    }


class _Said(msgspec.Struct, frozen=True):
    status: Status
    message: str = ""
    reference: str | None = None


def _read(answer: httpx.Response) -> Reply:
    code = answer.status_code
    if code in _REFUSES_US:
        raise Unreachable("unavailable", f"It does not accept our token (HTTP {code}).")
    if code in _BUSY:
        raise Unreachable("unavailable", f"It is busy (HTTP {code}).")
    if code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unreachable("unknown", f"It failed (HTTP {code}).")
    if code >= httpx.codes.BAD_REQUEST:
        return Reply(status=Status.REJECTED, message=_message(answer) or f"HTTP {code}")
    try:
        said = msgspec.json.decode(answer.content, type=_Said)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Unreachable("unknown", f"Its answer can't be read (HTTP {code}).") from error
    return Reply(status=said.status, message=said.message[:_KEPT], reference=said.reference)


def _message(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    return str(said.get("message", ""))[:_KEPT] if isinstance(said, dict) else ""


def chosen() -> AccessPoint | None:
    """Return the access point of the settings, None when there is none."""
    own = settings()
    base, token = own.access_point
    return AccessPoint(base, token, timeout_seconds=own.peppol_timeout) if base else None
