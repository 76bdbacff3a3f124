"""Stripe's way of writing requests and refusals: nested form bodies in, error objects out. No database here."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

Json = dict[str, Any]
API_VERSION = "2026-10-28.endive"
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`(?: - at `\$(?P<at>[^`]*)`)?")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`(?: - at `\$(?P<at>[^`]*)`)?")
_AT = re.compile(r"(?P<what>.*?) - at `\$(?P<at>[^`]*)`")


class Refusal(Exception):
    """An answer of Stripe's that is not a 200."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"type": kind, "message": message}
        if code:
            self.error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param:
            self.error["param"] = param

    @property
    def body(self) -> Json:
        """The JSON answer."""
        return {"error": self.error}


class Params(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The parameters of an operation; every one may ask for expansions."""

    expand: list[str] = []


class ListParams(Params, kw_only=True):
    """The parameters of every list: newest first, ``limit`` 1–100."""

    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None


class Since(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A range of creation times, in seconds since 1970."""

    gte: int | None = None
    gt: int | None = None
    lte: int | None = None
    lt: int | None = None


class TimedListParams(ListParams, kw_only=True):
    """A list that can be narrowed by when its objects were created."""

    created: Since | None = None


P = TypeVar("P", bound=Params)


def decode_form(text: str) -> Json:
    """Return a nested form (``lines[0][amount]=5``, ``expand[]=x``) as dictionaries and lists of text."""
    root: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if "\x00" in name or "\x00" in value:
            raise Refusal(400, "Invalid string: null bytes are not allowed", param=name.partition("\x00")[0] or None)
        keys = [part.rstrip("]") for part in name.split("[")]
        _put(root, keys, value)
    return {key: _as_lists(value) for key, value in root.items()}


def _put(root: Json, keys: list[str], value: str) -> None:
    here = root
    for key in keys[:-1]:
        inner = here.setdefault(key or str(len(here)), {})
        if not isinstance(inner, dict):
            raise Refusal(400, f"Invalid parameter nesting: {keys[0]}", param=keys[0])
        here = inner
    here[keys[-1] or str(len(here))] = value


def _as_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {key: _as_lists(found) for key, found in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def read(kind: type[P], form: Json) -> P:
    """Return the parameters as a Struct. Raises ``Refusal`` the way that Stripe names what is wrong."""
    try:
        return msgspec.convert(form, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None


def _refusal(message: str) -> Refusal:
    if found := _UNKNOWN.search(message):
        name = _name(found["at"] or "", found["field"])
        return Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    if found := _MISSING.search(message):
        name = _name(found["at"] or "", found["field"])
        return Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    found = _AT.search(message)
    name = _name(found["at"], None) if found else "request"
    code = "parameter_invalid_integer" if "`int`" in message else "parameter_invalid_string_empty" if "empty" in message else None
    return Refusal(400, f"Invalid {name}: {found['what'] if found else message}", code=code, param=name)


def _name(at: str, field: str | None) -> str:
    parts = [part for part in re.split(r"[.\[\]]", at) if part]
    if field:
        parts.append(field)
    head, *rest = parts or ["request"]
    return head + "".join(f"[{part}]" for part in rest)


def missing(kind: str, object_id: str, *, param: str = "id") -> Refusal:
    """Return the refusal for an object that isn't there."""
    return Refusal(404 if param == "id" else 400, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
