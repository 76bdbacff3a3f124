"""A process that dies at its n-th statement: before the statement leaves, or after it is done and before its answer is read.

Nothing in the product knows of it. The connection is cut as a killed process cuts it, everything after raises, and a
restart begins with a new pool, as a new process does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Crashed(BaseException):
    """The process is dead; no ``except Exception`` of ours may live on."""


class Point(msgspec.Struct, frozen=True):
    """Where it dies: at which statement, and whether the server has done it already."""

    statement: int
    done: bool

    def __str__(self) -> str:
        """Say it in words."""
        return f"{'after' if self.done else 'before'} statement {self.statement}"


class Bomb:
    """Counts statements while it is armed, and goes off at one of them."""

    def __init__(self) -> None:
        self.point: Point | None = None
        self.count = 0
        self.armed = False
        self.dead = False

    def arm(self, point: Point | None) -> None:
        """Begin to count; without a point nothing goes off."""
        self.point, self.count, self.armed, self.dead = point, 0, True, False

    def disarm(self) -> None:
        """End it: a new process has begun."""
        self.armed = self.dead = False

    async def around(self, connection: Mortal, statement: Callable[[], Awaitable[Any]]) -> Any:
        """Run a statement, or die at it."""
        if not self.armed:
            return await statement()
        if self.dead:
            raise Crashed
        self.count += 1
        here = self.point is not None and self.count == self.point.statement
        if here and self.point is not None and not self.point.done:
            self._die(connection)
        answer = await statement()
        if here:
            self._die(connection)
        return answer

    def _die(self, connection: Mortal) -> None:
        self.dead = True
        connection.terminate()
        raise Crashed


BOMB = Bomb()


class Mortal(db.PooledConnection):
    """A pooled connection whose process may die at any statement."""

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run a statement."""
        return str(await BOMB.around(self, lambda: super(Mortal, self).execute(query, *args, **options)))

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """Run a query."""
        return await BOMB.around(self, lambda: super(Mortal, self).fetch(query, *args, **options))

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        """Run a query for one row."""
        return await BOMB.around(self, lambda: super(Mortal, self).fetchrow(query, *args, **options))

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        """Run a query for one value."""
        return await BOMB.around(self, lambda: super(Mortal, self).fetchval(query, *args, **options))

    async def executemany(self, command: str, args: Any, **options: Any) -> None:
        """Run a statement many times."""
        await BOMB.around(self, lambda: super(Mortal, self).executemany(command, args, **options))

    async def copy_records_to_table(self, table_name: str, **options: Any) -> Any:
        """COPY."""
        return await BOMB.around(self, lambda: super(Mortal, self).copy_records_to_table(table_name, **options))


class Elsewhere(httpx.AsyncBaseTransport):
    """A way to a server that doesn't die with us: its own statements don't count. A call may be our last all the same."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        armed, BOMB.armed = BOMB.armed, False
        try:
            return await self.inner.handle_async_request(request)
        finally:
            BOMB.armed = armed
