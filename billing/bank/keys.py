"""What makes an entry the same entry again, in whichever file it comes: the account, and what the bank will repeat of it. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.bank.camt import Entry, Statement


def of(statements: Sequence[Statement]) -> list[list[str]]:
    """Return the keys of the entries of each statement; together with the account they are unique.

    With the bank's own reference: that, the day and the amount. Without: all that is known of it. Entries that are alike
    in all of this are counted through the file, so that two equal payments on a day stay two, and a file of the whole
    month has the same keys as its days.
    """
    seen: Counter[tuple[str, str]] = Counter()
    found: list[list[str]] = []
    for statement in statements:
        keys: list[str] = []
        for entry in statement.entries:
            said = _said(entry)
            seen[statement.iban, said] += 1
            keys.append(hashlib.sha256(f"{said}|{seen[statement.iban, said]}".encode()).hexdigest()[:40])
        found.append(keys)
    return found


def _said(entry: Entry) -> str:
    always = [entry.booked_on.isoformat(), str(entry.cents)]
    if entry.servicer_reference:
        return "|".join(("ref", entry.servicer_reference, entry.end_to_end_id, *always))
    words = "".join(sign for sign in entry.text.lower() if sign.isalnum())
    return "|".join(("all", entry.iban, entry.end_to_end_id, words, *entry.references, *always))
