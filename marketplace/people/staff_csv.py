"""The staff list as CSV, as spreadsheets and our own import read it. Pure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from marketplace.kit.i18n import _, current_locale
from marketplace.people.staff_columns import headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketplace.people.staff import Person
    from marketplace.people.staff_files import StaffTable
    from marketplace.people.staff_plan import Plan

_FORMULA = ("=", "+", "-", "@", "\t")


def write(people: Iterable[Person]) -> bytes:
    """Return the file: UTF-8 with byte order mark, ``;`` in Dutch and ``,`` in English, ISO dates, no relations' names."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if current_locale() == "nl" else ",", lineterminator="\r\n")
    writer.writerow(_header())
    for person in people:
        writer.writerow([safe(cell) for cell in _cells(person)])
    return out.getvalue().encode("utf-8-sig")


def write_problems(table: StaffTable, plan: Plan) -> bytes:
    """Return the lines of a file that could not be used, as they came, with the line number and what to mend."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=table.separator, lineterminator="\r\n")
    writer.writerow([*headers(table), _("Line"), _("To mend")])
    cells = {row.line: row.cells for row in table.rows}
    for line in plan.lines:
        if line.problems:
            writer.writerow([safe(cell) for cell in (*cells[line.line], str(line.line), " ".join(line.problems))])
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _header() -> list[str]:
    return [
        _("Personnel number"), _("First name"), _("Infix"), _("Family name"), _("E-mail address"), _("Department"), _("Cost centre"),
        _("Start date"), _("Language"), _("Level"), _("State"), _("Last day of work"),
    ]  # fmt: skip


def _cells(person: Person) -> list[str]:
    given = person.name if person.is_relation else person.given_name
    dates = [on.isoformat() if on else "" for on in (person.start_on, person.left_on)]
    return [
        person.personnel_number or "", given, person.infix, person.family_name, person.email or "", person.department or "",
        person.cost_centre or "", dates[0], person.language or "", person.level or "", person.state.value, dates[1],
    ]  # fmt: skip
