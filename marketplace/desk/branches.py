"""SQL for a list that is searched by several meanings of one text: a bounded index look-up each, then the newest of them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def newest(table: str, columns: str, fixed: Sequence[str], meanings: Sequence[str], *, order: str, limit: str) -> str:
    """Return a query for the first ``limit`` rows in ``order`` that meet all ``fixed`` and any of the ``meanings``.

    All parts are constants of the callers; values travel as parameters. Without meanings it is one plain query.
    """
    alias = table.rpartition(" ")[2]
    where = [" AND ".join([*fixed, f"({meaning})"]) for meaning in meanings] or [" AND ".join(fixed) or "true"]
    branches = [f"(SELECT {columns} FROM {table} WHERE {one} ORDER BY {order} LIMIT {limit})" for one in where]  # noqa: S608
    if len(branches) == 1:
        return branches[0][1:-1]
    return f"SELECT * FROM ({' UNION '.join(branches)}) {alias} ORDER BY {order} LIMIT {limit}"  # noqa: S608
