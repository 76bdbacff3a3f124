"""The books as XML Auditfile Financieel 3.2, which the Dutch tax office and accountants' programs read.

Elements stand in the order of the schema (``http://www.auditfiles.nl/XAF/3.2``); texts are cut to its lengths. The file
is given piece by piece, journal after journal; its sums are those of what it holds.
"""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from billing.books import chart, parties, rows, trial
from billing.books.chart import JOURNALS
from billing.books.periods import months_between
from billing.ledger import Account
from marketplace.kit.i18n import fmt_date, use_locale
from marketplace.kit.money import euros
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from datetime import date
    from uuid import UUID

    from billing.books.journal import Entry, Side
    from billing.books.rows import Party
    from marketplace.kit.settings import Operator

NAMESPACE = "http://www.auditfiles.nl/XAF/3.2"
SOFTWARE = "Expat Centre Leiden marketplace"
_CUT = {
    "companyName": 999, "custSupName": 50, "contact": 50, "streetname": 999, "city": 50, "postalCode": 10, "taxRegIdent": 30,
    "companyIdent": 35, "softwareDesc": 50, "periodDesc": 50, "docRef": 999, "invRef": 999, "bankAccNr": 35,
}  # fmt: skip
_IN_MEMORY, _PIECE = 10_000_000, 65_536
_ILLEGAL = {code: None for code in (*range(32), 0xFFFE, 0xFFFF) if code not in {9, 10, 13}}


class _Writer:
    """Collects elements; ``taken`` hands over what there is and begins anew."""

    def __init__(self) -> None:
        self._out = BytesIO()

    def open(self, name: str) -> None:
        self._out.write(f"<{name}>".encode())

    def close(self, name: str) -> None:
        self._out.write(f"</{name}>\n".encode())

    def leaf(self, name: str, value: object) -> None:
        """Write an element, or nothing for a value that is missing."""
        text = "" if value is None else " ".join(str(value).translate(_ILLEGAL).split())
        if text:
            self._out.write(f"<{name}>{escape(text[: _CUT.get(name, 9999)].strip())}</{name}>".encode())

    def amount(self, cents: int, name: str = "amnt", kind: str = "amntTp") -> None:
        """Write a positive amount and its side."""
        self.leaf(name, euros(abs(cents)))
        self.leaf(kind, "D" if cents >= 0 else "C")

    def raw(self, text: str) -> None:
        self._out.write(text.encode())

    def taken(self) -> bytes:
        content, self._out = self._out.getvalue(), BytesIO()
        return content


async def write(from_on: date, until_on: date, *, today: date) -> AsyncIterator[bytes]:
    """Give the audit file of the days from ``from_on`` up to and including ``until_on``, piece by piece, in Dutch.

    The entries are read first, once: sums, customers and suppliers are those of exactly these entries.
    """
    out, body = _Writer(), _Body()
    try:
        async for entry in rows.every_entry(from_on, until_on):
            body.add(entry, from_on)
        opening = (await trial.read(from_on, until_on)).rows
        known = [*await rows.debtors(sorted(body.debtor_ids)), *await parties.payees(sorted(body.payee_ids))]
        with use_locale("nl"):
            _head(out, known, opening, from_on, until_on, today=today)
        _sums(out, body.lines, body.debit, body.credit)
        yield out.taken()
        for piece in body.pieces():
            yield piece
    finally:
        body.close()
    yield b"</transactions>\n</company>\n</auditfile>\n"


