"""PostgreSQL, through Piccolo's engine: one pool a process, one way to open a transaction, SQL into Structs.

Nothing else opens transactions: Piccolo's own nested ``transaction()`` is a no-op and leaks its connection when a COMMIT
fails. Inside ``atomic()`` start no tasks, gather nothing and call nobody over the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


class _Engine(PostgresEngine):
    """Piccolo's engine, without its visit to the database at import time."""

    async def check_version(self) -> None:
        """Do nothing: ``doctor`` checks the server's version."""

    async def prep_database(self) -> None:
        """Do nothing: we need no extension on this path."""


class PooledConnection(asyncpg.Connection):
    """A pooled connection that goes back without the usual round trip: nothing here leaves settings, cursors or listeners."""

    def get_reset_query(self) -> str:
        """Reset nothing; a transaction left open is still rolled back."""
        return ""


class Transaction(PostgresTransaction):
    """Piccolo's record of a transaction, with the statements that wait for company (see ``soon``)."""

    def __init__(self, engine: PostgresEngine) -> None:
        super().__init__(engine)
        self.waiting: list[tuple[str, tuple[object, ...]]] = []


DB = _Engine(config={})
LOCK_TIMEOUT_MS = 3_000
IDLE_IN_TRANSACTION_MS = 30_000
_CLOSE_SECONDS = 5
MOST_TOGETHER = 8
_savepoints = itertools.count(1)
_ARGUMENT = re.compile(r"\$(\d+)")


def _dump_json(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _prepare(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_dump_json, decoder=msgspec.json.decode, schema="pg_catalog")


async def open_pool(
    dsn: str,
    *,
    max_size: int = 10,
    min_size: int = 1,
    command_timeout: float = 30,
    name: str = "marketplace",
    connection_class: type[PooledConnection] = PooledConnection,
) -> None:
    """Open this process's pool. JSON columns read as Python values; a ``str`` written to one must be JSON already."""
    DB.config = {"dsn": dsn}
    await DB.start_connection_pool(
        min_size=min_size,
        max_size=max_size,
        command_timeout=command_timeout,
        init=_prepare,
        connection_class=connection_class,
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        },
    )


async def close_pool() -> None:
    """Close this process's pool, if it has one; waits five seconds for connections in use, then cuts them."""
    pool, DB.pool = DB.pool, None
    if pool is None:
        return
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    """Give the current transaction's connection, or a pooled one for the moment."""
    current = DB.current_transaction.get()
    if current is not None:
        await _send_waiting(current)
        yield current.connection
        return
    if DB.pool is None:
        message = "the database pool is not open"
        raise RuntimeError(message)
    async with DB.pool.acquire() as pooled:
        yield pooled


@asynccontextmanager
async def atomic() -> AsyncIterator[None]:
    """Run the block as one transaction (READ COMMITTED); inside another ``atomic()``, as a savepoint.

    Deferred constraints are checked before COMMIT, so their errors leave the block as ordinary errors. A failed or
    cancelled block leaves nothing behind, and its connection goes back to the pool. Nothing is retried here.
    """
    current = DB.current_transaction.get()
    if current is None:
        async with _outermost():
            yield
        return
    name = f"inner_{next(_savepoints)}"
    await _send_waiting(current)
    await current.connection.execute(f"SAVEPOINT {name}")
    try:
        yield
        await _send_waiting(current)
    except BaseException:
        _waiting(current).clear()
        with contextlib.suppress(asyncpg.InterfaceError, OSError):  # cut: the outermost block ends it all
            await current.connection.execute(f"ROLLBACK TO {name}; RELEASE {name}")
        raise
    await current.connection.execute(f"RELEASE {name}")


@asynccontextmanager
async def _outermost() -> AsyncIterator[None]:
    async with connection() as own:
        await own.execute("BEGIN")
        holder = Transaction(engine=DB)
        holder.connection = own
        token = DB.current_transaction.set(holder)
        try:
            yield
            await _send_waiting(holder)
            await own.execute("SET CONSTRAINTS ALL IMMEDIATE; COMMIT")
        except BaseException:
            DB.current_transaction.reset(token)
            with contextlib.suppress(Exception):  # a cut connection can't roll back; the server has, and the pool drops it
                await own.execute("ROLLBACK")
            raise
        DB.current_transaction.reset(token)


