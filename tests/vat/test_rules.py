"""The rules as dated data: a change on 1 January, what a file must say, what was decided for one programme, whose register counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from billing import vat_rules
from billing.vat import (
    BuyerFacts,
    Exemption,
    Override,
    Period,
    SellerFacts,
    TeachingForm,
    Treatment,
    VatBasis,
    VatFacts,
    VatLine,
    decide,
    decide_partner,
    explain,
    facts_of,
    note,
    totals,
)
from billing.vat_rules import VatRules
from marketplace.kit import settings
from marketplace.kit.i18n import use_locale
from marketplace.kit.settings import SettingsError

NEW_YEAR = date(2027, 1, 1)
PROGRAMME, PARTNER = UUID(int=7), UUID(int=9)
ECL = SellerFacts(vat_id="NL000099998B57", name="Expat Centre Leiden", crkbo=(Period(date(2020, 1, 1)),))
DUTCH = BuyerFacts()
OLD = vat_rules.book().rules[-1]


def _changed(**values: object) -> tuple[VatRules, ...]:
    return OLD, msgspec.structs.replace(OLD, from_on=NEW_YEAR, **values)


def _made(basis: VatBasis, on: date, rules: tuple[VatRules, ...]) -> tuple[str, int]:
    made = decide(VatFacts(basis=basis, supply_on=on), ECL, DUTCH, rules=rules)
    return made.category.value, int(made.rate)


def test_a_new_rate_splits_lines_by_the_day_of_supply_at_the_turn_of_the_year() -> None:
    rules = _changed(standard=Decimal(22))
    days = [date(2026, 12, 31), NEW_YEAR, date(2026, 12, 15)]
    lines = []
    for on in days:
        made = decide(VatFacts(basis=VatBasis.COACHING, supply_on=on), ECL, DUTCH, rules=rules)
        lines.append(VatLine(net_cents=10_000, vat_category=made.category, vat_rate=made.rate))
    assert [(total.rate, total.net_cents, total.vat_cents) for total in totals(lines)] == [(22, 10_000, 2_200), (21, 20_000, 4_200)]


def test_a_course_that_becomes_taxed_on_1_january_is_taxed_from_that_day() -> None:
    treatments = {**OLD.treatments, VatBasis.GENERAL_LANGUAGE: Treatment.TAXED}
    rules = _changed(treatments=treatments)
    assert _made(VatBasis.GENERAL_LANGUAGE, date(2026, 12, 31), rules) == ("E", 0)
    assert _made(VatBasis.GENERAL_LANGUAGE, NEW_YEAR, rules) == ("S", 21)
    assert _made(VatBasis.GENERAL_LANGUAGE, date(2010, 1, 1), rules) == ("E", 0)


@pytest.mark.parametrize(
    ("course", "expected"),
    [(VatBasis.GENERAL_LANGUAGE, ("E", 0)), (VatBasis.PROFESSIONAL_COURSE, ("E", 0)), (VatBasis.COACHING, ("S", 21)), (None, ("S", 21))],
)
def test_a_cancellation_fee_follows_its_course(course: VatBasis | None, expected: tuple[str, int]) -> None:
    made = decide(VatFacts(basis=VatBasis.CANCELLATION_FEE, supply_on=NEW_YEAR, course=course), ECL, DUTCH)
    assert (made.category.value, made.rate) == expected


def test_a_fee_may_be_taxed_always_by_the_data() -> None:
    rules = _changed(treatments={**OLD.treatments, VatBasis.CANCELLATION_FEE: Treatment.TAXED})
    made = decide(VatFacts(basis=VatBasis.CANCELLATION_FEE, supply_on=NEW_YEAR, course=VatBasis.GENERAL_LANGUAGE), ECL, DUTCH, rules=rules)
    assert (made.category.value, made.rate) == ("S", 21)
    assert "A cancellation fee is taxed at the general rate." in explain(made.trace)


def test_a_fee_of_a_self_paced_course_is_taxed_as_the_course() -> None:
    facts = VatFacts(
        basis=VatBasis.CANCELLATION_FEE, supply_on=NEW_YEAR, course=VatBasis.GENERAL_LANGUAGE, teaching=TeachingForm.SELF_PACED
    )
    assert decide(facts, ECL, DUTCH).rate == 21


def _override(treatment: Treatment, until: date | None = None) -> SellerFacts:
    period = Period(date(2026, 1, 1), until)
    override = Override(subject_id=PROGRAMME, treatment=treatment, reason="Ruling of 3 March 2026.", period=period)
    return msgspec.structs.replace(ECL, overrides=(override,))


def test_coaching_is_taxed_unless_set_otherwise_for_the_programme() -> None:
    facts = VatFacts(basis=VatBasis.COACHING, supply_on=NEW_YEAR, subject_id=PROGRAMME)
    assert decide(facts, ECL, DUTCH).rate == 21
    made = decide(facts, _override(Treatment.EXEMPT), DUTCH)
    assert (made.category.value, made.exemption_code) == ("E", "VATEX-EU-132-1I")
    assert explain(made.trace)[0] == "For this programme it was decided otherwise: Ruling of 3 March 2026."
    assert decide(facts, _override(Treatment.EXEMPT, date(2026, 12, 31)), DUTCH).rate == 21
    assert decide(msgspec.structs.replace(facts, subject_id=PARTNER), _override(Treatment.EXEMPT), DUTCH).rate == 21
    unregistered = msgspec.structs.replace(_override(Treatment.EXEMPT_IF_REGISTERED), crkbo=())
    assert decide(facts, unregistered, DUTCH).rate == 21


def test_the_partners_register_counts_where_the_rules_say_that_the_partner_sells() -> None:
    facts = VatFacts(basis=VatBasis.PROFESSIONAL_COURSE, supply_on=NEW_YEAR, partner_id=PARTNER)
    by_partner = _changed(register_of="partner")
    registered = msgspec.structs.replace(ECL, crkbo=(), partners={PARTNER: (Period(date(2026, 6, 1)),)})
    assert decide(facts, ECL, DUTCH, rules=by_partner).category == "S"
    assert decide(facts, registered, DUTCH, rules=by_partner).category == "E"
    assert decide(facts, registered, DUTCH).category == "S"


@pytest.mark.parametrize(
    ("basis", "crkbo", "expected"),
    [
        (VatBasis.GENERAL_LANGUAGE, (), ("E", 0)),
        (VatBasis.PROFESSIONAL_COURSE, (), ("S", 21)),
        (VatBasis.PROFESSIONAL_COURSE, (Period(date(2026, 1, 1)),), ("E", 0)),
        (VatBasis.PLATFORM_FEE, (Period(date(2026, 1, 1)),), ("S", 21)),
    ],
)
def test_what_a_partner_supplies_to_the_operator(basis: VatBasis, crkbo: tuple[Period, ...], expected: tuple[str, int]) -> None:
    partner = SellerFacts(vat_id="NL123456782B90", name="Taalhuis", crkbo=crkbo)
    operator = BuyerFacts(vat_id="NL000099998B57", vat_id_valid=True)
    made = decide_partner(VatFacts(basis=basis, supply_on=NEW_YEAR, partner_id=PARTNER, subject_id=PROGRAMME), partner, operator)
    assert (made.category.value, made.rate) == expected


CERTIFICATE = Exemption(number="15.10-77", issuer="ESA", period=Period(date(2026, 1, 1), date(2026, 12, 31)))


@pytest.mark.parametrize(
    ("on", "category"), [(date(2025, 12, 31), "S"), (date(2026, 1, 1), "Z"), (date(2026, 12, 31), "Z"), (NEW_YEAR, "S")]
)
def test_a_certificate_counts_on_its_days_only(on: date, category: str) -> None:
    made = decide(VatFacts(basis=VatBasis.COACHING, supply_on=on), ECL, BuyerFacts(certificates=(CERTIFICATE,)))
    assert made.category == category
    assert made.exemption_code is None
    assert ("15.10-77" in " ".join(explain(made.trace))) == (category == "Z")
    assert bool(made.text) == (category == "Z")


def test_a_certificate_may_be_for_what_would_be_taxed_only() -> None:
    rules = _changed(certificate="taxed_only")
    buyer = BuyerFacts(certificates=(msgspec.structs.replace(CERTIFICATE, period=Period(NEW_YEAR, date(2027, 12, 31))),))
    found = {
        basis: decide(VatFacts(basis=basis, supply_on=NEW_YEAR), ECL, buyer, rules=rules).category
        for basis in (VatBasis.GENERAL_LANGUAGE, VatBasis.COACHING)
    }
    assert found == {VatBasis.GENERAL_LANGUAGE: "E", VatBasis.COACHING: "Z"}
    assert decide(VatFacts(basis=VatBasis.GENERAL_LANGUAGE, supply_on=NEW_YEAR), ECL, buyer).category == "Z"


def test_why_names_the_proof_and_what_is_still_asked() -> None:
    facts = VatFacts(basis=VatBasis.COACHING, supply_on=NEW_YEAR)
    german = BuyerFacts(country="DE", vat_id="DE136695976", vat_id_valid=True, checked_on=date(2026, 11, 20), proof="WAPI123")
    proven = decide(facts, ECL, german)
    assert "The proof is number WAPI123." in explain(proven.trace)[1]
    asked = decide(facts, ECL, BuyerFacts(country="DE", vat_id="DE136695976", pending=True))
    assert asked.category == "AE"
    assert explain(asked.trace)[1].startswith("We are asking VIES")
    refused = decide(facts, ECL, BuyerFacts(country="DE", vat_id="DE136695976", checked_on=date(2026, 11, 20)))
    assert refused.category == "S"
    assert "was not in use on 20 November 2026" in explain(refused.trace)[0]


@pytest.mark.parametrize("teaching", list(TeachingForm))
@pytest.mark.parametrize("course", [None, VatBasis.GENERAL_LANGUAGE])
def test_the_trace_keeps_what_was_decided_on(teaching: TeachingForm, course: VatBasis | None) -> None:
    facts = VatFacts(
        basis=VatBasis.MATERIAL, supply_on=NEW_YEAR, teaching=teaching, course=course, subject_id=PROGRAMME, partner_id=PARTNER
    )
    assert facts_of(decide(facts, ECL, DUTCH).trace) == facts
    assert facts_of(("coaching", "rate|rate=21")) is None
    assert not any("facts" in said for said in explain(decide(facts, ECL, DUTCH).trace))


def test_a_name_with_bars_spoils_no_trace() -> None:
    odd = msgspec.structs.replace(ECL, name="A|B=C")
    made = decide(VatFacts(basis=VatBasis.PROFESSIONAL_COURSE, supply_on=NEW_YEAR), odd, DUTCH)
    assert "A/B=C is in the CRKBO register" in explain(made.trace)[1]


@pytest.mark.parametrize("locale", ["en", "nl"])
def test_every_kind_of_0_percent_has_its_legal_sentence(locale: str) -> None:
    with use_locale(locale):
        said = [note("E", "VATEX-EU-132-1I", locale), note("AE", "VATEX-EU-AE", locale), note("Z", None, locale)]
    assert all(said)
    assert note("S", None, locale) is None


def test_a_file_must_say_something_of_everything() -> None:
    content = vat_rules.OURS.read_text(encoding="utf-8")
    assert vat_rules.read(content, name="x").rules == vat_rules.book().rules
    with pytest.raises(SettingsError, match="say nothing of coaching"):
        vat_rules.read(content.replace('coaching = "taxed"\n', ""), name="x")
    with pytest.raises(SettingsError, match="can't be read"):
        vat_rules.read(content.replace('coaching = "taxed"', 'coaching = "perhaps"'), name="x")
    with pytest.raises(SettingsError, match="can't be read"):
        vat_rules.read("[[rules]\n", name="x")


def test_a_file_of_their_own_is_read_in_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "rules.toml"
    theirs.write_text(vat_rules.OURS.read_text(encoding="utf-8").replace('coaching = "taxed"', 'coaching = "exempt"'), encoding="utf-8")
    monkeypatch.setenv("MARKETPLACE_VAT_RULES", str(theirs))
    settings.reload()
    try:
        assert decide(VatFacts(basis=VatBasis.COACHING, supply_on=NEW_YEAR), ECL, DUTCH).category == "E"
    finally:
        monkeypatch.undo()
        settings.reload()
    assert decide(VatFacts(basis=VatBasis.COACHING, supply_on=NEW_YEAR), ECL, DUTCH).category == "S"
