"""What a line costs and how it will read on the invoice: price, VAT decision and words, frozen at placing. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import vat
from billing.charges import NewCharge
from billing.vat import BuyerFacts, SellerFacts, TeachingForm, VatBasis, VatDecision, VatFacts, VatLine
from catalog.sessions import SessionOffer
from marketplace.kit import clock, ids
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _, n_, use_locale
from marketplace.kit.money import Money
from marketplace.people.staff import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marketplace.people.companies import Company


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells to whom, and in which language the buyer reads."""

    seller: SellerFacts
    buyer: BuyerFacts
    language: str
    wants_names: bool


class OrderHead(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines of an order share."""

    id: UUID
    number: int
    debtor_id: UUID
    purchase_order: str | None
    cost_centre: str | None
    ordered_by: str


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one session with its VAT decision and its words."""

    id: UUID
    enrolment_id: UUID
    charge_id: UUID
    offer: SessionOffer
    person: Person
    vat: VatDecision
    description: str
    detail: str
    label: str | None

    @property
    def accepted(self) -> bool:
        """Tell whether nobody needs asking: the partner published these seats."""
        return self.offer.published_capacity


def debtor_of(company: Company) -> UUID:
    """Return whom to bill. Raises ``Conflict`` when the company has no billing details yet."""
    if company.debtor_id is None:
        raise Conflict(
            "no_billing_details",
            _("We can't bill your company yet: its billing details are missing."),
            next_step=_("Ask Expat Centre Leiden to fill them in."),
        )
    return company.debtor_id


def decide_vat(offer: SessionOffer, sale: Sale) -> VatDecision:
    """Return the VAT decision for a seat in this session, supplied on its last day."""
    facts = VatFacts(
        basis=VatBasis(offer.vat_basis.value),
        supply_on=clock.today(offer.ends_at),
        teaching=TeachingForm(offer.format.value),
        subject_id=offer.programme_id,
        partner_id=offer.partner_id,
    )
    return vat.decide(facts, sale.seller, sale.buyer)


def line(offer: SessionOffer, person: Person, sale: Sale) -> PricedLine:
    """Price one person in one session."""
    with use_locale(sale.language):
        return PricedLine(
            id=ids.new_id(),
            enrolment_id=ids.new_id(),
            charge_id=ids.new_id(),
            offer=offer,
            person=person,
            vat=decide_vat(offer, sale),
            description=offer.title_nl if sale.language == "nl" else offer.title_en,
            detail=detail(offer),
            label=label(person, wants_names=sale.wants_names),
        )


def detail(offer: SessionOffer) -> str:
    """Say how much and where in the current language, "10 lessons, Leiden"; the document adds the days of supply."""
    return ", ".join(part for part in (n_("one lesson", "{n} lessons", offer.lesson_count), offer.place) if part)


def label(person: Person, *, wants_names: bool) -> str | None:
    """Return how the person stands on the invoice: a relation never by name, others as the company wants it."""
    if person.is_relation:
        return _("partner of an employee")
    return person.name if wants_names else person.personnel_number


def charge(priced: PricedLine, head: OrderHead) -> NewCharge:
    """Return what billing is handed for a line."""
    return NewCharge(
        id=priced.charge_id,
        debtor_id=head.debtor_id,
        group_key=group_key(head.id),
        description=priced.description,
        detail=priced.detail,
        unit_price=Money(priced.offer.price_cents),
        vat=priced.vat,
        supply_from_on=clock.today(priced.offer.starts_at),
        supply_to_on=clock.today(priced.offer.ends_at),
        order_number=str(head.number),
        purchase_order=head.purchase_order,
        cost_centre=head.cost_centre or priced.person.cost_centre,
        person_label=priced.label,
        department=priced.person.department,
        ordered_by=head.ordered_by,
    )


def fingerprint(seats: Iterable[tuple[SessionOffer, UUID, VatDecision]], *, purchase_order: str | None, cost_centre: str | None) -> str:
    """Return a short text that changes with anything a buyer agrees to: who, when, price, VAT, terms, references. Pure."""
    facts = sorted(
        (str(offer.session_id), str(person_id), offer.starts_at.isoformat(), offer.ends_at.isoformat(), offer.price_cents,
         decision.category.value, f"{decision.rate:f}", msgspec.json.encode(offer.policy).decode())
        for offer, person_id, decision in seats
    )  # fmt: skip
    return hashlib.sha256(msgspec.json.encode((facts, purchase_order, cost_centre))).hexdigest()[:32]


def group_key(order_id: UUID) -> str:
    """Return what an order's charges share: one invoice an order."""
    return f"order:{order_id}"


def fee_group(line_id: UUID) -> str:
    """Return the group of the charge that bills the fee of a cancelled line: an invoice of its own."""
    return f"fee:{line_id}"


def totals(priced: Sequence[PricedLine]) -> tuple[Money, Money]:
    """Return net and VAT of the lines, VAT once per rate as the invoice will have it."""
    lines = [
        VatLine(
            net_cents=one.offer.price_cents, vat_category=one.vat.category, vat_rate=one.vat.rate, exemption_code=one.vat.exemption_code
        )
        for one in priced
    ]
    sums = vat.totals(lines)
    return Money(sum(one.net_cents for one in sums)), Money(sum(one.vat_cents for one in sums))
