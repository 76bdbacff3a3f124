"""Tables of the catalogue: partners, cancellation policies, programmes, sessions, lessons, seats.

Seats know a person and a company by id only: their tables are to the right of this package. The migration adds what
Piccolo can't say: search columns, partial and composite indexes. ``session.live`` counts the seat rows that are held or
taken; only ``seats.py`` writes it, and the CHECK on it is the last word against overselling.
"""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Boolean, Date, ForeignKey, Integer, OnDelete, Text, Time, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from catalog.words import (
    Category,
    Format,
    Language,
    Level,
    Place,
    PriceUnit,
    ProgrammeState,
    SeatState,
    SessionState,
    Stage,
    VatBasis,
    listed,
)
from marketplace.kit.db import DB
from marketplace.kit.ids import new_id

_KEEP = OnDelete.restrict


class Partner(Table, db=DB, tablename="partner"):
    """A training provider. ``crkbo`` says that it is in the register of vocational education, in a period."""

    id = UUID(primary_key=True, default=new_id)
    name = Text(null=False, default="")
    code = Text(null=False, default="")
    email = Text(null=False, default="")
    address = Text(null=False, default="")
    city = Text(null=False, default="")
    crkbo = Boolean(null=False, default=False)
    crkbo_from_on = Date(null=True, default=None)
    crkbo_until_on = Date(null=True, default=None)
    about_nl = Text(null=False, default="")
    about_en = Text(null=False, default="")
    state = Text(null=False, default="active")
    created_at = Timestamptz(null=False, default=None)

    partner_code = Unique(["code"])
    partner_named = Check("name <> '' AND code <> ''")
    partner_state = Check("state IN ('active', 'ended')")
    partner_crkbo_period = Check("crkbo_until_on IS NULL OR crkbo_from_on IS NULL OR crkbo_until_on >= crkbo_from_on")


class Policy(Table, db=DB, tablename="policy"):
    """Cancellation terms: ordered tiers (``policies.Tier``), and a second list for moving to another session."""

    id = UUID(primary_key=True, default=new_id)
    code = Text(null=False, default="")
    name_nl = Text(null=False, default="")
    name_en = Text(null=False, default="")
    tiers = JSONB(null=False, default="[]")
    moving = JSONB(null=False, default="[]")
    created_at = Timestamptz(null=False, default=None)

    policy_code = Unique(["code"])
    policy_tiers = Check("jsonb_typeof(tiers) = 'array' AND jsonb_array_length(tiers) > 0")
    policy_moving = Check("jsonb_typeof(moving) = 'array'")


class Programme(Table, db=DB, tablename="programme"):
    """What is sold: a template of which sessions are dated runs. ``version`` grows with every edit."""

    id = UUID(primary_key=True, default=new_id)
    code = Text(null=False, default="")
    slug = Text(null=False, default="")
    partner_id = ForeignKey(Partner, null=False, default=None, index=True, on_delete=_KEEP)
    policy_id = ForeignKey(Policy, null=False, default=None, index=True, on_delete=_KEEP)
    category = Text(null=False, default="")
    stages = Array(base_column=Text(), null=False, default=list)
    title_nl = Text(null=False, default="")
    title_en = Text(null=False, default="")
    summary_nl = Text(null=False, default="")
    summary_en = Text(null=False, default="")
    description_nl = Text(null=False, default="")
    description_en = Text(null=False, default="")
    outcomes_nl = Array(base_column=Text(), null=False, default=list)
    outcomes_en = Array(base_column=Text(), null=False, default=list)
    included_nl = Text(null=False, default="")
    included_en = Text(null=False, default="")
    homework_nl = Text(null=False, default="")
    homework_en = Text(null=False, default="")
    level_from = Text(null=True, default=None)
    level_to = Text(null=True, default=None)
    taught_in = Array(base_column=Text(), null=False, default=list)
    format = Text(null=False, default="on_site")
    place = Text(null=True, default=None)
    venue = Text(null=False, default="")
    group_min = Integer(null=False, default=1)
    group_max = Integer(null=False, default=1)
    lesson_count = Integer(null=False, default=1)
    lesson_minutes = Integer(null=False, default=120)
    price_cents = Integer(null=False, default=0)
    price_unit = Text(null=False, default="person")
    vat_basis = Text(null=False, default="")
    published_capacity = Boolean(null=False, default=True)
    state = Text(null=False, default="draft")
    version = Integer(null=False, default=1)
    months = Array(base_column=Integer(), null=False, default=list)
    whens = Array(base_column=Text(), null=False, default=list)
    keywords = Text(null=False, default="")
    popularity = Integer(null=False, default=0)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)

    programme_code = Unique(["code"])
    programme_slug = Unique(["slug"])
    programme_titled = Check("code <> '' AND slug <> '' AND title_nl <> '' AND title_en <> ''")
    programme_category = Check(f"category IN ({listed(Category)})")
    programme_stages = Check(f"stages <@ ARRAY[{listed(Stage)}]::text[]")
    programme_levels = Check(
        f"(level_from IS NULL) = (level_to IS NULL) AND level_from IN ({listed(Level)}) AND level_to IN ({listed(Level)}) AND level_from <= level_to"
    )
    programme_taught_in = Check(f"taught_in <@ ARRAY[{listed(Language)}]::text[]")
    programme_format = Check(f"format IN ({listed(Format)})")
    programme_place = Check(f"place IN ({listed(Place)})")
    programme_group = Check("group_min >= 1 AND group_max >= group_min")
    programme_lessons = Check("lesson_count >= 1 AND lesson_minutes BETWEEN 15 AND 600")
    programme_price = Check("price_cents >= 0")
    programme_price_unit = Check(f"price_unit IN ({listed(PriceUnit)})")
    programme_vat_basis = Check(f"vat_basis IN ({listed(VatBasis)})")
    programme_state = Check(f"state IN ({listed(ProgrammeState)})")
    programme_version = Check("version >= 1")


