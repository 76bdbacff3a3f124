"""The companies, partners and members of the demo. All of them are made up; so are their numbers, which only look right."""

from __future__ import annotations

from datetime import date

import msgspec

from catalog.partners import PartnerFacts
from marketplace.kit.identity import DEMO_PASSWORD, Role
from marketplace.people.companies import CompanyFacts
from marketplace.people.ordering_rules import Rule

PASSWORD = DEMO_PASSWORD


class Firm(msgspec.Struct, frozen=True, kw_only=True):
    """A company of the demo: its facts, how many people it sends, its domain, departments, and who orders."""

    key: str
    facts: CompanyFacts
    domain: str
    people: int
    departments: tuple[str, ...]
    buyer: str
    cost_centre: str = "{n:04d}"
    purchase_order: str | None = None
    weight: int = 4
    punctual: float = 0.85


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in with the demo's password; ``place`` names a firm, a partner, or ECL when it is empty."""

    email: str
    name: str
    roles: frozenset[Role]
    place: str = ""
    locale: str | None = None


def _facts(name: str, legal_form: str | None, number: int, street: str, postcode: str, city: str, **more: object) -> CompanyFacts:
    given: dict[str, object] = {"kvk": f"{90_000_000 + number}", **more}
    return CompanyFacts(name=name, legal_form=legal_form, street=street, postcode=postcode, city=city, **given)  # type: ignore[arg-type]


