"""The e-invoices against the official rules: random lawful documents, every format, no finding, not even a warning."""

from __future__ import annotations

from random import Random

import pytest
from lxml import etree

from billing.documents import cii, ubl
from billing.documents.model import DocumentKind, InvoiceDocument, Party, VatCategory, half_up
from tests.builders.documents import BUYER, a_credit_note, a_document, a_line, a_random_document, taxed
from tests.documents import rules

SEED, MANY = 20261201, 300


@pytest.fixture(scope="module")
def documents() -> list[InvoiceDocument]:
    random = Random(SEED)
    return [a_random_document(random) for _at in range(MANY)]


def test_random_documents_pass_the_official_rules_as_ubl(documents: list[InvoiceDocument]) -> None:
    found = [(at, fault) for at, document in enumerate(documents) for fault in rules.findings(ubl.write(document))]
    assert not found


def test_random_documents_pass_the_official_rules_as_cii(documents: list[InvoiceDocument]) -> None:
    found = [(at, fault) for at, document in enumerate(documents) for fault in rules.findings(cii.write(document))]
    assert not found


def test_random_documents_keep_the_rules_of_peppol_and_of_the_netherlands(documents: list[InvoiceDocument]) -> None:
    found = [(at, fault) for at, document in enumerate(documents) for fault in rules.peppol_findings(ubl.write(document))]
    assert not found


def test_nlcius_differs_from_peppol_in_the_profile_only(documents: list[InvoiceDocument]) -> None:
    for document in documents:
        peppol, nlcius = ubl.write(document).decode(), ubl.write(document, profile=ubl.Profile.NLCIUS).decode()
        assert nlcius != peppol
        own = ubl.SELF_BILLING if document.is_self_billed else ubl.Profile.PEPPOL
        assert nlcius.replace(ubl.Profile.NLCIUS, own) == peppol


def test_the_random_documents_are_worth_the_name(documents: list[InvoiceDocument]) -> None:
    categories = {(line.vat_category.value, int(line.vat_rate)) for document in documents for line in document.lines}
    assert categories == {("S", 21), ("S", 9), ("E", 0), ("Z", 0), ("AE", 0)}
    assert {kind: sum(document.kind is kind for document in documents) >= 12 for kind in DocumentKind} == dict.fromkeys(DocumentKind, True)
    assert sum(bool(document.replaces) for document in documents) >= 30
    rounded = [(total, half_up(total.net_cents * total.rate / 100)) for document in documents for total in document.vat]
    assert {total.vat_cents - alone for total, alone in rounded} == {-1, 0, 1}
    assert (
        sum({VatCategory.ZERO, VatCategory.EXEMPT, VatCategory.STANDARD} <= {it.category for it in document.vat} for document in documents)
        >= 10
    )
    assert {document.buyer.legal_scheme for document in documents} == {"0106", "0190", ""}


def test_the_rules_do_find_what_is_wrong() -> None:
    good = ubl.write(a_document())
    assert "BR-CO-15" in " ".join(rules.findings(good.replace(b">784.15<", b">784.16<")))
    bad = good.replace(b'schemeID="0106"', b'schemeID="0088"')
    assert rules.peppol_findings(bad) == ["NL-R-003", "NL-R-005"]
    assert "TypeCode" in " ".join(rules.findings(cii.write(a_document()).replace(b">380<", b">999<")))


def test_a_credit_note_is_positive_names_its_invoice_and_has_no_due_date() -> None:
    root = etree.fromstring(ubl.write(a_credit_note()))
    text = {etree.QName(node).localname: node.text for node in root.iter() if isinstance(node.tag, str)}
    assert etree.QName(root).localname == "CreditNote"
    assert text["CreditNoteTypeCode"] == "381"
    assert text["PayableAmount"] == "784.15"
    assert "DueDate" not in text
    reference = root.find(".//{*}BillingReference/{*}InvoiceDocumentReference/{*}ID")
    assert reference is not None
    assert reference.text == "2026-000417"


def test_a_document_without_order_or_reference_still_carries_one() -> None:
    root = etree.fromstring(ubl.write(a_document()))
    assert root.findtext("{*}BuyerReference") == "2026-000417"
    root = etree.fromstring(ubl.write(a_document(purchase_order="4500128834")))
    assert root.findtext("{*}OrderReference/{*}ID") == "4500128834"


def test_vat_is_rounded_once_over_the_document_not_line_by_line() -> None:
    document = a_document(taxed(11), taxed(11), taxed(11))  # 2.31 cents each: 2 + 2 + 2, but 6.93 together
    assert document.vat_cents == 7
    root = etree.fromstring(ubl.write(document))
    assert root.findtext("{*}TaxTotal/{*}TaxAmount") == "0.07"


@pytest.mark.parametrize(
    ("party", "endpoint"),
    [
        (BUYER, ("90000012", "0106")),
        (Party(name="A", address=BUYER.address, vat_id="EL123456789"), ("EL123456789", "9933")),
        (
            Party(name="A", address=BUYER.address, endpoint_id="00000001234567890000", endpoint_scheme="0190"),
            ("00000001234567890000", "0190"),
        ),
        (Party(name="A", address=BUYER.address, email="a@b.example"), ("a@b.example", "EM")),
    ],
)
def test_the_peppol_address_is_the_best_that_is_known(party: Party, endpoint: tuple[str, str]) -> None:
    root = etree.fromstring(ubl.write(a_document(buyer=party)))
    node = root.find("{*}AccountingCustomerParty/{*}Party/{*}EndpointID")
    assert node is not None
    assert (node.text, node.get("schemeID")) == endpoint


def test_control_characters_never_reach_the_file() -> None:
    root = etree.fromstring(ubl.write(a_document(a_line("Dutch\x00 A1\x0b", detail="ten\nlessons"))))
    assert root.findtext(".//{*}Item/{*}Name") == "Dutch  A1"
    assert root.findtext(".//{*}Item/{*}Description") == "ten lessons"
