"""One of every document that we can make, by name, for the tests that hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.documents import cii
from billing.documents.model import InvoiceDocument
from tests.builders.documents import A_PRECEDING, a_credit_note, a_document, a_self_billed
from tests.builders.papers import a_certificate, a_last_reminder, a_quote, a_reminder, a_settlement, an_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing.documents.papers import AnyDocument
    from billing.documents.parts import DocumentLine
    from billing.documents.pdf import Press


def a_self_billed_credit(*lines: DocumentLine, **values: Any) -> InvoiceDocument:
    return a_self_billed(*lines, credits=(A_PRECEDING,), **values)


EVERY_KIND: dict[str, Callable[..., AnyDocument]] = {
    "invoice": a_document,
    "credit note": a_credit_note,
    "self-billed": a_self_billed,
    "self-billed credit": a_self_billed_credit,
    "reminder": a_reminder,
    "last reminder": a_last_reminder,
    "account": an_account,
    "settlement": a_settlement,
    "quote": a_quote,
    "certificate": a_certificate,
}


def printed(press: Press, document: AnyDocument) -> bytes:
    """Return the finished PDF as the product makes it."""
    return press.pdf(document, cii=cii.write(document) if isinstance(document, InvoiceDocument) else None)
