"""When a company's own people meet in the coming weeks: their next lessons, week by week, and who is learning now.

Relations of employees are never named to the company.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import clock, db
from marketplace.kit.i18n import _, current_locale, fmt_date, fmt_list, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.people import scope

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 9
_NAMED = 3


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """One lesson that somebody of the company goes to. ``waiting`` counts people whom the partner has yet to accept."""

    session_id: UUID
    number: int
    lessons: int
    starts_at: datetime
    first_at: datetime
    title: str
    category: str
    place: str
    state: str
    decision_at: datetime | None
    given_names: list[str]
    relations: int
    waiting: int
    more_lessons: int


class Row(msgspec.Struct, frozen=True):
    """A lesson in words; ``tone`` is that of its badge."""

    category: str
    day: str
    time: str
    title: str
    text: str
    badge: str
    tone: str


class Week(msgspec.Struct, frozen=True):
    """The lessons of one week."""

    title: str
    range: str
    rows: list[Row]


class Learning(msgspec.Struct, frozen=True):
    """How many people are in how many sessions that are not over."""

    people: int
    programmes: int


_OWN = """
    SELECT e.session_id, array_remove(array_agg(CASE WHEN p.kind = 'employee' THEN p.given_name END ORDER BY p.sort_name), NULL) AS given_names,
           count(*) FILTER (WHERE p.kind = 'relation')::int AS relations, count(*) FILTER (WHERE e.state = 'requested')::int AS waiting
      FROM enrolment e JOIN session s ON s.id = e.session_id JOIN person p ON p.id = e.person_id
     WHERE e.company_id = $1 AND e.state IN ('requested', 'confirmed') AND s.ends_at > $2 AND s.state IN ('planned', 'confirmed')
     GROUP BY e.session_id
"""
_MEETINGS = f"""
    WITH own AS ({_OWN})
    SELECT l.session_id, l.number, w.lessons, l.starts_at, s.starts_at AS first_at, CASE WHEN $3 = 'nl' THEN g.title_nl ELSE g.title_en END AS title,
           g.category, coalesce(nullif(s.place, ''), g.venue) AS place, s.state, s.decision_at, own.given_names, own.relations, own.waiting, (count(*) OVER () - $4)::int AS more_lessons
      FROM own JOIN session s ON s.id = own.session_id JOIN programme g ON g.id = s.programme_id
      JOIN lesson l ON l.session_id = s.id AND l.ends_at > $2
      JOIN LATERAL (SELECT count(*)::int AS lessons FROM lesson WHERE session_id = s.id) w ON true
     ORDER BY l.starts_at, l.id LIMIT $4
"""  # noqa: S608 - constants of this module


async def coming(*, actor: Actor, now: datetime) -> tuple[list[Week], int]:
    """Return the next lessons of the actor's company by week, and how many more follow."""
    require(actor, Permission.SEE_ORDERS)
    found = await db.rows(Meeting, _MEETINGS, scope.company_of(actor), now, current_locale(), SHOWN)
    named = actor.may(Permission.SEE_PEOPLE)
    return weeks(found, now=now, named=named), max(found[0].more_lessons, 0) if found else 0


async def learning(*, actor: Actor, now: datetime) -> Learning:
    """Return how many people of the company are in programmes that are not over."""
    require(actor, Permission.SEE_ORDERS)
    sql = """
        SELECT count(DISTINCT e.person_id)::int AS people, count(DISTINCT e.session_id)::int AS programmes
          FROM enrolment e JOIN session s ON s.id = e.session_id
         WHERE e.company_id = $1 AND e.state = 'confirmed' AND s.ends_at > $2 AND s.state IN ('planned', 'confirmed')
    """
    return await db.row(Learning, sql, scope.company_of(actor), now) or Learning(0, 0)


def weeks(meetings: Iterable[Meeting], *, now: datetime, named: bool) -> list[Week]:
    """Return meetings in words, gathered by calendar week in Leiden."""
    return [
        Week(_("Week {number}", number=monday.isocalendar().week), _range(monday), [_row(one, now=now, named=named) for one in group])
        for monday, group in groupby(meetings, key=lambda one: _monday(clock.today(one.starts_at)))
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _range(monday: date) -> str:
    sunday = monday + timedelta(days=6)
    first = str(monday.day) if monday.month == sunday.month else fmt_date(monday, "short")
    return f"{first}\N{EN DASH}{fmt_date(sunday, 'short')}"


def _row(one: Meeting, *, now: datetime, named: bool) -> Row:
    badge, tone = _badge(one, now)
    starts: time = clock.local(one.starts_at).time()
    place = one.place or _("online")
    lesson = [_("lesson {number} of {count}", number=one.number, count=one.lessons)] if one.lessons > 1 else []
    text = " · ".join([who(one, named=named), place, *lesson])
    return Row(one.category, fmt_date(clock.today(one.starts_at), "weekday"), f"{starts:%H:%M}", one.title, text, badge, tone)


def who(one: Meeting, *, named: bool) -> str:
    """Say who goes: up to three given names, and the rest as a number; an employee's partner is never named."""
    total = len(one.given_names) + one.relations
    if not named:
        return n_("One person", "{n} people", total)
    relation = (
        [_("Partner of an employee") if one.relations == 1 else _("{n} partners of employees", n=one.relations)] if one.relations else []
    )
    names = one.given_names
    if len(names) > _NAMED:
        rest = n_("{names} and one other", "{names} and {n} others", len(names) - 2, names=", ".join(names[:2]))
        return ", ".join([rest, *relation])
    return fmt_list([*names, *relation]) if relation and names else ", ".join(names or relation)


def _badge(one: Meeting, now: datetime) -> tuple[str, str]:
    if one.waiting:
        return _("Waiting for the partner"), "warn"
    if one.first_at <= now:
        return _("Running"), "info"
    if one.state == "planned" and one.decision_at is not None and one.decision_at > now:
        return _("Decided {date}", date=fmt_date(clock.today(one.decision_at), "short")), "warn"
    if one.state == "confirmed":
        return _("Goes ahead"), "ok"
    return _("Confirmed"), "ok"
