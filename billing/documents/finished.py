"""One document in all its formats: the registry, and the one function that makes them together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from billing.documents import cii, ubl
from billing.documents.model import InvoiceDocument, Rendered
from billing.documents.pdf import Press

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS: dict[str, Callable[[InvoiceDocument], bytes]] = {
    "ubl-peppol": ubl.write,
    "ubl-nlcius": lambda document: ubl.write(document, profile=ubl.Profile.NLCIUS),
    "cii": cii.write,
}
MEDIA_TYPES = {"pdf": "application/pdf", "ubl-peppol": "application/xml", "ubl-nlcius": "application/xml", "cii": "application/xml"}


@lru_cache(maxsize=1)
def press() -> Press:
    """Return this process's press, warm. Never in a web process: the layout engine would stop the event loop."""
    return Press()


def make(document: InvoiceDocument, *, press: Press) -> Rendered:
    """Return the document in every format, the CII inside the PDF."""
    embedded = FORMATS["cii"](document)
    return Rendered(
        pdf=press.pdf(document, cii=embedded),
        ubl=FORMATS["ubl-peppol"](document),
        ubl_nlcius=FORMATS["ubl-nlcius"](document),
        cii=embedded,
    )
