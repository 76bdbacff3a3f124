"""Builders of the catalogue: a partner, a programme, a session, made by the same verbs as in life."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from catalog import lessons as timetables
from catalog import partners, policies, programmes, session_changes, sessions
from catalog.words import Category, Format, Language, Level, Place, VatBasis
from marketplace.kit import clock, ids
from marketplace.kit.identity import SYSTEM

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor


async def a_partner(*, name: str = "Taalhuis Zijlpoort", now: datetime | None = None, actor: Actor = SYSTEM, **facts: object) -> UUID:
    """Make a partner and return its id."""
    given = {"code": ids.public_code(6), "email": "office@zijlpoort.example", "city": "Leiden", "address": "Haarlemmerstraat 1", **facts}
    return await partners.create(partners.PartnerFacts(name=name, **given), actor=actor, now=now or clock.now())  # type: ignore[arg-type]


async def a_policy(terms: policies.PolicyTerms = policies.GROUP, *, now: datetime | None = None) -> UUID:
    """Return the id of a policy, made if need be."""
    return await policies.add(terms, now=now or clock.now())


async def a_programme(
    *,
    title: str = "Dutch for newcomers",
    title_nl: str = "Nederlands voor nieuwkomers",
    partner_id: UUID | None = None,
    policy: policies.PolicyTerms = policies.GROUP,
    published: bool = True,
    now: datetime | None = None,
    actor: Actor = SYSTEM,
    **facts: object,
) -> UUID:
    """Make a (published) programme of its own partner and return its id."""
    at = now or clock.now()
    given: dict[str, object] = {
        "code": f"P-{ids.public_code(6)}",
        "category": Category.LANGUAGE,
        "title_en": title,
        "title_nl": title_nl,
        "summary_en": "From the first goedemorgen to a short talk at the coffee machine.",
        "summary_nl": "Van het eerste goedemorgen tot een praatje bij de koffie.",
        "description_en": "Ten lessons in a small group.",
        "description_nl": "Tien lessen in een kleine groep.",
        "outcomes_en": ("introduce themselves",),
        "outcomes_nl": ("zich voorstellen",),
        "level_from": Level.A0,
        "level_to": Level.A1,
        "taught_in": (Language.NL, Language.EN),
        "format": Format.ON_SITE,
        "place": Place.LEIDEN,
        "venue": "Haarlemmerstraat, Leiden",
        "vat_basis": VatBasis.GENERAL_LANGUAGE,
        "price_cents": 64_500,
        "lesson_count": 10,
        **facts,
    }
    partner_id = partner_id or await a_partner(now=at)
    wanted = programmes.ProgrammeFacts(partner_id=partner_id, policy_id=await a_policy(policy, now=at), **given)  # type: ignore[arg-type]
    made = await programmes.create(wanted, actor=actor, now=at)
    if published:
        await programmes.publish(made, actor=actor, now=at)
    return made


async def a_session(
    *,
    seats: int = 10,
    starts_at: datetime | None = None,
    lessons: int = 1,
    minutes: int = 120,
    programme_id: UUID | None = None,
    published: bool = True,
    price_cents: int | None = None,
    now: datetime | None = None,
    actor: Actor = SYSTEM,
    **facts: object,
) -> sessions.Session:
    """Make a (published) session, weekly from ``starts_at`` (default: in five weeks, 09:30), and return it.

    Facts of the programme go by ``programme_id=await a_programme(…)``.
    """
    at = now or clock.now()
    starts = clock.local(starts_at or _in_weeks(at, 5))
    wanted = session_changes.SessionFacts(
        programme_id=programme_id or await a_programme(now=at),
        capacity=seats,
        price_cents=price_cents,
        **facts,  # type: ignore[arg-type]
    )
    made = await session_changes.create(
        wanted, timetable=_weekly(starts.date(), starts.time(), minutes, lessons), actor=actor, now=at, publish_now=published
    )
    return await sessions.get(made, now=at)


def _weekly(first_on: date, starts: time, minutes: int, count: int) -> list[timetables.PlannedLesson]:
    return [timetables.lesson(first_on + timedelta(weeks=week), starts, minutes) for week in range(count)]


def _in_weeks(at: datetime, weeks: int) -> datetime:
    return clock.instant((clock.local(at) + timedelta(weeks=weeks)).date(), time(9, 30)).astimezone(UTC)
