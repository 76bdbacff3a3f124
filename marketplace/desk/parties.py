"""Who signs in, and how partners do: every member with their place and roles, and each partner's figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from marketplace.desk.branches import Each, Values, key, newest
from marketplace.desk.orders import company_ids
from marketplace.kit import db
from marketplace.kit.identity import Actor, Permission, Role, require
from marketplace.kit.web import paging
from marketplace.people import role_words

LOOK_BACK = timedelta(days=90)
MOST, ANSWERS = 100, 200
PLACES = {
    "company": "m.company_id IS NOT NULL",
    "partner": "m.partner_id IS NOT NULL",
    "ecl": "m.company_id IS NULL AND m.partner_id IS NULL",
}


class MemberRow(msgspec.Struct, frozen=True):
    """A member in ECL's list; ``seen_at`` is None when no sign-in is kept."""

    id: UUID
    name: str
    email: str
    roles: list[str]
    company_id: UUID | None
    partner_id: UUID | None
    place: str | None
    created_at: datetime
    seen_at: datetime | None

    @property
    def role_words(self) -> str:
        """Return the roles in words."""
        return ", ".join(role_words.word(Role(role)) for role in self.roles)


async def members(
    *, actor: Actor, place_kind: str | None = None, text: str = "", cursor: str | None = None, size: int = 50
) -> paging.Page[MemberRow]:
    """Return a page of the active members, newest first; a text is looked for in names and addresses."""
    require(actor, Permission.SEE_DESK)
    place, values = paging.read(cursor, UUID, size=size), Values()
    fixed = ["m.state = 'active'", *key(("m.id",), ("uuid",), place, place.before, values)]
    if place_kind in PLACES:
        fixed.append(PLACES[place_kind])
    order = f"m.id {place.descending}"
    some = newest("member m", fixed, await _meant(text, values), order=order, limit=values(place.fetch))
    sql = f"""
        SELECT m.id, a.name, a.email, m.roles, m.company_id, m.partner_id, coalesce(c.name, t.name) AS place, m.created_at,
               (SELECT max(seen_at) FROM web_session WHERE account_id = a.id) AS seen_at
          FROM ({some}) m JOIN account a ON a.id = m.account_id LEFT JOIN company c ON c.id = m.company_id LEFT JOIN partner t ON t.id = m.partner_id
         ORDER BY {order}
    """  # noqa: S608 - constants
    return paging.page(await db.rows(MemberRow, sql, *values), place, key=lambda row: (row.id,))


async def _meant(text: str, values: Values) -> list[str | Each]:
    """Return one condition for each thing that a text may mean: a name or address, a company, a partner."""
    words = text.replace("\0", "").strip().lower()
    if not words:
        return []
    like = words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    sql = "SELECT id FROM (SELECT id FROM account WHERE lower(name || ' ' || email) LIKE '%' || $1::text || '%' OFFSET 0) found LIMIT 200"
    accounts = [row["id"] for row in await db.records(sql, like)]
    found: list[str | Each] = [f"m.account_id = ANY ({values(accounts)}::uuid[])"]
    if companies := await company_ids(text):
        found.append(Each("m.company_id", values(companies)))
    sql = "SELECT id FROM partner WHERE lower(name) LIKE '%' || $1::text || '%' LIMIT 200"
    if teaching := [row["id"] for row in await db.records(sql, like)]:
        found.append(Each("m.partner_id", values(teaching)))
    return found


class PartnerRow(msgspec.Struct, frozen=True):
    """A partner's figures, each bounded.

    Counting programmes and sessions stops at ``MOST``; ``accepted`` and ``refused`` (declined or silent) are of the
    latest ``ANSWERS`` requests within three months.
    """

    id: UUID
    name: str
    code: str
    email: str
    city: str
    state: str
    programmes: int
    sessions: int
    waiting: int
    answer_before: datetime | None
    accepted: int
    refused: int

    @property
    def rate(self) -> int | None:
        """Return the accepted share of the answers in whole percents, None without answers."""
        answers = self.accepted + self.refused
        return round(100 * self.accepted / answers) if answers else None


_PARTNERS = """
    SELECT t.id, t.name, t.code, t.email, t.city, t.state, g.programmes, s.sessions, w.waiting, w.answer_before, a.accepted, a.refused
      FROM ({some}) t
      JOIN LATERAL (SELECT count(*)::int AS programmes
                      FROM (SELECT FROM programme WHERE partner_id = t.id AND state = 'published' LIMIT {most}) few) g ON true
      JOIN LATERAL (SELECT count(*)::int AS sessions FROM (
                        SELECT FROM programme p JOIN session s ON s.programme_id = p.id AND s.starts_at > $1
                         WHERE p.partner_id = t.id AND s.published AND s.state IN ('planned', 'confirmed') LIMIT {most}) few) s ON true
      JOIN LATERAL (SELECT count(*)::int AS waiting, min(decide_by_at) AS answer_before
                      FROM acceptance WHERE partner_id = t.id AND state = 'waiting') w ON true
      JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'accepted')::int AS accepted,
                           count(*) FILTER (WHERE state IN ('declined', 'expired'))::int AS refused
                      FROM (SELECT state FROM acceptance WHERE partner_id = t.id AND asked_at > $2
                             ORDER BY asked_at DESC, id DESC LIMIT {answers}) few) a ON true
     ORDER BY {order}
"""


async def partners(*, actor: Actor, now: datetime, cursor: str | None = None, size: int = 15) -> paging.Page[PartnerRow]:
    """Return a page of the partners by name, with what they have ahead and how they answer."""
    require(actor, Permission.SEE_DESK)
    place = paging.read(cursor, str, UUID, size=size)
    values = Values([now, now - LOOK_BACK])
    fixed = key(("t.name", "t.id"), ("text", "uuid"), place, place.after, values)
    order = f"t.name {place.ascending}, t.id {place.ascending}"
    some = newest("partner t", fixed, [], order=order, limit=values(place.fetch))
    found = await db.rows(PartnerRow, _PARTNERS.format(some=some, order=order, most=MOST, answers=ANSWERS), *values)
    return paging.page(found, place, key=lambda row: (row.name, row.id))
