"""Programmes: what is sold. Drafts are edited and published by ECL; a published one may be edited and withdrawn.

What buyers agreed to stays as it was: an order line freezes the price, policy, VAT basis and version at placing.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog.policies import PolicyTerms
from catalog.words import PROGRAMME_TRANSITIONS, Category, Format, Language, Level, Place, PriceUnit, ProgrammeState, Stage, VatBasis
from marketplace.kit import audit, db, i18n, ids
from marketplace.kit.errors import Conflict, Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.identity import Actor
    from marketplace.kit.web import paging


class ProgrammeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL fills in about a programme, in both languages. The price is per ``price_unit``, without VAT."""

    code: str
    partner_id: UUID
    policy_id: UUID
    category: Category
    title_nl: str
    title_en: str
    vat_basis: VatBasis
    price_cents: int
    stages: tuple[Stage, ...] = ()
    summary_nl: str = ""
    summary_en: str = ""
    description_nl: str = ""
    description_en: str = ""
    outcomes_nl: tuple[str, ...] = ()
    outcomes_en: tuple[str, ...] = ()
    included_nl: str = ""
    included_en: str = ""
    homework_nl: str = ""
    homework_en: str = ""
    level_from: Level | None = None
    level_to: Level | None = None
    taught_in: tuple[Language, ...] = (Language.EN,)
    format: Format = Format.ON_SITE
    place: Place | None = Place.LEIDEN
    venue: str = ""
    group_min: int = 4
    group_max: int = 10
    lesson_count: int = 1
    lesson_minutes: int = 120
    price_unit: PriceUnit = PriceUnit.PERSON
    published_capacity: bool = True


class Programme(ProgrammeFacts, frozen=True, kw_only=True):
    """A programme as it is kept, with its partner's name. ``slug`` is its address."""

    id: UUID
    slug: str
    state: ProgrammeState
    version: int
    partner_name: str
    partner_city: str
    months: tuple[int, ...]
    terms: PolicyTerms

    @property
    def title(self) -> str:
        """The title in the current language."""
        return said(self, "title")

    @property
    def price(self) -> Money:
        """The price per unit."""
        return Money(self.price_cents)


_COLUMNS = tuple(field.name for field in msgspec.structs.fields(ProgrammeFacts))
_SELECT = f"""
    SELECT programme.id, slug, programme.state, version, months, partner.name AS partner_name, partner.city AS partner_city,
        jsonb_build_object('code', policy.code, 'name_nl', name_nl, 'name_en', name_en, 'tiers', tiers, 'moving', moving) AS terms,
        {", ".join(f"programme.{column}" for column in _COLUMNS)}
    FROM programme JOIN partner ON partner.id = partner_id JOIN policy ON policy.id = policy_id
"""  # noqa: S608 - field names


def said(of: object, field: str) -> str:
    """Return ``field`` of a Struct with ``_nl`` and ``_en`` in the current language, or the other one where it is blank."""
    own = i18n.current_locale()
    other = "en" if own == "nl" else "nl"
    return getattr(of, f"{field}_{own}") or getattr(of, f"{field}_{other}") or ""


async def get(programme_id: UUID) -> Programme:
    """Return a programme in any state. Raises ``NotFound``."""
    return _present(await db.row(Programme, f"{_SELECT} WHERE programme.id = $1", programme_id))


async def by_slug(slug: str) -> Programme:
    """Return the published programme at an address (its slug or its code). Raises ``NotFound``."""
    sql = f"{_SELECT} WHERE (slug = $1 OR programme.code = $2) AND programme.state = 'published'"
    return _present(await db.row(Programme, sql, slug.lower(), slug.upper()))


async def published(programme_id: UUID) -> Programme:
    """Return a programme that buyers may see. Raises ``NotFound``."""
    return _present(await db.row(Programme, f"{_SELECT} WHERE programme.id = $1 AND programme.state = 'published'", programme_id))


def _present(found: Programme | None) -> Programme:
    if found is None:
        raise NotFound("not_found", _("There is no such programme."))
    return found


