"""What every paper that is not an invoice shares: who sends it, in which language, and when. Pure.

A new kind is one module beside this one with its model and its words, one template in ``templates/documents``, and one line in
``papers.PAPERS``.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from billing.documents.parts import LANGUAGES, Party, Seller


class PayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pay box asks for: so many cents, quoting this, to the sender. ``by_on`` None says "open amount" without a day."""

    cents: int
    reference: str
    by_on: date | None = None
    link: str = ""
    url: str = ""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One document on the sender's letterhead. ``number`` may be empty where the kind allows it; ``note`` is free text, printed.

    ``language`` is ``nl`` or ``en``; ``dated_on`` is the day that the paper carries, never read from a clock.
    """

    template: ClassVar[str]

    language: str
    dated_on: date
    sender: Seller
    number: str = ""
    note: str = ""

    @property
    def heading(self) -> str:
        """The title on paper, in the language of the moment."""
        raise NotImplementedError

    @property
    def about(self) -> str:
        """Whom or what it is about, for the metadata and the head of later pages."""
        raise NotImplementedError

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The references at the top right, in the language of the moment; rows without a value are left out."""
        return []

    @property
    def pay(self) -> PayRequest | None:
        """What the pay box asks for, or None when this paper asks for no money."""
        return None


def paper_faults(paper: Paper, *, addressee: Party | None = None) -> list[str]:
    """Return what is missing that every paper needs."""
    faults = [] if paper.language in LANGUAGES else [f"language {paper.language!r} is not nl or en"]
    if not paper.sender.name.strip():
        faults.append("sender has no name")
    if paper.pay and not paper.sender.iban:
        faults.append("sender has no IBAN to be paid on")
    if addressee is None:
        return faults
    where = addressee.address
    required = {"name": addressee.name, "street": where.street, "city": where.city, "postcode": where.postcode}
    return faults + [f"addressee has no {name}" for name, value in required.items() if not value.strip()]