class _Body:
    """The journals with their transactions, written as the entries come, and what they add up to; on disk when it is much."""

    def __init__(self) -> None:
        self._files = {journal: SpooledTemporaryFile(max_size=_IN_MEMORY) for journal in JOURNALS}  # noqa: SIM115 - closed by close
        self.lines = self.debit = self.credit = 0
        self.debtor_ids: set[UUID] = set()
        self.payee_ids: set[UUID] = set()

    def add(self, entry: Entry, from_on: date) -> None:
        """Write an entry under its journal."""
        out = _Writer()
        _transaction(out, entry, from_on)
        self._files[entry.journal].write(out.taken())
        for side in entry.sides:
            self.lines += 1
            self.debit += max(side.cents, 0)
            self.credit += max(-side.cents, 0)
            self.debtor_ids |= {side.debtor_id} if side.debtor_id else set()
            self.payee_ids |= {side.payee_id} if side.payee_id else set()

    def pieces(self) -> Iterator[bytes]:
        """Give the journals, one after the other."""
        for journal, file in self._files.items():
            out = _Writer()
            out.raw("<journal>")
            for name, value in (("jrnID", journal.code), ("desc", journal.name_nl), ("jrnTp", journal.kind)):
                out.leaf(name, value)
            yield out.taken()
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece
            yield b"</journal>\n"

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()


def _head(out: _Writer, known: Iterable[Party], opening: Iterable[trial.Row], from_on: date, until_on: date, *, today: date) -> None:
    out.raw(f'<?xml version="1.0" encoding="UTF-8"?>\n<auditfile xmlns="{NAMESPACE}">\n')
    _header(out, from_on, until_on, today=today)
    out.open("company")
    _company(out, settings().operator)
    _parties(out, known)
    _accounts(out)
    _vat_codes(out)
    _periods(out, from_on, until_on)
    _opening(out, from_on, opening)
    out.open("transactions")


def _header(out: _Writer, from_on: date, until_on: date, *, today: date) -> None:
    years = str(from_on.year) if from_on.year == until_on.year else f"{from_on.year}-{until_on.year}"
    out.open("header")
    for name, value in (
        ("fiscalYear", years), ("startDate", from_on), ("endDate", until_on), ("curCode", "EUR"), ("dateCreated", today),
        ("softwareDesc", SOFTWARE),
    ):  # fmt: skip
        out.leaf(name, value)
    out.close("header")


def _company(out: _Writer, operator: Operator) -> None:
    for name, value in (
        ("companyIdent", operator.kvk), ("companyName", operator.name), ("taxRegistrationCountry", operator.country), ("taxRegIdent", operator.vat_id),
    ):  # fmt: skip
        out.leaf(name, value)
    _address(out, operator.street, operator.city, operator.postcode, operator.country)


def _address(out: _Writer, street: str | None, city: str | None, postcode: str | None, country: str | None) -> None:
    if not (street or city or postcode or country):
        return
    out.open("streetAddress")
    for name, value in (("streetname", street), ("city", city), ("postalCode", postcode), ("country", country)):
        out.leaf(name, value)
    out.close("streetAddress")


def _parties(out: _Writer, found: Iterable[Party]) -> None:
    out.open("customersSuppliers")
    for party in found:
        out.open("customerSupplier")
        for name, value in (
            ("custSupID", party.code), ("custSupName", party.name), ("eMail", party.email), ("commerceNr", party.kvk),
            ("taxRegistrationCountry", party.country), ("taxRegIdent", party.vat_id), ("custSupTp", party.kind),
        ):  # fmt: skip
            out.leaf(name, value)
        _address(out, party.street, party.city, party.postcode, party.country)
        if party.iban:
            out.open("bankAccount")
            out.leaf("bankAccNr", party.iban)
            out.close("bankAccount")
        out.close("customerSupplier")
    out.close("customersSuppliers")


def _accounts(out: _Writer) -> None:
    out.open("generalLedger")
    for line in chart.every_line():
        out.open("ledgerAccount")
        kind = "B" if line.kind == "balance" else "P"
        for name, value in (("accID", line.number), ("accDesc", line.name_nl), ("accTp", kind), ("leadCode", line.rgs)):
            out.leaf(name, value)
        out.close("ledgerAccount")
    out.close("generalLedger")


_VAT_CODES: tuple[tuple[str, Decimal], ...] = (
    ("S", chart.STANDARD),
    ("S", chart.REDUCED),
    ("E", Decimal(0)),
    ("AE", Decimal(0)),
    ("Z", Decimal(0)),
)


