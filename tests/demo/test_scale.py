"""Data in quantity agrees with itself; the region's size stands for both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing import ledger
from marketplace import demo
from marketplace.demo import scale
from marketplace.demo.companies import PASSWORD
from marketplace.kit import audit, db, identity
from marketplace.kit.errors import Conflict

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


async def test_a_region_is_whole_and_has_its_sign_ins(committed: str) -> None:
    indexes = "SELECT count(*) FROM pg_index WHERE indisvalid"
    before = await db.value(indexes)
    await scale.fill("region", now=NOW, say=lambda _line: None)
    size = scale.SIZES["region"]
    counted = {
        table: await db.value(f"SELECT count(*) FROM {table}")
        for table in ("company", "person", "programme", "session", "enrolment", "invoice")
    }
    assert tuple(counted.values()) == (size.companies, size.staff, size.programmes, size.sessions, size.enrolments, size.invoices)
    assert await db.value(indexes) == before
    live = "SELECT count(*) FROM session s WHERE live > capacity OR live <> (SELECT count(*) FROM seat WHERE session_id = s.id AND state = 'taken')"
    assert await db.value(live) == 0
    strangers = "SELECT count(*) FROM order_line l JOIN person p ON p.id = l.person_id JOIN placed_order o ON o.id = l.order_id WHERE p.company_id <> o.company_id"
    assert await db.value(strangers) == 0
    assert (await ledger.check()).right
    assert (
        await db.value(
            "SELECT count(*) FROM invoice i JOIN placed_order o ON i.group_key = 'order:' || o.id WHERE i.total_cents <> o.total_cents"
        )
        == 0
    )
    assert await audit.verify() == []
    assert await db.value("SELECT count(*) FROM programme WHERE months <> '{}' AND popularity > 0") > 90
    assert await identity.check_password("hr@demo.example", PASSWORD) is not None


async def test_quantity_goes_into_an_empty_database_only_and_counts_as_a_demo(committed: str) -> None:
    await scale.fill("region", now=NOW, say=lambda _line: None)
    with pytest.raises(Conflict, match="in use"):
        await scale.fill("region", now=NOW)
    assert not await demo.ensure(now=NOW)
