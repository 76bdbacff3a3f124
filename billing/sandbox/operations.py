"""The list of operations that the sandbox answers, and what a handler is told about its call."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import msgspec

from billing.sandbox.wire import Json, Params


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: ``now`` in seconds since 1970 on the sandbox's clock, ``base`` the sandbox's own address."""

    now: int
    request_id: str | None
    key: str | None
    base: str
    operation: str


# Does an operation: the call, its parameters (a ``Params`` Struct) and the ids in its path, to the object that is answered.
Run = Callable[..., Awaitable[Json]]


class Operation(msgspec.Struct, frozen=True):
    """An operation: its name (``invoices.create``), its place and its parameters."""

    name: str
    method: str
    template: str
    pattern: re.Pattern[str]
    params: type[Params]
    run: Run


OPERATIONS: list[Operation] = []


def operation(name: str, place: str, params: type[Params] = Params) -> Callable[[Run], Run]:
    """Register the function that answers ``place`` (``POST /v1/invoices/{invoice}``)."""
    method, template = place.split(" ")
    pattern = re.compile(re.sub(r"\{\w+\}", r"([A-Za-z0-9_]+)", template) + r"\Z")

    def register(run: Run) -> Run:
        OPERATIONS.append(Operation(name, method, template, pattern, params, run))
        return run

    return register


def match(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """Return the operation at an address with the ids in it, or None. Plain addresses go before those with ids."""
    found = [(candidate, hit.groups()) for candidate in OPERATIONS if candidate.method == method and (hit := candidate.pattern.match(path))]
    return min(found, key=lambda pair: len(pair[1]), default=None)
