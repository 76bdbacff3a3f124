"""Words for large amounts of data: the demo's courses and names as temporary tables, and who can sign in."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from catalog.words import Level, VatBasis, name
from marketplace.demo.companies import PASSWORD, SIGN_INS
from marketplace.demo.names import address, people
from marketplace.demo.texts import COURSES
from marketplace.kit import db, i18n, identity
from marketplace.kit.identity import SYSTEM
from marketplace.people import members, names
from marketplace.people.places import ECL, Place

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.demo.course import Course

_EXEMPT = frozenset({VatBasis.GENERAL_LANGUAGE, VatBasis.PROFESSIONAL_COURSE})
_COURSE = (
    "n", "category", "stages", "title_nl", "title_en", "summary_nl", "summary_en", "about_nl", "about_en", "level_from", "level_to", "taught_in",
    "format", "place", "venue", "group_min", "lessons", "minutes", "price_cents", "unit", "vat_basis", "exempt", "words",
)  # fmt: skip
_TEMPORARY = """
    CREATE TEMP TABLE scale_course (n int PRIMARY KEY, category text, stages text[], title_nl text, title_en text, summary_nl text, summary_en text,
        about_nl text, about_en text, level_from text, level_to text, taught_in text[], format text, place text, venue text, group_min int,
        lessons int, minutes int, price_cents int, unit text, vat_basis text, exempt boolean, words text) ON COMMIT DROP;
    CREATE TEMP TABLE scale_name (n int PRIMARY KEY, given text, infix text, family text, sort text, search text, mail text) ON COMMIT DROP
"""
NAMES = 1_000


def row_id(kind: str, number: int) -> UUID:
    """Return the id that the row of a kind and number has; kinds are in ``scale_rows``."""
    return UUID(f"{kind}-0000-7000-8000-{number:012x}")


async def load() -> None:
    """Make the temporary tables of courses and names, for this transaction."""
    async with db.connection() as own:
        await own.execute(_TEMPORARY)
    group = [course for course in COURSES if not course.asks_partner]
    await db.copy_rows("scale_course", _COURSE, [_course(n, course) for n, course in enumerate(group)])
    await db.copy_rows("scale_name", ("n", "given", "infix", "family", "sort", "search", "mail"), list(_names()))
    await db.execute("ANALYZE scale_course, scale_name")


def courses() -> int:
    """Return how many courses there are to choose from."""
    return sum(not course.asks_partner for course in COURSES)


def _course(n: int, course: Course) -> tuple[object, ...]:
    low, high = course.levels or (None, None)
    words: list[str] = []
    for locale in i18n.LOCALES:
        with i18n.use_locale(locale):
            words += [name(course.category), *(name(language) for language in course.taught_in)]
    levels = [level.value for level in Level if low and high and low <= level <= high]
    words = [*dict.fromkeys(words), *levels, *([course.place.value] if course.place else [])]
    return (
        n, course.category.value, [stage.value for stage in course.stages], course.title.nl, course.title.en, course.summary.nl, course.summary.en,
        course.about.nl, course.about.en, low and low.value, high and high.value, [language.value for language in course.taught_in],
        course.format.value, course.place and course.place.value, course.venue, min(course.group[0], 6), min(course.lessons[0], 3), course.lessons[1],
        course.price * 100, course.unit.value, course.vat.value, course.vat in _EXEMPT, " ".join(words),
    )  # fmt: skip


def _names() -> list[tuple[object, ...]]:
    source = people(Random(NAMES))  # noqa: S311 - a story, not a secret
    made: list[tuple[object, ...]] = []
    for n in range(NAMES):
        given, whole, _dutch = next(source)
        infix, family = names.split_family(whole)
        mail = address(given, whole, "").rstrip("@")
        made.append((n, given, infix, family, names.sort_key(given, infix, family), names.search_text(given, infix, family), mail))
    return made


async def sign_ins(*, now: datetime) -> None:
    """Let the demo's members sign in: for companies 1 and 2, partners 1 and 2, and ECL."""
    places = {
        "demo": Place(company_id=row_id("0000000c", 1)), "other": Place(company_id=row_id("0000000c", 2)), "": ECL,
        "zijlpoort": Place(partner_id=row_id("000000f1", 1)), "tweedehuis": Place(partner_id=row_id("000000f1", 2)),
    }  # fmt: skip
    accounts: list[UUID] = []
    for one in SIGN_INS:
        accounts.append(await identity.create_account(one.email, name=one.name, now=now))
        await members.attach(accounts[-1], place=places[one.place], roles=one.roles, actor=SYSTEM, now=now)
    await db.execute("UPDATE account SET password_hash = $2 WHERE id = ANY ($1)", accounts, await identity.hash_password(PASSWORD))
