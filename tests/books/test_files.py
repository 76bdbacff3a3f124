"""The books as files: the audit file in the schema's order with sums of its own lines, and the CSV row by row."""

from __future__ import annotations

import csv
import io
import os
from datetime import date, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from billing import payments
from billing.books import csv_lines, trial, xaf
from billing.ledger import Account
from billing.vat import BuyerFacts, VatBasis
from marketplace.kit import clock as kit_clock
from tests.builders.billing import a_debtor, a_decision, an_invoice
from tests.builders.settlement import IBANS, a_payee, a_statement, an_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
X = {"x": xaf.NAMESPACE}
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
ORDER = {
    "auditfile": ["header", "company"],
    "header": ["fiscalYear", "startDate", "endDate", "curCode", "dateCreated", "softwareDesc"],
    "company": [
        "companyIdent", "companyName", "taxRegistrationCountry", "taxRegIdent", "streetAddress", "customersSuppliers", "generalLedger", "vatCodes",
        "periods", "openingBalance", "transactions",
    ],
    "customerSupplier": ["custSupID", "custSupName", "eMail", "commerceNr", "taxRegistrationCountry", "taxRegIdent", "custSupTp", "streetAddress", "bankAccount"],
    "ledgerAccount": ["accID", "accDesc", "accTp", "leadCode"],
    "openingBalance": ["opBalDate", "linesCount", "totalDebit", "totalCredit", "obLine"],
    "transactions": ["linesCount", "totalDebit", "totalCredit", "journal"],
    "journal": ["jrnID", "desc", "jrnTp", "transaction"],
    "transaction": ["nr", "desc", "periodNumber", "trDt", "amnt", "amntTp", "trLine"],
    "trLine": ["nr", "accID", "docRef", "effDate", "amnt", "amntTp", "custSupID", "invRef", "vat"],
    "vat": ["vatID", "vatPerc", "vatAmnt", "vatAmntTp"],
}  # fmt: skip
"""The order of elements, after the public description of XML Auditfile Financieel 3.2."""


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def some_books(now: datetime) -> None:
    debtor = await a_debtor(name='Rijn & "Vecht" <B.V.>')
    first = await an_invoice(debtor, amounts=(10_000, 64_500), basis=VatBasis.COACHING)
    await an_invoice(debtor, amounts=(64_500,))
    reverse = a_decision(VatBasis.COACHING, buyer=BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True))
    await an_invoice(await a_debtor(country="DE", city="Köln", vat_id="DE136695976"), amounts=(20_000,), vat=reverse)
    await payments.record(first, source="stripe", external_id="py_1", cents=50_000, method="ideal", received_at=now, now=now)
    await payments.record(first, source="bank", external_id="b1", cents=40_145, method="bank_transfer", received_at=now, now=now)


def schema() -> Path | None:
    """Find the official schema: where an environment variable says, or in the package that carries it."""
    if named := os.environ.get("MARKETPLACE_TEST_XAF_XSD"):
        return Path(named)
    spec = find_spec("odoo.addons.l10n_nl_xaf_auditfile_export") if find_spec("odoo") and find_spec("odoo.addons") else None
    return (
        Path(spec.submodule_search_locations[0], "data", "XmlAuditfileFinancieel3.2.xsd")
        if spec and spec.submodule_search_locations
        else None
    )


async def test_the_audit_file_is_in_order_and_adds_up(db: None, clock: FakeClock) -> None:
    clock.set(kit_clock.instant(date(2025, 12, 31), kit_clock.local(clock.now()).time()))
    await an_invoice(amounts=(12_100,), basis=VatBasis.COACHING)
    clock.move(timedelta(days=330))
    await some_books(clock.now())
    content = await whole(xaf.write(*YEAR, today=kit_clock.today(clock.now())))
    root = etree.fromstring(content)
    for element in root.iter():
        name = etree.QName(element).localname
        if name in ORDER:
            places = [ORDER[name].index(etree.QName(child).localname) for child in element]
            assert places == sorted(places), name
    lines = root.findall(".//x:trLine", X)
    sums = {
        side: sum(Decimal(line.findtext("x:amnt", "0", X)) for line in lines if line.findtext("x:amntTp", "", X) == side) for side in "DC"
    }
    head = root.find(".//x:transactions", X)
    assert head is not None
    assert (head.findtext("x:linesCount", "", X), head.findtext("x:totalDebit", "", X)) == (str(len(lines)), str(sums["D"]))
    assert head.findtext("x:totalCredit", "", X) == str(sums["C"])
    assert sums["D"] == sums["C"] == Decimal("2647.90")
    for one in root.findall(".//x:transaction", X):
        assert (
            sum(
                Decimal(x.findtext("x:amnt", "", X)) * (1 if x.findtext("x:amntTp", "", X) == "D" else -1)
                for x in one.findall("x:trLine", X)
            )
            == 0
        )
    known = {one.text for one in root.findall(".//x:ledgerAccount/x:accID", X)}
    assert {line.findtext("x:accID", "", X) for line in lines} <= known
    assert {one.findtext("x:jrnID", "", X): len(one.findall("x:transaction", X)) for one in root.findall(".//x:journal", X)} == {
        "VRK": 3, "INK": 0, "BNK": 1, "STR": 1, "MEM": 0,
    }  # fmt: skip
    opening = {
        one.findtext("x:accID", "", X): one.findtext("x:amnt", "", X) + one.findtext("x:amntTp", "", X)
        for one in root.findall(".//x:obLine", X)
    }
    assert opening == {"0500": "121.00C", "1300": "146.41D", "1500": "25.41C"}
    assert [one.text for one in root.findall(".//x:custSupName", X)].count('Rijn & "Vecht" <B.V.>') == 1


