"""Who could take part in a session: a company's people with what speaks for and against each of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.i18n import _, current_locale
from marketplace.people import names

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 40
_LEVELS = ("A0", "A1", "A2", "B1", "B2", "C1", "C2")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who might take part. ``clash_title`` and ``clash_at``: a lesson of theirs at the same time."""

    id: UUID
    given_name: str
    infix: str
    family_name: str
    kind: str
    employee_name: str
    personnel_number: str | None
    department: str | None
    level: str | None
    seated: bool
    clash_title: str | None
    clash_at: datetime | None

    @property
    def name(self) -> str:
        """Return the name as the company may see it."""
        if self.kind == "relation":
            return _("Partner of {name}", name=self.employee_name)
        return names.full(self.given_name, self.infix, self.family_name)

    def level_fits(self, level_from: str | None, level_to: str | None) -> bool | None:
        """Tell whether their level is one from which the course starts; None when either is not known."""
        if not self.level or not level_from or not level_to:
            return None
        if level_from == level_to:
            return self.level == level_from
        return _LEVELS.index(level_from) <= _LEVELS.index(self.level) < _LEVELS.index(level_to)


class Levels(msgspec.Struct, frozen=True):
    """Where a course starts and ends; None where it has no levels."""

    level_from: str | None
    level_to: str | None


class Candidates(msgspec.Struct, frozen=True):
    """A page of people, how many the company has in all, and the course's levels."""

    people: list[Candidate]
    whole: int
    levels: Levels


_PEOPLE = """
    SELECT p.id, p.given_name, p.infix, p.family_name, p.kind, p.personnel_number, p.department, p.level,
           coalesce(concat_ws(' ', e.given_name, nullif(e.infix, ''), nullif(e.family_name, '')), '') AS employee_name,
           EXISTS (SELECT 1 FROM enrolment n WHERE n.person_id = p.id AND n.session_id = $2 AND n.state IN ('requested', 'confirmed')) AS seated,
           clash.title AS clash_title, clash.starts_at AS clash_at
      FROM person p LEFT JOIN person e ON e.id = p.relation_of
      LEFT JOIN LATERAL (
            SELECT theirs.starts_at, CASE WHEN $6 = 'nl' THEN g.title_nl ELSE g.title_en END AS title
              FROM enrolment n JOIN lesson theirs ON theirs.session_id = n.session_id
              JOIN lesson ours ON ours.session_id = $2 AND ours.starts_at < theirs.ends_at AND theirs.starts_at < ours.ends_at
              JOIN session s ON s.id = n.session_id JOIN programme g ON g.id = s.programme_id
             WHERE n.person_id = p.id AND n.session_id <> $2 AND n.state IN ('requested', 'confirmed')
             ORDER BY theirs.starts_at LIMIT 1) clash ON true
     WHERE p.company_id = $1 AND p.state = 'active'
       AND (p.id = ANY($4) OR NOT EXISTS (
            SELECT 1 FROM unnest(string_to_array($3, ' ')) AS word WHERE word <> '' AND strpos(coalesce(e.search_text, p.search_text), word) = 0))
     ORDER BY (p.id = ANY($4)) DESC,
              coalesce(p.level >= $7::text AND (p.level < $8::text OR ($7 = $8 AND p.level = $7)), false) DESC, p.sort_name, p.id LIMIT $5
"""


async def of(company_id: UUID, session_id: UUID, *, search: str = "", ticked: Sequence[UUID] = ()) -> Candidates:
    """Return people for a session: those ticked first, then whose level fits, then by name; all words must be found."""
    course = "SELECT level_from, level_to FROM programme WHERE id = (SELECT programme_id FROM session WHERE id = $1)"
    levels = await db.row(Levels, course, session_id) or Levels(None, None)
    args = (company_id, session_id, names.fold(search), list(ticked), SHOWN + len(ticked), current_locale())
    people = await db.rows(Candidate, _PEOPLE, *args, levels.level_from, levels.level_to)
    whole = await db.value("SELECT count(*)::int FROM person WHERE company_id = $1 AND state = 'active'", company_id)
    return Candidates(people, whole, levels)


_EVERYONE = """
    SELECT p.id, p.given_name, p.infix, p.family_name, p.kind, p.personnel_number, p.department, p.level,
           coalesce(concat_ws(' ', e.given_name, nullif(e.infix, ''), nullif(e.family_name, '')), '') AS employee_name,
           false AS seated, NULL::text AS clash_title, NULL::timestamptz AS clash_at
      FROM person p LEFT JOIN person e ON e.id = p.relation_of
     WHERE p.company_id = $1 AND p.state = 'active' ORDER BY p.sort_name, p.id LIMIT $2
"""


async def everyone(company_id: UUID, *, limit: int = 5_000) -> list[Candidate]:
    """Return a company's active people by name, for a choice of one."""
    return await db.rows(Candidate, _EVERYONE, company_id, limit)
