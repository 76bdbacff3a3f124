"""Data in quantity, made by PostgreSQL itself: companies, staff, programmes, sessions and enrolments in the sizes of GATES.md.

For measuring only: the rows keep every rule of the schema, but no verb made them, so there is no audit of them. Foreign
keys aren't looked up row by row where the database lets us say so (its own superuser).
"""

# ruff: noqa: S608 - the SQL is made of constants and counts
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from catalog import policies, session_changes
from marketplace.kit import db, identity, ids

if TYPE_CHECKING:
    from collections.abc import Callable

EMAIL = "hr-1@bench.example"
_SAY: Callable[[str], None] = lambda _line: None  # noqa: E731


class Size(msgspec.Struct, frozen=True):
    """How many of each; enrolments are spread evenly over the sessions."""

    companies: int
    staff: int
    programmes: int
    sessions: int
    enrolments: int


REGION = Size(300, 5_000, 100, 400, 10_000)
NATIONAL = Size(50_000, 400_000, 10_000, 60_000, 1_000_000)
SIZES = {"region": REGION, "national": NATIONAL}


# Ids are computed from kind and number, so that rows can name each other without being looked up.
def _id(kind: str, number: str) -> str:
    return f"('{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


_DEBTOR, _COMPANY, _PERSON = (partial(_id, kind) for kind in ("0000000d", "0000000c", "0000000a"))
_PARTNER, _PROGRAMME, _SESSION = (partial(_id, kind) for kind in ("000000f1", "000000f2", "000000f3"))
_SEAT, _ENROLMENT, _ACCOUNT, _MEMBER = (partial(_id, kind) for kind in ("000000e1", "000000e2", "000000e3", "000000e4"))
_POLICY = "(SELECT id FROM policy LIMIT 1)"
PARTNERS = 40


def session_id(number: int) -> UUID:
    """Return the id of a session, counted from 1."""
    return UUID(f"000000f3-0000-7000-8000-{number:012x}")


def person_id(number: int) -> UUID:
    """Return the id of a member of staff, counted from 1; the company is ``(number - 1) % companies + 1``."""
    return UUID(f"0000000a-0000-7000-8000-{number:012x}")


def account_id(company: int) -> UUID:
    """Return the account of a company's buyer; the first hundred companies have one."""
    return UUID(f"000000e3-0000-7000-8000-{company:012x}")


async def fill(size: Size, *, now: datetime | None = None, say: Callable[[str], None] = _SAY, capacity: int = 0) -> None:
    """Fill an empty database. With ``capacity`` every session has that many seats, else a third more than is taken."""
    now = now or datetime.now(UTC)
    async with db.atomic():
        await policies.add(policies.GROUP, now=now)
        quick = await db.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        for name, sql in _steps(size, capacity):
            say(f"{name} …")
            if quick:
                await db.execute(f"SET LOCAL session_replication_role = {'origin' if name == 'programmes' else 'replica'}")
            await db.execute(sql.replace(":now", f"'{now.isoformat()}'::timestamptz"))
    await session_changes.refresh(None, now=now)
    for table in ("account", "company", "debtor", "enrolment", "lesson", "member", "partner", "person", "programme", "seat", "session"):
        await db.execute(f"ANALYZE {table}")


