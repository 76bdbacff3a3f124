"""CSV files that Dutch Excel opens as they are.

Semicolons, a byte order mark, no cell that is read as a formula, amounts with the comma of a Dutch reader.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

from litestar import Response

from marketplace.kit.i18n import fmt_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMULA = "=+-@\t\r"


def answer(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """Return a CSV download. ``None`` is an empty cell; text that a spreadsheet would run is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    content = ("\ufeff" + out.getvalue()).encode()
    return Response(content, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{filename}"'})


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return fmt_decimal(value)
    return f"'{value}" if isinstance(value, str) and value[:1] and value[0] in _FORMULA else value
