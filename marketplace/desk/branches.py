"""SQL for long lists: values by number, pages by key, and a search by several meanings of one text.

Each meaning is a bounded look-up by an index; the page is the first rows of them all. All SQL here is made of constants
of the callers; what visitors type travels as parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.web.paging import Place


class Values(list[object]):
    """The parameters of a statement; calling it adds one and returns its mark."""

    def __call__(self, value: object) -> str:
        """Add a value and return ``$n``."""
        self.append(value)
        return f"${len(self)}"


def key(columns: Sequence[str], kinds: Sequence[str], place: Place, comparison: str, values: Values) -> list[str]:
    """Return the condition that a page begins after its cursor's row; none for the first page, so that an index is used."""
    if not place.started:
        return []
    marks = [f"{values(value)}::{kind}" for value, kind in zip(place.key, kinds, strict=True)]
    return [f"({', '.join(columns)}) {comparison} ({', '.join(marks)})"]


class Each(NamedTuple):
    """A meaning that is a list of owners: the newest rows of each, by the index that begins with ``column``."""

    column: str
    mark: str


def newest(table: str, fixed: Sequence[str], meanings: Sequence[str | Each], *, order: str, limit: str) -> str:
    """Return a query for the first ``limit`` rows in ``order`` that meet all ``fixed`` and any of the ``meanings``.

    A meaning must be narrow (a few ids) or an ``Each``: a wide one would let the planner walk the whole list.
    """
    alias = table.rpartition(" ")[2]
    found = [_branch(table, alias, fixed, meaning, f"ORDER BY {order} LIMIT {limit}") for meaning in meanings or [""]]
    if len(found) == 1 and not meanings:
        return found[0][1:-1]
    return f"SELECT * FROM ({' UNION '.join(found)}) {alias} ORDER BY {order} LIMIT {limit}"  # noqa: S608


def _branch(table: str, alias: str, fixed: Sequence[str], meaning: str | Each, end: str) -> str:
    if isinstance(meaning, Each):
        where = " AND ".join([*fixed, f"{meaning.column} = owner.id"])
        inner = f"SELECT {alias}.* FROM {table} WHERE {where} {end}"  # noqa: S608
        return f"(SELECT {alias}.* FROM unnest({meaning.mark}::uuid[]) AS owner (id) CROSS JOIN LATERAL ({inner}) {alias})"  # noqa: S608
    where = " AND ".join([*fixed, f"({meaning})"] if meaning else fixed) or "true"
    return f"(SELECT {alias}.* FROM {table} WHERE {where} {end})"  # noqa: S608
