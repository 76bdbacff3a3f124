"""From bytes to cells: encodings, separators, quotes, broken lines. Nothing is lost."""

from __future__ import annotations

import contextlib
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit.errors import DomainError, Invalid, TooLarge
from marketplace.people import staff_files

DATA = Path(__file__).parent / "data"
TEXT = "Naam;E-mail\r\nZoë Ó Briain;zoe@staff.example\r\n"


@pytest.mark.parametrize(
    ("name", "encoding", "separator", "lines"),
    [("afas.csv", "Windows-1252", ";", 6), ("workday.csv", "UTF-8", ",", 5), ("excel-paste.txt", "UTF-8", "\t", 4)],
)
def test_the_three_exports_are_read(name: str, encoding: str, separator: str, lines: int) -> None:
    table = staff_files.read((DATA / name).read_bytes())
    assert (table.encoding, table.separator, len(table.rows)) == (encoding, separator, lines)
    assert all(len(row.cells) == len(table.header) for row in table.rows)


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings_are_told_apart(codec: str, encoding: str) -> None:
    table = staff_files.read(TEXT.encode(codec))
    assert table.encoding == encoding
    assert table.header == ("Naam", "E-mail")
    assert table.rows[0].cells == ("Zoë Ó Briain", "zoe@staff.example")


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_separators_inside_quotes_do_not_mislead(separator: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([["Naam", "E-mail", "Afdeling"], ["A, B; C", "a@b.example", 'HR "People"; x, y']])
    table = staff_files.read(out.getvalue().encode())
    assert table.separator == separator
    assert table.rows[0].cells == ("A, B; C", "a@b.example", 'HR "People"; x, y')


def test_the_line_that_names_the_separator_is_no_header() -> None:
    table = staff_files.read(b"sep=;\r\nNaam;E-mail\r\nA;a@b.example\r\n")
    assert (table.header, table.rows[0].line) == (("Naam", "E-mail"), 3)


def test_an_open_quote_does_not_swallow_the_lines_after_it() -> None:
    text = 'Naam;E-mail;Afdeling\nAnna;a@b.example;"Research\n' + "".join(f"P{n};p{n}@b.example;HR\n" for n in range(30))
    table = staff_files.read(text.encode())
    assert [row.line for row in table.rows] == list(range(2, 33))
    assert table.rows[0].cells == ("Anna", "a@b.example", "Research")
    assert table.rows[-1].cells == ("P29", "p29@b.example", "HR")


def test_two_open_quotes_do_not_make_one_person() -> None:
    table = staff_files.read(b'Naam;E-mail;Afdeling\nAnna;a@b.example;"Research\nBo;b@b.example;"HR\nCis;c@b.example;IT\n')
    assert [row.cells for row in table.rows] == [
        ("Anna", "a@b.example", "Research"),
        ("Bo", "b@b.example", "HR"),
        ("Cis", "c@b.example", "IT"),
    ]


def test_a_quoted_cell_may_run_over_lines() -> None:
    table = staff_files.read(b'Naam;E-mail;Afdeling\nAnna;a@b.example;"Research\nand more"\nBo;b@b.example;HR\n')
    assert [(row.line, row.cells[2]) for row in table.rows] == [(2, "Research\nand more"), (4, "HR")]


def test_a_file_without_header_starts_with_a_person() -> None:
    table = staff_files.read("Søren in 't Veld\tsoren@b.example\n".encode())
    assert (table.header, len(table.rows)) == ((), 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\n\n ;; \n", "file_empty"),
        (b"PK\x03\x04 workbook", "workbook"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_text"),
        (b"%PDF-1.7 a list on paper", "not_text"),
        (b";".join([b"x"] * 70), "file_too_wide"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        staff_files.read(content)
    assert refused.value.code == code


def test_a_cell_longer_than_any_cell_is_refused_in_words() -> None:
    with pytest.raises(Invalid):
        staff_files.read(f"Voornaam;Achternaam;E-mail\n{'a' * 200_000};b;c@staff.example\n".encode())


def test_too_much_is_413() -> None:
    with pytest.raises(TooLarge):
        staff_files.read(b"x" * (staff_files.MAX_BYTES + 1))
    with pytest.raises(TooLarge):
        staff_files.read(b"Naam;E-mail\n" + b"a;b\n" * (staff_files.MAX_LINES + 1))


cells = st.lists(
    st.lists(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=("Cs",)), max_size=12), min_size=2, max_size=5),
    min_size=1,
    max_size=8,
)


@given(cells, st.sampled_from(";,\t"))
def test_what_a_spreadsheet_writes_comes_back(rows: list[list[str]], separator: str) -> None:
    width = max(len(row) for row in rows)
    square = [["Naam", "E-mail", *["x"] * width], *[[*row, *[""] * (width + 2 - len(row))] for row in rows]]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(square)
    table = staff_files.read(out.getvalue().encode("utf-8-sig"))
    wanted = [tuple(cell.strip() for cell in row) for row in square[1:]]
    assert [row.cells for row in table.rows] == [row for row in wanted if any(row)]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    with contextlib.suppress(DomainError):
        table = staff_files.read(content)
        assert table.rows or table.header


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_line_with_text_is_lost(text: str) -> None:
    """Every word that was sent stands in some cell."""
    try:
        table = staff_files.read(text.encode("utf-8-sig"))
    except DomainError:
        return
    kept = " ".join((*table.header, *(cell for row in table.rows for cell in row.cells)))
    for word in text.replace("\0", "").translate(str.maketrans(';,\t"', "    ")).split():
        if not word.lower().startswith("sep="):
            assert word in kept.translate(str.maketrans(';,\t"', "    ")) or word in text.split("\n", 1)[0]
