"""A checker without a network, for tests, demo and sandbox: the answer follows from the id's last digits.

The endings are HTTP's numbers, so that they are easily remembered: …404 isn't in use, …400 is refused, …503 can't be asked
now. Every other id is in use. Its consultation numbers begin with OFFLINE, so that nobody takes one for a proof.
"""

from __future__ import annotations

import hashlib
import re

from billing.vies.port import Answer, Outcome, split

_ENDINGS = {
    "404": (Outcome.INVALID, ""),
    "400": (Outcome.REFUSED, "INVALID_REQUESTER_INFO"),
    "503": (Outcome.UNAVAILABLE, "MS_UNAVAILABLE"),
}


class OfflineVies:
    """Answers at once and always the same."""

    name = "offline"

    async def check(self, vat_id: str, *, requester: str) -> Answer:
        """Answer by the id's last three digits."""
        digits = re.sub(r"\D", "", vat_id)
        outcome, code = _ENDINGS.get(digits[-3:], (Outcome.VALID, ""))
        country, number = split(vat_id)
        said = {"countryCode": country, "vatNumber": number, "requester": requester, "offline": True}
        if outcome is Outcome.VALID:
            proof = f"OFFLINE{hashlib.sha256(f'{requester}>{vat_id}'.encode()).hexdigest()[:9].upper()}"
            return Answer(outcome=outcome, consultation_number=proof, raw={**said, "valid": True})
        return Answer(outcome=outcome, code=code, raw={**said, "valid": False, "error": code})
