"""ECL's lists of every company's orders and invoices, with their files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from billing.states import NAMES
from marketplace.desk import invoices, orders
from marketplace.desk.pages.links import links
from marketplace.kit import clock
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor
from marketplace.kit.money import Money, euros
from marketplace.kit.web import Html, WebRequest, render, spreadsheet
from marketplace.orders.states import OrderState

CSV_ROWS = 10_000
ORDER_WORDS = {
    "placed": N_("Waiting for the partner"),
    "confirmed": N_("Confirmed"),
    "declined": N_("Declined"),
    "cancelled": N_("Cancelled"),
}
Shown = Annotated[str | None, QueryParameter(name="state")]


def _wanted(shown: str | None, company: UUID | None, q: str) -> orders.Filter:
    return orders.Filter(state=OrderState(shown) if shown in set(OrderState) else None, company_id=company, text=q[:100])


@get("/desk/orders", opt={"access": "ecl"})
async def order_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    shown: Shown = None,
    company: FromQuery[UUID | None] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show a page of every company's orders, newest first."""
    wanted = _wanted(shown, company, q)
    page = await orders.listed(wanted, actor=actor, cursor=cursor)
    link = links("/desk/orders", state=wanted.state and wanted.state.value, company=wanted.company_id, q=wanted.text)
    return render(
        request, "desk/order_list.html", page=page, wanted=wanted, link=link, words=ORDER_WORDS,
        company_shown=await orders.company_name(wanted.company_id), csv=links("/desk/orders.csv", state=shown, company=company, q=q)(),
    )  # fmt: skip


@get("/desk/orders.csv", opt={"access": "ecl"})
async def order_file(
    actor: NamedDependency[Actor], shown: Shown = None, company: FromQuery[UUID | None] = None, q: FromQuery[str] = ""
) -> Response[bytes]:
    """Give the same orders as a CSV that Excel opens, at most the newest ten thousand."""
    page = await orders.listed(_wanted(shown, company, q), actor=actor, size=CSV_ROWS)
    header = [
        _("Order"), _("Date"), _("Company"), _("State"), _("PO number"), _("Ordered by"), _("Programme"), _("Programmes"), _("People"), _("Partner"),
        _("Without VAT"), _("Total"), _("Invoices"),
    ]  # fmt: skip
    return spreadsheet.answer("orders.csv", header, (_order_cells(row) for row in page.items))


def _order_cells(row: orders.OrderRow) -> list[object]:
    placed_on = clock.today(row.placed_at).isoformat()
    return [
        row.number, placed_on, row.company_name, _(ORDER_WORDS[row.state]), row.purchase_order, row.ordered_by, row.first_title, row.programmes,
        row.people, row.partners, euros(row.net_cents), euros(row.total_cents), " ".join(row.invoice_numbers),
    ]  # fmt: skip


@get("/desk/invoices", opt={"access": "ecl"})
async def invoice_list(
    request: WebRequest,
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    show: FromQuery[str | None] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Html:
    """Show a page of every company's invoices, newest first, and what is still to come in."""
    standing, today = show if show in invoices.STANDINGS else None, clock.today(now)
    page = await invoices.listed(standing, q[:100], actor=actor, today=today, cursor=cursor)
    return render(
        request, "desk/invoice_list.html", page=page, standing=standing, text=q[:100], sums=await invoices.sums(actor=actor, today=today),
        link=links("/desk/invoices", show=standing, q=q[:100]), csv=links("/desk/invoices.csv", show=standing, q=q[:100])(), names=NAMES, Money=Money,
    )  # fmt: skip


@get("/desk/invoices.csv", opt={"access": "ecl"})
async def invoice_file(
    actor: NamedDependency[Actor], now: NamedDependency[datetime], show: FromQuery[str | None] = None, q: FromQuery[str] = ""
) -> Response[bytes]:
    """Give the same invoices as a CSV that Excel opens, at most the newest ten thousand."""
    page = await invoices.listed(show, q[:100], actor=actor, today=clock.today(now), size=CSV_ROWS)
    header = [_("Invoice"), _("Date"), _("Due date"), _("Company"), _("PO number"), _("Order"), _("State"), _("Total"), _("To pay")]
    return spreadsheet.answer("invoices.csv", header, (_invoice_cells(row) for row in page.items))


def _invoice_cells(row: invoices.InvoiceRow) -> list[object]:
    due = row.due_on.isoformat() if row.due_on else None
    state = _("Credit note") if row.kind == "credit_note" else _(NAMES[row.state])
    amounts = euros(row.total_cents), euros(row.to_pay.cents)
    return [row.number, row.dated_on.isoformat(), due, row.company_name, row.purchase_order, row.order_number, state, *amounts]


HANDLERS = [order_list, order_file, invoice_list, invoice_file]
