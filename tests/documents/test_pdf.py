"""The PDF itself: lawful for archives, readable by readers of Factur-X, tagged, the same every time, and in the right words."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import facturx
import page
import pytest
from lxml import etree
from pypdf import PdfReader

from billing.documents import check, cii, finished, qr
from billing.documents.pdf import NotAllowed, OwnFiles, Press
from billing.documents.views import view
from tests.builders.documents import NAMES, SELLER, a_credit_note, a_document, a_line, taxed

if TYPE_CHECKING:
    from pathlib import Path

    from billing.documents.model import InvoiceDocument

MM = 72 / 25.4


@pytest.fixture(scope="module")
def press() -> Press:
    return finished.press()


def made(press: Press, document: InvoiceDocument) -> bytes:
    return press.pdf(document, cii=cii.write(document))


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in read(pdf).pages))


def packet(pdf: bytes) -> etree._Element:
    metadata = read(pdf).trailer["/Root"]["/Metadata"].get_object().get_data()
    return etree.fromstring(re.search(rb"<x:xmpmeta.*</x:xmpmeta>", metadata, re.DOTALL).group())  # type: ignore[union-attr]


def test_qpdf_finds_nothing_wrong_with_many_pages(press: Press, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(made(press, a_document(*[a_line()] * 60)))
    done = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No syntax or stream encoding errors found" in done.stdout


@pytest.mark.parametrize("profile", ["3a", "ua1"])
def test_an_independent_checker_agrees_that_a_link_keeps_it_pdf_a_3a_and_pdf_ua_1(press: Press, profile: str) -> None:
    document = a_document(payment_url="https://ecl.example/i/1", payment_link="ecl.example")
    report = page.validate_pdf_bytes(made(press, document), profile=page.ValidationProfile(profile))
    assert [(found.rule_id, found.message) for found in report.failures] == []
    assert report.is_compliant


def test_the_metadata_is_one_rdf_in_element_form_and_names_the_invoice_inside(press: Press) -> None:
    root = packet(made(press, a_document()))
    assert len(root.findall(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF")) == 1
    found = {etree.QName(node).localname: node.text for node in root.iter() if len(node) == 0}
    wanted = {
        "part": "1",
        "conformance": "A",
        "DocumentType": "INVOICE",
        "DocumentFileName": "factur-x.xml",
        "ConformanceLevel": "EN 16931",
    }
    assert wanted.items() <= found.items()
    assert root.findtext(".//{http://www.aiim.org/pdfa/ns/id/}part") == "3"
    assert "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#" in [node.text for node in root.iter("{*}namespaceURI")]


def test_the_cii_inside_is_the_one_that_was_given_and_readers_find_it(press: Press) -> None:
    document = a_document()
    embedded, pdf = cii.write(document), made(press, document)
    assert facturx.get_facturx_xml_from_pdf(pdf, check_xsd=True) == ("factur-x.xml", embedded)
    root = read(pdf).trailer["/Root"]
    (file,) = root["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Alternative"
    stream = file.get_object()["/EF"]["/F"].get_object()
    assert stream["/Subtype"] == "/text/xml"
    assert stream["/Params"]["/ModDate"] == "D:20261201000000Z"


def test_it_is_tagged_and_says_its_language(press: Press) -> None:
    root = read(made(press, a_document(language="nl"))).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "nl"
    tags = set(re.findall(r"/S: ?(/\w+)|'/S': '(/\w+)'", str(_tree(root["/StructTreeRoot"].get_object()))))
    assert {"/H1", "/Table", "/TH", "/TD", "/Figure"} <= {name for pair in tags for name in pair if name}


def _tree(node: object, depth: int = 0) -> object:
    if isinstance(node, list):
        return [_tree(child.get_object(), depth) for child in node]
    if isinstance(node, dict) and depth < 12:
        return {"/S": node.get("/S"), "/K": _tree(node["/K"].get_object(), depth + 1)} if "/K" in node else {"/S": node.get("/S")}
    return None


def test_every_font_is_truetype_and_embedded(press: Press) -> None:
    pdf = made(press, a_document(a_line(people=NAMES)))
    fonts = [font.get_object() for page in read(pdf).pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        (descendant,) = font["/DescendantFonts"]
        assert descendant.get_object()["/Subtype"] == "/CIDFontType2"
        assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]


def test_names_from_everywhere_can_be_printed(press: Press) -> None:
    made(press, a_document(a_line(people=NAMES)))
    assert press.missing_glyphs == ""
    made(press, a_document(a_line(people=("\U000f1234",))))
    assert press.missing_glyphs == "\U000f1234"


def test_the_same_document_gives_the_same_bytes(press: Press) -> None:
    document = a_document(a_line(people=NAMES), taxed(11_500), payment_link="ecl.example/417")
    first = made(press, document)
    made(press, a_credit_note())
    assert made(press, document) == first
    assert made(Press(), document) == first


def test_an_invoice_says_all_that_the_law_asks_for(press: Press) -> None:
    document = a_document(
        a_line(supply_to_on=date(2027, 4, 5), detail="tien lessen, Leiden", people=("RB-2207",), quantity="4"),
        taxed(11_500, unit_code="HUR"),
        language="nl", purchase_order="4500128834", cost_centre="3120", ordered_by="F. de Wit", order_numbers=("100388", "100412"),
    )  # fmt: skip
    text = words(made(press, document))
    for part in (
        "Factuur", "2026-000417", "1 december 2026", "31 december 2026", SELLER.name, "Voorbeeldgracht 1", "KvK 90000011", "Btw NL000099998B57",
        "Rijnvelde Biosciences B.V.", "t.a.v. Crediteurenadministratie", "Proefstation 12", "2333 XX Leiden",
        "18 januari t/m 5 april 2027, tien lessen, Leiden", "RB-2207", "645,00", "2.580,00", "Vrijgesteld van btw",
        "art. 11 lid 1 onderdeel o Wet OB 1968", "21% hoog tarief", "24,15", "2.695,00", "€ 2.719,15", "4500128834", "3120", "F. de Wit",
        "100388, 100412", "NL02 ABNA 0123 4567 89", "Graag betalen uiterlijk 31 december 2026", "1 / 1",
    ):  # fmt: skip
        assert part in text, part


def test_the_document_speaks_its_own_language(press: Press) -> None:
    text = words(made(press, a_document(language="en")))
    assert "Invoice" in text
    assert "Please pay by 31 December 2026" in text
    assert "€784.15" in text
    assert "Factuur" not in text


def test_reverse_charge_shows_both_vat_ids_and_the_words(press: Press) -> None:
    from billing.documents.model import Address, Party, VatCategory

    buyer = Party(name="Nachbar GmbH", address=Address(street="Ring 1", postcode="50667", city="Köln", country="DE"), vat_id="DE123456789")
    document = a_document(a_line(vat_category=VatCategory.REVERSE_CHARGE), buyer=buyer, language="nl")
    text = words(made(press, document))
    for part in ("Btw verlegd / VAT reverse charge", "Uw btw-nummer DE123456789", "NL000099998B57", "Duitsland"):
        assert part in text, part


def test_a_credit_note_names_its_invoice_and_asks_for_no_payment(press: Press) -> None:
    text = words(made(press, a_credit_note(language="nl")))
    assert "Creditnota" in text
    assert "2026-000417 (1 dec 2026)" in text
    assert "Graag betalen" not in text
    assert view(a_credit_note()).pay is None


def test_the_pay_code_is_large_enough_to_scan() -> None:
    for name in ("E", "Expat Centre Leiden", "Stichting " + "x" * 60):
        document = a_document(seller=type(SELLER)(**{**{f: getattr(SELLER, f) for f in SELLER.__struct_fields__}, "name": name, "bic": ""}))
        asked = view(document)
        assert asked.pay is not None
        drawn = qr.transfer(asked.pay, payee=asked.payee, title="pay <here>")
        assert "<title>pay &lt;here&gt;</title>" in drawn
        side = int(re.search(r'viewBox="0 0 (\d+)', drawn).group(1))  # type: ignore[union-attr]
        assert 37.4 * (side - 2 * qr.QUIET_ZONE) / side >= 30


def test_nothing_to_pay_has_no_pay_box(press: Press) -> None:
    text = words(made(press, a_document(a_line(cents=0))))
    assert "Please pay" not in text
    assert "€0.00" in text


def test_a_long_invoice_repeats_its_heads_and_numbers_its_pages(press: Press) -> None:
    pdf = made(press, a_document(*[a_line(f"Dutch A{at}", detail="ten lessons", people=("RB-1",)) for at in range(110)]))
    pages = [re.sub(r"\s+", " ", page.extract_text()) for page in read(pdf).pages]
    assert len(pages) >= 8
    for at, text in enumerate(pages, 1):
        assert f"{at} / {len(pages)}" in text
        assert "Amount in €" in text
        assert ("Invoice 2026-000417" in text) == (at > 1)
    assert "Please pay by" in pages[-1]
    assert not any("Please pay by" in text for text in pages[:-1])
    assert sum(text.count("Dutch A") for text in pages) == 110


def test_the_sums_are_never_torn_from_the_pay_box(press: Press) -> None:
    for lines in range(8, 14):
        pages = [page.extract_text() for page in read(made(press, a_document(*[a_line()] * lines))).pages]
        assert ["To pay" in text for text in pages] == ["Please pay by" in text for text in pages]


def test_text_from_people_is_text_and_never_markup(press: Press) -> None:
    evil = '<img src="file:///etc/passwd"><style>p{display:none}</style>'
    assert evil.replace(" ", "") in words(made(press, a_document(a_line(evil)))).replace(" ", "")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1/", "data:text/plain,x", "document:../model.py", "document:unknown.svg"]
)
def test_nothing_outside_the_documents_own_files_can_be_fetched(url: str) -> None:
    with pytest.raises(NotAllowed):
        OwnFiles({"street.svg": b"<svg/>"}).fetch(url)


def test_this_machine_has_what_documents_need() -> None:
    assert [problem for problem in check() if problem.fatal] == []


def test_a4_with_the_margins_of_the_look(press: Press) -> None:
    (page,) = read(made(press, a_document())).pages
    assert [round(float(side) / MM) for side in page.mediabox[2:]] == [210, 297]


def test_quantities_of_hours_keep_their_fraction(press: Press) -> None:
    assert "1,75" in words(made(press, a_document(a_line(quantity="1.75", vat_rate=Decimal(0)), language="nl")))
