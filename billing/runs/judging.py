"""Judging invoices that are about to be made: each debtor's profile, its certificate, and what would send the invoice back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import acceptance, debtors
from billing.acceptance import COMPANY, Finding
from billing.runs import certificates, profiles
from billing.vies import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from billing.debtors import Debtor


class Judge(msgspec.Struct, frozen=True):
    """What is needed to judge invoices of some debtors: their profiles, whose certificate is on file, whose VAT id VIES owes an answer on."""

    profiles: dict[str, acceptance.Profile]
    certified: frozenset[UUID]
    unanswered: frozenset[UUID] = frozenset()

    def stops(self, debtor: Debtor, lines: Sequence[acceptance.Billed]) -> list[Finding]:
        """Return what would send an invoice with these lines back."""
        return acceptance.stops(self.findings(debtor, lines))

    def findings(self, debtor: Debtor, lines: Sequence[acceptance.Billed] | None = None) -> list[Finding]:
        """Return every requirement, with whether it is met. A profile that is gone counts as the plain company's."""
        profile = self.profiles.get(debtor.acceptance_profile, COMPANY)
        return acceptance.check(profile, debtor, lines, certified=debtor.id in self.certified, vat_known=debtor.id not in self.unanswered)


async def judge_of(owners: Iterable[Debtor], *, on: date, now: datetime | None = None) -> Judge:
    """Return the judge of these debtors' invoices on a day; with ``now`` also by what VIES answered until then."""
    found = list(owners)
    known = await profiles.many(sorted({debtor.acceptance_profile for debtor in found}))
    asked = [debtor.id for debtor in found if known.get(debtor.acceptance_profile, COMPANY).wants_certificate]
    abroad = [debtor.id for debtor in found if now is not None and debtor.vat_id and debtor.country != "NL"]
    stands = await checks.standings(abroad, now=now) if abroad and now is not None else {}
    unanswered = frozenset(debtor_id for debtor_id, one in stands.items() if not one.settled)
    return Judge(known, await certificates.held(asked, on=on) if asked else frozenset(), unanswered)


async def before_ordering(debtor_id: UUID, lines: Sequence[acceptance.Billed]) -> list[Finding]:
    """Return what an order with these lines would lack on its invoice: for who orders, while it can still be given."""
    debtor = await debtors.get(debtor_id)
    profile = (await profiles.many([debtor.acceptance_profile])).get(debtor.acceptance_profile, COMPANY)
    asked = acceptance.check(profile, debtor, lines)
    return [finding for finding in acceptance.stops(asked) if finding.code in {"reference", "orderer"}]
