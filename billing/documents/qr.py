"""The two codes on paper: one that a banking app reads as a filled-in transfer, one that opens an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from markupsafe import Markup, escape
from segno import helpers

from billing.documents.parts import euros

if TYPE_CHECKING:
    from billing.documents.parts import Seller
    from billing.documents.sheet import PayRequest

QUIET_ZONE = 4
NAME_LIMIT = 70
REFERENCE_LIMIT = 140


def transfer(request: PayRequest, *, payee: Seller, title: str) -> Markup:
    """Return the pay code as inline SVG with this text for who can't see it.

    The four modules of white around it belong to the picture. Source: EPC069-12, version 002.
    """
    code = helpers.make_epc_qr(
        name=(payee.account_name or payee.name)[:NAME_LIMIT],
        iban=payee.iban.replace(" ", ""),
        bic=payee.bic or None,
        amount=euros(request.cents),
        text=request.reference[:REFERENCE_LIMIT],
        encoding="utf-8",
    )
    return _drawn(code, title)


def address(url: str, *, title: str) -> Markup:
    """Return a code that opens an address, as inline SVG with this text for who can't see it."""
    return _drawn(segno.make_qr(url, error="m"), title)


def _drawn(code: segno.QRCode, title: str) -> Markup:
    side = code.symbol_size(border=QUIET_ZONE)[0]
    drawn = code.svg_inline(border=QUIET_ZONE, svgclass=None, lineclass=None, omitsize=True)
    _, _, inside = drawn.partition(">")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><title>{escape(title)}</title>'
    return Markup(head + inside)  # noqa: S704 - segno's own path, and an escaped title