@asynccontextmanager
async def joined() -> AsyncIterator[None]:
    """Run the block in the caller's transaction, without a savepoint of its own; where there is none, in a new one.

    For verbs whose failure ends the caller's transaction too, or its own ``atomic()`` around the call.
    """
    if in_transaction():
        yield
        return
    async with _outermost():
        yield


async def soon(sql: str, *args: object) -> None:
    """Run an INSERT whose answer nobody needs, together with others: before the next other statement, or before COMMIT.

    They travel as one statement, so they don't see each other's rows (foreign keys between them hold). Only a plain
    ``INSERT``. Outside a transaction it runs at once; what it violates is raised where it is sent.
    """
    current = DB.current_transaction.get()
    if isinstance(current, Transaction):
        current.waiting.append((sql, args))
    else:
        await execute(sql, *args)


async def soon_many(sql: str, args: Sequence[Sequence[object]]) -> None:
    """Run an INSERT for each set of arguments: a few go with what waits (see ``soon``), many as a batch of their own."""
    if len(args) > MOST_TOGETHER:
        await execute_many(sql, args)
        return
    for each in args:
        await soon(sql, *each)


def _waiting(transaction: Any) -> list[tuple[str, tuple[object, ...]]]:  # noqa: ANN401 - Piccolo's, with our list on it
    return transaction.waiting if isinstance(transaction, Transaction) else []


async def _send_waiting(transaction: Any) -> None:  # noqa: ANN401 - Piccolo's
    waiting = _waiting(transaction)
    if not waiting:
        return
    given, waiting[:] = list(waiting), []
    await transaction.connection.execute(_together(tuple(sql for sql, _args in given)), *(arg for _sql, args in given for arg in args))


@lru_cache(maxsize=500)
def _together(statements: tuple[str, ...]) -> str:
    """Return one statement that runs them all; each numbers its own arguments from 1."""
    parts, used = [], 0
    for sql in statements:
        numbers = [int(found) for found in _ARGUMENT.findall(sql)]
        parts.append(_ARGUMENT.sub(lambda found, used=used: f"${int(found[1]) + used}", sql))  # type: ignore[misc]
        used += max(numbers, default=0)
    *first, last = parts
    head = ", ".join(f"part_{at} AS ({part})" for at, part in enumerate(first))
    return f"WITH {head} {last}" if head else last


def in_transaction() -> bool:
    """Tell whether the caller is inside ``atomic()``."""
    return DB.current_transaction.get() is not None


async def rows(kind: type[T], sql: str, *args: object) -> list[T]:
    """Run SQL with ``$1`` placeholders and return its rows as Structs, matched by column name."""
    async with connection() as own:
        found = await own.fetch(sql, *args)
    return [msgspec.convert(dict(row), kind, strict=False) for row in found]


async def row(kind: type[T], sql: str, *args: object) -> T | None:
    """Return the first row as a Struct, or None."""
    async with connection() as own:
        found = await own.fetchrow(sql, *args)
    return None if found is None else msgspec.convert(dict(found), kind, strict=False)


async def records(sql: str, *args: object) -> list[dict[str, Any]]:
    """Return rows as dictionaries, for the edges (exports, tests)."""
    async with connection() as own:
        return [dict(found) for found in await own.fetch(sql, *args)]


async def value(sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return the first column of the first row, or None."""
    async with connection() as own:
        return await own.fetchval(sql, *args)


async def execute(sql: str, *args: object) -> int:
    """Run a statement and return how many rows it touched."""
    async with connection() as own:
        tag = await own.execute(sql, *args)
    last = tag.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


async def execute_many(sql: str, args: Iterable[Sequence[object]]) -> None:
    """Run a statement for each set of arguments, in one round trip as far as the protocol allows."""
    async with connection() as own:
        await own.executemany(sql, args)


async def copy_rows(table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> int:
    """COPY rows into a table (within the current transaction, if any) and return how many."""
    async with connection() as own:
        tag = await own.copy_records_to_table(table, records=records, columns=columns)
    return int(tag.rsplit(" ", 1)[-1])


def violated(error: BaseException) -> str | None:
    """Return the name of the constraint that an error reports, or None when it is another kind of error."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return error.constraint_name
    return None
