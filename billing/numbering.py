"""Numbers of issued documents: gapless, in the order of their dates, one series a year and kind (and partner).

The counter's row stays locked until the transaction ends, so a rollback gives the number back and nobody overtakes.
"""

from __future__ import annotations

from datetime import date

import msgspec

from marketplace.kit import db

INVOICE, CREDIT_NOTE = "", "C"


class Numbered(msgspec.Struct, frozen=True):
    """A number that was just given: ``2026-000001`` or ``C2026-000001``, and the date that goes with it."""

    series: str
    number: str
    dated_on: date


class _Counter(msgspec.Struct, frozen=True):
    last_number: int
    last_on: date


async def next_number(prefix: str, on: date) -> Numbered:
    """Give the next number of the year's series: ``""`` for invoices, ``C`` for credit notes, others by their prefix.

    Must run in the transaction that writes the document. The date is ``on``, or that of the last document in the series when it is later: dates never run back.
    """
    if not db.in_transaction():
        message = "a number is given inside the transaction that uses it"
        raise RuntimeError(message)
    series = f"{prefix}{on.year}"
    sql = """
        INSERT INTO number_series AS counter (series, last_number, last_on) VALUES ($1, 1, $2)
        ON CONFLICT (series) DO UPDATE SET last_number = counter.last_number + 1, last_on = greatest(counter.last_on, excluded.last_on)
        RETURNING last_number, last_on
    """
    counter = await db.row(_Counter, sql, series, on)
    assert counter is not None
    return Numbered(series=series, number=f"{series}-{counter.last_number:06d}", dated_on=counter.last_on)
