"""The catalogue's address: filters read from a query string (anything unknown is left out), and links that change one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from catalog import search
from catalog.search import Card, Filters, Position
from catalog.words import Category, Format, Language, Level, Place, Stage, When
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

E = TypeVar("E", bound=StrEnum)
FACETS: dict[str, type[StrEnum]] = {
    "category": Category,
    "stage": Stage,
    "level": Level,
    "language": Language,
    "format": Format,
    "place": Place,
    "when": When,
}
_LONGEST = 100
_MOST_CENTS = 10_000_000
_MOST_SEATS = 99


def read(sent: Mapping[str, Sequence[str]]) -> Filters:
    """Return the filters of a request; values that we don't know don't narrow."""
    months = tuple(dict.fromkeys(month for month in _values(sent, "month") if search.is_month(month)))
    sort = _one(sent, "sort")
    return Filters(
        q=_one(sent, "q").replace("\0", "").strip()[:_LONGEST],
        category=_known(Category, sent, "category"),
        stage=_known(Stage, sent, "stage"),
        level=_known(Level, sent, "level"),
        language=_known(Language, sent, "language"),
        format=_known(Format, sent, "format"),
        place=_known(Place, sent, "place"),
        when=_known(When, sent, "when"),
        month=months,
        price_max=_cents(_one(sent, "price")),
        free=min(_whole(_one(sent, "free")) or 0, _MOST_SEATS),
        sort=sort if sort in search.SORTS else "popular",
    )


def pairs(wanted: Filters) -> list[tuple[str, str]]:
    """Return the filters as they stand in an address."""
    found = [("q", wanted.q)] if wanted.q else []
    for facet in FACETS:
        found += [(facet, str(value)) for value in getattr(wanted, facet)]
    found += [("month", month) for month in wanted.month]
    if wanted.price_max is not None:
        found.append(("price", str(wanted.price_max // 100)))
    if wanted.free:
        found.append(("free", str(wanted.free)))
    if wanted.sort != "popular":
        found.append(("sort", wanted.sort))
    return found


def href(wanted: Filters, *, path: str = "/programmes", **extra: str) -> str:
    """Return the address of a list."""
    query = urlencode(pairs(wanted) + [(name, value) for name, value in extra.items() if value])
    return f"{path}?{query}" if query else path


def without(wanted: Filters, facet: str, value: object = None) -> Filters:
    """Return the filters without one of them."""
    if facet in {"price_max", "free"}:
        return msgspec.structs.replace(wanted, **{facet: None if facet == "price_max" else 0})
    return msgspec.structs.replace(wanted, **{facet: tuple(each for each in getattr(wanted, facet) if each != value)})


class Spot(msgspec.Struct, frozen=True):
    """A page's place in the list, and how many rows come before it."""

    position: Position
    before: int


def spot(cursor: str | None) -> Spot:
    """Return where a cursor points. Raises ``Invalid`` ``cursor``."""
    if not cursor:
        return Spot(Position(), 0)
    backwards, (score, number, programme_id, before) = paging.decode(cursor, int, int, UUID, int)
    if not (-(2**31) < number < 2**31 and 0 <= before < 2**31):
        backwards, (score, number, programme_id, before) = paging.decode("")
    return Spot(Position(score, number, programme_id, backwards), before)


class CardPage(msgspec.Struct, frozen=True):
    """Cards in reading order, how many come before them, and the cursors around them."""

    items: list[Card]
    before: int
    next: str | None
    previous: str | None


def page(found: Sequence[Card], at: Spot, size: int) -> CardPage:
    """Return the page of up to ``size`` of ``size + 1`` cards that were asked for."""
    more, shown = len(found) > size, list(found[:size])
    if at.position.backwards:
        shown.reverse()
    before = max(at.before - len(shown), 0) if at.position.backwards else at.before
    if not shown:
        return CardPage([], before, None, None)
    later, earlier = more or at.position.backwards, (more and at.position.backwards) or (before > 0)
    return CardPage(
        shown,
        before,
        _cursor(shown[-1], before + len(shown)) if later else None,
        _cursor(shown[0], before, backwards=True) if earlier else None,
    )


def _cursor(card: Card, before: int, *, backwards: bool = False) -> str:
    return paging.encode((card.sort_score, card.sort_number, card.id, before), backwards=backwards)


def _values(sent: Mapping[str, Sequence[str]], name: str) -> list[str]:
    return [part for value in sent.get(name, ()) for part in value.split(",") if part][:20]


def _one(sent: Mapping[str, Sequence[str]], name: str) -> str:
    values = sent.get(name, ())
    return values[-1] if values else ""


def _known(kind: type[E], sent: Mapping[str, Sequence[str]], name: str) -> tuple[E, ...]:
    known = {member.value.lower(): member for member in kind}
    asked = (value.strip().lower().replace("-", "_") for value in _values(sent, name))
    return tuple(dict.fromkeys(known[value] for value in asked if value in known))


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _cents(text: str) -> int | None:
    euros = _whole(text.strip().removeprefix("€").strip())
    return None if euros is None else min(euros * 100, _MOST_CENTS)
