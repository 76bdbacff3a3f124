"""Which VAT a line carries, why, and what it adds up to. Pure: dated rules in, a decision with its trace out.

The wording of the law is ours; ECL's tax adviser decides. So every choice stands as dated data in ``vat_rules.toml`` (RULES §6),
and each decision carries the facts and the steps that led to it, language-neutral, for ``explain`` to say and to decide again.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec

from billing.vat_rules import Treatment, VatBasis, VatRules, rules_on
from billing.vat_words import FACTS, explain, legal_text, note, parts, question, step
from marketplace.kit.money import half_up

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BuyerFacts", "Exemption", "Override", "Period", "SellerFacts", "Taxed", "TeachingForm", "Treatment", "VatBasis", "VatCategory",
    "VatDecision", "VatFacts", "VatLine", "VatRules", "VatTotal", "decide", "decide_partner", "explain", "facts_of", "legal_text",
    "line_net", "note", "question", "rules_on", "step", "totals",
]  # fmt: skip


class VatCategory(StrEnum):
    """VAT categories by their UNCL5305 code."""

    STANDARD = "S"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    ZERO = "Z"


class TeachingForm(StrEnum):
    """How it is taught, in the catalogue's words. Live online counts as on site; self-paced has no teacher at the time."""

    ON_SITE = "on_site"
    IN_COMPANY = "in_company"
    BLENDED = "blended"
    ONLINE = "online"
    SELF_PACED = "self_paced"


class VatFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold and when it is supplied (the last day, where it takes several).

    ``course`` is the basis of the course that material or a cancellation fee belongs to, if it belongs to one. ``subject_id`` is
    the programme (for what was decided about it alone), ``partner_id`` who teaches; both opaque here.
    """

    basis: VatBasis
    supply_on: date
    teaching: TeachingForm = TeachingForm.ON_SITE
    course: VatBasis | None = None
    subject_id: UUID | None = None
    partner_id: UUID | None = None


class Period(msgspec.Struct, frozen=True):
    """From a day, up to and including another; None is open."""

    from_on: date
    until_on: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether a day lies within."""
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for one programme, in a period, and why."""

    subject_id: UUID
    treatment: Treatment
    reason: str
    period: Period


class SellerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells: ``crkbo`` are the periods of its entry in the register of short vocational education.

    ``partners`` has those of the partners that teach, by id and name: they count where the rules say so.
    """

    vat_id: str
    country: str = "NL"
    crkbo: tuple[Period, ...] = ()
    name: str = ""
    overrides: tuple[Override, ...] = ()
    partners: dict[UUID, tuple[Period, ...]] = {}


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """An international organisation's certificate, with the days on which it counts."""

    number: str
    issuer: str
    period: Period


class BuyerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys, always a business. ``vat_id_valid`` is what the last final check of the id said, ``pending`` that none did yet.

    ``proof`` is the consultation number of the check on ``checked_on``.
    """

    country: str = "NL"
    vat_id: str | None = None
    vat_id_valid: bool = False
    pending: bool = False
    checked_on: date | None = None
    proof: str | None = None
    certificates: tuple[Exemption, ...] = ()


class VatDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one line. ``rate`` is per cent; ``trace`` has the facts and the steps, the latter said by ``explain``."""

    category: VatCategory
    rate: Decimal
    exemption_code: str | None = None
    text: str | None = None
    trace: tuple[str, ...] = ()


