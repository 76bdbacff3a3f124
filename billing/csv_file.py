"""The invoice list as rows for a spreadsheet: dates as ISO, amounts in euros. ``kit.web.spreadsheet`` makes the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.states import NAMES
from marketplace.kit.i18n import _
from marketplace.kit.money import euros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from billing.invoices import InvoiceSummary


def header() -> list[str]:
    """Return the headings in the current language."""
    return [
        _("Invoice"), _("Date"), _("Due date"), _("Company"), _("PO number"), _("Cost centre"), _("Order"), _("State"),
        _("Without VAT"), _("VAT"), _("Total"), _("Credited"), _("Paid"), _("To pay"), _("Currency"),
    ]  # fmt: skip


def rows(invoices: Iterable[InvoiceSummary]) -> Iterator[list[object]]:
    """Return one row an invoice, under ``header``; a credit note's sums are below zero, so that a column adds up."""
    for row in invoices:
        sign = -1 if row.kind == "credit_note" else 1
        state = _("Credit note") if sign < 0 else _(NAMES[row.state])
        yield [
            row.number, row.dated_on.isoformat(), row.due_on.isoformat() if row.due_on else "", row.buyer_name, row.purchase_order,
            row.cost_centre, row.order_number, state,
            *(euros(sign * cents) for cents in (row.net_cents, row.vat_cents, row.total_cents)),
            *(euros(cents) for cents in (row.credited_cents, row.paid_cents, row.to_pay.cents)), row.currency,
        ]  # fmt: skip
