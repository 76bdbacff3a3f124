"""Will it be accepted? Each kind of debtor with what it asks, as a table; the words of every finding in both languages."""

from __future__ import annotations

import pytest

from billing import acceptance
from billing.acceptance import COMPANY, Line, Profile
from billing.debtors import Debtor
from marketplace.kit import ids
from marketplace.kit.i18n import use_locale

PUBLIC = Profile(code="public_body", name_en="Public body", name_nl="Overheid", wants_ubl=True, schemes=("0190", "0106"), terms_days=30)
UNIVERSITY = Profile(
    code="university",
    name_en="University",
    name_nl="Universiteit",
    wants="order_or_project",
    project_digits=11,
    one_order=True,
    wants_orderer=True,
)
PATTERN = Profile(code="pattern", name_en="P", name_nl="P", wants="order", order_starts="45", order_digits=10)
TREATY = Profile(code="international_organisation", name_en="I", name_nl="I", wants_certificate=True, wants_buyer_reference=True)


def _debtor(**facts: object) -> Debtor:
    given: dict[str, object] = {
        "id": ids.new_id(), "owner_id": ids.new_id(), "vat_id_valid": False, "name": "Rijnburg", "legal_name": "Rijnburg B.V.",
        "street": "Rapenburg 1", "postcode": "2311 EZ", "city": "Leiden", "email": "invoices@rijnburg.example", "kvk": "20000001", **facts,
    }  # fmt: skip
    return Debtor(**given)  # type: ignore[arg-type]


def _unmet(profile: Profile, debtor: Debtor, *lines: Line, certified: bool = False) -> list[str]:
    return [finding.code for finding in acceptance.stops(acceptance.check(profile, debtor, list(lines), certified=certified))]


@pytest.mark.parametrize(
    ("profile", "facts", "lines", "wanted"),
    [
        (COMPANY, {}, [Line()], []),
        (COMPANY, {"street": " "}, [Line()], ["address"]),
        (COMPANY, {"wants_ubl": True, "kvk": None}, [Line()], ["legal_id"]),
        (COMPANY, {"wants_ubl": True, "kvk": None, "oin": "0" * 20}, [Line()], []),
        (COMPANY, {"country": "DE", "vat_id": "DE136695976"}, [Line(vat_category="AE")], ["vat_id"]),
        (COMPANY, {"country": "DE", "vat_id": "DE136695976", "vat_id_valid": True}, [Line(vat_category="AE")], []),
        (COMPANY, {"country": "DE"}, [Line(vat_category="S")], []),
        (PUBLIC, {}, [Line()], ["ubl"]),
        (PUBLIC, {"wants_ubl": True}, [Line()], []),
        (PUBLIC, {"wants_ubl": True, "terms_days": 14}, [Line()], ["terms"]),
        (PUBLIC, {"channel": "peppol"}, [Line()], ["peppol"]),
        (PUBLIC, {"channel": "peppol", "peppol_scheme": "0190", "peppol_id": "0" * 20}, [Line()], []),
        (PUBLIC, {"channel": "peppol", "peppol_scheme": "0190", "peppol_id": "0" * 19}, [Line()], ["peppol"]),
        (PUBLIC, {"channel": "peppol", "peppol_scheme": "9944", "peppol_id": "NL000099998B57"}, [Line()], ["peppol"]),
        (COMPANY, {"channel": "peppol", "peppol_scheme": "9944", "peppol_id": "NL000099998B57"}, [Line()], []),
        (UNIVERSITY, {}, [Line(purchase_order="4500128834", ordered_by="F. de Wit")], []),
        (UNIVERSITY, {}, [Line(cost_centre="12345678901", ordered_by="F. de Wit")], []),
        (UNIVERSITY, {"buyer_reference": "12345678901"}, [Line(ordered_by="F. de Wit")], []),
        (UNIVERSITY, {}, [Line(cost_centre="3120", ordered_by="F. de Wit")], ["reference"]),
        (UNIVERSITY, {}, [Line(purchase_order="4500128834")], ["orderer"]),
        (UNIVERSITY, {}, [Line(purchase_order="1", ordered_by="A"), Line(purchase_order="2", ordered_by="A")], ["one_order"]),
        (PATTERN, {}, [Line(purchase_order="4500128834")], []),
        (PATTERN, {}, [Line(purchase_order="4500128")], ["reference"]),
        (PATTERN, {}, [Line(purchase_order="9900128834")], ["reference"]),
        (PATTERN, {}, [Line(purchase_order="٤٥٠٠١٢٨٨٣٤")], ["reference"]),
        (TREATY, {"buyer_reference": "HR-7"}, [Line()], ["certificate"]),
        (TREATY, {}, [Line()], ["buyer_reference", "certificate"]),
    ],
)  # fmt: skip
def test_what_comes_back(profile: Profile, facts: dict[str, object], lines: list[Line], wanted: list[str]) -> None:
    assert _unmet(profile, _debtor(**facts), *lines) == wanted


def test_a_certificate_on_file_is_enough() -> None:
    assert _unmet(TREATY, _debtor(buyer_reference="HR-7"), Line(), certified=True) == []


def test_before_there_is_an_invoice_its_own_demands_are_open() -> None:
    found = {finding.code: finding.met for finding in acceptance.check(UNIVERSITY, _debtor())}
    assert found["reference"] is None
    assert found["orderer"] is None
    assert found["address"] is True
    assert acceptance.stops(acceptance.check(UNIVERSITY, _debtor())) == []


def test_a_vat_id_that_nobody_needs_is_advice() -> None:
    [finding] = [one for one in acceptance.check(COMPANY, _debtor(country="BE")) if one.code == "vat_id"]
    assert finding.met is False
    assert not finding.stops


@pytest.mark.parametrize("locale", ["en", "nl"])
def test_every_finding_is_said(locale: str) -> None:
    debtor = _debtor(country="DE", wants_ubl=True, channel="peppol", peppol_scheme="9944", peppol_id="x")
    profiles = (PUBLIC, UNIVERSITY, PATTERN, TREATY)
    found = [finding for profile in profiles for finding in acceptance.check(profile, debtor, [Line(vat_category="AE")])]
    with use_locale(locale):
        said = [acceptance.say(finding) for finding in found]
    assert {finding.code for finding in found} == {
        "address", "legal_id", "ubl", "one_pdf", "peppol", "terms", "buyer_reference", "certificate", "vat_id", "reference", "one_order", "orderer",
    }  # fmt: skip
    assert all(one.asks and "{" not in one.asks + one.mend for one in said)


def test_the_wanted_number_is_said_as_a_person_would() -> None:
    [finding] = [one for one in acceptance.check(UNIVERSITY, _debtor(), [Line(ordered_by="A")]) if one.code == "reference"]
    assert acceptance.say(finding).asks == "Each line carries a project number of 11 digits or a PO number"
    [finding] = [one for one in acceptance.check(PATTERN, _debtor(), [Line()]) if one.code == "reference"]
    assert acceptance.say(finding).asks == "Each line carries a PO number of 10 digits that starts with 45"
