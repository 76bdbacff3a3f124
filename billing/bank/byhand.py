"""What ECL types to give a transfer to invoices: one invoice a line, with an amount or without. Pure but for the look-up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.bank import mentions
from billing.bank.candidates import OPEN_CENTS
from billing.bank.matching import Part
from marketplace.kit import db
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

_AMOUNT = re.compile(r"\s+€?\s*(\d{1,3}(?:\.\d{3})*,\d{2}|\d+(?:[.,]\d{1,2})?)\s*$")
MOST_LINES = 100


class _Line(msgspec.Struct, frozen=True):
    number: str
    cents: int | None


class _Found(msgspec.Struct, frozen=True):
    id: UUID
    number: str
    open_cents: int


async def read(text: str, *, left_cents: int) -> list[Part]:
    """Return the parts that the lines mean. A line without an amount takes what is open, as far as the transfer reaches.

    Raises ``Invalid`` on the field ``parts``, with the line that can't be read or the number that isn't there.
    """
    lines = lines_of(text)
    sql = f"SELECT i.id, i.number, {OPEN_CENTS}::bigint AS open_cents FROM invoice i WHERE i.kind = 'invoice' AND i.number = ANY($1)"  # noqa: S608
    found = {one.number: one for one in await db.rows(_Found, sql, [line.number for line in lines])}
    missing = [line.number for line in lines if line.number not in found]
    if missing:
        raise _wrong(_("There is no invoice {number}.", number=missing[0]))
    parts, left = list[Part](), left_cents - sum(line.cents or 0 for line in lines)
    for line in lines:
        cents = line.cents if line.cents is not None else max(0, min(left, found[line.number].open_cents))
        left -= cents if line.cents is None else 0
        parts.append(Part(found[line.number].id, cents))
    if any(part.cents == 0 for part in parts):
        raise _wrong(
            _("Nothing is left for {number}.", number=next(line.number for line, part in zip(lines, parts, strict=True) if not part.cents))
        )
    return parts


def lines_of(text: str) -> Sequence[_Line]:
    """Return the lines as number and cents. Raises ``Invalid``. Pure."""
    made = [_line(line) for line in text.splitlines() if line.strip()]
    if not made or len(made) > MOST_LINES:
        raise _wrong(_("Give at least one invoice number, each on its own line."))
    twice = next((line.number for at, line in enumerate(made) if line.number in {each.number for each in made[:at]}), None)
    if twice:
        raise _wrong(_("{number} stands there twice.", number=twice))
    return made


def _line(line: str) -> _Line:
    amount = _AMOUNT.search(line)
    for rest, text in ((line[: amount.start()], amount[1]), (line, "")) if amount else ((line, ""),):
        numbers = mentions.read(rest).all
        if len(numbers) == 1:
            return _Line(next(iter(numbers)), _cents(text) if text else None)
    raise _wrong(_("This line can't be read: {line}. Write the invoice number, then the amount.", line=line.strip()[:60]))


def _cents(text: str) -> int:
    plain = text.replace(".", "").replace(",", ".") if "," in text else text
    whole, _dot, part = plain.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _wrong(sentence: str) -> Invalid:
    return Invalid("parts", sentence, fields={"parts": sentence})
