"""The catalogue's fixed words: categories, life stages, levels, formats, places, states, and what they are called.

Values are what the database and the API keep; names are marked here and said in the reader's language by ``name``.
"""

from __future__ import annotations

from enum import StrEnum

from marketplace.kit.i18n import N_, _


class Category(StrEnum):
    """What a programme is for; each is a gable and a colour (LOOK.md)."""

    LANGUAGE = "language"
    CULTURE = "culture"
    DUAL_CAREER = "dual_career"
    WELCOME = "welcome"
    COMPANY = "company"
    PACKAGE = "package"


class Stage(StrEnum):
    """Where somebody is in the life of an international here."""

    TALENT = "talent"
    ORIENTATION = "orientation"
    COMING = "coming"
    SETTLING = "settling"
    LIVING = "living"
    LEAVING = "leaving"


class Level(StrEnum):
    """Language level: the Council of Europe's CEFR, and A0 for somebody who starts at nothing."""

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"


class Language(StrEnum):
    """What a programme is taught in."""

    NL = "nl"
    EN = "en"
    DE = "de"
    FR = "fr"
    ES = "es"
    UK = "uk"
    AR = "ar"


class Format(StrEnum):
    """How people meet."""

    ON_SITE = "on_site"
    ONLINE = "online"
    BLENDED = "blended"
    IN_COMPANY = "in_company"


class Place(StrEnum):
    """The six municipalities."""

    LEIDEN = "leiden"
    KATWIJK = "katwijk"
    LEIDERDORP = "leiderdorp"
    OEGSTGEEST = "oegstgeest"
    VOORSCHOTEN = "voorschoten"
    ZOETERWOUDE = "zoeterwoude"


class When(StrEnum):
    """When in the week a session's first lesson is."""

    WORKING_HOURS = "working_hours"
    EVENING = "evening"
    WEEKEND = "weekend"


class PriceUnit(StrEnum):
    """What the price is for."""

    PERSON = "person"
    FAMILY = "family"
    HOUR = "hour"


class VatBasis(StrEnum):
    """What a line is, for the VAT decision (RULES §6); billing decides what follows from it."""

    GENERAL_LANGUAGE = "general_language"
    PROFESSIONAL_COURSE = "professional_course"
    COACHING = "coaching"
    E_LEARNING = "e_learning"
    MATERIAL = "material"
    SERVICE = "service"


class ProgrammeState(StrEnum):
    """Whether buyers see a programme."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class SessionState(StrEnum):
    """Whether a session goes ahead: tentative, certain, called off, or over."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    DONE = "done"


class SeatState(StrEnum):
    """The life of a seat; a hold that has expired counts as released at once."""

    HELD = "held"
    TAKEN = "taken"
    RELEASED = "released"


PROGRAMME_TRANSITIONS: dict[ProgrammeState, frozenset[ProgrammeState]] = {
    ProgrammeState.DRAFT: frozenset({ProgrammeState.PUBLISHED}),
    ProgrammeState.PUBLISHED: frozenset({ProgrammeState.WITHDRAWN}),
    ProgrammeState.WITHDRAWN: frozenset({ProgrammeState.PUBLISHED}),
}
SESSION_TRANSITIONS: dict[SessionState, frozenset[SessionState]] = {
    SessionState.PLANNED: frozenset({SessionState.CONFIRMED, SessionState.CANCELLED, SessionState.DONE}),
    SessionState.CONFIRMED: frozenset({SessionState.CANCELLED, SessionState.DONE}),
    SessionState.CANCELLED: frozenset(),
    SessionState.DONE: frozenset(),
}
SEAT_TRANSITIONS: dict[SeatState, frozenset[SeatState]] = {
    SeatState.HELD: frozenset({SeatState.TAKEN, SeatState.RELEASED}),
    SeatState.TAKEN: frozenset({SeatState.RELEASED}),
    SeatState.RELEASED: frozenset({SeatState.TAKEN}),
}

NAMES: dict[type[StrEnum], dict[str, str]] = {
    Category: {
        "language": N_("Language"),
        "culture": N_("Culture"),
        "dual_career": N_("Dual career"),
        "welcome": N_("Welcome"),
        "company": N_("About your company"),
        "package": N_("Full support"),
    },
    Stage: {
        "talent": N_("Finding talent"),
        "orientation": N_("Orientation"),
        "coming": N_("Coming here"),
        "settling": N_("Settling in"),
        "living": N_("Living here"),
        "leaving": N_("Leaving"),
    },
    Language: {
        "nl": N_("Dutch"),
        "en": N_("English"),
        "de": N_("German"),
        "fr": N_("French"),
        "es": N_("Spanish"),
        "uk": N_("Ukrainian"),
        "ar": N_("Arabic"),
    },
    Format: {
        "on_site": N_("On site in the region"),
        "online": N_("Online, live"),
        "blended": N_("On site and online"),
        "in_company": N_("At your office"),
    },
    When: {
        "working_hours": N_("Working hours"),
        "evening": N_("Evenings"),
        "weekend": N_("Weekends"),
    },
    PriceUnit: {
        "person": N_("per person"),
        "family": N_("per family"),
        "hour": N_("an hour"),
    },
    VatBasis: {
        "general_language": N_("Language course, general"),
        "professional_course": N_("Course for a profession"),
        "coaching": N_("Coaching or career advice"),
        "e_learning": N_("E-learning without a teacher"),
        "material": N_("Books and material"),
        "service": N_("Other service"),
    },
    ProgrammeState: {
        "draft": N_("Draft"),
        "published": N_("Published"),
        "withdrawn": N_("Withdrawn"),
    },
    SessionState: {
        "planned": N_("Planned"),
        "confirmed": N_("Goes ahead"),
        "cancelled": N_("Cancelled"),
        "done": N_("Done"),
    },
}


def name(word: StrEnum) -> str:
    """Return what a word is called in the current language; levels and municipalities are their own names."""
    known = NAMES.get(type(word))
    if known is None:
        return word.value if isinstance(word, Level) else word.value.replace("_", " ").capitalize()
    return _(known[word.value])


def listed(kind: type[StrEnum]) -> str:
    """Return the values of an enum as an SQL list, for CHECK constraints."""
    return ", ".join(f"'{member.value}'" for member in kind)
