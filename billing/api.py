"""Invoices over the JSON API: a company's token reads its own, ECL's token those of every company."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from billing import invoices
from billing.invoices import Filter, Invoice, InvoiceLine, InvoiceSummary, Standing, VatShare
from billing.pages import document_answer
from billing.states import InvoiceState
from marketplace.kit.clock import today
from marketplace.kit.identity import Actor
from marketplace.kit.money import Money
from marketplace.kit.web import api, paging


class VatAnswer(msgspec.Struct, frozen=True):
    """The VAT of one category and rate (per cent), rounded once a document."""

    category: str
    rate: float
    net: Money
    vat: Money
    exemption_code: str | None
    text: str | None


class LineAnswer(msgspec.Struct, frozen=True):
    """A line as issued. ``person`` is a name only where the company wants names, else a staff number."""

    position: int
    description: str
    detail: str
    quantity: float
    unit_price: Money
    net: Money
    vat_category: str
    vat_rate: float
    supply_from: dt.date
    supply_to: dt.date
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    person: str | None


class InvoiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or credit note. ``hosted_payment_url`` is null until it can be paid online; ``credits`` names the credited invoice.

    ``credited`` is what credit notes took back, ``refunded`` what went back of ``paid``; ``to_pay`` is still owed, ``to_pay_back``
    what the company has with us by this invoice.
    """

    id: str
    number: str
    kind: str
    date: dt.date
    due: dt.date | None
    state: InvoiceState
    net: Money
    vat: Money
    total: Money
    paid: Money
    credited: Money
    refunded: Money
    to_pay: Money
    to_pay_back: Money
    vat_breakdown: list[VatAnswer]
    hosted_payment_url: str | None
    company: str
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    credits: str | None


class InvoiceDetail(InvoiceAnswer, frozen=True, kw_only=True):
    """An invoice with its lines."""

    lines: list[LineAnswer]


@get("/invoices", opt={"access": "api-company+ecl"}, tags=["invoices"])
async def list_invoices(
    actor: NamedDependency[Actor],
    now: NamedDependency[dt.datetime],
    show: FromQuery[Standing | None] = None,
    q: FromQuery[str] = "",
    cursor: api.Cursor = None,
) -> api.ListAnswer[InvoiceAnswer]:
    """List invoices and credit notes, newest first; `show` is unpaid, overdue, paid, credit or overpaid (money to pay back), `q` a number, PO or order number."""
    wanted = Filter(standing=show, text=q[:100])
    page = await invoices.page(wanted, paging.read(cursor, dt.date, str), actor=actor, today=today(now))
    shares = await invoices.vat_shares([row.id for row in page.items])
    credited = await invoices.credited_numbers([row.id for row in page.items if row.kind == "credit_note"])
    return api.list_answer([InvoiceAnswer(**_fields(row, shares[row.id], credited.get(row.id))) for row in page.items], page.next)


@get(
    "/invoices/{number:str}",
    opt={
        "access": "api-company+ecl",
        "noun": "invoice",
        "documents": {".pdf": "application/pdf", ".ubl": "application/xml", ".xml": "application/xml"},
    },
    tags=["invoices"],
)
async def get_invoice(number: FromPath[str], actor: NamedDependency[Actor]) -> Response[InvoiceDetail]:
    """Return an invoice by its number. The number followed by `.pdf`, `.ubl` or `.xml` sends that stored document instead."""
    plain, dot, ending = number.partition(".")
    found = await invoices.get(plain, actor=actor)
    if dot:
        return await document_answer(found, ending)  # type: ignore[return-value]
    return Response(_detail(found))


def _detail(found: Invoice) -> InvoiceDetail:
    return InvoiceDetail(lines=[_line(line) for line in found.lines], **_fields(found, found.vat_shares, found.credits_number))


def _fields(row: InvoiceSummary, shares: list[VatShare], credited: str | None) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "number": row.number,
        "kind": row.kind,
        "date": row.dated_on,
        "due": row.due_on,
        "state": row.state,
        "net": row.net,
        "vat": row.vat,
        "total": row.total,
        "paid": row.paid,
        "credited": row.credited,
        "refunded": row.refunded,
        "to_pay": row.to_pay,
        "to_pay_back": row.overpaid,
        "vat_breakdown": [
            VatAnswer(share.vat_category, float(share.vat_rate), share.net, share.vat, share.exemption_code, share.exemption_text)
            for share in shares
        ],
        "hosted_payment_url": row.hosted_payment_url,
        "company": row.buyer_name,
        "order_number": row.order_number,
        "purchase_order": row.purchase_order,
        "cost_centre": row.cost_centre,
        "credits": credited,
    }


def _line(line: InvoiceLine) -> LineAnswer:
    return LineAnswer(
        position=line.position,
        description=line.description,
        detail=line.detail,
        quantity=float(line.quantity),
        unit_price=line.unit_price,
        net=line.net,
        vat_category=line.vat_category,
        vat_rate=float(line.vat_rate),
        supply_from=line.supply_from_on,
        supply_to=line.supply_to_on,
        order_number=line.order_number,
        purchase_order=line.purchase_order,
        cost_centre=line.cost_centre,
        person=line.person_label,
    )


HANDLERS = [list_invoices, get_invoice]