async def test_the_audit_file_is_valid_by_the_official_schema(db: None, now: datetime) -> None:
    path = schema()
    if path is None:
        pytest.skip(
            "the official schema is in odoo-addon-l10n-nl-xaf-auditfile-export (installed --no-deps), or name it in MARKETPLACE_TEST_XAF_XSD"
        )
    await some_books(now)
    content = await whole(xaf.write(*YEAR, today=kit_clock.today(now)))
    rules = etree.XMLSchema(etree.parse(str(path)))
    rules.validate(etree.fromstring(content))
    assert not rules.error_log, rules.error_log


async def test_partners_are_suppliers_with_their_account(db: None, clock: FakeClock) -> None:
    payee = await a_payee()
    await an_account(payee)
    statement = await a_statement(payee, 64_500)
    root = etree.fromstring(await whole(xaf.write(*YEAR, today=kit_clock.today(clock.now()))))
    (supplier,) = [one for one in root.findall(".//x:customerSupplier", X) if one.findtext("x:custSupTp", "", X) == "S"]
    assert (supplier.findtext("x:custSupID", "", X), supplier.findtext(".//x:bankAccNr", "", X)) == (payee.hex, IBANS[0])
    purchase = root.findall(".//x:journal[x:jrnID='INK']/x:transaction/x:desc", X)
    assert f"Afrekening van partner {statement.number}" in [one.text for one in purchase]


async def test_an_empty_period_is_a_file_too(db: None, now: datetime) -> None:
    root = etree.fromstring(await whole(xaf.write(*YEAR, today=kit_clock.today(now))))
    assert root.findtext(".//x:linesCount", "", X) == "0"
    assert len(root.findall(".//x:journal", X)) == 5


async def test_the_csv_has_a_row_a_posting(db: None, now: datetime) -> None:
    await some_books(now)
    text = (await whole(csv_lines.write(*YEAR))).decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert sum(Decimal(row["Bedrag"].replace(",", ".")) for row in found) == 0
    sales = [row for row in found if row["Dagboek"] == "VRK" and row["Factuurnummer"].endswith("-000001")]
    assert [(row["Grootboekrekening"], row["Btw-code"], row["Debet"], row["Credit"]) for row in sales] == [
        ("1300", "", "901,45", "0,00"), ("8000", "S21", "0,00", "745,00"), ("1500", "S21", "0,00", "156,45"),
    ]  # fmt: skip
    assert {row["Grootboekrekening"] for row in found if row["Btw-code"] == "AE"} == {"8040"}
    assert all(row["Boekdatum"] == "23-11-2026" for row in found)


async def test_a_year_closes_into_equity(db: None, clock: FakeClock) -> None:
    clock.set(kit_clock.instant(date(2026, 12, 31), kit_clock.local(clock.now()).time()))
    await an_invoice(amounts=(10_000,), basis=VatBasis.COACHING)
    clock.move(timedelta(days=1))
    await an_invoice(amounts=(30_000,), basis=VatBasis.COACHING)
    found = await trial.read(date(2027, 1, 1), date(2027, 1, 31))
    rows = {row.account: (row.opening, row.debit, row.credit, row.closing) for row in found.rows}
    assert rows[None] == (-10_000, 0, 0, -10_000)
    assert rows[Account.REVENUE] == (0, 0, 30_000, -30_000)
    assert rows[Account.RECEIVABLE] == (12_100, 36_300, 0, 48_400)
    assert sum(row.opening for row in found.rows) == sum(row.closing for row in found.rows) == 0
    assert found.debit == found.credit
