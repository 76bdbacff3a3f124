"""The books as a CSV that Exact Online and Twinfield take in: one row a posting.

Semicolons, a byte order mark, Dutch headings, decimal comma, day-month-year, as those programs' Dutch import does. Debit
and credit stand apart and, for programs that want one column, together as ``Bedrag`` (credit below zero). Documented in
``docs/books.md``; change the columns there too.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from billing.books import chart, rows
from marketplace.kit.i18n import use_locale
from marketplace.kit.money import euros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import date

    from billing.books.journal import Entry

HEADINGS = (
    "Dagboek", "Boekjaar", "Periode", "Boekstuknummer", "Boekdatum", "Regel", "Grootboekrekening", "Rekeningnaam", "RGS-code", "Omschrijving",
    "Relatiecode", "Relatienaam", "Factuurnummer", "Btw-code", "Btw-percentage", "Debet", "Credit", "Bedrag", "Valuta",
)  # fmt: skip
_FORMULA = "=+-@\t\r"


async def write(from_on: date, until_on: date) -> AsyncIterator[bytes]:
    """Give the file piece by piece."""
    yield "\ufeff".encode() + _lines([HEADINGS])
    waiting: list[Sequence[object]] = []
    async for entry in rows.every_entry(from_on, until_on):
        waiting += cells(entry)
        if len(waiting) >= rows.AT_ONCE:
            yield _lines(waiting)
            waiting = []
    yield _lines(waiting)


def cells(entry: Entry) -> list[list[object]]:
    """Return the rows of one entry. Pure; always in Dutch."""
    found = []
    with use_locale("nl"):
        words = f"{chart.event_name(entry.event)} {entry.reference}".strip()
        for place, side in enumerate(entry.sides, 1):
            line, code = side.line, chart.vat_code(side.vat_category, side.vat_rate) if side.vat_category else ""
            party = (side.debtor_id or side.payee_id) if side.account.value not in {"revenue", "vat"} else None
            found.append([
                entry.journal.code, entry.booked_on.year, entry.booked_on.month, entry.id.hex, f"{entry.booked_on:%d-%m-%Y}", place,
                line.number, line.name, line.rgs, _text(words), party.hex if party else "", _text(entry.name if party else ""), _text(entry.reference),
                code, _comma(f"{side.vat_rate.normalize():f}") if side.vat_rate is not None and code else "",
                _amount(max(side.cents, 0)), _amount(max(-side.cents, 0)), _amount(side.cents), "EUR",
            ])  # fmt: skip
    return found


def _amount(cents: int) -> str:
    return _comma(str(euros(cents)))


def _comma(figure: str) -> str:
    return figure.replace(".", ",")


def _text(text: str) -> str:
    """Return text that no spreadsheet runs."""
    return f"'{text}" if text[:1] and text[0] in _FORMULA else text


def _lines(found: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(found)
    return out.getvalue().encode()
