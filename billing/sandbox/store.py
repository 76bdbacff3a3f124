"""The sandbox's objects in PostgreSQL, its clock, and expansion of ids into objects."""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing.sandbox.wire import Json, ListParams, Refusal, TimedListParams, missing
from marketplace.kit import clock, db

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALPHABET = string.ascii_letters + string.digits
# Which fields hold the id of which kind of object.
EXPANDABLE = {
    "charge": "charge",
    "customer": "customer",
    "invoice": "invoice",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "refund": "refund",
}


class _Row(msgspec.Struct):
    body: Json
    seq: int


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``in_1Qx…``."""
    return f"{prefix}_1{''.join(secrets.choice(_ALPHABET) for _ in range(23))}"


async def now() -> datetime:
    """Return the sandbox's present instant: ours plus what its clock was advanced."""
    ahead = await db.value("SELECT ahead_seconds FROM sandbox_clock")
    return clock.now() + timedelta(seconds=ahead or 0)


async def advance(seconds: int) -> None:
    """Move the sandbox's clock forward."""
    sql = "INSERT INTO sandbox_clock (id, ahead_seconds) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET ahead_seconds = sandbox_clock.ahead_seconds + $1"
    await db.execute(sql, seconds)


async def put(body: Json, *, parent: str | None = None, lookup: str | None = None) -> Json:
    """Insert an object and return it."""
    sql = "INSERT INTO sandbox_object (id, kind, parent, lookup, body) VALUES ($1, $2, $3, $4, $5)"
    await db.execute(sql, body["id"], body["object"], parent, lookup, body)
    return body


async def save(body: Json) -> Json:
    """Write an object's new state and return it."""
    await db.execute("UPDATE sandbox_object SET body = $2 WHERE id = $1", body["id"], body)
    return body


async def drop(object_id: str) -> None:
    """Delete an object."""
    await db.execute("DELETE FROM sandbox_object WHERE id = $1", object_id)


async def find(kind: str, object_id: str, *, lock: bool = False) -> Json | None:
    """Return an object or None; with ``lock``, nobody else changes it until the transaction ends."""
    tail = " FOR UPDATE" if lock else ""
    found = await db.row(_Row, f"SELECT body, seq FROM sandbox_object WHERE id = $1 AND kind = $2{tail}", object_id, kind)  # noqa: S608 - the values are arguments
    return found.body if found else None


async def get(kind: str, object_id: str, *, lock: bool = False, param: str = "id") -> Json:
    """Return an object. Raises ``Refusal`` (404; 400 when it is named in a parameter)."""
    found = await find(kind, object_id, lock=lock)
    if found is None:
        raise missing(kind, object_id, param=param)
    return found


async def by_lookup(kind: str, lookup: str, *, lock: bool = False) -> Json | None:
    """Return the object that carries a look-up word (an invoice's page token), or None."""
    tail = " FOR UPDATE" if lock else ""
    found = await db.row(_Row, f"SELECT body, seq FROM sandbox_object WHERE kind = $1 AND lookup = $2{tail}", kind, lookup)  # noqa: S608 - the values are arguments
    return found.body if found else None


async def children(kind: str, parent: str) -> list[Json]:
    """Return what belongs to an object, oldest first."""
    found = await db.rows(_Row, "SELECT body, seq FROM sandbox_object WHERE kind = $1 AND parent = $2 ORDER BY seq", kind, parent)
    return [row.body for row in found]


async def page(
    kind: str,
    params: ListParams,
    *,
    url: str,
    where: dict[str, str | None] | None = None,
    types: list[str] | None = None,
) -> Json:
    """Return a list object, newest first; ``where`` compares top-level fields, ``created`` comes with the parameters."""
    if not 1 <= params.limit <= 100:
        raise Refusal(400, "Invalid limit: must be between 1 and 100", code="parameter_invalid_integer", param="limit")
    args: list[object] = [kind]
    terms = ["kind = $1"]

    def term(text: str, value: object) -> None:
        args.append(value)
        terms.append(text.format(f"${len(args)}"))

    for field, value in (where or {}).items():
        if value is not None:
            term(f"body->>'{field}' = {{}}", value)
    for sign, bound in _bounds(params):
        term(f"(body->>'created')::bigint {sign} {{}}", bound)
    if types:
        term("body->>'type' = ANY({}::text[])", types)
    if params.starting_after:
        term("seq < {}", await _position(kind, params.starting_after, "starting_after"))
    if params.ending_before:
        term("seq > {}", await _position(kind, params.ending_before, "ending_before"))
    order = "ASC" if params.ending_before else "DESC"
    sql = f"SELECT body, seq FROM sandbox_object WHERE {' AND '.join(terms)} ORDER BY seq {order} LIMIT {params.limit + 1}"  # noqa: S608 - the values are arguments
    found = await db.rows(_Row, sql, *args)
    kept = found[: params.limit]
    if params.ending_before:
        kept.reverse()
    return {"object": "list", "url": url, "has_more": len(found) > params.limit, "data": [row.body for row in kept]}


def _bounds(params: ListParams) -> list[tuple[str, int]]:
    """Return the range of creation times that was asked for, as comparisons."""
    if not isinstance(params, TimedListParams) or params.created is None:
        return []
    given = params.created
    pairs = ((">=", given.gte), (">", given.gt), ("<=", given.lte), ("<", given.lt))
    return [(sign, bound) for sign, bound in pairs if bound is not None]


def slice_of(lines: list[Json], params: ListParams, *, url: str) -> Json:
    """Return a page of lines that are kept inside their object, in their order."""
    ids = [line["id"] for line in lines]
    start = ids.index(params.starting_after) + 1 if params.starting_after in ids else 0
    rest = lines[start:]
    return {"object": "list", "url": url, "has_more": len(rest) > params.limit, "data": rest[: params.limit]}


async def _position(kind: str, object_id: str, param: str) -> int:
    found = await db.value("SELECT seq FROM sandbox_object WHERE id = $1 AND kind = $2", object_id, kind)
    if found is None:
        raise missing(kind, object_id, param=param)
    return int(found)


async def expanded(body: Json, paths: Iterable[str]) -> Json:
    """Return the object with ids along the paths replaced by what they stand for. Raises ``Refusal`` for other paths."""
    for path in paths:
        await _expand(body, path.split("."), path)
    return body


async def _expand(here: object, keys: list[str], path: str) -> None:
    if isinstance(here, list):
        for item in here:
            await _expand(item, keys, path)
        return
    if not keys or here is None:
        return
    key, *rest = keys
    if not isinstance(here, dict) or key not in here:
        if isinstance(here, dict) and key == "payments" and here.get("object") == "invoice":
            here[key] = await payments_of(here["id"])
        elif isinstance(here, dict) and key in EXPANDABLE:
            return
        else:
            raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
    if isinstance(here[key], str) and key in EXPANDABLE:
        here[key] = await find(EXPANDABLE[key], here[key]) or here[key]
    await _expand(here[key], rest, path)


async def payments_of(invoice_id: str) -> Json:
    """Return an invoice's payments as the list object that ``expand=payments`` shows."""
    data = await children("invoice_payment", invoice_id)
    return {"object": "list", "url": f"/v1/invoice_payments?invoice={invoice_id}", "has_more": False, "data": data}
