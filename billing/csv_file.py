"""The invoice list as a file for a spreadsheet.

Semicolons, a byte-order mark, dates as ISO, amounts in euros with the decimal sign of the reader's language.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from billing.states import NAMES
from marketplace.kit.i18n import _, fmt_decimal
from marketplace.kit.money import euros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing.invoices import InvoiceSummary


def write(invoices: Iterable[InvoiceSummary]) -> bytes:
    """Return the file, with its headings in the current language."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([
        _("Invoice"), _("Date"), _("Due date"), _("Company"), _("PO number"), _("Cost centre"), _("Order"), _("State"),
        _("Without VAT"), _("VAT"), _("Total"), _("Paid"), _("Currency"),
    ])  # fmt: skip
    for row in invoices:
        writer.writerow([
            row.number, row.dated_on.isoformat(), row.due_on.isoformat() if row.due_on else "", safe(row.buyer_name), safe(row.purchase_order),
            safe(row.cost_centre), safe(row.order_number), _(NAMES[row.state]),
            *(fmt_decimal(euros(cents)) for cents in (row.net_cents, row.vat_cents, row.total_cents, row.paid_cents)), row.currency,
        ])  # fmt: skip
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def safe(text: str | None) -> str:
    """Keep a spreadsheet from reading a cell as a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""
