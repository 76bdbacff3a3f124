"""A document whose parts are missing, or whose sums don't hold, can't be made at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from billing.documents.model import Address, DocumentError, InvoiceDocument, Party, VatCategory, VatTotal, half_up
from tests.builders.documents import BUYER, SELLER, a_credit_note, a_document, a_line, taxed


def without(struct: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(struct, **changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": ""}, "number is missing"),
        ({"due_on": None}, "due date is missing"),
        ({"language": "fr"}, "not nl or en"),
        ({"total_cents": 1}, "total is not net plus VAT"),
        ({"net_cents": 1}, "net is not the sum"),
        ({"vat": ()}, "VAT table doesn't follow"),
        ({"seller": without(SELLER, vat_id="")}, "seller has no VAT id"),
        ({"seller": without(SELLER, legal_id="")}, "seller has no KvK number"),
        ({"seller": without(SELLER, iban="")}, "seller has no IBAN"),
        ({"buyer": without(BUYER, name=" ")}, "buyer has no name"),
        ({"buyer": without(BUYER, address=without(BUYER.address, city=""))}, "buyer has no city"),
        ({"buyer": without(BUYER, legal_scheme="0088")}, "needs scheme 0106 or 0190"),
    ],
)
def test_what_the_law_asks_for_must_be_there(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        a_document(**changes)


def test_a_line_whose_net_is_not_quantity_times_price_is_refused() -> None:
    with pytest.raises(DocumentError, match="line 1: net is not"):
        a_document(without(a_line(), net_cents=64_501))


def test_reverse_charge_needs_the_buyers_vat_id() -> None:
    line = a_line(vat_category=VatCategory.REVERSE_CHARGE)
    abroad = Party(name="Nachbar GmbH", address=Address(street="Ring 1", postcode="50667", city="Köln", country="DE"))
    with pytest.raises(DocumentError, match="buyer's VAT id"):
        a_document(line, buyer=abroad)
    assert a_document(line, buyer=without(abroad, vat_id="DE123456789")).vat_cents == 0


def test_an_exemption_needs_its_text() -> None:
    bare = VatTotal(category=VatCategory.EXEMPT, rate=Decimal(0), net_cents=64_500, vat_cents=0)
    with pytest.raises(DocumentError, match="needs its text"):
        a_document(a_line(), vat=(bare,))


def test_a_credit_note_names_its_invoice_and_has_no_due_date() -> None:
    with pytest.raises(DocumentError, match="names the invoice"):
        a_credit_note(credits=())
    with pytest.raises(DocumentError, match="no due date"):
        a_credit_note(due_on=date(2026, 12, 31))


def test_a_document_below_zero_is_a_credit_note_instead() -> None:
    with pytest.raises(DocumentError, match="below zero"):
        a_document(a_line(quantity="-1"))


def test_a_document_survives_the_way_to_its_process() -> None:
    document = a_document(a_line(people=("Nguyễn Thị Ánh",)), taxed(11_500), purchase_order="4500128834")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(document), type=InvoiceDocument) == document


def test_half_a_cent_goes_up_away_from_zero() -> None:
    assert [half_up(Decimal(text)) for text in ("0.5", "1.5", "2.5", "-0.5", "2.49")] == [1, 2, 3, -1, 2]


def test_delivery_runs_from_the_first_to_the_last_day_of_all_lines() -> None:
    first = a_line(supply_from_on=date(2027, 1, 18), supply_to_on=date(2027, 4, 5))
    later = a_line(supply_from_on=date(2027, 3, 1), supply_to_on=None)
    assert a_document(first, later).supply == (date(2027, 1, 18), date(2027, 4, 5))
    assert a_document(a_line(supply_from_on=None)).delivered_on == date(2026, 12, 1)
