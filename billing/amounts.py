"""Amounts as people type them into a search: ``€ 1.234,50``, ``1,234.50``, ``1234.5``, ``1234``. Pure."""

from __future__ import annotations

import re

_AMOUNT = re.compile(
    r"(?:€|EUR)?\s*([0-9]{1,3}(?:[ .,'][0-9]{3})+|[0-9]{1,9})(?:([.,])(?:([0-9]{1,2})|[-–—]))?\s*(?:€|EUR)?", re.IGNORECASE
)
_SPACES = {ord(space): " " for space in "\u00a0\u202f\u2009\t"}


def cents(text: str) -> int | None:
    """Return the amount in cents that a text means, Dutch or English; None for what is no amount.

    A mark before exactly three digits at the end divides thousands (``1.234`` is 1234 euros), as in both languages' books.
    """
    found = _AMOUNT.fullmatch(text.translate(_SPACES).strip())
    if found is None:
        return None
    whole, mark, rest = found.groups()
    thousands = set(re.sub(r"[0-9]", "", whole))
    if len(thousands) > 1 or mark in thousands:
        return None
    return int(re.sub(r"[^0-9]", "", whole)) * 100 + int((rest or "0").ljust(2, "0"))
