"""The Commission's VIES over its REST service: ``POST /check-vat-number``.

It answers with ``valid`` and, because we name ourselves, with a ``requestIdentifier``: the consultation number that proves the
check. Troubles come as codes in ``errorWrappers``, with status 200 or not; most are a member state that is away for a while.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from billing.vies.port import Answer, Outcome, split

_NOT_AN_ID = frozenset({"INVALID_INPUT"})
_REFUSED = frozenset({"INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED"})
_KEPT, _READ, _NUMBER = 4_000, 100_000, 100


class LiveVies:
    """Asks the Commission. ``base`` is the service's address, ``timeout_seconds`` holds for each step of a call."""

    name = "live"

    def __init__(self, base: str, *, timeout_seconds: float = 10) -> None:
        self._base = base.rstrip("/")
        self._timeout = timeout_seconds

    async def check(self, vat_id: str, *, requester: str) -> Answer:
        """Ask once; whatever keeps the answer away is ``UNAVAILABLE`` with its reason."""
        country, number = split(vat_id)
        own_country, own_number = split(requester)
        body = {
            "countryCode": country,
            "vatNumber": number,
            "requesterMemberStateCode": own_country,
            "requesterNumber": own_number,
        }
        try:
            async with httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client:
                reply = await client.post(f"{self._base}/check-vat-number", json=body, headers={"Accept": "application/json"})
        except httpx.TimeoutException as error:
            return Answer(outcome=Outcome.UNAVAILABLE, code="TIMEOUT", raw={"error": type(error).__name__})
        except httpx.HTTPError as error:
            return Answer(outcome=Outcome.UNAVAILABLE, code="NETWORK", raw={"error": f"{type(error).__name__}: {error}"[:_KEPT]})
        return read(reply.status_code, reply.content)


def read(status: int, content: bytes) -> Answer:
    """Return what a reply means. Pure. Anything that isn't understood is ``UNAVAILABLE``: it never counts as a proof."""
    try:
        said = msgspec.json.decode(content[:_READ].replace(b"\\u0000", b""))
    except (msgspec.DecodeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Answer(
            outcome=Outcome.UNAVAILABLE,
            code=f"HTTP_{status}",
            raw={"status": status, "text": content[:_KEPT].decode(errors="replace").replace("\x00", "")},
        )
    code = _code(said)
    if code in _NOT_AN_ID:
        return Answer(outcome=Outcome.INVALID, code=code, raw=said)
    if code in _REFUSED:
        return Answer(outcome=Outcome.REFUSED, code=code, raw=said)
    valid = said.get("valid")
    if code or status != httpx.codes.OK or not isinstance(valid, bool):
        return Answer(outcome=Outcome.UNAVAILABLE, code=code or f"HTTP_{status}", raw=said)
    number = str(said.get("requestIdentifier") or "")[:_NUMBER] or None
    return Answer(outcome=Outcome.VALID if valid else Outcome.INVALID, consultation_number=number if valid else None, raw=said)


def _code(said: dict[str, Any]) -> str:
    """Return the code of a trouble, or nothing. ``userError`` says VALID and INVALID too, which are no troubles."""
    wrappers = said.get("errorWrappers")
    if isinstance(wrappers, list) and wrappers and isinstance(wrappers[0], dict):
        return str(wrappers[0].get("error") or "UNKNOWN")[:_NUMBER]
    told = said.get("userError")
    return str(told)[:_NUMBER] if told and told not in {"VALID", "INVALID"} else ""
