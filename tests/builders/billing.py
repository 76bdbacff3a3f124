"""Debtors, charges and issued invoices for tests, made through the same verbs as everything else."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from billing import charges, debtors, issuing
from billing.charges import NewCharge
from billing.debtors import DebtorProfile
from billing.vat import BuyerFacts, Period, SellerFacts, VatBasis, VatDecision, VatFacts, decide
from marketplace.kit import clock, db, ids, work
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from uuid import UUID

_numbers = itertools.count(1)
SELLER = SellerFacts(vat_id="NL000099998B57", crkbo=(Period(date(2024, 1, 1)),))
SUPPLY = date(2027, 1, 18)


async def a_debtor(owner_id: UUID | None = None, **profile: object) -> UUID:
    """Make a debtor in Leiden with a whole address."""
    number = next(_numbers)
    given = {
        "name": f"Rijnburg {number}", "street": f"Rapenburg {number}", "postcode": "2311 EZ", "city": "Leiden",
        "email": f"invoices{number}@rijnburg.example", "kvk": f"{20_000_000 + number}", "language": "en", **profile,
    }  # fmt: skip
    debtor_id = await debtors.create(DebtorProfile(**given), owner_id=owner_id or ids.new_id(), now=clock.now())
    if given.get("country", "NL") != "NL":
        await work.drain(clock.now(), only=["billing.vies_check"])  # VIES answers, offline
    return debtor_id


def a_decision(basis: VatBasis = VatBasis.GENERAL_LANGUAGE, *, buyer: BuyerFacts | None = None) -> VatDecision:
    """Decide the VAT of a course in January 2027, sold by a registered ECL to a Dutch company."""
    return decide(VatFacts(basis=basis, supply_on=SUPPLY), SELLER, buyer or BuyerFacts())


def a_charge(
    debtor_id: UUID, group_key: str, *, cents: int = 64_500, basis: VatBasis = VatBasis.GENERAL_LANGUAGE, **values: object
) -> NewCharge:
    """Describe one place on a Dutch course."""
    given = {
        "id": ids.new_id(), "debtor_id": debtor_id, "group_key": group_key, "description": "Dutch A1, evenings",
        "detail": "10 lessons, Leiden", "unit_price": Money(cents), "vat": a_decision(basis), "quantity": Decimal(1),
        "supply_from_on": SUPPLY, "supply_to_on": date(2027, 3, 22), "order_number": "B-2026-0107", **values,
    }  # fmt: skip
    return NewCharge(**given)


async def an_invoice(
    debtor_id: UUID | None = None,
    *,
    amounts: tuple[int, ...] = (64_500,),
    basis: VatBasis = VatBasis.GENERAL_LANGUAGE,
    **values: object,
) -> UUID:
    """Issue an invoice with one line per amount (cents); documents, Stripe and mail stay queued."""
    debtor_id = debtor_id or await a_debtor()
    group = f"order:{ids.new_id()}"
    await charges.record([a_charge(debtor_id, group, cents=cents, basis=basis, **values) for cents in amounts], now=clock.now())
    made = await issuing.issue(group, now=clock.now())
    assert made is not None
    return made


async def number_of(invoice_id: UUID) -> str:
    """Return an invoice's number."""
    return str(await db.value("SELECT number FROM invoice WHERE id = $1", invoice_id))
