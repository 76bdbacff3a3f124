"""SQL for long lists: values by number, pages by key, and a search by several meanings of one text.

Each meaning is a bounded look-up by an index; the page is the first rows of them all. All SQL here is made of constants
of the callers; what visitors type travels as parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def newest(table: str, fixed: Sequence[str], meanings: Sequence[str], *, order: str, limit: str) -> str:
    """Return a query for the first ``limit`` rows in ``order`` that meet all ``fixed`` and any of the ``meanings``."""
    alias = table.rpartition(" ")[2]
    where = [" AND ".join([*fixed, f"({meaning})"]) for meaning in meanings] or [" AND ".join(fixed) or "true"]
    branches = [f"(SELECT {alias}.* FROM {table} WHERE {one} ORDER BY {order} LIMIT {limit})" for one in where]  # noqa: S608
    if len(branches) == 1:
        return branches[0][1:-1]
    return f"SELECT * FROM ({' UNION '.join(branches)}) {alias} ORDER BY {order} LIMIT {limit}"  # noqa: S608
