"""What a basket comes to before it is ordered: lines, net, VAT once per rate, total, and the terms of cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing import acceptance, debtors, seller, vat
from billing.runs import judging
from billing.vat import VatLine, VatTotal
from catalog import policies, sessions
from catalog.policies import Boundary
from catalog.sessions import SessionOffer
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.money import Money
from marketplace.orders import baskets, pricing
from marketplace.orders.baskets import Basket
from marketplace.people import companies, ordering_rules, staff
from marketplace.people.companies import Company
from marketplace.people.staff import Person

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor


class SessionPart(msgspec.Struct, frozen=True):
    """One session of the basket with its people, its sum and what cancelling would cost until when."""

    offer: SessionOffer
    people: list[Person]
    net: Money
    vat_category: str
    vat_rate: str
    question: str
    why: list[str]
    legal: str | None
    steps: list[Boundary]

    @property
    def title(self) -> str:
        """Return the programme's title in the reader's language."""
        return self.offer.title_nl if current_locale() == "nl" else self.offer.title_en


class Review(msgspec.Struct, frozen=True):
    """A whole basket, ready to order; ``problems`` has a sentence per reference that the company would not accept.

    ``warnings``: what its invoice would be sent back for, so that it would be held.
    """

    basket: Basket
    company: Company
    parts: list[SessionPart]
    sums: list[VatTotal]
    problems: dict[str, str]
    expired: bool
    fingerprint: str
    warnings: list[str] = []

    @property
    def net(self) -> Money:
        """Return the sum without VAT."""
        return Money(sum(one.net_cents for one in self.sums))

    @property
    def vat(self) -> Money:
        """Return the VAT."""
        return Money(sum(one.vat_cents for one in self.sums))

    @property
    def total(self) -> Money:
        """Return what will be invoiced."""
        return self.net + self.vat

    @property
    def people(self) -> int:
        """Return how many people are in it."""
        return len({person.id for part in self.parts for person in part.people})


async def sale_to(company: Company) -> pricing.Sale:
    """Return who sells to this company, and how it wants to read."""
    buyer = await debtors.buyer_facts(pricing.debtor_of(company))
    return pricing.Sale(seller=await seller.facts(), buyer=buyer, language=company.language, wants_names=company.wants_names)


async def of(actor: Actor, *, now: datetime) -> Review | None:
    """Return the review of the member's basket, or None when it is empty."""
    basket = await baskets.of(actor)
    if basket is None:
        return None
    company = await companies.get(basket.company_id)
    sale = await sale_to(company)
    session_ids = list(dict.fromkeys(line.session_id for line in basket.lines))
    offers = {offer.session_id: offer for offer in await sessions.for_order(session_ids, now=now)}
    people = await staff.get_many([line.person_id for line in basket.lines], company_id=basket.company_id)
    parts = [
        _part(offers[session_id], [people[line.person_id] for line in basket.lines if line.session_id == session_id], sale, now)
        for session_id in session_ids
    ]
    lines = [_vat_line(part.offer, sale) for part in parts for _person in part.people]
    problems = ordering_rules.check(company.rules, purchase_order=basket.purchase_order, cost_centre=basket.cost_centre)
    seen = pricing.fingerprint(
        [(offers[line.session_id], line.person_id, pricing.decide_vat(offers[line.session_id], sale)) for line in basket.lines],
        purchase_order=basket.purchase_order,
        cost_centre=basket.cost_centre,
    )
    warnings = [] if problems else await _warnings(company, basket, people, actor)
    return Review(basket, company, parts, vat.totals(lines), problems, basket.held_until <= now, seen, warnings)


async def _warnings(company: Company, basket: Basket, people: dict[UUID, Person], actor: Actor) -> list[str]:
    """Return a sentence for each thing that the company's own bookkeeping wants on an invoice and that this order lacks."""
    asked = [
        acceptance.Line(
            purchase_order=basket.purchase_order,
            cost_centre=basket.cost_centre or people[line.person_id].cost_centre,
            ordered_by=actor.name,
        )
        for line in basket.lines
    ]
    found = await judging.before_ordering(pricing.debtor_of(company), asked)
    return [
        _(
            "Your company returns invoices without {wanted}. Give it now: the invoice waits until it is there.",
            wanted=acceptance.wanted(one.values),
        )
        for one in found
        if one.code == "reference"
    ]


def _part(offer: SessionOffer, people: list[Person], sale: pricing.Sale, now: datetime) -> SessionPart:
    decision = pricing.decide_vat(offer, sale)
    steps = [step for step in policies.boundaries(offer.policy, Money(offer.price_cents), offer.starts_at) if step.until > now]
    return SessionPart(
        offer,
        people,
        Money(offer.price_cents) * len(people),
        decision.category.value,
        str(decision.rate.normalize()),
        vat.question(decision.category, decision.rate),
        vat.explain(decision.trace),
        vat.note(decision.category, decision.exemption_code, current_locale()),
        steps,
    )


def _vat_line(offer: SessionOffer, sale: pricing.Sale) -> VatLine:
    decision = pricing.decide_vat(offer, sale)
    return VatLine(
        net_cents=offer.price_cents, vat_category=decision.category, vat_rate=decision.rate, exemption_code=decision.exemption_code
    )


async def estimate(session_id: UUID, *, actor: Actor, now: datetime) -> tuple[SessionOffer, str, str] | None:
    """Return a session's offer with the VAT category and rate that this actor's company would get, or None if unknown."""
    found = await sessions.for_order([session_id], now=now)
    if not found or actor.company_id is None:
        return None
    decision = pricing.decide_vat(found[0], await sale_to(await companies.get(actor.company_id)))
    return found[0], decision.category.value, str(decision.rate.normalize())