class Session(Table, db=DB, tablename="session"):
    """A dated run of a programme. ``starts_at`` and ``ends_at`` follow its lessons.

    ``live`` counts held and taken seats. ``seat_limit`` is the capacity, or more while a lowered capacity leaves the
    session overbooked; it shrinks back with every release.
    """

    id = UUID(primary_key=True, default=new_id)
    programme_id = ForeignKey(Programme, null=False, default=None, index=False, on_delete=_KEEP)
    code = Text(null=False, default="")
    place = Text(null=False, default="")
    room = Text(null=False, default="")
    online_url = Text(null=False, default="")
    language = Text(null=False, default="nl")
    price_cents = Integer(null=True, default=None)
    capacity = Integer(null=False, default=1)
    minimum = Integer(null=False, default=0)
    live = Integer(null=False, default=0)
    seat_limit = Integer(null=False, default=1)
    decision_at = Timestamptz(null=True, default=None)
    state = Text(null=False, default="planned")
    published = Boolean(null=False, default=False)
    starts_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=False, default=None)
    order_until = Timestamptz(null=False, default=None)
    version = Integer(null=False, default=1)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)

    session_code = Unique(["code"])
    session_language = Check(f"language IN ({listed(Language)})")
    session_price = Check("price_cents >= 0")
    session_capacity = Check("capacity >= 1 AND minimum >= 0")
    session_never_oversold = Check("live >= 0 AND live <= seat_limit AND seat_limit >= capacity")
    session_state = Check(f"state IN ({listed(SessionState)})")
    session_times = Check("ends_at > starts_at AND order_until <= ends_at")


class Lesson(Table, db=DB, tablename="lesson"):
    """One meeting: its instants in UTC, and the wall time it was planned at."""

    id = UUID(primary_key=True, default=new_id)
    session_id = ForeignKey(Session, null=False, default=None, index=False, on_delete=OnDelete.cascade)
    number = Integer(null=False, default=1)
    starts_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=False, default=None)
    held_on = Date(null=False, default=None)
    starts_local = Time(null=False, default=None)
    ends_local = Time(null=False, default=None)
    zone = Text(null=False, default="Europe/Amsterdam")

    lesson_number = Unique(["session_id", "number"])
    lesson_times = Check("ends_at > starts_at AND number >= 1")


class Seat(Table, db=DB, tablename="seat"):
    """One place in one session: held until an instant, taken, or released. ``person_id`` may follow later."""

    id = UUID(primary_key=True, default=new_id)
    session_id = ForeignKey(Session, null=False, default=None, index=False, on_delete=_KEEP)
    person_id = UUID(null=True, default=None)
    company_id = UUID(null=False, default=None)
    state = Text(null=False, default="")
    held_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    taken_at = Timestamptz(null=True, default=None)
    released_at = Timestamptz(null=True, default=None)

    seat_state = Check(f"state IN ({listed(SeatState)})")
    seat_hold = Check("(state <> 'held' OR held_until IS NOT NULL) AND (state <> 'taken' OR taken_at IS NOT NULL)")
    seat_release = Check("(state = 'released') = (released_at IS NOT NULL)")
