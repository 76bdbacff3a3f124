"""The statements that make a large database, in order. Ids are computed from kind and number, so that rows can name each other.

Enrolment ``n`` is line ``n`` of order ``(n + 1) / 2``: two colleagues, two sessions. Nobody is in a session twice.
"""

# ruff: noqa: S608 - what is put into the statements are counts and words of our own

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.demo.scale_words import NAMES, courses
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

    from marketplace.demo.scale import Size

PARTNERS = 40
BUYERS = 100
_STRIDE = 7_919  # prime: spreads people over sessions
_PLACES = "(ARRAY['Leiden', 'Katwijk', 'Leiderdorp', 'Oegstgeest', 'Voorschoten', 'Zoeterwoude'])"
_TRADES = "(ARRAY['Biosciences', 'Instruments', 'Therapeutics', 'Robotics', 'Software', 'Plant Genetics', 'Engineering', 'Diagnostics'])"
_STEMS = "(ARRAY['Rijn', 'Duin', 'Singel', 'Vliet', 'Kaag', 'Zijl', 'Hof', 'Mare', 'Galg', 'Poel', 'Warmond', 'Linde'])"


def _id(kind: str, number: str) -> str:
    return f"('{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def debtor(n: str) -> str:
    """Return the SQL for the id of a debtor."""
    return _id("0000000d", n)


def company(n: str) -> str:
    """Return the SQL for the id of a company."""
    return _id("0000000c", n)


def person(n: str) -> str:
    """Return the SQL for the id of a person."""
    return _id("0000000a", n)


def partner(n: str) -> str:
    """Return the SQL for the id of a partner."""
    return _id("000000f1", n)


def programme(n: str) -> str:
    """Return the SQL for the id of a programme."""
    return _id("000000f2", n)


def session(n: str) -> str:
    """Return the SQL for the id of a session."""
    return _id("000000f3", n)


def steps(size: Size, *, now: datetime) -> list[tuple[str, str]]:
    """Return (name, statement) in the order in which they must run; ``scale_words.load`` has run before."""
    at = f"'{now.isoformat()}'::timestamptz"
    made = [*_buyers(size), *_catalogue(size), *_orders(size), *_invoices(size)]
    return [(name, sql.replace(":now", at)) for name, sql in made]


