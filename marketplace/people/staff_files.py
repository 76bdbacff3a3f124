"""From the bytes of a staff export to a table of cells: encoding, separator, quoting, header. Pure; nothing is lost.

Encodings: UTF-8 with and without byte order mark, UTF-16, else Windows-1252. Separators: ``;`` ``,`` tab. A quote that is
never closed does not swallow the lines after it.
"""

from __future__ import annotations

import codecs
import csv
from itertools import islice

import msgspec

from marketplace.kit.errors import Invalid, TooLarge
from marketplace.kit.i18n import _

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
MAX_COLUMNS = 60
_SEPARATORS = ";,\t"
_SAMPLE = 30
_MOST_LINES = 8
_HEAD = 4_000


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record: the number of its first line in the file (from 1), and its cells without outer blanks."""

    line: int
    cells: tuple[str, ...]


class StaffTable(msgspec.Struct, frozen=True):
    """A file as cells. ``header`` is empty when the first line is a person already; ``columns`` is how wide it is."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    columns: int


def read(content: bytes) -> StaffTable:
    """Return the table in a file's bytes.

    Raises ``TooLarge`` beyond 5 MB or 20,000 lines, ``Invalid`` for a workbook, a file without lines, or more than sixty
    columns.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("file_too_large", _("This file is larger than {size} MB.", size=MAX_BYTES // 1_000_000), next_step=_split_it())
    text, encoding = decode(content)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first, declared = _declared(lines)
    separator = declared or separator_of([line for line in islice(lines, first, None) if line.strip()][:_SAMPLE])
    try:
        rows = _records(lines, first, separator)
    except csv.Error as wrong:
        raise _unusable("file_unreadable", _("This file can't be read as a table. Save it as CSV and try again.")) from wrong
    if not rows:
        raise _unusable("file_empty", _("There are no lines in this file."))
    header = rows[0].cells if _is_header(rows[0].cells) else ()
    people = tuple(rows[1:] if header else rows)
    if len(people) > MAX_LINES:
        raise _too_long()
    columns = len(header) or max(len(row.cells) for row in people)
    if columns > MAX_COLUMNS:
        raise _unusable("file_too_wide", _("This file has {n} columns. Keep the ones about the person.", n=columns))
    return StaffTable(encoding, separator, header, people, columns)


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _unusable("workbook", _("This is a workbook. Save it as CSV, or copy the cells and paste them."))
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(name, errors="replace").replace("\0", ""), {"utf-8-sig": "UTF-8", "utf-16": "UTF-16"}[name]
    wide = _unmarked_utf16(content[:400])
    if wide:
        return content.decode(wide, errors="replace").replace("\0", ""), "UTF-16"
    if b"\0" in content[:_HEAD] or content.startswith((b"%PDF", b"{\\rtf")):
        raise _unusable("not_text", _("This is not a list in text. Save it as CSV, or copy the cells and paste them."))
    try:
        return content.decode("utf-8").replace("\0", ""), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").replace("\0", ""), "Windows-1252"


def _unmarked_utf16(head: bytes) -> str | None:
    """Return the byte order when nearly every second byte is zero: Latin text in UTF-16 without its mark."""
    if len(head) < 8:
        return None
    half = len(head) // 2
    if head[1::2].count(0) > half * 0.8:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > half * 0.8 else None


def _declared(lines: list[str]) -> tuple[int, str | None]:
    """Return where the table starts and the separator of a first line ``sep=;``, as Excel writes it."""
    first = lines[0].strip().strip('"').lower() if lines else ""
    if first.startswith("sep=") and len(first) == 5 and first[4] in _SEPARATORS:
        return 1, first[4]
    return (1, "\t") if lines and lines[0].lower().rstrip() == "sep=" else (0, None)


def separator_of(sample: list[str]) -> str:
    """Return the separator that cuts the sample's lines into the same number of cells, the most if several do."""
    best, best_score = ",", (0.0, 0)
    for separator in _SEPARATORS:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=separator)] or [1]
        except csv.Error:  # a cell longer than any cell can be; reading the lines says so
            continue
        width = widths[0]
        if width > 1:
            score = (sum(one == width for one in widths) / len(widths), width)
            if score > best_score:
                best, best_score = separator, score
    return best


class _Feed:
    """Hands lines to the CSV reader, a few at most for one record, so that an open quote ends somewhere."""

    def __init__(self, lines: list[str], at: int) -> None:
        self._lines = lines
        self.start = self.at = at

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= len(self._lines) or self.at - self.start >= _MOST_LINES:
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1] + "\n"


def _records(lines: list[str], first: int, separator: str) -> list[Row]:
    """Return the records. A record over several lines that an open quote made is taken apart: its lines stand alone."""
    rows: list[Row] = []
    at, width = first, 0
    while at < len(lines):
        feed = _Feed(lines, at)
        for cells in csv.reader(feed, delimiter=separator):
            start, feed.start = feed.start, feed.at
            at = feed.at
            if feed.at - start > 1 and (len(cells) != width or _is_swallowed(lines[start : feed.at], separator, width)):
                _add(rows, start, lines[start].replace('"', "").split(separator))
                at = start + 1
                break
            _add(rows, start, cells)
            width = width or len(cells)
            if len(rows) > MAX_LINES + 1:
                raise _too_long()
    return rows


def _is_swallowed(lines: list[str], separator: str, width: int) -> bool:
    """Tell whether these lines became one record by mistake: the quotes don't pair, or a later line is a record itself."""
    return sum(line.count('"') for line in lines) % 2 == 1 or any(line.count(separator) >= width - 1 for line in lines[1:])


def _add(rows: list[Row], index: int, cells: list[str]) -> None:
    clean = tuple([cell.strip() for cell in cells])
    if any(clean):
        rows.append(Row(index + 1, clean))


def _too_long() -> TooLarge:
    return TooLarge("file_too_long", _("This file has more than {n} lines.", n=MAX_LINES), next_step=_split_it())


def _is_header(cells: tuple[str, ...]) -> bool:
    """Tell whether a first line names columns: none of its cells is an address or begins with a digit."""
    return not any("@" in cell or cell[:1].isdigit() for cell in cells)


def _unusable(code: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={"file": sentence})


def _split_it() -> str:
    return _("Split it and send the parts; the same person in two parts does no harm.")