_EDUCATION = frozenset({Treatment.EXEMPT, Treatment.EXEMPT_IF_REGISTERED})
EXEMPT_CODE = "VATEX-EU-132-1I"
REVERSE_CHARGE_CODE = "VATEX-EU-AE"
EU = frozenset("AT BE BG CY CZ DE DK EE EL ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905 - reads better


def decide(facts: VatFacts, seller: SellerFacts, buyer: BuyerFacts, *, rules: tuple[VatRules, ...] | None = None) -> VatDecision:
    """Decide the VAT of one line: the buyer's certificate, the buyer abroad, then what is sold.

    ``rules`` are the installation's unless given. Source: RULES §6; Wet OB 1968 art. 11, 12; directive 2006/112/EC art. 44, 151, 196.
    """
    block = rules_on(facts.supply_on, rules)
    kept = _stored(facts)
    certified = _certified(facts, buyer)
    if certified.verdict and block.certificate == "everything":
        return _decision(VatCategory.ZERO, Decimal(0), None, [kept, *certified.steps, step("zero")])
    abroad = _abroad(block, seller, buyer)
    if abroad.verdict:
        return _decision(VatCategory.REVERSE_CHARGE, Decimal(0), REVERSE_CHARGE_CODE, [kept, *abroad.steps])
    treatment, steps = _treatment(block, facts, seller)
    steps = [kept, *abroad.steps, *steps]
    if treatment is Treatment.EXEMPT:
        return _decision(VatCategory.EXEMPT, Decimal(0), EXEMPT_CODE, steps)
    if certified.verdict:
        return _decision(VatCategory.ZERO, Decimal(0), None, [*steps, *certified.steps, step("zero")])
    rate = block.reduced if treatment is Treatment.REDUCED else block.standard
    return _decision(VatCategory.STANDARD, rate, None, [*steps, *certified.steps, step("rate", rate=rate)])


def decide_partner(facts: VatFacts, partner: SellerFacts, operator: BuyerFacts) -> VatDecision:
    """Decide the VAT of what a partner supplies to the operator, for the partner's (self-billed) invoice.

    The same table, with the partner as the seller: its own entry in the register counts, and what was decided about the
    operator's programmes does not.
    """
    return decide(msgspec.structs.replace(facts, subject_id=None, partner_id=None), partner, operator)


def _decision(category: VatCategory, rate: Decimal, code: str | None, steps: list[str]) -> VatDecision:
    return VatDecision(category=category, rate=rate, exemption_code=code, text=note(category.value, code, "nl"), trace=tuple(steps))


class _Buyer(msgspec.Struct, frozen=True):
    verdict: bool
    steps: list[str]


def _certified(facts: VatFacts, buyer: BuyerFacts) -> _Buyer:
    for one in buyer.certificates:
        if one.period.holds(facts.supply_on):
            until = one.period.until_on or facts.supply_on
            return _Buyer(
                verdict=True, steps=[step("certificate", number=one.number, issuer=one.issuer, since=one.period.from_on, until=until)]
            )
    return _Buyer(verdict=False, steps=[step("certificate_not_then", on=facts.supply_on)] if buyer.certificates else [])


def _abroad(rules: VatRules, seller: SellerFacts, buyer: BuyerFacts) -> _Buyer:
    if buyer.country == seller.country:
        return _Buyer(verdict=False, steps=[])
    if buyer.country not in EU:
        return _Buyer(verdict=False, steps=[step("outside_eu", country=buyer.country)])
    if not rules.reverse_charge or not buyer.vat_id or not seller.vat_id or not (buyer.vat_id_valid or buyer.pending):
        if buyer.vat_id and buyer.checked_on and not buyer.vat_id_valid:
            return _Buyer(verdict=False, steps=[step("vat_id_not_in_use", id=buyer.vat_id, checked=buyer.checked_on)])
        return _Buyer(verdict=False, steps=[step("no_valid_vat_id", country=buyer.country)])
    return _Buyer(verdict=True, steps=[step("reverse_charge", country=buyer.country, id=buyer.vat_id), *_proven(buyer)])


def _proven(buyer: BuyerFacts) -> list[str]:
    if buyer.pending:
        return [step("pending", id=buyer.vat_id)]
    if buyer.checked_on is None:
        return []
    if buyer.proof:
        return [step("proof", checked=buyer.checked_on, number=buyer.proof)]
    return [step("proof_plain", checked=buyer.checked_on)]


def _treatment(rules: VatRules, facts: VatFacts, seller: SellerFacts) -> tuple[Treatment, list[str]]:
    override = next((one for one in seller.overrides if one.subject_id == facts.subject_id and one.period.holds(facts.supply_on)), None)
    if override is not None and facts.course is None:
        return _registered(
            rules, facts, seller, override.treatment, [step("override", reason=override.reason.rstrip(" .")), *_set(override.treatment)]
        )
    treatment = rules.treatments[facts.basis]
    if facts.teaching is TeachingForm.SELF_PACED and treatment in _EDUCATION:
        return rules.self_paced, [step("e_learning")]
    steps = [step(facts.basis.value)]
    if treatment is Treatment.FOLLOWS_COURSE:
        return _followed(rules, facts, seller, steps)
    if facts.basis is VatBasis.CANCELLATION_FEE:
        return treatment, [step("cancellation_fee_taxed")]
    if facts.teaching is TeachingForm.ONLINE and treatment in _EDUCATION:
        steps.append(step("online"))
    return _registered(rules, facts, seller, treatment, steps)


def _followed(rules: VatRules, facts: VatFacts, seller: SellerFacts, steps: list[str]) -> tuple[Treatment, list[str]]:
    if facts.course is None or facts.course is facts.basis:
        return Treatment.TAXED, [step("fee_alone" if facts.basis is VatBasis.CANCELLATION_FEE else "material_alone")]
    followed, more = _treatment(rules, msgspec.structs.replace(facts, basis=facts.course, course=None), seller)
    return followed, [*steps, *more]


def _set(treatment: Treatment) -> list[str]:
    """Return the step that says what was decided for a programme; one that depends on the register says so itself."""
    said = {Treatment.EXEMPT: "exempt_set", Treatment.TAXED: "taxed_set", Treatment.REDUCED: "reduced"}
    return [step(said[treatment])] if treatment in said else [step("professional_course")]


def _registered(
    rules: VatRules, facts: VatFacts, seller: SellerFacts, treatment: Treatment, steps: list[str]
) -> tuple[Treatment, list[str]]:
    """Settle "exempt if registered" by the register on the day of supply: the operator's, or the partner's where that counts."""
    if treatment is not Treatment.EXEMPT_IF_REGISTERED:
        return treatment, steps
    by_partner = rules.register_of == "partner" and facts.partner_id is not None
    periods = seller.partners.get(facts.partner_id, ()) if by_partner and facts.partner_id else seller.crkbo
    who = "" if by_partner else seller.name
    on = facts.supply_on.isoformat()
    found = next((period for period in periods if period.holds(facts.supply_on)), None)
    if found is None:
        return Treatment.TAXED, [*steps, step("not_registered_who", who=who, on=on) if who else step("not_registered", on=on)]
    said = step("registered_since", who=who, since=found.from_on, on=on) if who else step("registered", on=on)
    return Treatment.EXEMPT, [*steps, said]


# The facts in the trace, for deciding again


def _stored(facts: VatFacts) -> str:
    values = {"basis": facts.basis.value, "teaching": facts.teaching.value, "supply": facts.supply_on.isoformat()}
    for name, value in (("course", facts.course), ("subject", facts.subject_id), ("partner", facts.partner_id)):
        if value is not None:
            values[name] = str(value)
    return step(FACTS, **values)


def facts_of(trace: Iterable[str]) -> VatFacts | None:
    """Return the facts that a stored trace was decided on, or None for one that keeps none."""
    for stored in trace:
        key, values = parts(stored)
        if key != FACTS:
            continue
        return VatFacts(
            basis=VatBasis(values["basis"]),
            supply_on=date.fromisoformat(values["supply"]),
            teaching=TeachingForm(values["teaching"]),
            course=VatBasis(values["course"]) if "course" in values else None,
            subject_id=UUID(values["subject"]) if "subject" in values else None,
            partner_id=UUID(values["partner"]) if "partner" in values else None,
        )
    return None


# Adding up


class Taxed(Protocol):
    """Whatever has a net amount and a VAT decision: a charge, an invoice line."""

    @property
    def net_cents(self) -> int:
        """The amount without VAT."""
        ...

    @property
    def vat_category(self) -> str:
        """S, E, AE or Z."""
        ...

    @property
    def vat_rate(self) -> Decimal:
        """Per cent."""
        ...

    @property
    def exemption_code(self) -> str | None:
        """The VATEX code, if any."""
        ...


class VatTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one (category, rate) on a document, in cents."""

    category: VatCategory
    rate: Decimal
    net_cents: int
    vat_cents: int
    exemption_code: str | None = None


class VatLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as far as VAT needs it."""

    net_cents: int
    vat_category: str
    vat_rate: Decimal
    exemption_code: str | None = None


def line_net(quantity: Decimal | int, unit_price_cents: int) -> int:
    """Return quantity times price in cents, rounded half up once."""
    return half_up(Decimal(quantity) * unit_price_cents)


def totals(lines: Iterable[Taxed]) -> list[VatTotal]:
    """Return the sums per (category, rate), highest rate first: VAT is rate times the summed net, half up, once.

    VAT is never rounded per line: that would differ from the legal total.
    """
    nets: dict[tuple[str, Decimal], int] = defaultdict(int)
    codes: dict[tuple[str, Decimal], str | None] = {}
    for line in lines:
        key = (str(line.vat_category), line.vat_rate.normalize())
        nets[key] += line.net_cents
        codes.setdefault(key, line.exemption_code)
    found = [
        VatTotal(
            category=VatCategory(category),
            rate=rate,
            net_cents=net,
            vat_cents=half_up(rate * net / 100),
            exemption_code=codes[category, rate],
        )
        for (category, rate), net in nets.items()
    ]
    return sorted(found, key=lambda total: (-total.rate, total.category))