def _per_company(size: Size) -> int:
    return max(2, size.staff // size.companies // 2 * 2)


def _buyers(size: Size) -> list[tuple[str, str]]:
    c = size.companies
    name = f"{_STEMS}[1 + n % 12] || {_STEMS.lower().replace('array', 'ARRAY')}[1 + n / 12 % 12] || ' ' || {_TRADES}[1 + n % 8] || ' ' || n"
    where = f"'Hoofdstraat ' || n % 250 + 1 AS street, '23' || n % 90 + 10 || ' AB' AS postcode, {_PLACES}[1 + n % 6] AS city"
    every = f"SELECT n, {name} AS name, {where} FROM generate_series(1, {c}) AS n"
    of = f"least({c}, 1 + (n - 1) / {_per_company(size)})"
    return [
        ("debtors", f"""
            INSERT INTO debtor (id, owner_id, name, legal_name, street, postcode, city, email, kvk, vat_id, vat_id_valid, language, created_at, updated_at)
            SELECT {debtor('n')}, {company('n')}, name, name || ' B.V.', street, postcode, city, 'invoices@c' || n || '.example', lpad(n::text, 8, '9'),
                   NULL, false, (ARRAY['nl', 'en'])[1 + n % 2], :now, :now FROM ({every}) AS every"""),
        ("companies", f"""
            INSERT INTO company (id, debtor_id, name, sort_name, legal_form, kvk, street, postcode, city, language, invoice_email, created_at)
            SELECT {company('n')}, {debtor('n')}, name, lower(name), 'B.V.', lpad(n::text, 8, '9'), street, postcode, city, (ARRAY['nl', 'en'])[1 + n % 2],
                   'invoices@c' || n || '.example', :now FROM ({every}) AS every"""),
        ("people", f"""
            INSERT INTO person (id, company_id, given_name, infix, family_name, sort_name, search_text, email, personnel_number, department, cost_centre,
                                start_on, language, level, created_at, changed_at)
            SELECT {person('s')}, {company('c')}, given, infix, family, sort, search || ' ' || mail || s || '@c' || c || '.example p' || s || ' ' || lower(department),
                   mail || s || '@c' || c || '.example', 'P' || s, department, 'CC-' || 1000 + s % 9 * 100, (:now)::date - s % 1500,
                   (ARRAY['en', 'nl'])[1 + (s % 6) / 5], (ARRAY['A0', 'A1', 'A2', 'B1', 'B2', NULL])[1 + s % 6], :now, :now
            FROM (SELECT n AS s, {of} AS c, (n * {_STRIDE}::bigint % {NAMES})::int AS named,
                         (ARRAY['Research', 'Quality', 'Sales', 'Finance', 'Engineering'])[1 + n % 5] AS department
                  FROM generate_series(1, {size.staff}) AS n) AS staff JOIN scale_name ON scale_name.n = named"""),
        ("accounts", f"""
            INSERT INTO account (id, email, name, locale, created_at)
            SELECT {_id('000000e3', 'n')}, 'hr-' || n || '@demo.example', 'Buyer ' || n, 'en', :now FROM generate_series(1, least({BUYERS}, {c})) AS n"""),
        ("members", f"""
            INSERT INTO member (id, account_id, company_id, roles, created_at)
            SELECT {_id('000000e4', 'n')}, {_id('000000e3', 'n')}, {company('n')}, '{{owner,buyer}}', :now FROM generate_series(1, least({BUYERS}, {c})) AS n"""),
    ]  # fmt: skip


def _catalogue(size: Size) -> list[tuple[str, str]]:
    most = -(-size.enrolments // size.sessions)
    taken = f"{size.enrolments // size.sessions} + (n <= {size.enrolments % size.sessions})::int"
    rounds = max(1, size.sessions // size.programmes)
    first = f"(:now)::date - 180 + ((n - 1) / {size.programmes}) * {330 // rounds} + n * 5 % {max(1, 330 // rounds)}"
    wall = "(ARRAY['09:30', '13:30', '18:30'])[1 + n % 3]::time"
    return [
        ("partners", f"""
            INSERT INTO partner (id, name, code, email, city, crkbo, created_at)
            SELECT {partner('n')}, (ARRAY['Taalhuis', 'Studio', 'Atelier', 'School'])[1 + n % 4] || ' ' || {_STEMS}[1 + n % 12] || 'zicht ' || n, 'S' || n,
                   'office@school' || n || '.example', {_PLACES}[1 + n % 6], true, :now FROM generate_series(1, {PARTNERS}) AS n"""),
        ("programmes", f"""
            INSERT INTO programme (id, code, slug, partner_id, policy_id, category, stages, title_nl, title_en, summary_nl, summary_en, description_nl,
                description_en, level_from, level_to, taught_in, format, place, venue, group_min, group_max, lesson_count, lesson_minutes, price_cents,
                price_unit, vat_basis, state, keywords, created_at, updated_at)
            SELECT {programme('p')}, 'P' || p, 'p' || p, partner.id, (SELECT id FROM policy LIMIT 1), c.category, stages, title_nl || ' ' || p, title_en || ' ' || p,
                summary_nl, summary_en, c.about_nl, c.about_en, level_from, level_to, taught_in, format, place, venue, group_min, {most + 9}, lessons, minutes,
                price_cents + p % 7 * 500, unit, vat_basis, 'published', partner.name || ' ' || partner.city || ' ' || words, :now, :now - p * interval '1 second'
            FROM generate_series(1, {size.programmes}) AS p JOIN scale_course c ON c.n = p % {courses()}
            JOIN partner ON partner.id = {partner(f'1 + p % {PARTNERS}')}"""),
        ("sessions", f"""
            INSERT INTO session (id, programme_id, code, place, language, capacity, seat_limit, minimum, live, decision_at, state, published, starts_at, ends_at,
                                 order_until, created_at, updated_at)
            SELECT {session('n')}, programme_id, 'P' || p || '-' || n, venue, taught_in[1], {most} + n % 9, {most} + n % 9, group_min, {taken}, starts - interval '14 days',
                   CASE WHEN ends <= :now THEN 'done' WHEN n % 3 = 0 THEN 'planned' ELSE 'confirmed' END, true, starts, ends, starts, :now, :now
            FROM (SELECT n, p, g.id AS programme_id, venue, taught_in, group_min, (held_on + at) AT TIME ZONE 'Europe/Amsterdam' AS starts,
                         (held_on + 7 * (lesson_count - 1) + at) AT TIME ZONE 'Europe/Amsterdam' + lesson_minutes * interval '1 minute' AS ends
                  FROM (SELECT n, 1 + (n - 1) % {size.programmes} AS p, {first} AS held_on, {wall} AS at FROM generate_series(1, {size.sessions}) AS n) AS planned
                  JOIN programme g ON g.id = {programme('p')}) AS every"""),
        ("lessons", f"""
            INSERT INTO lesson (id, session_id, number, starts_at, ends_at, held_on, starts_local, ends_local)
            SELECT {_id('000000f4', 'n * 8 + k')}, s.id, k, (held_on + at) AT TIME ZONE 'Europe/Amsterdam',
                   (held_on + at) AT TIME ZONE 'Europe/Amsterdam' + lesson_minutes * interval '1 minute', held_on, at, at + lesson_minutes * interval '1 minute'
            FROM generate_series(1, {size.sessions}) AS n JOIN session s ON s.id = {session('n')} JOIN programme g ON g.id = s.programme_id
            CROSS JOIN LATERAL generate_series(1, g.lesson_count) AS k
            CROSS JOIN LATERAL (SELECT (s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date + 7 * (k - 1) AS held_on, {wall} AS at) AS day"""),
    ]  # fmt: skip


def _orders(size: Size) -> list[tuple[str, str]]:
    half = size.staff // 2
    who = f"2 * (((n - 1) / 2) * {_STRIDE}::bigint % {half})::int + 1 + (n - 1) % 2"
    firm = f"least({size.companies}, 1 + (p - 1) / {_per_company(size)})"
    return [
        ("lines", f"""
            CREATE TEMP TABLE scale_line ON COMMIT DROP AS
            SELECT n, (n + 1) / 2 AS o, {person('p')} AS person_id, {company('c')} AS company_id, {debtor('c')} AS debtor_id, c, s.id AS session_id, g.partner_id, s.starts_at, s.ends_at,
                   g.price_cents, title_nl, title_en, vat_basis IN ('general_language', 'professional_course') AS exempt,
                   least(s.starts_at - (5 + n / 2 % 60) * interval '1 day', :now - (n / 2 % 2000) * interval '1 hour') AS at
            FROM (SELECT n, p, {firm} AS c, 1 + (n - 1) % {size.sessions} AS s FROM (SELECT n, {who} AS p FROM generate_series(1, {size.enrolments}) AS n) AS w) AS wish
            JOIN session s ON s.id = {session('wish.s')} JOIN programme g ON g.id = s.programme_id"""),
        ("seats", f"""
            INSERT INTO seat (id, session_id, person_id, company_id, state, created_at, taken_at)
            SELECT {_id('000000e1', 'n')}, session_id, person_id, company_id, 'taken', at, at FROM scale_line"""),
        ("enrolments", f"""
            INSERT INTO enrolment (id, session_id, seat_id, person_id, company_id, partner_id, state, created_at, state_at)
            SELECT {_id('000000e2', 'n')}, session_id, {_id('000000e1', 'n')}, person_id, company_id, partner_id, 'confirmed', at, at FROM scale_line"""),
        ("orders", f"""
            INSERT INTO placed_order (id, number, company_id, placed_by, ordered_by, state, net_cents, vat_cents, total_cents, placed_at, decided_at)
            SELECT {_id('000000b1', 'o')}, 100000 + o, company_id, CASE WHEN c <= {BUYERS} THEN {_id('000000e3', 'c')} END, 'Buyer ' || c, 'confirmed', net, vat, net + vat, at, at
            FROM (SELECT o, company_id, c, sum(price_cents) AS net, round(coalesce(sum(price_cents) FILTER (WHERE NOT exempt), 0) * 0.21)::bigint AS vat, min(at) AS at
                  FROM scale_line GROUP BY o, company_id, c) AS sums"""),
        ("charges", f"""
            INSERT INTO charge (id, debtor_id, group_key, position, description, quantity, unit_price_cents, net_cents, vat_category, vat_rate, exemption_code,
                                exemption_text, supply_from_on, supply_to_on, order_number, state, created_at)
            SELECT {_id('000000b3', 'n')}, debtor_id, 'order:' || {_id('000000b1', 'o')}, (n - 1) % 2, title_en, 1, price_cents, price_cents,
                   CASE WHEN exempt THEN 'E' ELSE 'S' END, CASE WHEN exempt THEN 0 ELSE 21 END, CASE WHEN exempt THEN 'VATEX-EU-132-1I' END,
                   CASE WHEN exempt THEN 'Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)' END, starts_at::date, ends_at::date, (100000 + o)::text,
                   CASE WHEN o <= {size.invoices} THEN 'invoiced' ELSE 'open' END, at FROM scale_line"""),
        ("order lines", f"""
            INSERT INTO order_line (id, order_id, position, company_id, partner_id, session_id, person_id, enrolment_id, charge_id, state, title_nl, title_en,
                                    starts_at, ends_at, price_cents, vat_category, vat_rate, policy, state_at)
            SELECT {_id('000000b2', 'n')}, {_id('000000b1', 'o')}, 1 + (n - 1) % 2, company_id, partner_id, session_id, person_id, {_id('000000e2', 'n')},
                   {_id('000000b3', 'n')}, 'accepted', title_nl, title_en, starts_at, ends_at, price_cents, CASE WHEN exempt THEN 'E' ELSE 'S' END,
                   CASE WHEN exempt THEN 0 ELSE 21 END, terms, at
            FROM scale_line, (SELECT jsonb_build_object('code', code, 'name_nl', name_nl, 'name_en', name_en, 'tiers', tiers, 'moving', moving) AS terms FROM policy LIMIT 1) AS p"""),
        ("order numbers", f"SELECT setval('next_order_number', {100_000 + size.enrolments // 2})"),
    ]  # fmt: skip


def _invoices(size: Size) -> list[tuple[str, str]]:
    seller = msgspec.json.encode(settings().operator).decode().replace("'", "''")
    return [
        ("invoice numbers", f"""
            CREATE TEMP TABLE scale_invoice ON COMMIT DROP AS
            SELECT *, to_char(on_day, 'YYYY') AS series, row_number() OVER (PARTITION BY to_char(on_day, 'YYYY') ORDER BY at, o) AS number
            FROM (SELECT o, debtor_id, min(at) AS at, (min(at) AT TIME ZONE 'Europe/Amsterdam')::date AS on_day, sum(price_cents) AS net,
                         round(coalesce(sum(price_cents) FILTER (WHERE NOT exempt), 0) * 0.21)::bigint AS vat
                  FROM scale_line WHERE o <= {size.invoices} GROUP BY o, debtor_id) AS sums"""),
        ("invoices", f"""
            INSERT INTO invoice (id, series, number, debtor_id, group_key, dated_on, due_on, language, seller, buyer, order_number, net_cents, vat_cents, total_cents,
                                 issued_at, state, state_at)
            SELECT {_id('000000b4', 'o')}, series, series || '-' || lpad(number::text, 6, '0'), debtor_id, 'order:' || {_id('000000b1', 'o')}, on_day, on_day + 30,
                   d.language, '{seller}'::jsonb, to_jsonb(d), (100000 + o)::text, net, vat, net + vat, at, 'issued', at
            FROM scale_invoice JOIN debtor d ON d.id = debtor_id"""),
        ("invoice lines", f"""
            INSERT INTO invoice_line (id, invoice_id, position, charge_id, description, quantity, unit_price_cents, net_cents, vat_category, vat_rate, exemption_code,
                                      exemption_text, supply_from_on, supply_to_on, order_number)
            SELECT {_id('000000b5', 'n')}, {_id('000000b4', 'l.o')}, 1 + (n - 1) % 2, {_id('000000b3', 'n')}, title_en, 1, price_cents, price_cents,
                   CASE WHEN exempt THEN 'E' ELSE 'S' END, CASE WHEN exempt THEN 0 ELSE 21 END, CASE WHEN exempt THEN 'VATEX-EU-132-1I' END,
                   CASE WHEN exempt THEN 'Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)' END, starts_at::date, ends_at::date, (100000 + l.o)::text
            FROM scale_line l JOIN scale_invoice i ON i.o = l.o"""),
        ("invoice VAT", f"""
            INSERT INTO invoice_vat (id, invoice_id, vat_category, vat_rate, net_cents, vat_cents, exemption_code, exemption_text)
            SELECT {_id('000000b6', 'l.o * 2 + exempt::int')}, {_id('000000b4', 'l.o')}, CASE WHEN exempt THEN 'E' ELSE 'S' END, CASE WHEN exempt THEN 0 ELSE 21 END,
                   sum(price_cents), CASE WHEN exempt THEN 0 ELSE round(sum(price_cents) * 0.21) END, CASE WHEN exempt THEN 'VATEX-EU-132-1I' END,
                   CASE WHEN exempt THEN 'Vrijgesteld van btw (art. 11 lid 1 onderdeel o Wet OB 1968)' END
            FROM scale_line l JOIN scale_invoice i ON i.o = l.o GROUP BY l.o, exempt"""),
        ("ledger", f"""
            INSERT INTO ledger_entry (id, event, source_id, booked_on, recorded_at)
            SELECT {_id('000000b7', 'o')}, 'invoice_issued', {_id('000000b4', 'o')}, on_day, at FROM scale_invoice"""),
        ("postings", f"""
            INSERT INTO ledger_posting (id, entry_id, account, cents, debtor_id, vat_category, vat_rate)
            SELECT {_id('000000b8', 'o * 8')}, {_id('000000b7', 'o')}, 'receivable', net + vat, debtor_id, NULL, NULL FROM scale_invoice
            UNION ALL
            SELECT {_id('000000b8', 'o * 8 + 1 + side')}, {_id('000000b7', 'o')}, account, -cents, debtor_id, category, rate
            FROM (SELECT i.o, i.debtor_id, 2 * (v.vat_category = 'S')::int + x.side AS side, x.account, x.cents, v.vat_category AS category, v.vat_rate AS rate
                  FROM scale_invoice i JOIN invoice_vat v ON v.invoice_id = {_id('000000b4', 'i.o')}
                  CROSS JOIN LATERAL (VALUES (0, 'revenue', v.net_cents), (1, 'vat', v.vat_cents)) AS x (side, account, cents) WHERE x.cents <> 0) AS sides"""),
        ("number series", """
            INSERT INTO number_series (series, last_number, last_on) SELECT series, max(number)::int, max(on_day) FROM scale_invoice GROUP BY series"""),
    ]  # fmt: skip
