"""Transactions: savepoints, deferred constraints, failing commits, and no connection lost."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import msgspec
import pytest

from marketplace.kit import db

pytestmark = pytest.mark.asyncio(loop_scope="session")


class _Pair(msgspec.Struct, frozen=True):
    a: int
    b: str | None


async def _table() -> None:
    await db.execute("CREATE TABLE thing (id int PRIMARY KEY, parent int REFERENCES thing DEFERRABLE INITIALLY DEFERRED)")


async def test_rows_become_structs(db: None) -> None:
    from marketplace.kit import db as kit

    assert await kit.rows(_Pair, "SELECT 1 AS a, NULL::text AS b UNION ALL SELECT 2, 'x' ORDER BY a") == [_Pair(1, None), _Pair(2, "x")]
    assert await kit.row(_Pair, "SELECT 1 AS a, 'y' AS b WHERE $1", False) is None
    assert await kit.value("SELECT $1::jsonb", '{"a": [1]}') == {"a": [1]}


async def test_a_caught_inner_error_leaves_nothing_of_the_inner_block(committed: str) -> None:
    await _table()
    async with db.atomic():
        await db.execute("INSERT INTO thing VALUES (1, NULL)")
        with pytest.raises(ValueError, match="inner"):
            async with db.atomic():
                await db.execute("INSERT INTO thing VALUES (2, NULL)")
                raise ValueError("inner")
    assert await db.value("SELECT array_agg(id) FROM thing") == [1]


async def test_a_deferred_constraint_fails_inside_the_block(committed: str) -> None:
    await _table()
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        async with db.atomic():
            await db.execute("INSERT INTO thing VALUES (1, 99)")
    assert db.violated(refused.value) == "thing_parent_fkey"
    assert await db.value("SELECT count(*) FROM thing") == 0


async def test_failing_commits_lose_no_connection(committed: str) -> None:
    await _table()
    pool = db.DB.pool
    assert pool is not None
    for _round in range(pool.get_max_size() + 5):
        with pytest.raises(asyncpg.PostgresError):
            async with db.atomic():
                await db.execute("INSERT INTO thing VALUES (1, 99)")
    assert await db.value("SELECT 1") == 1


async def test_a_cut_connection_is_reported_and_replaced(committed: str) -> None:
    with pytest.raises(Exception, match="terminat|closed|progress|released"):
        async with db.atomic():
            own = await db.value("SELECT pg_backend_pid()")
            other = await asyncpg.connect(committed)
            await other.execute("SELECT pg_terminate_backend($1)", own)
            await other.close()
            await db.value("SELECT 1")
    assert await db.value("SELECT 1") == 1


async def test_a_version_7_id_keeps_its_version() -> None:
    from marketplace.kit.ids import new_id

    made = [new_id() for _n in range(50)]
    assert all(isinstance(one, UUID) and one.version == 7 for one in made)
    assert len(set(made)) == len(made)
