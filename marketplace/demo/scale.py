"""A database as large as a region's or the whole country's, for measuring and for looking at long lists.

PostgreSQL makes the rows itself out of the demo's texts and names. They keep every rule of the schema, agree with each
other to the cent, and have the demo's sign-ins; no verb made them, so there is no audit of each. Foreign keys are not
looked up one by one where the database lets us say so, and indexes are built after the rows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from billing import seller
from catalog import policies, search, session_changes
from marketplace.demo import scale_rows, scale_words
from marketplace.kit import audit, clock, db
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_LARGE = ("programme", "session", "person", "seat", "enrolment", "order_line", "charge", "placed_order", "lesson")
_TABLES = (
    "partner", "policy", "programme", "session", "lesson", "seat", "debtor", "company", "person", "account", "member", "enrolment",
    "placed_order", "order_line", "charge", "invoice", "invoice_line", "invoice_vat", "ledger_entry", "ledger_posting",
)  # fmt: skip
_PATIENCE_SECONDS = 600


class Size(msgspec.Struct, frozen=True):
    """How many of each."""

    companies: int
    staff: int
    programmes: int
    sessions: int
    enrolments: int
    invoices: int


SIZES = {
    "region": Size(companies=300, staff=5_000, programmes=100, sessions=400, enrolments=10_000, invoices=2_000),
    "national": Size(companies=50_000, staff=400_000, programmes=10_000, sessions=60_000, enrolments=1_000_000, invoices=20_000),
}


def _print(line: str) -> None:
    print(f"  {line}", flush=True)  # noqa: T201 - progress of a command


async def fill(name: str, *, now: datetime | None = None, say: Callable[[str], None] = _print) -> None:
    """Fill an empty database to a size: ``region`` or ``national``. All or nothing.

    Raises ``Conflict`` ``not_a_demo`` where demo data is not allowed or anything is there already.
    """
    size, at = SIZES[name], now or clock.now()
    if not settings().demo:
        raise Conflict("not_a_demo", "MARKETPLACE_DEMO is 0: set it to 1 for a database that may hold demo data.")
    if await db.value("SELECT EXISTS (SELECT FROM account) OR EXISTS (SELECT FROM company)"):
        raise Conflict("not_a_demo", "This database is in use: data of this size goes into an empty one only.")
    async with db.atomic():
        await policies.add(policies.GROUP, now=at)
        await seller.enter_crkbo(at.date().replace(year=at.year - 6, month=1, day=1), actor=SYSTEM, now=at)
        await scale_words.load()
        await _rows(size, now=at, say=say)
        await scale_words.sign_ins(now=at)
        await audit.record("demo.made", actor=SYSTEM, subject=("demo", "demo"), data={"scale": name}, now=at)
        await audit.seal()


async def _rows(size: Size, *, now: datetime, say: Callable[[str], None]) -> None:
    quick = await db.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    indexes = await _without_indexes() if quick else []
    for name, sql in scale_rows.steps(size, now=now):
        begun = time.monotonic()
        if quick:
            await _run(f"SET LOCAL session_replication_role = {'origin' if name == 'programmes' else 'replica'}")
        await _run(sql)
        say(f"{name} ({time.monotonic() - begun:.1f} s)")
    begun = time.monotonic()
    await _run(f"ANALYZE {', '.join(_TABLES)}")
    await session_changes.refresh(None, now=now)
    await search.count_bookings(now=now)
    say(f"months and popularity ({time.monotonic() - begun:.1f} s)")
    begun = time.monotonic()
    await _run("SET LOCAL maintenance_work_mem = '256MB'")
    for definition in indexes:
        await _run(definition)
    say(f"{len(indexes)} indexes ({time.monotonic() - begun:.1f} s)")
    if quick:
        await _run("SET LOCAL session_replication_role = origin")


async def _without_indexes() -> list[str]:
    """Drop the indexes of large tables that no constraint needs, and return how to make them again."""
    sql = """
        SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
        WHERE i.indrelid::regclass::text = ANY ($1) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
    """
    found = await db.records(sql, list(_LARGE))
    for index in found:
        await _run(f"DROP INDEX {index['name']}")
    return [index["definition"] for index in found]


async def _run(sql: str) -> None:
    """Run a statement that may take longer than the pool's usual patience."""
    async with db.connection() as own:
        await own.execute(sql, timeout=_PATIENCE_SECONDS)
