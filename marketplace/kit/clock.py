"""The only source of "now", and the conversions between instants and the time on Leiden's walls.

Everything else takes ``now`` as an argument. Durations are added in UTC: ``aware + timedelta`` in a local zone is
wall-clock arithmetic and is an hour wrong twice a year.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        ...


class SystemClock:
    """The machine's clock, moved by a fixed amount (zero unless somebody rehearses another day)."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        self._shift = shift

    def now(self) -> datetime:
        """Return the machine's time plus the shift, in UTC."""
        return datetime.now(UTC) + self._shift


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was last set to."""
        return self._now

    def move(self, by: timedelta) -> datetime:
        """Move forward (or back) by an elapsed duration and return the new instant."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> datetime:
        """Set to an aware instant and return it in UTC."""
        self._now = to.astimezone(UTC)
        return self._now


_installed: list[Clock] = [SystemClock()]


def install(clock: Clock) -> Clock:
    """Make this the process's clock and return the one it replaces."""
    previous = _installed[0]
    _installed[0] = clock
    return previous


def now() -> datetime:
    """Return the present instant in UTC, from the installed clock."""
    return _installed[0].now()


def local(instant: datetime) -> datetime:
    """Return the same instant with Amsterdam's wall time."""
    return instant.astimezone(AMSTERDAM)


def instant(on: date, at: time, zone: ZoneInfo = AMSTERDAM) -> datetime:
    """Return the UTC instant of a wall time.

    A time that the clock skips in March becomes the instant an hour later on the wall (02:30 → 03:30); a time that it
    shows twice in October is the first of the two.
    """
    wall = datetime.combine(on, at.replace(tzinfo=None), tzinfo=zone)
    return wall.astimezone(UTC)


def today(at: datetime) -> date:
    """Return the date in Amsterdam at an instant."""
    return local(at).date()
