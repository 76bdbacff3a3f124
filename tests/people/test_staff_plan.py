"""What each line of a staff file will do: names, dates, keys, blanks, duplicates, lost letters. Pure."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from marketplace.people import names, staff_columns, staff_files, staff_plan, staff_values
from marketplace.people.staff_columns import AS_READ, Choices
from marketplace.people.staff_plan import FIELDS, Action, Known, LinePlan, Plan

DATA = Path(__file__).parent / "data"
HEAD = "Personeelsnummer;Voornaam;Tussenvoegsel;Achternaam;E-mail;Afdeling;Datum in dienst;Taal"
SOREN = ("Søren", "in 't", "Veld", "soren@b.example", "7", "Research", None, date(2026, 1, 27), "en", None)


def known(number: int, values: tuple[object, ...] = SOREN, **other: bool) -> Known:
    return Known(UUID(int=number), values, **other)  # type: ignore[arg-type]


def plan_of(text: str, *people: Known, head: str = HEAD, choices: Choices = AS_READ) -> Plan:
    return staff_plan.plan(staff_files.read(f"{head}\n{text}\n".encode()), people, choices)


def line_of(text: str, *people: Known, head: str = HEAD) -> LinePlan:
    return plan_of(text, *people, head=head).lines[-1]


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Søren in 't Veld", ("Søren", "in 't", "Veld")),
        ("Anna Maria van der Meer", ("Anna Maria", "van der", "Meer")),
        ("Łucja García Márquez", ("Łucja", "", "García Márquez")),
        ("Veld, Søren in 't", ("Søren", "in 't", "Veld")),
        ("van Dijk, Anna", ("Anna", "van", "Dijk")),
        ("Agnieszka von Müller", ("Agnieszka", "von", "Müller")),
        ("Omar Al-Hassan", ("Omar", "", "Al-Hassan")),
        ("Ingrid Ó Briain", ("Ingrid", "", "Ó Briain")),
        ("Priya ten Brinke", ("Priya", "ten", "Brinke")),
        ("Cher", ("Cher", "", "")),
        ("  Li   Wei ", ("Li", "", "Wei")),
        ("", ("", "", "")),
    ],
)
def test_a_whole_name_is_taken_apart(whole: str, parts: tuple[str, str, str]) -> None:
    assert names.split_whole(whole) == parts


@given(st.text(max_size=60))
def test_taking_a_name_apart_loses_no_word(text: str) -> None:
    parts = names.split_whole(text)
    assert sorted(" ".join(parts).split()) == sorted(text.replace(",", " ", 1).split())


@pytest.mark.parametrize(
    ("texts", "order", "ambiguous", "mixed"),
    [
        (["27/1/2026", "2/9/2026"], "dmy", False, False),
        (["1/27/2026", "2/9/2026"], "mdy", False, False),
        (["2/9/2026", "3/4/2026"], "dmy", True, False),
        (["2/2/2026"], "dmy", False, False),
        (["27/1/2026", "1/27/2026"], "dmy", False, True),
        (["2026-01-27"], "dmy", False, False),
        ([], "dmy", False, False),
    ],
)
def test_the_whole_column_decides_day_or_month_first(texts: list[str], order: str, ambiguous: bool, mixed: bool) -> None:
    column = staff_values.date_column(texts)
    assert (column.order, column.ambiguous, column.mixed) == (order, ambiguous, mixed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-27", date(2026, 1, 27)),
        ("20260127", date(2026, 1, 27)),
        ("2026-01-27T00:00:00", date(2026, 1, 27)),
        ("27-01-2026", date(2026, 1, 27)),
        ("27.1.26", date(2026, 1, 27)),
        ("27/1/2026 00:00", date(2026, 1, 27)),
        ("27 jan 2026", date(2026, 1, 27)),
        ("1-mrt-2026", date(2026, 3, 1)),
        ("2 May 2026", date(2026, 5, 2)),
        ("46049", date(2026, 1, 27)),
        ("31-02-2026", None),
        ("1/27/2026", None),
        ("soon", None),
        ("0001-01-01", None),
    ],
)
def test_dates_are_read_as_hr_systems_write_them(text: str, expected: date | None) -> None:
    assert staff_values.read_date(text, staff_values.DateColumn()) == expected


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    found = staff_values.read_date(text, staff_values.date_column([text]))
    assert found is None or 1950 <= found.year <= 2109


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Name;E-mail", ("full_name", "email")),
        ("Naam;Voornaam;E-mail", ("family_name", "given_name", "email")),
        ("Preferred Name;Last Name;Work Email", ("given_name", "family_name", "email")),
        ("Roepnaam;Achternaam;Naam;E-mail", ("given_name", "family_name", "", "email")),
        ("Employee ID;First Name;Surname;Shoe size", ("personnel_number", "given_name", "family_name", "")),
        ("E-mail werk;E-mail;Naam", ("email", "", "full_name")),
    ],
)
def test_headers_are_known_in_both_languages(header: str, fields: tuple[str, ...]) -> None:
    assert staff_columns.mapping(staff_files.read(f"{header}\n{header.replace(';', ';1')}\n".encode())) == fields


@pytest.mark.parametrize("name", ["afas.csv", "workday.csv", "excel-paste.txt"])
def test_the_three_exports_bring_everyone_and_then_change_nothing(name: str) -> None:
    table = staff_files.read((DATA / name).read_bytes())
    first = staff_plan.plan(table, [])
    assert first.counts["new"] == len(table.rows)
    present = [known(at, line.values) for at, line in enumerate(first.lines, 1)]
    again = staff_plan.plan(table, present)
    assert again.counts["unchanged"] == len(table.rows)


def test_names_that_lost_letters_are_said_and_not_silently_taken() -> None:
    table = staff_files.read((DATA / "afas.csv").read_bytes())
    warned = [line.line for line in staff_plan.plan(table, []).lines if line.warnings]
    assert warned == [2, 5]


def test_a_damaged_name_never_replaces_a_good_one() -> None:
    values = ("Linh", "", "Trần", "linh@b.example", "9", None, None, None, None, None)
    line = line_of("9;Linh;;Tr?n;linh@b.example;Productie;;", known(1, values))
    assert line.changed == ("department",)
    assert line.values[:3] == ("Linh", "", "Trần")
    assert line.warnings
    other = line_of("9;Linh;;P?ters;linh@b.example;;;", known(1, values))
    assert other.changed == ("family_name",)


@pytest.mark.parametrize(
    ("text", "action", "changed"),
    [
        ("7;Søren;in 't;Veld;soren@b.example;Research;27-01-2026;Engels", "unchanged", ()),
        ("7;;;;;;;", "unchanged", ()),
        ("7;Søren;;in 't Veld;SOREN@b.example;;;", "unchanged", ()),
        ("7;Søren;in 't;Veld;new@b.example;Quality;;nl", "changed", ("email", "department", "language")),
        (";Søren;in 't;Veld;soren@b.example;Research;;", "unchanged", ()),
        ("8;Bo;;Berg;bo@b.example;HR;1-2-2026;nl", "new", ()),
        ("8;Bo;;Berg;;HR;;", "problem", ()),
        ("8;Bo;;;bo@b.example;;;", "problem", ()),
        ("8;Bo;;Berg;bo@b;;;", "problem", ()),
        ("8;Bo;;Berg;bo@b.example;;31-02-2026;", "problem", ()),
        ("8;Bo;;Berg;soren@b.example;HR;;", "problem", ()),
        ("8;Bo;;Berg;bo@b.example", "problem", ()),
        ("8;Bo;;Berg;bo@b.example;HR;1-2-2026;nl;extra", "problem", ()),
    ],
)
def test_a_line_does_one_thing(text: str, action: str, changed: tuple[str, ...]) -> None:
    line = line_of(text, known(1))
    assert (line.action, line.changed) == (action, changed)
    assert (action == "problem") == bool(line.problems)


def test_an_address_of_another_number_is_a_problem_with_the_name() -> None:
    line = line_of("8;Bo;;Berg;soren@b.example;HR;;", known(1))
    assert line.problems == ("This e-mail address belongs to Søren in 't Veld, personnel number 7.",)


def test_somebody_without_a_number_gets_it_by_their_address() -> None:
    line = line_of("7;Søren;in 't;Veld;soren@b.example;;;", known(1, (*SOREN[:4], None, *SOREN[5:])))
    assert (line.person_id, line.changed) == (UUID(int=1), ("personnel_number",))


def test_the_address_of_a_relation_is_nobody_elses() -> None:
    relation = known(2, (None, "", None, "home@b.example", None, None, None, None, None, None), relation=True)
    line = line_of("8;Bo;;Berg;home@b.example;;;", relation)
    assert line.action is Action.PROBLEM
    assert "partner of an employee" in line.problems[0]


def test_a_leaver_stays_a_leaver() -> None:
    line = line_of("7;Søren;in 't;Veld;soren@b.example;Quality;;", known(1, left=True))
    assert line.warnings == ("This person has left; that stays so.",)


def test_a_line_that_comes_twice_counts_once_and_one_that_differs_is_a_problem() -> None:
    same = "8;Bo;;Berg;bo@b.example;HR;;"
    plan = plan_of(f"{same}\n{same}\n8;Bo;;Berg;bo@b.example;IT;;\n9;Al;;Dal;bo@b.example;;;")
    assert [line.action.value for line in plan.lines] == ["new", "unchanged", "problem", "problem"]
    assert plan.lines[3].problems == ("Line 2 has the same e-mail address and says something else. Keep one of them.",)


def test_one_person_by_two_keys_is_a_problem() -> None:
    plan = plan_of(";Bo;;Berg;soren@b.example;;;\n7;Bo;;Veld;;;;", known(1))
    assert [line.action.value for line in plan.lines] == ["changed", "problem"]
    assert plan.lines[1].problems == ("Line 2 is about the same person. Keep one of them.",)


def test_a_whole_name_does_not_undo_how_hr_took_it_apart() -> None:
    values = ("Anna Maria", "", "Jansen", "anna@b.example", None, None, None, None, None, None)
    line = line_of("Anna Maria Jansen;anna@b.example", known(1, values), head="Naam;E-mail")
    assert line.action is Action.UNCHANGED


def test_languages_we_do_not_write_in_are_said_and_left() -> None:
    line = line_of("7;Søren;in 't;Veld;soren@b.example;;;Duits", known(1))
    assert (line.action, line.warnings) == (Action.UNCHANGED, ("We don't write in “Duits”; the language stays as it is.",))


def test_without_a_name_or_key_column_nothing_is_read() -> None:
    plan = plan_of("x;y", head="Schoenmaat;Kleur")
    assert (plan.lines, len(plan.missing)) == ((), 2)


def test_columns_can_be_chosen_by_hand() -> None:
    plan = plan_of("Bo Berg;bo@b.example;3/4/2026", head="Wie;Waar;Wanneer", choices=Choices(("full_name", "email", "start_on"), "mdy"))
    assert plan.counts["new"] == 1
    assert plan.lines[0].values[7] == date(2026, 3, 4)


@pytest.mark.parametrize("order", [1, -1])
def test_an_address_that_its_owner_gives_up_in_the_same_file_is_free(order: int) -> None:
    lines = ["7;Søren;in 't;Veld;new@b.example;;;", "8;Bo;;Berg;soren@b.example;HR;;"][::order]
    plan = plan_of("\n".join(lines), known(1))
    assert {line.action.value for line in plan.lines} == {"changed", "new"}


rows = st.lists(
    st.tuples(
        st.sampled_from(["", "1", "2", "3", "7"]), st.sampled_from(["Bo", "An", "", "Z?e"]), st.sampled_from(["", "van", "in 't"]),
        st.sampled_from(["Berg", "Veld", ""]), st.sampled_from(["", "a@b.example", "b@b.example", "soren@b.example", "nonsense"]),
        st.sampled_from(["", "HR", "IT"]), st.sampled_from(["", "1-2-2026", "31-02-2026"]), st.sampled_from(["", "nl", "Duits"]),
    ),
    max_size=12,
)  # fmt: skip


def _apply(people: list[Known], plan: Plan) -> list[Known]:
    kept = {person.id: person for person in people}
    for line in plan.lines:
        if line.action is Action.NEW:
            made = known(1000 + line.line + len(kept) * 100, line.values)
            kept[made.id] = made
        elif line.action is Action.CHANGED and line.person_id:
            kept[line.person_id] = known(line.person_id.int, line.values)
    return list(kept.values())


@settings(max_examples=200)
@given(rows)
def test_any_file_is_safe_complete_and_changes_nothing_the_second_time(lines: list[tuple[str, ...]]) -> None:
    text = "\n".join(";".join(line) for line in lines if any(line))
    if not text:
        return
    people = [known(1)]
    first = plan_of(text, *people)
    assert len(first.lines) == len(text.split("\n"))
    after = _apply(people, first)
    for at in (FIELDS.index("email"), FIELDS.index("personnel_number")):
        keys = [person.values[at] for person in after if person.values[at]]
        assert len(keys) == len(set(keys))
    for person in after:
        if person.id == UUID(int=1):
            assert all(new is not None for new, old in zip(person.values, SOREN, strict=True) if old is not None)
    second = plan_of(text, *after)
    note(text)
    note(
        "\n".join(
            f"{one.line} {one.action} {one.problems} / {two.action} {two.problems}"
            for one, two in zip(first.lines, second.lines, strict=True)
        )
    )
    assert second.counts["new"] == second.counts["changed"] == 0
