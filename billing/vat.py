"""Which VAT a line carries, why, and what it adds up to. Pure: dated rules in, a decision with its trace out.

The wording of the law is ours; ECL's tax adviser decides. So every choice stands in ``RULES`` and ``RATES`` as dated data
(RULES §6), and each decision carries the steps that led to it, language-neutral, for ``explain`` to say.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from marketplace.kit.i18n import N_, _, fmt_date, fmt_number
from marketplace.kit.money import half_up

if TYPE_CHECKING:
    from collections.abc import Iterable


class VatCategory(StrEnum):
    """VAT categories by their UNCL5305 code."""

    STANDARD = "S"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    ZERO = "Z"


class VatBasis(StrEnum):
    """What is sold, as the VAT rules tell things apart; the catalogue's words, and two of our own at the end."""

    GENERAL_LANGUAGE = "general_language"
    PROFESSIONAL_COURSE = "professional_course"
    COACHING = "coaching"
    E_LEARNING = "e_learning"
    MATERIAL = "material"
    SERVICE = "service"
    REDUCED = "reduced"
    PLATFORM_FEE = "platform_fee"


class TeachingForm(StrEnum):
    """How it is taught, in the catalogue's words. Live online counts as on site; self-paced has no teacher at the time."""

    ON_SITE = "on_site"
    IN_COMPANY = "in_company"
    BLENDED = "blended"
    ONLINE = "online"
    SELF_PACED = "self_paced"


class Treatment(StrEnum):
    """What a rule says of a basis."""

    EXEMPT = "exempt"
    EXEMPT_IF_REGISTERED = "exempt_if_registered"
    TAXED = "taxed"
    REDUCED = "reduced"
    FOLLOWS_COURSE = "follows_course"


class VatFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold and when it is supplied (the last day, where it takes several).

    ``course`` is the basis of the course that material or a cancellation fee belongs to, if it belongs to one.
    """

    basis: VatBasis
    supply_on: date
    teaching: TeachingForm = TeachingForm.ON_SITE
    course: VatBasis | None = None


class Period(msgspec.Struct, frozen=True):
    """From a day, up to and including another; None is open."""

    from_on: date
    until_on: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether a day lies within."""
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)


class SellerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells: ``crkbo`` are the periods of its entry in the register of short vocational education."""

    vat_id: str
    country: str = "NL"
    crkbo: tuple[Period, ...] = ()


class BuyerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys, always a business. ``vat_id_valid`` is what the last check of the id said."""

    country: str = "NL"
    vat_id: str | None = None
    vat_id_valid: bool = False


class VatDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one line. ``rate`` is per cent; ``trace`` has the steps, to be said by ``explain``."""

    category: VatCategory
    rate: Decimal
    exemption_code: str | None = None
    text: str | None = None
    trace: tuple[str, ...] = ()


class VatRules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds from a day on. ``self_paced`` is for any course that is taken without a teacher."""

    from_on: date
    standard: Decimal
    reduced: Decimal
    treatments: dict[VatBasis, Treatment]
    self_paced: Treatment
    reverse_charge: bool = True


RULES: tuple[VatRules, ...] = (
    VatRules(
        from_on=date(2019, 1, 1),
        standard=Decimal(21),
        reduced=Decimal(9),
        treatments={
            VatBasis.GENERAL_LANGUAGE: Treatment.EXEMPT,
            VatBasis.PROFESSIONAL_COURSE: Treatment.EXEMPT_IF_REGISTERED,
            VatBasis.COACHING: Treatment.TAXED,
            VatBasis.E_LEARNING: Treatment.TAXED,
            VatBasis.MATERIAL: Treatment.FOLLOWS_COURSE,
            VatBasis.SERVICE: Treatment.TAXED,
            VatBasis.REDUCED: Treatment.REDUCED,
            VatBasis.PLATFORM_FEE: Treatment.TAXED,
        },
        self_paced=Treatment.TAXED,
    ),
)

