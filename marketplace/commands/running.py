"""What the verbs share: a database for the length of a command, the clock as it was set, everything registered."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

_modules = cast("dict[str, object]", sys.modules)
_modules.setdefault("rich", None)  # structlog's coloured console: a third of a start, and never used
import structlog  # noqa: E402

if _modules["rich"] is None:
    del _modules["rich"]

from marketplace import runtime  # noqa: E402
from marketplace.kit import clock  # noqa: E402
from marketplace.kit.settings import settings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from marketplace.kit.settings import Settings

T = TypeVar("T")


def with_database(work: Callable[[Settings], Coroutine[Any, Any, T]], *, connections: int = 4) -> T:
    """Run a coroutine with the pool open on the right database, and close everything again."""
    with runtime.joined() as loaded:
        install_clock(loaded)
        return asyncio.run(_with_pool(work, loaded, connections))


async def _with_pool(work: Callable[[Settings], Coroutine[Any, Any, T]], loaded: Settings, connections: int) -> T:
    from marketplace import registry
    from marketplace.kit import db

    registry.load()
    await db.open_pool(loaded.database_url, max_size=connections, name="marketplace command")
    try:
        return await work(loaded)
    finally:
        await db.close_pool()


def install_clock(loaded: Settings) -> None:
    """Move this process's clock by ``MARKETPLACE_CLOCK_SHIFT`` seconds."""
    if loaded.clock_shift:
        clock.install(clock.SystemClock(timedelta(seconds=loaded.clock_shift)))


def set_up_logging(loaded: Settings) -> None:
    """Log lines of time, event and facts to standard error; libraries only warn."""
    level = logging.getLevelNamesMapping().get(loaded.log_level.upper(), logging.INFO)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def shop_settings() -> Settings:
    """Return the settings of a long-running process, which needs a database that somebody else runs."""
    from marketplace.kit.settings import SettingsError

    loaded = settings()
    if not loaded.database_url:
        raise SettingsError(
            "DATABASE_URL is not set: set it to postgresql://…, or run “marketplace up”, which brings a database of its own."
        )
    return loaded
