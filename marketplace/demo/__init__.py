"""The demo: companies, people, programmes, orders and invoices that look like a real quarter in Leiden.

``ensure`` makes it once, through the same verbs as everybody uses; ``scale`` fills a database for measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def _print(line: str) -> None:
    print(f"  {line}", flush=True)  # noqa: T201 - progress of a command


async def made() -> bool:
    """Tell whether this database has the demo."""
    from marketplace.kit import db

    return bool(
        await db.value(
            "SELECT EXISTS (SELECT FROM audit_entry WHERE event = 'demo.made' AND subject_kind = 'demo' AND subject_id = 'demo')"
        )
    )


async def ensure(*, now: datetime | None = None, say: Callable[[str], None] = _print) -> bool:
    """Make the demo in an empty database and return True; where it is already, change nothing and return False.

    All or nothing, whatever interrupts it. ``say`` hears a line of progress now and then. Raises ``Conflict``
    ``not_a_demo`` where demo data is not allowed or where somebody else's data is.
    """
    from marketplace import registry
    from marketplace.demo import make
    from marketplace.kit import clock, db
    from marketplace.kit.errors import Conflict
    from marketplace.kit.settings import settings

    if await made():
        return False
    if not settings().demo:
        raise Conflict("not_a_demo", "MARKETPLACE_DEMO is 0: set it to 1 for a database that may hold demo data.")
    if await db.value("SELECT EXISTS (SELECT FROM account)"):
        raise Conflict("not_a_demo", "This database is in use: the demo goes into an empty one only.")
    registry.load()
    await make.make(now=now or clock.now(), say=say)
    await db.execute("ANALYZE")
    return True
