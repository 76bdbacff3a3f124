"""What Hypothesis's state machines stand on: an event loop with a database of its own, and a transaction an example."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from piccolo.engine.postgres import PostgresTransaction

from marketplace.kit import db
from tests.conftest import _command, _copy, with_database

T = TypeVar("T")


class Loop:
    """An event loop of this test's own, with the database open in it."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._outer, db.DB.pool = db.DB.pool, None
        self.run(db.open_pool(dsn, max_size=2))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it to its end."""
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """Close the pool and the loop."""
        self.run(db.close_pool())
        db.DB.pool = self._outer
        self._loop.close()


@contextmanager
def loop_of_its_own(server: str, template: str) -> Iterator[Loop]:
    """Give a loop on a copy of the template."""
    name = asyncio.run(_copy(server, template))
    made = Loop(with_database(server, name))
    yield made
    made.close()
    asyncio.run(_command(server, f"DROP DATABASE {name} WITH (FORCE)"))


class InTransaction(RuleBasedStateMachine):
    """A machine whose every example is one transaction, rolled back at its end; each verb is a savepoint in it."""

    loop: ClassVar[Loop]

    def open(self) -> None:
        """Begin the example's transaction."""
        self.own = self.loop.run(self._begin())

    async def _begin(self) -> Any:
        assert db.DB.pool is not None
        own = await db.DB.pool.acquire()
        self.transaction = own.transaction()
        await self.transaction.start()
        return own

    async def _in(self, work: Coroutine[Any, Any, T]) -> T:
        holder = PostgresTransaction(engine=db.DB)
        holder.connection = self.own
        db.DB.current_transaction.set(holder)
        return await work

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        async with db.atomic():  # as a verb would: a refusal ends all of it
            return await work

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a query or a verb within the example's transaction."""
        return self.loop.run(self._in(work))

    def do(self, verb: Coroutine[Any, Any, T]) -> T:
        """Run a verb, all of it or nothing."""
        return self.run(self._whole(verb))

    def teardown(self) -> None:
        """Roll everything back."""
        if hasattr(self, "own"):
            self.loop.run(self._end())

    async def _end(self) -> None:
        assert db.DB.pool is not None
        await self.transaction.rollback()
        await db.DB.pool.release(self.own)