def slug_of(text: str) -> str:
    """Return text as part of an address: lower case, ASCII, hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "programme"


def check(facts: ProgrammeFacts) -> None:
    """Raise ``Invalid`` with a sentence per field when the facts contradict each other."""
    wrong: dict[str, str] = {}
    if (facts.level_from is None) != (facts.level_to is None):
        wrong["level_to" if facts.level_to is None else "level_from"] = _("Give both levels, or neither.")
    elif facts.level_from and facts.level_to and facts.level_from > facts.level_to:
        wrong["level_to"] = _("The level at the end can't be below the one at the start.")
    if facts.group_max < facts.group_min:
        wrong["group_max"] = _("The largest group can't be smaller than the smallest.")
    if facts.format in {Format.ON_SITE, Format.BLENDED} and facts.place is None:
        wrong["place"] = _("Say in which municipality people meet.")
    if facts.price_cents < 0:
        wrong["price_cents"] = _("Give a price of zero or more.")
    if wrong:
        raise Invalid("invalid", next(iter(wrong.values())), fields=wrong)


async def _keywords(facts: ProgrammeFacts) -> str:
    partner = await db.records("SELECT name, city FROM partner WHERE id = $1", facts.partner_id)
    if not partner:
        sentence = _("There is no such partner.")
        raise Invalid("unknown_partner", sentence, fields={"partner_id": sentence})
    words: list[str] = [f"{partner[0]['name']} {partner[0]['city']}"]
    for locale in i18n.LOCALES:
        with i18n.use_locale(locale):
            from catalog.words import name

            words += [name(facts.category), *(name(language) for language in facts.taught_in)]
    levels = [level.value for level in Level if facts.level_from and facts.level_to and facts.level_from <= level <= facts.level_to]
    return " ".join([*dict.fromkeys(words), *levels, *([facts.place.value] if facts.place else [])])


async def create(facts: ProgrammeFacts, *, actor: Actor, now: datetime) -> UUID:
    """Add a draft and return its id. Raises ``Conflict`` ``code_in_use``, ``Invalid``."""
    require(actor, Permission.MANAGE_CATALOGUE)
    check(facts)
    made = ids.new_id()
    async with db.atomic():
        columns = ("id", "created_at", "updated_at", "slug", "keywords", *_COLUMNS)
        slug = slug_of(facts.code)
        values = [made, now, now, slug, await _keywords(facts), *(_plain(getattr(facts, column)) for column in _COLUMNS)]
        marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        sql = f"INSERT INTO programme ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - field names
        if await db.execute(sql, *values) == 0:
            raise _code_in_use()
        await audit.record("programme.created", actor=actor, subject=("programme", made), data={"code": facts.code}, now=now)
    return made


async def update(programme_id: UUID, facts: ProgrammeFacts, *, actor: Actor, now: datetime, version: int | None = None) -> None:
    """Change a programme; its version grows when anything changed.

    With ``version``, raises ``Conflict`` ``changed_meanwhile`` when somebody else saved after that version was shown.
    Raises ``NotFound``, ``Conflict`` ``code_in_use``, or ``has_enrolments`` for another partner, ``Invalid``.
    """
    require(actor, Permission.MANAGE_CATALOGUE)
    check(facts)
    async with db.atomic():
        await db.execute("SELECT FROM programme WHERE id = $1 FOR NO KEY UPDATE", programme_id)
        before = await get(programme_id)
        if version is not None and version != before.version:
            raise Conflict(
                "changed_meanwhile",
                _("Someone else saved this programme while you were editing it."),
                next_step=_("Open it again, and make your changes there."),
            )
        changed = [column for column in _COLUMNS if getattr(before, column) != getattr(facts, column)]
        if not changed:
            return
        if await db.value("SELECT 1 FROM programme WHERE code = $1 AND id <> $2", facts.code, programme_id):
            raise _code_in_use()
        if "partner_id" in changed:
            await _refuse_another_partner(programme_id, now=now)
        values = [_plain(getattr(facts, column)) for column in changed]
        sets = ", ".join(f"{column} = ${n}" for n, column in enumerate(changed, start=4))
        sql = f"UPDATE programme SET updated_at = $2, keywords = $3, version = version + 1, {sets} WHERE id = $1"  # noqa: S608
        await db.execute(sql, programme_id, now, await _keywords(facts), *values)
        await audit.record("programme.updated", actor=actor, subject=("programme", programme_id), data={"fields": changed}, now=now)


async def _refuse_another_partner(programme_id: UUID, *, now: datetime) -> None:
    """Raise ``Conflict`` while people are coming: they were ordered with the present partner, and would be on nobody's roster."""
    sql = (
        "SELECT 1 FROM session JOIN seat ON seat.session_id = session.id"
        " WHERE programme_id = $1 AND session.ends_at > $2 AND seat.state IN ('held', 'taken') LIMIT 1"
    )
    if await db.value(sql, programme_id, now):
        sentence = _("People have seats with this partner on dates that are not over.")
        raise Conflict(
            "has_enrolments", sentence, next_step=_("Make a new programme for the other partner."), fields={"partner_id": sentence}
        )


