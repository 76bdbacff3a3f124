"""The certificate of attendance: who followed what, how many hours, and where anyone can check that it is real. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

from billing.documents import wording
from billing.documents.parts import refuse
from billing.documents.sheet import Paper, paper_faults
from marketplace.kit.i18n import _, n_

ALL = 100


class Certificate(Paper, frozen=True, kw_only=True, tag="certificate"):
    """One person's certificate. It holds no money and no address.

    ``hours`` are those of the course, ``attended_percent`` what of them was attended (None: not shown). ``level`` may be empty
    ("A1"). ``partner_name`` is who taught. ``verify_code`` is printed and ``verify_url`` is in the QR: the address where the
    code can be checked, with ``verify_link`` as its short form on paper. ``signed_by`` and ``signed_as`` are the name and role
    under it. ``outcomes`` are short phrases of what was learned, at most six.
    Raises ``DocumentError`` when a part is missing.
    """

    template: ClassVar[str] = "documents/certificate.html"

    person: str
    programme: str
    partner_name: str
    hours: Decimal
    from_on: date
    to_on: date
    verify_code: str
    verify_url: str
    verify_link: str = ""
    level: str = ""
    place: str = ""
    attended_percent: int | None = None
    outcomes: tuple[str, ...] = ()
    signed_by: str = ""
    signed_as: str = ""

    def __post_init__(self) -> None:
        """Refuse a certificate that nobody could check."""
        refuse(self.number or self.verify_code, [*paper_faults(self), *_faults(self)])

    @property
    def heading(self) -> str:
        """Its title."""
        return _("Certificate of attendance")

    @property
    def sentence(self) -> str:
        """When, how long, where and by whom."""
        said = {
            "hours": n_("1 hour", "{n} hours", 1) if self.hours == 1 else _("{count} hours", count=wording.count(self.hours)),
            "period": wording.span(self.from_on, self.to_on),
            "partner": self.partner_name,
        }
        text = _("{hours} of lessons, {period}, taught by {partner}.", **said)
        if self.place:
            text = _("{hours} of lessons in {place}, {period}, taught by {partner}.", place=self.place, **said)
        if self.attended_percent is None:
            return text
        return f"{text} " + _("{percent}% of them were attended.", percent=self.attended_percent)

    @property
    def about(self) -> str:
        """The person."""
        return self.person


MOST_OUTCOMES = 6


def _faults(certificate: Certificate) -> list[str]:
    required = {
        "person": certificate.person,
        "programme": certificate.programme,
        "partner": certificate.partner_name,
        "code to check it": certificate.verify_code,
        "address to check it": certificate.verify_url,
    }
    faults = [f"{name} is missing" for name, value in required.items() if not value.strip()]
    if certificate.from_on > certificate.to_on:
        faults.append("the course runs backwards")
    if certificate.dated_on < certificate.to_on:
        faults.append("it is dated before the course ended")
    if certificate.hours <= 0:
        faults.append("there are no hours")
    if certificate.attended_percent is not None and not 0 < certificate.attended_percent <= ALL:
        faults.append("attendance is not between 1 and 100 per cent")
    if len(certificate.outcomes) > MOST_OUTCOMES:
        faults.append(f"there are more than {MOST_OUTCOMES} outcomes")
    return faults
