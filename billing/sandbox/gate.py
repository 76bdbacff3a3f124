"""What every API request passes: key, faults, idempotency, parameters, the operation, the record of the call.

One request is one transaction. A second request with the same key waits for the first (they insert the same row) and then
gets its answer again.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.sandbox import charges, credit_notes, customers, disputes, endpoints, invoices, payments, refunds, store  # noqa: F401 - they register operations
from billing.sandbox.invoice_shapes import visible
from billing.sandbox.operations import Call, Operation, match
from billing.sandbox.wire import API_VERSION, Json, Refusal, decode_form, read
from marketplace.kit import clock, db

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT_CALLS = 1_000
_KEYS_LIVE = timedelta(hours=24)


class Fault(msgspec.Struct, frozen=True):
    """How this call misbehaves."""

    id: UUID
    kind: str
    seconds: int


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An API request as it arrived. ``form`` is the body, or the query of a GET."""

    method: str
    path: str
    form: str
    headers: dict[str, str]
    base: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and what becomes of it on the wire: ``drop`` closes the connection, ``hang_seconds`` waits first."""

    status: int
    body: bytes
    request_id: str
    key: str | None = None
    replayed: bool = False
    drop: bool = False
    hang_seconds: int = 0


async def answer(request: Request) -> Answer:
    """Answer an API request as Stripe would, whatever the caller did wrong."""
    request_id = store.new_id("req")
    found = match(request.method, request.path)
    fault = await _next_fault(found[0].name if found else "")
    result = await _settle(request, request_id, found, fault)
    await _record(request, found[0].name if found else "unknown", result)
    return result


async def _settle(request: Request, request_id: str, found: tuple[Operation, tuple[str, ...]] | None, fault: Fault | None) -> Answer:
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    refused = {
        "429": Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit"),
        "409": Refusal(
            409, "There is currently another in-progress request using this key.", code="idempotency_key_in_use", kind="idempotency_error"
        ),
    }
    try:
        _check_key(request.headers)
        if found is None:
            raise Refusal(404, f"Unrecognized request URL ({request.method}: {request.path}).")  # noqa: TRY301 - one road for refusals
        if fault and fault.kind in refused:
            raise refused[fault.kind]
        if fault and fault.kind == "timeout":
            return Answer(status=504, body=b"", request_id=request_id, drop=True, hang_seconds=fault.seconds or 30)
        status, body, replayed = await _once(request, request_id, key, *found, fault)
    except Refusal as refusal:
        body = msgspec.json.encode(refusal.body)
        return Answer(status=refusal.status, body=body, request_id=request_id, key=key)
    wait = (fault.seconds or 2) if fault and fault.kind == "slow" else 0
    lost = bool(fault and fault.kind == "lost_reply")
    return Answer(status=status, body=body, request_id=request_id, key=key, replayed=replayed, drop=lost, hang_seconds=wait)


def _check_key(headers: Mapping[str, str]) -> None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        value = base64.b64decode(value + "==").decode(errors="replace").partition(":")[0]
    if not value:
        raise Refusal(401, "You did not provide an API key: send it as Authorization: Bearer sk_test_….")
    if not value.startswith(("sk_test_", "rk_test_")):
        raise Refusal(401, f"Invalid API Key provided: {value[:8]}****. This is a sandbox: only test keys work here.")
    version = headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise Refusal(400, f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION}.")


async def _once(
    request: Request, request_id: str, key: str | None, found: Operation, ids: tuple[str, ...], fault: Fault | None
) -> tuple[int, bytes, bool]:
    """Run the operation in one transaction, or give the answer that its idempotency key had before."""
    async with db.atomic():
        if key is not None:
            before = await _claim(key, request)
            if before is not None:
                return before[0], before[1].encode(), True
        if fault and fault.kind == "500":
            status, body = 500, _broken()
        else:
            status, body = 200, await _run(request, request_id, key, found, ids)
            if fault and fault.kind == "500_done":
                status, body = 500, _broken()
        if key is not None:
            await db.execute("UPDATE sandbox_key SET status = $2, body = $3 WHERE key = $1", key, status, body.decode())
        return status, body, False


def _broken() -> bytes:
    refusal = Refusal(500, "An unknown error occurred", kind="api_error")
    return msgspec.json.encode(refusal.body)


class _Before(msgspec.Struct):
    fingerprint: str
    status: int
    body: str


async def _claim(key: str, request: Request) -> tuple[int, str] | None:
    fingerprint = hashlib.sha256(f"{request.method} {request.path}\n{request.form}".encode()).hexdigest()
    sql = "INSERT INTO sandbox_key (key, fingerprint, status, body, created_at) VALUES ($1, $2, 0, '', $3) ON CONFLICT DO NOTHING"
    at = await store.now()
    await db.execute("DELETE FROM sandbox_key WHERE key = $1 AND created_at < $2", key, at - _KEYS_LIVE)
    if await db.execute(sql, key, fingerprint, at):
        return None
    before = await db.row(_Before, "SELECT fingerprint, status, body FROM sandbox_key WHERE key = $1", key)
    if before is None or before.fingerprint != fingerprint:
        sentence = f"Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
        raise Refusal(400, sentence, kind="idempotency_error")
    return before.status, before.body


async def _run(request: Request, request_id: str, key: str | None, found: Operation, ids: tuple[str, ...]) -> bytes:
    params = read(found.params, decode_form(request.form))
    now = int((await store.now()).timestamp())
    call = Call(now=now, request_id=request_id, key=key, base=request.base, operation=found.name)
    body: Json = await found.run(call, params, *ids)
    return msgspec.json.encode(visible(await store.expanded(copy.deepcopy(body), params.expand)))


async def _next_fault(name: str) -> Fault | None:
    sql = """
        UPDATE sandbox_fault SET remaining = remaining - 1 WHERE id = (
            SELECT id FROM sandbox_fault WHERE remaining > 0 AND operation IN ($1, '*') ORDER BY created_at, id LIMIT 1 FOR UPDATE)
        RETURNING id, kind, seconds
    """
    return await db.row(Fault, sql, name)


async def _record(request: Request, name: str, result: Answer) -> None:
    sql = "INSERT INTO sandbox_call (operation, method, path, form, key, status, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING seq"
    at = clock.now()
    seq = await db.value(sql, name, request.method, request.path, request.form, result.key, result.status, result.body.decode(), at)
    await db.execute("DELETE FROM sandbox_call WHERE seq <= $1", seq - _KEPT_CALLS)