async def publish(programme_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Show a programme to buyers. Raises ``Invalid`` when a text or the price is missing, ``InvalidTransition``."""
    require(actor, Permission.MANAGE_CATALOGUE)
    wrong = missing(await get(programme_id))
    if wrong:
        raise Invalid("incomplete", _("Fill in what is missing first."), fields=wrong)
    await _move(programme_id, ProgrammeState.PUBLISHED, event="programme.published", actor=actor, now=now)


async def withdraw(programme_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a programme off sale; who has a seat keeps it. Raises ``InvalidTransition``."""
    require(actor, Permission.MANAGE_CATALOGUE)
    await _move(programme_id, ProgrammeState.WITHDRAWN, event="programme.withdrawn", actor=actor, now=now)


def missing(programme: ProgrammeFacts) -> dict[str, str]:
    """Return what a programme still needs before buyers may see it, a sentence per field."""
    needed = ("summary_nl", "summary_en", "description_nl", "description_en")
    wrong = {field: _("Fill this in.") for field in needed if not getattr(programme, field).strip()}
    if not programme.taught_in:
        wrong["taught_in"] = _("Choose at least one language.")
    return wrong


async def _move(programme_id: UUID, to: ProgrammeState, *, event: str, actor: Actor, now: datetime) -> None:
    allowed = [state.value for state, targets in PROGRAMME_TRANSITIONS.items() if to in targets]
    async with db.atomic():
        sql = "UPDATE programme SET state = $2, updated_at = $3 WHERE id = $1 AND state = ANY ($4)"
        if await db.execute(sql, programme_id, to.value, now, allowed):
            await audit.record(event, actor=actor, subject=("programme", programme_id), data={"state": to.value}, now=now)
            return
        present = await get(programme_id)
        if present.state is not to:
            raise InvalidTransition("invalid_transition", _("This programme can't be changed that way any more."))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _code_in_use() -> Conflict:
    sentence = _("Another programme has this code. Choose another one.")
    return Conflict("code_in_use", sentence, fields={"code": sentence})


class ProgrammeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ECL's list."""

    id: UUID
    code: str
    slug: str
    title_nl: str
    title_en: str
    category: Category
    state: ProgrammeState
    partner_name: str
    price_cents: int
    price_unit: PriceUnit
    upcoming: int
    updated_at: datetime

    @property
    def price(self) -> Money:
        """The price per unit."""
        return Money(self.price_cents)


async def for_desk(place: paging.Place, *, now: datetime, state: ProgrammeState | None = None, q: str = "") -> list[ProgrammeRow]:
    """Return a page of programmes for ECL's list, last changed first."""
    sql = f"""
        SELECT programme.id, programme.code, slug, title_nl, title_en, category, programme.state, partner.name AS partner_name,
            price_cents, price_unit, programme.updated_at,
            (SELECT count(*) FROM session WHERE programme_id = programme.id AND starts_at > $1 AND session.state IN ('planned', 'confirmed')) AS upcoming
        FROM programme JOIN partner ON partner.id = partner_id
        WHERE ($2::text IS NULL OR programme.state = $2) AND ($3 = '' OR search @@ (SELECT catalogue_query($3)))
            AND ($4::timestamptz IS NULL OR (programme.updated_at, programme.id) {place.before} ($4, $5))
        ORDER BY programme.updated_at {place.descending}, programme.id {place.descending} LIMIT $6
    """  # noqa: S608 - own words
    return await db.rows(ProgrammeRow, sql, now, state.value if state else None, q, *place.key, place.fetch)


class ProgrammeChoice(msgspec.Struct, frozen=True):
    """A programme to choose in a form."""

    id: UUID
    code: str
    title_nl: str
    title_en: str


async def choices() -> Sequence[ProgrammeChoice]:
    """Return programmes that are not withdrawn, by code, at most 500."""
    return await db.rows(
        ProgrammeChoice, "SELECT id, code, title_nl, title_en FROM programme WHERE state <> 'withdrawn' ORDER BY code LIMIT 500"
    )
