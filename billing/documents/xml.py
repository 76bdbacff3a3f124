"""The little that UBL and CII writers share: namespaced elements, amounts as text, Peppol addresses.

Nothing empty is ever written: an element without text and children is left out, because the networks refuse it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from billing.documents.model import DocumentKind
from billing.documents.parts import NEEDS_REASON, Party, euros

if TYPE_CHECKING:
    from decimal import Decimal

    from billing.documents.model import InvoiceDocument
    from billing.documents.parts import VatTotal

PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
CREDIT_TRANSFER_SEPA = "58"
SELF_BILLING_PROCESS = "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0"
TYPE_CODES = {
    DocumentKind.INVOICE: "380",
    DocumentKind.CREDIT_NOTE: "381",
    DocumentKind.SELF_BILLED: "389",
    DocumentKind.SELF_BILLED_CREDIT: "261",
}
VAT_ENDPOINTS = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920",
    "FI": "0213", "FR": "9957", "GR": "9933", "HR": "9934", "HU": "9910", "IE": "9935", "IT": "9906", "LT": "9937",
    "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947", "SE": "9955",
    "SI": "9949", "SK": "9950",
}  # fmt: skip


class Writer:
    """Adds elements under one set of namespace prefixes."""

    def __init__(self, namespaces: dict[str, str]) -> None:
        """Remember the prefixes; an empty prefix is the default namespace."""
        self._namespaces = namespaces
        self._names: dict[str, str] = {}

    def root(self, name: str) -> etree._Element:
        """Return a new root element."""
        nsmap = {prefix or None: uri for prefix, uri in self._namespaces.items()}
        return etree.Element(self._qualified(name), nsmap=nsmap)  # type: ignore[arg-type]  # the stubs know no default namespace

    def group(self, parent: etree._Element, *path: str) -> etree._Element:
        """Add nested elements and return the innermost."""
        for name in path:
            parent = etree.SubElement(parent, self._qualified(name))
        return parent

    def text(self, parent: etree._Element, name: str, value: str, **attributes: str) -> None:
        """Add an element with this text; nothing when the text is blank."""
        value = clean(value)
        if value:
            element = etree.SubElement(parent, self._qualified(name))
            for attribute, given in attributes.items():
                element.set(attribute, given)
            element.text = value

    def _qualified(self, name: str) -> str:
        found = self._names.get(name)
        if found is None:
            prefix, _, local = name.rpartition(":")
            found = self._names[name] = f"{{{self._namespaces[prefix]}}}{local}"
        return found


def clean(value: str) -> str:
    """Return text without the control characters that XML can't carry, trimmed."""
    if value.isprintable():
        return value.strip()
    return "".join(sign if sign.isprintable() else " " for sign in value).strip()


def to_bytes(root: etree._Element) -> bytes:
    """Return the finished file in UTF-8 with its declaration."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def amount(cents: int) -> str:
    """Return cents as ``1234.50``."""
    return str(euros(cents))


def plain(number: Decimal) -> str:
    """Return a number without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def process(document: InvoiceDocument) -> str:
    """Return the business process (BT-23): billing, or self-billing."""
    return SELF_BILLING_PROCESS if document.is_self_billed else PEPPOL_PROCESS


def exemption(total: VatTotal) -> tuple[str, str]:
    """Return (code, text) of why a category carries no VAT; both empty for S and Z, where the rules forbid them (BR-S-10, BR-Z-10)."""
    return (total.exemption_code, total.text) if total.category in NEEDS_REASON else ("", "")


def endpoint(party: Party) -> tuple[str, str]:
    """Return (identifier, scheme) of a party's Peppol address: what is given, else legal id, VAT id or mail address."""
    if party.endpoint_id and party.endpoint_scheme:
        return party.endpoint_id, party.endpoint_scheme
    if party.legal_id and party.legal_scheme:
        return party.legal_id, party.legal_scheme
    scheme = VAT_ENDPOINTS.get(_vat_country(party.vat_id))
    if scheme:
        return party.vat_id, scheme
    return (party.email, "EM") if party.email else ("", "")


def _vat_country(vat_id: str) -> str:
    """Return the ISO country of a VAT id; Greece writes EL."""
    return "GR" if vat_id[:2] == "EL" else vat_id[:2]
