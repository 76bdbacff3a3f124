"""Pages by key, never by number: a cursor holds the key of the row where the next (or previous) page begins.

    place = paging.read(cursor, datetime, UUID)
    rows = await db.rows(Row, f"SELECT … WHERE company_id = $1 AND ($2::timestamptz IS NULL OR (placed_at, id) {place.before}
                         ($2, $3)) ORDER BY placed_at {place.descending}, id {place.descending} LIMIT $4", …, *place.key, place.fetch)
    page = paging.page(rows, place, key=lambda row: (row.placed_at, row.id))

``before``/``descending`` serve lists with the newest first, ``after``/``ascending`` lists with the smallest key first;
going back a page turns both around, and ``page`` puts the rows right again.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
PAGE_SIZE = 50


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows in reading order, and the cursors of the pages around them (None where there is none)."""

    items: list[T]
    next: str | None = None
    previous: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Where to read: ``key`` has a None per column at the start of the list."""

    key: tuple[Any, ...]
    backwards: bool = False
    started: bool = False
    size: int = PAGE_SIZE

    @property
    def before(self) -> str:
        """Return the comparison for a list with the newest first."""
        return ">" if self.backwards else "<"

    @property
    def after(self) -> str:
        """Return the comparison for a list with the smallest key first."""
        return "<" if self.backwards else ">"

    @property
    def descending(self) -> str:
        """Return the order for a list with the newest first."""
        return "ASC" if self.backwards else "DESC"

    @property
    def ascending(self) -> str:
        """Return the order for a list with the smallest key first."""
        return "DESC" if self.backwards else "ASC"

    @property
    def fetch(self) -> int:
        """Return how many rows to fetch: one more than a page, to know whether there is a next one."""
        return self.size + 1


def encode(key: Sequence[Any], *, backwards: bool = False) -> str:
    """Return a cursor that starts after (or, backwards, before) the row with this key."""
    packed = msgspec.json.encode([int(backwards), *key])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(cursor: str, *kinds: Any) -> tuple[bool, tuple[Any, ...]]:  # noqa: ANN401 - types of the key's columns
    """Return the direction and the key of a cursor. Raises ``Invalid`` ``cursor`` for anything that isn't one."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        direction, *key = msgspec.json.decode(packed, type=list[Any])
        if len(key) != len(kinds) or direction not in {0, 1} or "\0" in str(key):
            raise ValueError  # noqa: TRY301 - one answer for every kind of wrong cursor
        return bool(direction), tuple(msgspec.convert(value, kind) for value, kind in zip(key, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, msgspec.MsgspecError):
        sentence = _("This list can't be continued from there. Start at its first page.")
        raise Invalid("cursor", sentence, fields={"cursor": sentence}) from None


def read(cursor: str | None, *kinds: Any, size: int = PAGE_SIZE) -> Place:  # noqa: ANN401 - types of the key's columns
    """Return where to read for the ``cursor`` of a request (None at the start)."""
    if not cursor:
        return Place(key=(None,) * len(kinds), size=size)
    backwards, key = decode(cursor, *kinds)
    return Place(key=key, backwards=backwards, started=True, size=size)


def page(rows: Sequence[T], place: Place, *, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """Return the page of up to ``place.size`` of the ``place.fetch`` rows that were asked for."""
    more = len(rows) > place.size
    shown = list(rows[: place.size])
    if place.backwards:
        shown.reverse()
    if not shown:
        return Page([])
    later = more or place.backwards
    earlier = (more and place.backwards) or (place.started and not place.backwards)
    return Page(
        shown,
        next=encode(key(shown[-1])) if later and (not place.backwards or place.started) else None,
        previous=encode(key(shown[0]), backwards=True) if earlier else None,
    )
