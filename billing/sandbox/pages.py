"""The sandbox's pages: where a visitor pays, the table of what happened, and the switches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.response import Redirect

from billing.sandbox import acting, control, hosted, store
from billing.sandbox.invoice_shapes import visible
from billing.sandbox.wire import Json, Refusal
from marketplace.kit import i18n
from marketplace.kit.clock import now as wall_now
from marketplace.kit.money import Money
from marketplace.kit.settings import settings
from marketplace.kit.templating import render_text

_STYLE = Path(__file__).resolve().parents[2] / "marketplace" / "static" / "sandbox.css"
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
WebRequest = Request[Any, Any, Any]


def _locale(request: WebRequest, preferred: list[str] | None = None) -> str:
    asked = [request.query_params.get("lang"), *(preferred or []), *request.headers.get("accept-language", "").split(",")]
    return next((found for tag in asked if (found := i18n.supported((tag or "").partition(";")[0]))), i18n.DEFAULT_LOCALE)


def _page(template: str, *, locale: str, status: int = 200, refresh: int | None = None, **context: object) -> Response[str]:
    with i18n.use_locale(locale):
        html = render_text(f"sandbox/{template}", locale=locale, **context)
    headers = dict(_HEADERS) if refresh is None else {**_HEADERS, "refresh": str(refresh)}
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)


def _money(cents: int, currency: str) -> Money:
    return Money(cents, currency.upper())


@get("/i/{token:str}", opt={"access": "public"})
async def show_invoice(token: str, request: WebRequest) -> Response[str]:
    """Show what is to be paid, or that it is paid."""
    return await _show(token, request)


async def _show(token: str, request: WebRequest, *, problem: bool = False) -> Response[str]:
    invoice = await store.by_lookup("invoice", token)
    if invoice is None:
        return _page("missing.html", locale=_locale(request), status=404)
    customer = await store.find("customer", invoice["customer"]) or {}
    busy = await hosted.under_way(invoice["id"])
    intents = await store.children("payment_intent", invoice["id"])
    failed = bool(intents and intents[-1]["last_payment_error"]) and invoice["status"] == "open" and not busy
    return _page(
        "hosted.html",
        locale=_locale(request, customer.get("preferred_locales")),
        status=422 if problem else 200,
        refresh=2 if busy else None,
        seller=settings().operator.name,
        invoice=invoice,
        lines=invoice["_lines"],
        taxes=await _taxes(invoice),
        money=lambda cents: _money(cents, invoice["currency"]),
        busy=busy,
        failed=failed,
        held=await hosted.held(invoice["id"]),
        credited=invoice["pre_payment_credit_notes_amount"],
        debit="sepa_debit" in (invoice["payment_settings"]["payment_method_types"] or []),
        due_at=_instant(invoice["due_date"]),
        paid_at=_instant(invoice["status_transitions"]["paid_at"]),
        problem=problem,
        token=token,
    )


def _instant(seconds: int | None) -> object:
    return msgspec.convert(seconds, type=type(wall_now()), strict=False) if seconds else None


async def _taxes(invoice: Json) -> list[tuple[str, int]]:
    shown = []
    for tax in invoice["total_taxes"]:
        rate = await store.find("tax_rate", tax["tax_rate_details"]["tax_rate"]) or {"display_name": "", "percentage": 0}
        shown.append((f"{rate['display_name']} {rate['percentage']:g}%", tax["amount"]))
    return shown


@post("/i/{token:str}", status_code=303, opt={"access": "public"})
async def pay_invoice(token: str, request: WebRequest) -> Response[Any]:
    """Take the visitor's choice and go back to the page, which says what came of it."""
    form = await request.form()
    try:
        choice = msgspec.convert({name: form[name] for name in form}, hosted.Choice)
    except msgspec.ValidationError:
        return await _show(token, request, problem=True)
    if await hosted.pay(token, choice, base=str(request.base_url).rstrip("/")) is None:
        return _page("missing.html", locale=_locale(request), status=404)
    return Redirect(f"/i/{token}", status_code=303)


@get("/", opt={"access": "public"})
async def dashboard(request: WebRequest) -> Response[str]:
    """Show the last objects (``kind=`` of one kind), deliveries and requests, and the switches."""
    kind = request.query_params.get("kind")
    return _page(
        "dashboard.html",
        locale=_locale(request),
        objects=await control.objects(kind),
        shown=control.SHOWN,
        kind=kind if kind in control.SHOWN else None,
        deliveries=await control.deliveries(),
        calls=await control.calls(30),
        kinds=control.KINDS,
        money=_money,
        clock=await store.now(),
    )


@get("/o/{object_id:str}", opt={"access": "public"})
async def show_object(object_id: str, request: WebRequest) -> Response[str]:
    """Show one object whole, what belongs to it, and what a person or a bank can do with it."""
    return await _object(object_id, request)


