"""The staff list: searched, filtered, a page at a time by name; and whole, for CSV. Always one company's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import db
from marketplace.kit.web import paging
from marketplace.kit.web.paging import Page, Place
from marketplace.people import names
from marketplace.people.staff import SELECT, Person

if TYPE_CHECKING:
    from uuid import UUID


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What to show. ``state`` is ``active``, ``left`` or ``all``."""

    search: str = ""
    department: str | None = None
    state: str = "active"


class Department(msgspec.Struct, frozen=True):
    """A department and how many people work there."""

    name: str
    people: int


_FILTERED = f"""{SELECT}
       AND ($2 = '' OR NOT EXISTS (SELECT 1 FROM unnest(string_to_array($2, ' ')) AS word
                                    WHERE strpos(coalesce(e.search_text, p.search_text), word) = 0))
       AND ($3::text IS NULL OR p.department = $3)
       AND ($4 = 'all' OR p.state = $4)
"""  # noqa: S608 - our own names
START = Place(key=(None, None))


async def page(company_id: UUID, shown: Filter, place: Place = START) -> Page[Person]:
    """Return a page of people by family name; ``place`` from ``paging.read(cursor, str, UUID)``.

    A search finds everyone who matches all of its words, in names, addresses, numbers and departments, with or
    without accents; a relation is found with their employee.
    """
    sql = (
        f"{_FILTERED} AND ($5::text IS NULL OR (p.sort_name, p.id) {place.after} ($5, $6::uuid))"
        f" ORDER BY p.sort_name {place.ascending}, p.id {place.ascending} LIMIT $7"
    )
    found = await db.rows(Person, sql, company_id, *_arguments(shown), *place.key, place.fetch)
    return paging.page(found, place, key=lambda person: (person.sort_name, person.id))


async def every(company_id: UUID, shown: Filter) -> list[Person]:
    """Return everyone that the filter shows, by family name, for a CSV."""
    return await db.rows(Person, f"{_FILTERED} ORDER BY p.sort_name, p.id", company_id, *_arguments(shown))


async def count(company_id: UUID, shown: Filter) -> int:
    """Return how many people the filter shows."""
    return int(await db.value(f"SELECT count(*) FROM ({_FILTERED}) AS shown", company_id, *_arguments(shown)))  # noqa: S608 - our own names


async def departments(company_id: UUID) -> list[Department]:
    """Return the departments that somebody works in, by name."""
    return await db.rows(
        Department,
        "SELECT department AS name, count(*) AS people FROM person"
        " WHERE company_id = $1 AND department IS NOT NULL AND state = 'active' GROUP BY department ORDER BY lower(department)",
        company_id,
    )


def _arguments(shown: Filter) -> tuple[object, ...]:
    return names.fold(shown.search), shown.department, shown.state