FIRMS = (
    Firm(
        key="demo",
        facts=_facts(
            "Rijnvelde Biosciences",
            "B.V.",
            114,
            "Niels Bohrweg 18",
            "2333 CA",
            "Leiden",
            vat_id="NL000099909B01",
            sector="Biotechnology",
            language="en",
            invoice_email="invoices@rijnvelde.example",
            wants_names=True,
        ),
        domain="rijnvelde.example",
        people=62,
        departments=("Cell Biology", "Clinical Operations", "Research IT", "Quality", "Process Development", "Finance"),
        buyer="Femke Wiersma",
        cost_centre="CC-{n:04d}",
        purchase_order="RB-26-{n}",
        weight=12,
        punctual=0.9,
    ),
    Firm(
        key="other",
        facts=_facts(
            "Sleutelstad Robotics",
            "B.V.",
            228,
            "Kanaalpark 140",
            "2321 JV",
            "Leiden",
            vat_id="NL000099910B01",
            sector="Robotics",
            language="nl",
            invoice_email="facturen@sleutelstad-robotics.example",
        ),
        domain="sleutelstad-robotics.example",
        people=41,
        departments=("Mechatronica", "Software", "Productie", "Verkoop"),
        buyer="Daan Kuiper",
        weight=8,
    ),
    Firm(
        key="duinrand",
        facts=_facts(
            "Duinrand Plant Genetics",
            "B.V.",
            331,
            "Ambachtsweg 27",
            "2222 AJ",
            "Katwijk",
            vat_id="NL000099918B01",
            sector="Plant breeding",
            language="nl",
            invoice_email="crediteuren@duinrand.example",
            cost_centre_rule=Rule.REQUIRED,
            cost_centre_hint="Vier cijfers, zoals 2140.",
            cost_centre_pattern="[0-9]{4}",
        ),
        domain="duinrand.example",
        people=34,
        departments=("Veredeling", "Laboratorium", "Kas", "Kantoor"),
        buyer="Marloes van Duijn",
    ),
    Firm(
        key="oortwolk",
        facts=_facts(
            "Oortwolk Space Systems",
            "B.V.",
            442,
            "Hoofdstraat 201",
            "2235 CG",
            "Katwijk",
            vat_id="NL000099922B01",
            sector="Space",
            language="en",
            invoice_email="ap@oortwolk.example",
            purchase_order_rule=Rule.REQUIRED,
            purchase_order_pattern="45[0-9]{8}",
            purchase_order_hint="Start with 45 and give ten digits",
        ),
        domain="oortwolk.example",
        people=48,
        departments=("Optics", "Avionics", "Assembly", "Programme Office"),
        buyer="Anneke Brandsma",
        purchase_order="45{n:08d}",
        weight=6,
    ),
    Firm(
        key="zijldijk",
        facts=_facts(
            "Zijldijk Therapeutics",
            "B.V.",
            553,
            "Elisabethhof 9",
            "2353 EW",
            "Leiderdorp",
            vat_id="NL000099934B01",
            sector="Pharmaceuticals",
            language="en",
            invoice_email="finance@zijldijk.example",
            wants_names=True,
        ),
        domain="zijldijk.example",
        people=30,
        departments=("Discovery", "Regulatory", "Manufacturing"),
        buyer="Priya Raghunathan",
        cost_centre="ZT{n:03d}",
        punctual=0.7,
    ),
    Firm(
        key="poelmeer",
        facts=_facts(
            "Poelmeer Diagnostics",
            "B.V.",
            664,
            "Rhijngeesterstraatweg 40",
            "2342 AP",
            "Oegstgeest",
            vat_id="NL000099946B01",
            sector="Diagnostics",
            language="nl",
            invoice_email="administratie@poelmeer.example",
        ),
        domain="poelmeer.example",
        people=26,
        departments=("Assays", "Data", "Klantenservice"),
        buyer="Joris Hoogendoorn",
    ),
    Firm(
        key="vlietland",
        facts=_facts(
            "Vlietwijk Engineering",
            "B.V.",
            775,
            "Schoolstraat 61",
            "2251 BE",
            "Voorschoten",
            vat_id="NL000099958B01",
            sector="Engineering",
            language="nl",
            invoice_email="facturen@vlietwijk.example",
        ),
        domain="vlietwijk.example",
        people=22,
        departments=("Constructie", "Projecten"),
        buyer="Hanneke Slot",
        weight=3,
        punctual=0.6,
    ),
    Firm(
        key="zoeterbrug",
        facts=_facts(
            "Zoeterbrug Food Science",
            "B.V.",
            886,
            "Industrieweg 8",
            "2382 NV",
            "Zoeterwoude",
            vat_id="NL000099971B01",
            sector="Food",
            language="en",
            invoice_email="invoices@zoeterbrug.example",
        ),
        domain="zoeterbrug.example",
        people=27,
        departments=("Fermentation", "Sensory Lab", "Supply"),
        buyer="Bas Verkade",
        weight=3,
    ),
    Firm(
        key="instituut",
        facts=_facts(
            "Stichting Instituut Singelpark",
            None,
            997,
            "Witte Singel 103",
            "2313 AA",
            "Leiden",
            vat_id="NL000099983B01",
            sector="University institute",
            language="en",
            invoice_email="fssc@singelpark.example",
            purchase_order_pattern="[0-9]{11}",
            purchase_order_hint="Give the project number of eleven digits",
        ),
        domain="singelpark.example",
        people=44,
        departments=("Astronomy", "Linguistics", "Life Sciences", "Graduate School"),
        buyer="Ingrid Zandvliet",
        purchase_order="{n:011d}",
        weight=5,
    ),
    Firm(
        key="omgeving",
        facts=_facts(
            "Omgevingsdienst Rijnmonding",
            None,
            1108,
            "Stationsplein 107",
            "2312 AJ",
            "Leiden",
            sector="Public body",
            language="nl",
            invoice_email="facturen@odrijnmonding.example",
        ),
        domain="odrijnmonding.example",
        people=18,
        departments=("Vergunningen", "Toezicht", "Bedrijfsvoering"),
        buyer="Wouter Blom",
        weight=2,
        punctual=1.0,
    ),
    Firm(
        key="schelde",
        facts=_facts(
            "Scheldezicht Biotech",
            "NV",
            0,
            "Ottergemsesteenweg 415",
            "9000",
            "Gent",
            kvk=None,
            country="BE",
            vat_id="BE0000999989",
            sector="Biotechnology",
            language="en",
            invoice_email="invoices@scheldezicht.example",
        ),
        domain="scheldezicht.example",
        people=24,
        departments=("Upstream", "Downstream"),
        buyer="Lotte Vandecasteele",
        weight=3,
    ),
    Firm(
        key="neckar",
        facts=_facts(
            "Neckarbogen Messtechnik",
            "GmbH",
            0,
            "Kurfürstenanlage 52",
            "69115",
            "Heidelberg",
            kvk=None,
            country="DE",
            vat_id="DE999000105",
            sector="Instruments",
            language="en",
            invoice_email="rechnung@neckarbogen.example",
        ),
        domain="neckarbogen.example",
        people=12,
        departments=("Vertrieb", "Service"),
        buyer="Jürgen Öztürk",
        weight=2,
    ),
    Firm(
        key="kustwacht",
        facts=_facts(
            "European Coastal Observatory",
            None,
            0,
            "Boulevard 2",
            "2225 AA",
            "Katwijk",
            kvk=None,
            sector="International organisation",
            language="en",
            invoice_email="invoices@coastal-observatory.example",
            purchase_order_rule=Rule.REQUIRED,
            purchase_order_hint="Give the number of the purchase request",
        ),
        domain="coastal-observatory.example",
        people=22,
        departments=("Instruments", "Data", "Administration"),
        buyer="Amélie Lefèvre",
        purchase_order="ECO-{n}",
        weight=3,
    ),
)