async def _object(object_id: str, request: WebRequest, *, problem: str = "") -> Response[str]:
    seen = await control.found(object_id)
    if seen is None:
        return _page("missing.html", locale=_locale(request), status=404)
    return _page(
        "object.html",
        locale=_locale(request),
        status=422 if problem else 200,
        seen=seen,
        text=msgspec.json.format(msgspec.json.encode(visible(seen.body)), indent=2).decode(),
        around=await control.around(seen),
        actions=acting.actions(seen),
        money=_money,
        problem=problem,
    )


@post("/o/{object_id:str}", status_code=303, opt={"access": "public"})
async def act_on_object(object_id: str, request: WebRequest) -> Response[Any]:
    """Do what was pressed (``action=``) and go back to the object; a caller that wants JSON gets it."""
    seen = await control.found(object_id)
    if seen is None:
        return _page("missing.html", locale=_locale(request), status=404)
    raw = await _given(request)
    try:
        await acting.act(seen, str(raw.get("action", "")), base=str(request.base_url).rstrip("/"))
    except Refusal as refusal:
        return await _object(object_id, request, problem=str(refusal))
    if "text/html" in request.headers.get("accept", ""):
        return Redirect(f"/o/{object_id}" if await control.found(object_id) else "/", status_code=303)
    after = await control.found(object_id)
    return Response(visible(after.body) if after else {"id": object_id, "deleted": True}, status_code=200)


@post("/_sandbox/faults", status_code=201, opt={"access": "public"})
async def order_fault(request: WebRequest) -> Response[Any]:
    """Take an order to misbehave: a form or JSON with ``kind``, ``operation``, ``times``, ``seconds``; ``kind=none`` clears."""
    raw = await _given(request)
    if raw.get("kind") == "none":
        await control.clear_faults()
        return _done(request, {"faults": "cleared"})
    try:
        order = msgspec.convert(raw, control.FaultOrder, strict=False)
    except msgspec.ValidationError as error:
        return Response({"error": str(error)}, status_code=400)
    if order.kind not in control.KINDS:
        return Response({"error": f"kind is one of {', '.join(control.KINDS)} or none"}, status_code=400)
    await control.order_fault(order)
    return _done(request, msgspec.to_builtins(order), status=201)


@post("/_sandbox/clock", status_code=200, opt={"access": "public"})
async def advance_clock(request: WebRequest) -> Response[Any]:
    """Move the sandbox's clock forward by ``seconds`` and settle what is then due."""
    raw = await _given(request)
    seconds = str(raw.get("seconds", ""))
    if not seconds.isdigit():
        return Response({"error": "seconds is a whole number, zero or more"}, status_code=400)
    at = await control.advance(int(seconds))
    settled = await hosted.settle_due()
    return _done(request, {"now": at.isoformat(), "settled": settled})


@post("/_sandbox/deliveries", status_code=200, opt={"access": "public"})
async def retry_deliveries(request: WebRequest) -> Response[Any]:
    """Send again, now, whatever has not been accepted yet."""
    return _done(request, {"queued": await control.retry_deliveries()})


@get("/_sandbox/calls", opt={"access": "public"})
async def list_calls() -> list[control.SeenCall]:
    """Return the last two hundred requests and answers, newest first."""
    return await control.calls(200)


async def _given(request: WebRequest) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        given = await request.json()
        return given if isinstance(given, dict) else {}
    form = await request.form()
    return {name: form[name] for name in form if form[name] != ""}


def _done(request: WebRequest, body: dict[str, Any], *, status: int = 200) -> Response[Any]:
    if "text/html" in request.headers.get("accept", ""):
        return Redirect("/", status_code=303)
    return Response(body, status_code=status)


@get("/static/sandbox.css", opt={"access": "public"}, sync_to_thread=False)
def style() -> Response[bytes]:
    """Return the stylesheet."""
    return Response(_STYLE.read_bytes(), media_type="text/css", headers={"cache-control": "no-cache"})


@get("/favicon.svg", opt={"access": "public"}, sync_to_thread=False)
def favicon() -> Response[bytes]:
    """Return the sign of the browser's tab."""
    return Response(_STYLE.with_name("favicon.svg").read_bytes(), media_type="image/svg+xml")


@get("/livez", opt={"access": "public"}, sync_to_thread=False)
def livez() -> Response[str]:
    """Say that this process is up."""
    return Response("ok", media_type=MediaType.TEXT)


HANDLERS = [
    show_invoice,
    pay_invoice,
    dashboard,
    show_object,
    act_on_object,
    order_fault,
    advance_clock,
    retry_deliveries,
    list_calls,
    style,
    favicon,
    livez,
]
