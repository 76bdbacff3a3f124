"""The description of the API at ``/api/openapi.json`` and its documentation page, which works offline.

Litestar writes the description from the handlers' types; the error answers that every operation can give are added here,
because the guard and the error mapping give them, not the handlers.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import litestar_offline_docs
import msgspec
from litestar import Litestar, Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath

from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.web import pages
from marketplace.kit.web.types import Html, WebRequest

_ASSETS = Path(litestar_offline_docs.__file__).parent / "static"
_SERVED = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "start.js": "text/javascript"}
_START = (
    b"""SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null, tryItOutEnabled: true});\n"""
)
_ERRORS = {
    "400": "The request can't be read, or a value has the wrong form.",
    "401": "There is no valid token.",
    "403": "The token's role does not allow this.",
    "404": "There is no such thing, or it is somebody else's.",
    "409": "The present state does not allow this; `code` says why.",
    "413": "More was sent than is read.",
    "422": "Something that was filled in can't be used; `fields` says what.",
    "429": "Too many requests; try again after `Retry-After` seconds.",
    "500": "Something broke on our side.",
    "503": "The database can't be reached for a moment.",
}
_PROBLEM = {
    "type": "object",
    "description": "An error answer (RFC 9457). `code` is stable; `detail` is a sentence for people.",
    "required": ["status", "code", "title", "detail"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "next_step": {"type": ["string", "null"]},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def config() -> OpenAPIConfig:
    """Return what Litestar needs to know to describe the API."""
    return OpenAPIConfig(
        title="Expat Centre Leiden: programmes API",
        version="1",
        description="Programmes, people, orders, scheduled enrolments and invoices of your company.",
        use_handler_docstrings=True,
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
    )


def describe(api: list[Any], dependencies: dict[str, Any]) -> bytes:
    """Return the description of these handlers as JSON, mounted under ``/api/v1``."""
    router = Router("/api/v1", route_handlers=api, security=[{"bearer": []}])
    alone = Litestar(route_handlers=[router], dependencies=dependencies, openapi_config=config(), logging_config=None)
    schema = copy.deepcopy(alone.openapi_schema.to_schema())
    schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, documents in _documents(alone).items():
        schema["paths"] |= {
            path + ending: _as_document(schema["paths"][path]["get"], ending, media_type) for ending, media_type in documents.items()
        }
    for item in (schema.get("paths") or {}).values():
        for operation in item.values():
            if isinstance(operation, dict):
                _complete(operation)
    return msgspec.json.encode(schema)


def _documents(app: Litestar) -> dict[str, dict[str, str]]:
    """Return which addresses also answer with a stored document, by the ending that is put behind them."""
    found: dict[str, dict[str, str]] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "documents" in handler.opt:
                found[getattr(route, "path_format", route.path)] = handler.opt["documents"]
    return found


def _as_document(operation: dict[str, Any], ending: str, media_type: str) -> dict[str, Any]:
    """Return the description of a GET that answers the document instead of JSON."""
    made = copy.deepcopy(operation)
    made["operationId"] = f"{operation['operationId']}{ending.title().replace('.', '')}"
    made["summary"] = f"{operation.get('summary', '')} ({ending[1:].upper()})"
    made["description"] = f"Send the stored {ending[1:].upper()}, byte for byte as issued."
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    made["responses"] = {"200": {"description": "The document.", "content": content}}
    return {"get": made}


def _complete(operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    for status, words in _ERRORS.items():
        answer: dict[str, Any] = {
            "description": words,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status == "429":
            answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer"}}}
        responses[status] = answer


@get("/api/openapi.json", opt={"access": "public"})
async def document(request: WebRequest) -> Response[bytes]:
    """Answer the description of the API."""
    content = request.app.state.openapi()
    return Response(content=content, media_type="application/json", headers={"Cache-Control": "public, max-age=60"})


@get("/api/docs", opt={"access": "public"})
async def documentation(request: WebRequest) -> Html:
    """Show the description as a page to read and try."""
    return pages.render(request, "site/api_docs.html")


@lru_cache(maxsize=len(_SERVED))
def _asset(name: str) -> bytes:
    return _START if name == "start.js" else (_ASSETS / name).read_bytes()


@get("/api/docs/{name:str}", opt={"access": "public"})
async def asset(name: FromPath[str]) -> Response[bytes]:
    """Answer a file of the documentation page."""
    if name not in _SERVED:
        raise NotFound("not_found", _("There is nothing here."))
    return Response(content=_asset(name), media_type=_SERVED[name], headers={"Cache-Control": "public, max-age=86400"})


HANDLERS = [document, documentation, asset]
