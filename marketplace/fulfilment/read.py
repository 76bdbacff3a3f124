"""What a partner sees: its questions and its rosters. Names only after it has accepted, and never a price."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from catalog import sessions
from catalog.sessions import Lesson, Session
from marketplace.fulfilment.acceptances import AcceptanceState
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _, current_locale
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.web import paging
from marketplace.people import names


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One order line as its partner sees it. Without a question it was accepted at once: the seats were published."""

    id: UUID
    acceptance_id: UUID | None
    order_number: int
    company_name: str
    session_id: UUID
    session_code: str
    title: str
    category: str
    starts_at: datetime
    place: str
    level: str | None
    language: str | None
    person_name: str
    state: str
    reason: str | None
    ordered_at: datetime
    decide_by_at: datetime | None

    @property
    def waiting(self) -> bool:
        """Tell whether the partner must still answer."""
        return self.state == "awaiting_partner"


_LINES = """
    SELECT l.id, a.id AS acceptance_id, o.number AS order_number, c.name AS company_name, l.session_id, s.code AS session_code,
           CASE WHEN $1 = 'nl' THEN l.title_nl ELSE l.title_en END AS title, g.category, l.starts_at,
           coalesce(nullif(s.place, ''), nullif(g.venue, ''), initcap(g.place), '') AS place, p.level, p.language,
           CASE WHEN l.state = 'accepted' OR l.state = 'cancelled' AND coalesce(a.state, 'accepted') = 'accepted' THEN concat_ws(' ', p.given_name, nullif(p.infix, ''), nullif(p.family_name, '')) ELSE '' END AS person_name,
           l.state, l.decline_reason AS reason, o.placed_at AS ordered_at, a.decide_by_at
      FROM order_line l JOIN placed_order o ON o.id = l.order_id JOIN company c ON c.id = o.company_id
      JOIN session s ON s.id = l.session_id JOIN programme g ON g.id = s.programme_id JOIN person p ON p.id = l.person_id
      LEFT JOIN acceptance a ON a.order_line_id = l.id
     WHERE l.partner_id = $2 AND ($3::text IS NULL OR l.state = $3)
"""


def _partner(actor: Actor) -> UUID:
    require(actor, Permission.SEE_ROSTERS)
    if actor.partner_id is None:
        raise NotFound("not_found", _("There is nothing here."))
    return actor.partner_id


async def lines(*, actor: Actor, state: str | None = None, cursor: str | None = None, size: int = 25) -> paging.Page[Question]:
    """Return a page of the partner's order lines, newest first."""
    place = paging.read(cursor, datetime, UUID, size=size)
    sql = (
        f"{_LINES} AND ($4::timestamptz IS NULL OR (o.placed_at, l.id) {place.before} ($4, $5::uuid))"
        f" ORDER BY o.placed_at {place.descending}, l.id {place.descending} LIMIT $6"
    )
    found = await db.rows(Question, sql, current_locale(), _partner(actor), state, *place.key, place.fetch)
    return paging.page(found, place, key=lambda row: (row.ordered_at, row.id))


async def one(acceptance_id: UUID, *, actor: Actor) -> Question:
    """Return one question of the partner. Raises ``NotFound``."""
    found = await db.row(Question, f"{_LINES} AND a.id = $4", current_locale(), _partner(actor), None, acceptance_id)
    if found is None:
        raise NotFound("not_found", _("There is no such question."), next_step=_("Look at your list."))
    return found


async def of_line(line_id: UUID, *, actor: Actor) -> Question:
    """Return one of the partner's order lines. Raises ``NotFound``."""
    found = await db.row(Question, f"{_LINES} AND l.id = $4", current_locale(), _partner(actor), None, line_id)
    if found is None:
        raise NotFound("not_found", _("There is no such question."), next_step=_("Look at your list."))
    return found


async def waiting_count(partner_id: UUID) -> int:
    """Return how many questions wait for this partner."""
    return int(
        await db.value("SELECT count(*) FROM acceptance WHERE partner_id = $1 AND state = $2", partner_id, AcceptanceState.WAITING.value)
    )


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on a roster, after the partner accepted them."""

    id: UUID
    given_name: str
    infix: str
    family_name: str
    email: str | None
    company_name: str
    level: str | None
    language: str | None
    order_number: int

    @property
    def name(self) -> str:
        """Return the whole name."""
        return names.full(self.given_name, self.infix, self.family_name)


_ROSTER = """
    SELECT n.id, p.given_name, p.infix, p.family_name, p.email, c.name AS company_name, p.level, p.language, o.number AS order_number
      FROM enrolment n JOIN person p ON p.id = n.person_id JOIN company c ON c.id = n.company_id
      JOIN order_line l ON l.enrolment_id = n.id JOIN placed_order o ON o.id = l.order_id
     WHERE n.session_id = $1 AND n.partner_id = $2 AND n.state = 'confirmed' ORDER BY p.sort_name, p.id
"""


class Roster(msgspec.Struct, frozen=True):
    """A session of the partner with who comes and when it meets."""

    session: Session
    lessons: list[Lesson]
    people: list[Participant]
    waiting: int


async def roster(session_id: UUID, *, actor: Actor, now: datetime) -> Roster:
    """Return the roster of one of the partner's sessions. Raises ``NotFound`` for anybody else's."""
    partner_id = _partner(actor)
    owner = await db.value("SELECT g.partner_id FROM session s JOIN programme g ON g.id = s.programme_id WHERE s.id = $1", session_id)
    if owner is None or UUID(str(owner)) != partner_id:
        raise NotFound("not_found", _("There are no such dates."), next_step=_("Look at your list."))
    session = await sessions.get(session_id, now=now)
    people = await db.rows(Participant, _ROSTER, session_id, partner_id)
    waiting = await db.value("SELECT count(*)::int FROM order_line WHERE session_id = $1 AND state = 'awaiting_partner'", session_id)
    return Roster(session, (await sessions.lessons_of([session_id])).get(session_id, []), people, waiting)


async def own_sessions(*, actor: Actor, now: datetime, since: datetime) -> list[Session]:
    """Return the partner's sessions that end after an instant, soonest first."""
    return await sessions.for_partner(_partner(actor), now=now, since=since)
