"""One mapping from errors to answers: a page for people, problem+json under ``/api``. Nothing of the inside leaks.

A row of somebody else and a row that does not exist answer with the same 404 bytes: the page knows neither the
sentence of the error nor the address that was asked for.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import asyncpg
import msgspec
import structlog
from litestar import MediaType, Response
from litestar.exceptions import HTTPException, ValidationException

from marketplace.kit.errors import Conflict, DomainError, Invalid, NotFound, TooMany, Unauthenticated, Unavailable
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.web import nav, pages
from marketplace.kit.web.visitor import Visitor

if TYPE_CHECKING:
    from marketplace.kit.web.types import WebRequest

_log = structlog.get_logger()
_CODES = {
    400: "bad_request", 401: "token_needed", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 406: "not_acceptable",
    413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "too_many", 500: "server_error", 503: "unavailable",
}  # fmt: skip
_PROBLEM = "application/problem+json"
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_AWAY = (ConnectionError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError,
         asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.TooManyConnectionsError)  # fmt: skip


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error answer of the API (RFC 9457): ``code`` is stable, ``detail`` a sentence, ``fields`` one per wrong field."""

    status: int
    code: str
    title: str
    detail: str
    type: str = "about:blank"
    next_step: str | None = None
    fields: dict[str, str] = {}


def answer(request: WebRequest, error: Exception) -> Response[Any]:
    """Return the answer to any error that leaves a handler, or that Litestar raises before one."""
    refusal = _as_refusal(error) or _of_database(request, error)
    status = _status(refusal, error)
    visitor = _visitor(request)
    with use_locale(visitor.locale if visitor else "en"):
        if request.url.path.startswith("/api/"):
            response: Response[Any] = _problem(refusal, status)
        elif visitor is not None and isinstance(refusal, Unauthenticated):
            response = _to_sign_in(request)
        else:
            response = _page(request, visitor, refusal, status)
    for name, value in (getattr(error, "headers", None) or {}).items():
        response.headers[name.title()] = value
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _visitor(request: WebRequest) -> Visitor | None:
    found = request.scope["state"].get("visitor")
    return found if isinstance(found, Visitor) else None


def _as_refusal(error: Exception) -> DomainError | None:
    """Return an error as a refusal that may be shown, or None when it is our own failure."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _from_litestar(error)
    if isinstance(error, RecursionError) and "deserializing" in str(error):  # a body nested thousands deep
        return DomainError("bad_request", _sentence(400))
    return None


def _of_database(request: WebRequest, error: Exception) -> DomainError | None:
    """Return what the database says as a refusal, where the visitor can do something; log the rest as our failure."""
    if isinstance(error, _BUSY):
        return Conflict("busy", _("Somebody else is changing this at the same moment."), next_step=_("Try again."))
    if isinstance(error, asyncpg.DataError):
        _log.warning("value_refused_by_database", path=request.url.path, error=str(error))
        return NotFound() if request.path_params else Invalid("invalid", _("Some of what was sent can't be used."))
    _failed("request_failed", error, path=request.url.path)
    if isinstance(error, _AWAY):
        return Unavailable("unavailable", _sentence(503), next_step=_("Try again in a minute."))
    return None


def _from_litestar(error: HTTPException) -> DomainError:
    if isinstance(error, ValidationException):
        extra = error.extra if isinstance(error.extra, list) else []
        fields = {str(item.get("key") or "body"): str(item.get("message", "")) for item in extra if isinstance(item, dict)}
        return Invalid("invalid", _("Some of what was sent can't be used."), fields=fields)
    return DomainError(_CODES.get(error.status_code, "bad_request"), _sentence(error.status_code))


def _failed(event: str, error: Exception, **facts: str) -> None:
    """Log a failure of ours with its stack as plain text: local variables hold cookies and people's data."""
    _log.error(event, error=repr(error), stack="".join(traceback.format_exception(error)), **facts)


def _status(refusal: DomainError | None, error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    return refusal.status if refusal else 500


def _sentence(status: int) -> str:
    return {
        401: _("This needs a valid API token."),
        403: _("You may not do this."),
        404: _("There is nothing here."),
        405: _("This address does not answer to that method."),
        409: _("As things stand this can't be done."),
        413: _("More was sent than we read."),
        415: _("Send this in another media type."),
        422: _("Some of what was sent can't be used."),
        429: _("That was too often. Wait a moment."),
        500: _("Something broke on our side."),
        503: _("The shop can't be reached for a moment."),
    }.get(status, _("This request can't be read."))


def _problem(refusal: DomainError | None, status: int) -> Response[bytes]:
    code = refusal.code if refusal else _CODES.get(status, "server_error")
    title = _sentence(status)
    detail = refusal.message if refusal else title
    if isinstance(refusal, NotFound):
        code, detail = "not_found", _sentence(404)
    problem = Problem(
        status, code, title, detail,
        next_step=refusal.next_step if refusal else None,
        fields=dict(refusal.fields) if refusal else {},
    )  # fmt: skip
    response = Response(content=msgspec.json.encode(problem), media_type=_PROBLEM, status_code=status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _to_sign_in(request: WebRequest) -> Response[Any]:
    if request.method not in {"GET", "HEAD"}:
        return pages.redirect("/sign-in")
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return pages.redirect(f"/sign-in?next={quote(back, safe='/')}")


def _page(request: WebRequest, visitor: Visitor | None, refusal: DomainError | None, status: int) -> Response[Any]:
    if visitor is None:
        return _plain(status)
    context = {"code": status, "sentence": _sentence(status), "next_step": None, "fields": {}}
    if refusal is not None and status != 404:
        context |= {"sentence": refusal.message, "next_step": refusal.next_step, "fields": refusal.fields}
    where = _nowhere(visitor) if status in {404, 405} else {}
    try:
        return pages.render(request, "errors/error.html", status_code=status, **context, **where)
    except Exception as broken:  # noqa: BLE001 - the page about errors must not be one
        _failed("error_page_failed", broken)
        return _plain(status)


def _nowhere(visitor: Visitor) -> dict[str, Any]:
    """Return what makes every page that isn't there the same page: nothing in it says where the visitor was going."""
    rail = nav.rail_for(visitor.actor, "/", visitor.counts)
    return {"path": "/", "full_path": "/", "nav": nav.items_for(visitor.actor, "/"), "rail": rail}


def _plain(status: int) -> Response[str]:
    text = f"<!doctype html><title>{status}</title><h1>{_sentence(status)}</h1><p><a href='/'>{_('To the front page')}</a></p>"
    return Response(content=text, media_type=MediaType.HTML, status_code=status)
