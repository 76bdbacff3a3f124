"""What a checker of VAT ids must do, and which one this installation uses."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from marketplace.kit.settings import settings


class Outcome(StrEnum):
    """What came of a question. Valid and invalid are final; refused is final too, and says nothing of the id."""

    VALID = "valid"
    INVALID = "invalid"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. ``code`` is VIES's word for a trouble, ``consultation_number`` the proof, ``raw`` all that was said."""

    outcome: Outcome
    code: str = ""
    consultation_number: str | None = None
    raw: dict[str, Any] = {}


class Vies(Protocol):
    """Asks whether a VAT id is in use."""

    name: str

    async def check(self, vat_id: str, *, requester: str) -> Answer:
        """Ask about ``vat_id`` in the name of ``requester`` (both with their country letters). Trouble is an answer, never raised."""
        ...


def split(vat_id: str) -> tuple[str, str]:
    """Return the country letters as VIES wants them (EL for Greece) and the rest of a VAT id."""
    letters, rest = vat_id[:2].upper(), vat_id[2:]
    return ("EL" if letters == "GR" else letters), rest


def chosen() -> Vies:
    """Return the checker of the settings: the Commission's when live, else the one that uses no network."""
    from billing.vies.live import LiveVies
    from billing.vies.offline import OfflineVies

    own = settings()
    return LiveVies(own.vies_base, timeout_seconds=own.vies_timeout) if own.vies_adapter == "live" else OfflineVies()