_EDUCATION = frozenset({Treatment.EXEMPT, Treatment.EXEMPT_IF_REGISTERED})
EXEMPT_CODE = "VATEX-EU-132-1I"
REVERSE_CHARGE_CODE = "VATEX-EU-AE"
LEGAL_TEXTS: dict[str, dict[str, str]] = {
    EXEMPT_CODE: {
        "nl": "Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)",
        "en": "Exempt from VAT (art. 11(1)(o) of the Dutch VAT Act 1968)",
    },
    REVERSE_CHARGE_CODE: {"nl": "Btw verlegd / VAT reverse charge", "en": "Btw verlegd / VAT reverse charge"},
}
EU = frozenset("AT BE BG CY CZ DE DK EE EL ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905 - reads better


def legal_text(code: str | None, language: str) -> str | None:
    """Return the sentence that the law wants on the document for an exemption code, in Dutch or English."""
    return None if code is None else LEGAL_TEXTS[code].get(language, LEGAL_TEXTS[code]["nl"])


def rules_on(on: date) -> VatRules:
    """Return the rules that hold on a day; the oldest for days before them all."""
    return max((rules for rules in RULES if rules.from_on <= on), key=lambda rules: rules.from_on, default=RULES[0])


def decide(facts: VatFacts, seller: SellerFacts, buyer: BuyerFacts) -> VatDecision:
    """Decide the VAT of one line: the buyer abroad first, then what is sold. Source: RULES §6, Wet OB 1968 art. 11, 12."""
    rules = rules_on(facts.supply_on)
    abroad = _abroad(rules, seller, buyer)
    if abroad.verdict:
        return _decision(VatCategory.REVERSE_CHARGE, Decimal(0), REVERSE_CHARGE_CODE, abroad.steps)
    treatment, steps = _treatment(rules, facts, seller)
    steps = [*abroad.steps, *steps]
    if treatment is Treatment.EXEMPT:
        return _decision(VatCategory.EXEMPT, Decimal(0), EXEMPT_CODE, steps)
    rate = rules.reduced if treatment is Treatment.REDUCED else rules.standard
    return _decision(VatCategory.STANDARD, rate, None, [*steps, step("rate", rate=rate)])


def _decision(category: VatCategory, rate: Decimal, code: str | None, steps: list[str]) -> VatDecision:
    return VatDecision(category=category, rate=rate, exemption_code=code, text=legal_text(code, "nl"), trace=tuple(steps))


class _Abroad(msgspec.Struct, frozen=True):
    verdict: bool
    steps: list[str]


def _abroad(rules: VatRules, seller: SellerFacts, buyer: BuyerFacts) -> _Abroad:
    if buyer.country == seller.country:
        return _Abroad(verdict=False, steps=[])
    if buyer.country not in EU:
        return _Abroad(verdict=False, steps=[step("outside_eu", country=buyer.country)])
    if not rules.reverse_charge or not buyer.vat_id or not buyer.vat_id_valid or not seller.vat_id:
        return _Abroad(verdict=False, steps=[step("no_valid_vat_id", country=buyer.country)])
    return _Abroad(verdict=True, steps=[step("reverse_charge", country=buyer.country, id=buyer.vat_id)])


def _treatment(rules: VatRules, facts: VatFacts, seller: SellerFacts) -> tuple[Treatment, list[str]]:
    if facts.teaching is TeachingForm.SELF_PACED and rules.treatments[facts.basis] in _EDUCATION:
        return rules.self_paced, [step("e_learning")]
    treatment, steps = rules.treatments[facts.basis], [step(facts.basis.value)]
    if treatment is Treatment.FOLLOWS_COURSE:
        if facts.course is None or facts.course is facts.basis:
            return Treatment.TAXED, [step("material_alone")]
        followed, more = _treatment(rules, msgspec.structs.replace(facts, basis=facts.course, course=None), seller)
        return followed, [*steps, *more]
    if facts.teaching is TeachingForm.ONLINE and treatment in _EDUCATION:
        steps.append(step("online"))
    if treatment is not Treatment.EXEMPT_IF_REGISTERED:
        return treatment, steps
    on = facts.supply_on.isoformat()
    if any(period.holds(facts.supply_on) for period in seller.crkbo):
        return Treatment.EXEMPT, [*steps, step("registered", on=on)]
    return Treatment.TAXED, [*steps, step("not_registered", on=on)]


# The trace: "key|name=value", said in the reader's language

SENTENCES: dict[str, str] = {
    "general_language": N_("A language course that is not aimed at one profession is general education, which is exempt from VAT."),
    "professional_course": N_("A course for a profession is exempt only when the seller is in the CRKBO register."),
    "registered": N_("The seller was in the CRKBO register on {on}, so the course is exempt from VAT."),
    "not_registered": N_("The seller was not in the CRKBO register on {on}, so VAT is due."),
    "coaching": N_("One-to-one coaching and career advice are taxed."),
    "service": N_("This is taxed at the general rate."),
    "material": N_("Books and material that belong to a course follow that course."),
    "material_alone": N_("Books and material without a course are taxed."),
    "reduced": N_("This is taxed at the reduced rate."),
    "platform_fee": N_("A platform fee is taxed at the general rate."),
    "e_learning": N_("Self-paced e-learning without a teacher is not education in the sense of the exemption, so VAT is due."),
    "online": N_("Live online teaching counts as the same course on site."),
    "reverse_charge": N_("The buyer is a business in another EU country ({country}) with VAT id {id}: the VAT is charged on to the buyer."),
    "no_valid_vat_id": N_("The buyer is in {country}, but we have no VAT id that was found right, so Dutch VAT rules apply."),
    "outside_eu": N_("The buyer is outside the EU ({country}); Dutch VAT rules apply until ECL's tax adviser says otherwise."),
    "rate": N_("VAT is {rate}%."),
}


def step(key: str, **values: object) -> str:
    """Return one step of a trace as it is stored."""
    return "|".join([key, *(f"{name}={value}" for name, value in values.items())])


def explain(trace: Iterable[str]) -> list[str]:
    """Say the steps of a stored trace in the current language. A step that this code doesn't know is shown as it is."""
    return [_say(stored) for stored in trace]


def _say(stored: str) -> str:
    key, *pairs = stored.split("|")
    if key not in SENTENCES:
        return stored
    values = dict(pair.split("=", 1) for pair in pairs)
    if "on" in values:
        values["on"] = fmt_date(date.fromisoformat(values["on"]), "long")
    if "rate" in values:
        values["rate"] = fmt_number(Decimal(values["rate"]))
    return _(SENTENCES[key], **values)


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