def _vat_codes(out: _Writer) -> None:
    to_pay, to_claim = chart.CHART[Account.VAT].number, chart.CHART[Account.INPUT_VAT].number
    out.open("vatCodes")
    for category, rate in _VAT_CODES:
        out.open("vatCode")
        words = chart.vat_words(category, rate)
        for name, value in (
            ("vatID", chart.vat_code(category, rate)), ("vatDesc", words), ("vatToPayAccID", to_pay), ("vatToClaimAccID", to_claim),
        ):  # fmt: skip
            out.leaf(name, value)
        out.close("vatCode")
    out.close("vatCodes")


def _periods(out: _Writer, from_on: date, until_on: date) -> None:
    out.open("periods")
    for first, last in months_between(from_on, until_on):
        out.open("period")
        words = fmt_date(first, "long").partition(" ")[2]
        for name, value in (
            ("periodNumber", _period(first, from_on)),
            ("periodDesc", words),
            ("startDatePeriod", first),
            ("endDatePeriod", last),
        ):
            out.leaf(name, value)
        out.close("period")
    out.close("periods")


def _period(on: date, from_on: date) -> int:
    """Return the number of a day's month, counted on from the first year's January."""
    return (on.year - from_on.year) * 12 + on.month


def _opening(out: _Writer, from_on: date, found: Iterable[trial.Row]) -> None:
    opening = [row for row in found if row.opening]
    if not opening:
        return
    out.open("openingBalance")
    out.leaf("opBalDate", from_on)
    debit = sum(row.opening for row in opening if row.opening > 0)
    _sums(out, len(opening), debit, -sum(row.opening for row in opening if row.opening < 0))
    for place, row in enumerate(opening, 1):
        out.open("obLine")
        out.leaf("nr", place)
        out.leaf("accID", row.line.number)
        out.amount(row.opening)
        out.close("obLine")
    out.close("openingBalance")


def _sums(out: _Writer, lines: int, debit: int, credit: int) -> None:
    for name, value in (("linesCount", lines), ("totalDebit", euros(debit)), ("totalCredit", euros(credit))):
        out.leaf(name, value)


def _transaction(out: _Writer, entry: Entry, from_on: date) -> None:
    with use_locale("nl"):
        words = f"{chart.event_name(entry.event)} {entry.reference}".strip()
    out.open("transaction")
    for name, value in (
        ("nr", entry.id.hex),
        ("desc", words),
        ("periodNumber", _period(entry.booked_on, from_on)),
        ("trDt", entry.booked_on),
    ):
        out.leaf(name, value)
    out.amount(entry.cents)
    for place, side in enumerate(entry.sides, 1):
        _side(out, entry, side, place)
    out.close("transaction")


def _side(out: _Writer, entry: Entry, side: Side, place: int) -> None:
    reference = entry.reference or entry.id.hex
    party = side.debtor_id or side.payee_id
    out.open("trLine")
    for name, value in (("nr", place), ("accID", side.line.number), ("docRef", reference), ("effDate", entry.booked_on)):
        out.leaf(name, value)
    out.amount(side.cents)
    out.leaf("custSupID", party.hex if party else None)
    out.leaf("invRef", entry.reference if entry.event in {"invoice_issued", "credit_issued"} else None)
    for tax in _tax_of(entry, side):
        out.open("vat")
        out.leaf("vatID", chart.vat_code(str(side.vat_category), side.vat_rate))
        out.leaf("vatPerc", f"{(side.vat_rate or Decimal(0)).normalize():f}")
        out.amount(tax, "vatAmnt", "vatAmntTp")
        out.close("vat")
    out.close("trLine")


def _tax_of(entry: Entry, side: Side) -> Iterator[int]:
    """Give the VAT in cents that belongs to a side with turnover or cost: that of the same category and rate in its entry."""
    if (
        side.account in {Account.VAT, Account.INPUT_VAT}
        or side.vat_category is None
        or (side.vat_category, side.vat_rate) not in _VAT_CODES
    ):
        return
    own = [
        one.cents
        for one in entry.sides
        if one.account in {Account.VAT, Account.INPUT_VAT} and (one.vat_category, one.vat_rate) == (side.vat_category, side.vat_rate)
    ]
    yield sum(own)