def _steps(size: Size, capacity: int) -> list[tuple[str, str]]:
    seats = max(1, size.enrolments // size.sessions)
    room = capacity or seats + max(1, seats // 3)
    topic = "(ARRAY['Dutch', 'Business Dutch', 'Working with the Dutch', 'Career coaching', 'English for meetings', 'Living in Leiden'])[1 + n % 6]"
    tema = "(ARRAY['Nederlands', 'Zakelijk Nederlands', 'Werken met Nederlanders', 'Loopbaancoaching', 'Engels voor vergaderingen', 'Wonen in Leiden'])[1 + n % 6]"
    start = f"(date_trunc('day', :now) + ((n / {size.programmes}) * 13 + n % 11 + 6) * interval '1 day' + interval '8 hours')"
    return [
        ("debtors", f"""
            INSERT INTO debtor (id, owner_id, name, legal_name, street, postcode, city, email, kvk, created_at, updated_at)
            SELECT {_DEBTOR('n')}, {_COMPANY('n')}, 'Bench ' || n || ' B.V.', 'Bench ' || n || ' B.V.', 'Proefstraat ' || n, '2333 XX', 'Leiden',
                   'finance-' || n || '@bench.example', lpad(n::text, 8, '9'), :now, :now FROM generate_series(1, {size.companies}) AS n"""),
        ("companies", f"""
            INSERT INTO company (id, debtor_id, name, sort_name, kvk, street, postcode, city, created_at)
            SELECT {_COMPANY('n')}, {_DEBTOR('n')}, 'Bench ' || n || ' B.V.', 'bench ' || n, lpad(n::text, 8, '9'), 'Proefstraat ' || n,
                   '2333 XX', 'Leiden', :now FROM generate_series(1, {size.companies}) AS n"""),
        ("staff", f"""
            INSERT INTO person (id, company_id, given_name, family_name, sort_name, search_text, email, personnel_number, created_at, changed_at)
            SELECT {_PERSON('n')}, {_COMPANY(f'1 + (n - 1) % {size.companies}')}, 'Given' || n, 'Family' || n, 'family' || n, 'given' || n || ' family' || n,
                   'p' || n || '@bench.example', 'P' || n, :now, :now FROM generate_series(1, {size.staff}) AS n"""),
        ("buyers", f"""
            INSERT INTO account (id, email, name, locale, created_at)
            SELECT {_ACCOUNT('n')}, 'hr-' || n || '@bench.example', 'Buyer ' || n, 'en', :now FROM generate_series(1, least(100, {size.companies})) AS n"""),
        ("members", f"""
            INSERT INTO member (id, account_id, company_id, roles, created_at)
            SELECT {_MEMBER('n')}, {_ACCOUNT('n')}, {_COMPANY('n')}, '{{owner,buyer}}', :now FROM generate_series(1, least(100, {size.companies})) AS n"""),
        ("partners", f"""
            INSERT INTO partner (id, name, code, email, city, created_at)
            SELECT {_PARTNER('n')}, 'School ' || n, 'S' || n, 's' || n || '@bench.example', 'Leiden', :now FROM generate_series(1, {PARTNERS}) AS n"""),
        ("programmes", f"""
            INSERT INTO programme (id, code, slug, partner_id, policy_id, category, stages, title_nl, title_en, summary_nl, summary_en, description_nl,
                                   description_en, level_from, level_to, taught_in, format, place, venue, group_min, group_max, lesson_count, lesson_minutes,
                                   price_cents, vat_basis, state, popularity, months, whens, created_at, updated_at)
            SELECT {_PROGRAMME('n')}, 'BN-' || n, 'bench-' || n, {_PARTNER(f'1 + n % {PARTNERS}')}, {_POLICY},
                   (ARRAY['language', 'language', 'culture', 'dual_career', 'language', 'welcome'])[1 + n % 6], '{{living}}',
                   {tema} || ' ' || n, {topic} || ' ' || n, 'Cursus in kleine groepen.', 'A course in small groups.',
                   'Een cursus van tien lessen met huiswerk.', 'A course of ten lessons with homework.',
                   CASE WHEN n % 6 < 2 THEN (ARRAY['A0', 'A1', 'A2', 'B1'])[1 + n % 4] END, CASE WHEN n % 6 < 2 THEN (ARRAY['A1', 'A2', 'B1', 'B2'])[1 + n % 4] END,
                   CASE WHEN n % 2 = 0 THEN '{{nl}}' ELSE '{{en}}' END::text[], (ARRAY['on_site', 'online', 'blended'])[1 + n % 3],
                   (ARRAY['leiden', 'leiderdorp', 'oegstgeest', 'katwijk'])[1 + n % 4], 'Proefstraat 1', 1, {room}, 2, 120, 20000 + n % 90 * 1000,
                   CASE WHEN n % 6 = 3 THEN 'coaching' ELSE 'general_language' END, 'published', n % 977, '{{}}', '{{}}', :now, :now
            FROM generate_series(1, {size.programmes}) AS n"""),
        ("sessions", f"""
            INSERT INTO session (id, programme_id, code, language, capacity, minimum, live, seat_limit, published, starts_at, ends_at, order_until, created_at, updated_at)
            SELECT {_SESSION('n')}, {_PROGRAMME(f'1 + (n - 1) % {size.programmes}')}, 'BN-' || n, 'nl', {room}, 0, {seats if size.enrolments else 0},
                   {max(room, seats)}, TRUE, {start}, {start} + interval '9 days', {start} - interval '1 day', :now, :now
            FROM generate_series(1, {size.sessions}) AS n"""),
        ("lessons", """
            INSERT INTO lesson (id, session_id, number, starts_at, ends_at, held_on, starts_local, ends_local)
            SELECT gen_random_uuid(), session.id, k, starts_at + (k - 1) * interval '7 days', starts_at + (k - 1) * interval '7 days' + interval '2 hours',
                   (starts_at + (k - 1) * interval '7 days')::date, '09:00', '11:00' FROM session, generate_series(1, 2) AS k"""),
        ("seats", f"""
            INSERT INTO seat (id, session_id, person_id, company_id, state, created_at, taken_at)
            SELECT {_SEAT('n')}, {_SESSION(f'1 + (n - 1) % {size.sessions}')}, {_PERSON(f'1 + (n - 1) % {size.staff}')}, {_COMPANY(f'1 + ((n - 1) % {size.staff}) % {size.companies}')},
                   'taken', :now, :now FROM generate_series(1, {seats * size.sessions if size.enrolments else 0}) AS n ON CONFLICT DO NOTHING"""),
        ("enrolments", f"""
            INSERT INTO enrolment (id, session_id, seat_id, person_id, company_id, partner_id, state, created_at, state_at)
            SELECT {_ENROLMENT('n')}, {_SESSION(f'1 + (n - 1) % {size.sessions}')}, {_SEAT('n')}, {_PERSON(f'1 + (n - 1) % {size.staff}')},
                   {_COMPANY(f'1 + ((n - 1) % {size.staff}) % {size.companies}')}, {_PARTNER(f'1 + (1 + ((n - 1) % {size.sessions}) % {size.programmes}) % {PARTNERS}')},
                   'confirmed', :now, :now FROM generate_series(1, {seats * size.sessions if size.enrolments else 0}) AS n"""),
        ("register", "INSERT INTO crkbo_period (id, holder, from_on) VALUES (gen_random_uuid(), 'operator', DATE '2020-01-01') ON CONFLICT DO NOTHING"),
    ]  # fmt: skip


async def token(company: int, *, now: datetime) -> str:
    """Return an API token of a company's buyer."""
    return await identity.create_token(account_id(company), now=now, label="bench")


async def session_cookie(company: int, *, now: datetime) -> str:
    """Return the token of a signed-in buyer's browser session."""
    secret = ids.secret_token()
    await db.execute(
        "INSERT INTO web_session (id, account_id, token_hash, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)",
        ids.new_id(), account_id(company), identity.digest(secret), now, now + timedelta(hours=12),
    )  # fmt: skip
    return secret