PARTNERS = {
    "zijlpoort": PartnerFacts(
        name="Taalhuis Zijlpoort", code="TZ", email="partner@demo.example", address="Haarlemmerstraat 208", city="Leiden", crkbo=True,
        crkbo_from_on=date(2016, 9, 1),
        about_en="Dutch since 1994, in a former cheese warehouse. Fourteen teachers, groups of ten at most.",
        about_nl="Nederlands sinds 1994, in een oud kaaspakhuis. Veertien docenten, groepen van hooguit tien.",
    ),
    "rapenburg": PartnerFacts(
        name="Rapenburg Language Lab", code="RL", email="office@rapenburg-lab.example", address="Rapenburg 94", city="Leiden", crkbo=True,
        crkbo_from_on=date(2019, 1, 1),
        about_en="English, German and academic writing, mostly live online.",
        about_nl="Engels, Duits en academisch schrijven, meestal live online.",
    ),
    "brugwachter": PartnerFacts(
        name="Studio Brugwachter", code="SB", email="post@brugwachter.example", address="Nieuwe Rijn 46", city="Leiden", crkbo=True,
        crkbo_from_on=date(2020, 3, 1),
        about_en="Intercultural training with actors, and guides who know every bridge.",
        about_nl="Interculturele training met acteurs, en gidsen die elke brug kennen.",
    ),
    "tweedehuis": PartnerFacts(
        name="Tweede Huis Coaching", code="TH", email="partner@other.example", address="Oude Vest 79", city="Leiden",
        about_en="Careers for those who came along: coaches who moved countries themselves.",
        about_nl="Loopbanen voor wie meekwam: coaches die zelf van land verhuisden.",
    ),
}  # fmt: skip

SIGN_INS = (
    SignIn(email="hr@demo.example", name="Femke Wiersma", roles=frozenset({Role.OWNER, Role.BUYER}), place="demo"),
    SignIn(email="approver@demo.example", name="Sanne Vroom", roles=frozenset({Role.APPROVER}), place="demo"),
    SignIn(email="finance@demo.example", name="Ruben Kok", roles=frozenset({Role.FINANCE}), place="demo"),
    SignIn(email="hr@other.example", name="Daan Kuiper", roles=frozenset({Role.OWNER, Role.BUYER}), place="other"),
    SignIn(email="partner@demo.example", name="Ilse van Rooden", roles=frozenset({Role.PARTNER}), place="zijlpoort"),
    SignIn(email="partner@other.example", name="Yasmin el Idrissi", roles=frozenset({Role.PARTNER}), place="tweedehuis"),
    SignIn(email="ecl@demo.example", name="Marit Steenbergen", roles=frozenset({Role.ECL})),
    SignIn(email="ecl2@demo.example", name="Joris Hartman", roles=frozenset({Role.ECL})),
)
