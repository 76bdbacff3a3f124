"""From the frozen rows to the model that documents are written from. Reads issued rows only: nothing of today goes in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from billing import invoices
from billing.documents.model import (
    Address,
    DocumentKind,
    DocumentLine,
    InvoiceDocument,
    InvoiceReference,
    Party,
    Seller,
    VatCategory,
    VatTotal,
)
from billing.vat import line_net
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from billing.invoices import InvoiceLine, VatShare

KVK, OIN = "0106", "0190"


class _Head(msgspec.Struct, frozen=True):
    number: str
    kind: str
    language: str
    dated_on: date
    due_on: date | None
    seller: dict[str, Any]
    buyer: dict[str, Any]
    order_number: str | None
    purchase_order: str | None
    cost_centre: str | None
    ordered_by: str | None
    net_cents: int
    vat_cents: int
    total_cents: int
    credited_number: str | None
    credited_on: date | None
    replaced_number: str | None
    replaced_on: date | None
    reason: str | None


_HEAD = """
    SELECT i.number, i.kind, i.language, i.dated_on, i.due_on, i.seller, i.buyer, i.order_number, i.purchase_order, i.cost_centre,
           i.ordered_by, i.net_cents, i.vat_cents, i.total_cents, o.number AS credited_number, o.dated_on AS credited_on,
           r.number AS replaced_number, r.dated_on AS replaced_on, i.reason
    FROM invoice i LEFT JOIN invoice o ON o.id = i.credits_id LEFT JOIN invoice r ON r.id = i.replaces_id WHERE i.id = $1
"""


async def document(invoice_id: UUID) -> InvoiceDocument:
    """Return the document model of an issued invoice or credit note. Raises ``NotFound``."""
    head = await db.row(_Head, _HEAD, invoice_id)
    if head is None:
        raise NotFound("not_found", _("There is no such invoice."))
    lines = await invoices.lines_of(invoice_id)
    shares = (await invoices.vat_shares([invoice_id]))[invoice_id]
    page = f"{settings().base_url}/invoices/{head.number}"
    return InvoiceDocument(
        kind=DocumentKind(head.kind),
        number=head.number,
        language=head.language,
        dated_on=head.dated_on,
        due_on=head.due_on,
        terms_days=(head.due_on - head.dated_on).days if head.due_on else 0,
        seller=_seller(head.seller),
        buyer=_buyer(head.buyer),
        lines=grouped(_line(line) for line in lines),
        vat=tuple(_share(share) for share in shares),
        net_cents=head.net_cents,
        vat_cents=head.vat_cents,
        total_cents=head.total_cents,
        purchase_order=head.purchase_order or "",
        cost_centre=head.cost_centre or "",
        buyer_reference=head.buyer["buyer_reference"] or "",
        ordered_by=head.ordered_by or "",
        order_numbers=tuple(dict.fromkeys(line.order_number for line in lines if line.order_number)),
        payment_link=page.partition("://")[2] if head.kind == "invoice" else "",
        payment_url=page if head.kind == "invoice" else "",
        credits=_references(head.credited_number, head.credited_on),
        replaces=next(iter(_references(head.replaced_number, head.replaced_on)), None),
        reason=head.reason or "",
    )


def _references(number: str | None, dated_on: date | None) -> tuple[InvoiceReference, ...]:
    return (InvoiceReference(number=number, dated_on=dated_on),) if number and dated_on else ()


def _address(party: dict[str, Any]) -> Address:
    return Address(street=party["street"], postcode=party["postcode"], city=party["city"], country=party["country"])


def _seller(seller: dict[str, Any]) -> Seller:
    return Seller(
        name=seller["name"],
        address=_address(seller),
        vat_id=seller["vat_id"],
        legal_id=seller["kvk"],
        legal_scheme=KVK if seller["kvk"] else "",
        email=seller["email"],
        phone=seller["phone"],
        iban=seller["iban"],
        bic=seller["bic"],
        account_name=seller["name"],
    )


def _buyer(buyer: dict[str, Any]) -> Party:
    legal_id, scheme = (buyer["oin"], OIN) if buyer["oin"] else (buyer["kvk"] or "", KVK if buyer["kvk"] else "")
    return Party(
        name=buyer["legal_name"],
        address=_address(buyer),
        vat_id=buyer["vat_id"] or "",
        legal_id=legal_id,
        legal_scheme=scheme,
        endpoint_id=buyer.get("peppol_id") or "",
        endpoint_scheme=buyer.get("peppol_scheme") or "",
        attention=buyer["attention"] or "",
        email=buyer["email"],
    )


def _line(line: InvoiceLine) -> DocumentLine:
    return DocumentLine(
        title=line.description,
        detail=line.detail,
        quantity=line.quantity,
        unit_price_cents=line.unit_price_cents,
        net_cents=line.net_cents,
        vat_category=VatCategory(line.vat_category),
        vat_rate=line.vat_rate,
        supply_from_on=line.supply_from_on,
        supply_to_on=line.supply_to_on,
        people=(line.person_label,) if line.person_label else (),
        order_number=line.order_number or "",
        purchase_order=line.purchase_order or "",
        cost_centre=line.cost_centre or "",
    )


def grouped(lines: Iterable[DocumentLine]) -> tuple[DocumentLine, ...]:
    """Return the lines with those that differ only in their participant as one line: 4 × the course, four numbers beneath.

    Quantities, amounts and participants add up; the order is that of the first of each. Where a sum of rounded amounts
    is not quantity times price (parts of an hour at odd prices), the lines stay apart.
    """
    found: dict[DocumentLine, list[DocumentLine]] = {}
    for line in lines:
        alike = msgspec.structs.replace(line, quantity=Decimal(0), net_cents=0, people=())
        found.setdefault(alike, []).append(line)
    return tuple(line for same in found.values() for line in _together(same))


def _together(same: list[DocumentLine]) -> list[DocumentLine]:
    quantity = sum((line.quantity for line in same), Decimal(0))
    net_cents = sum(line.net_cents for line in same)
    if line_net(quantity, same[0].unit_price_cents) != net_cents:
        return same
    people = tuple(person for line in same for person in line.people)
    return [msgspec.structs.replace(same[0], quantity=quantity, net_cents=net_cents, people=people)]


def _share(share: VatShare) -> VatTotal:
    return VatTotal(
        category=VatCategory(share.vat_category),
        rate=share.vat_rate,
        net_cents=share.net_cents,
        vat_cents=share.vat_cents,
        exemption_code=share.exemption_code or "",
        text=share.exemption_text or "",
    )
