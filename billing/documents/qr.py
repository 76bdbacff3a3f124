"""The pay QR: an EPC code that a banking app reads as a filled-in transfer. Invoices only, never credit notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from segno import helpers

from billing.documents.model import euros

if TYPE_CHECKING:
    from billing.documents.model import InvoiceDocument

QUIET_ZONE = 4
NAME_LIMIT = 70
REFERENCE_LIMIT = 140


def svg(document: InvoiceDocument, *, title: str) -> Markup | None:
    """Return the code as inline SVG with this text for who can't see it, or None when there is nothing to pay.

    The four modules of white around it belong to the picture. Source: EPC069-12, version 002.
    """
    if document.is_credit or document.total_cents <= 0:
        return None
    seller = document.seller
    code = helpers.make_epc_qr(
        name=(seller.account_name or seller.name)[:NAME_LIMIT],
        iban=seller.iban.replace(" ", ""),
        bic=seller.bic or None,
        amount=euros(document.total_cents),
        text=document.reference[:REFERENCE_LIMIT],
        encoding="utf-8",
    )
    side = code.symbol_size(border=QUIET_ZONE)[0]
    drawn = code.svg_inline(border=QUIET_ZONE, svgclass=None, lineclass=None, omitsize=True)
    _, _, inside = drawn.partition(">")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><title>{escape(title)}</title>'
    return Markup(head + inside)  # noqa: S704 - segno's own path, and an escaped title
