"""What each line of a staff file will do, before anything is written. Pure: a table and the present staff in, a plan out.

The key is the personnel number, else the e-mail address. Blank never erases. A line that can't be used is a problem with
its mend, never a guess; the same file twice plans nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit.i18n import N_, _, fmt_date
from marketplace.people import names
from marketplace.people.facts import EMAIL, LIMITS, email_sentence
from marketplace.people.staff_columns import AS_READ, FULL_NAME, Choices, mapping, missing
from marketplace.people.staff_values import DateColumn, date_column, is_damaged, may_be_the_same, read_date, read_language, read_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.people.staff_files import Row, StaffTable

FIELDS = ("given_name", "infix", "family_name", "email", "personnel_number", "department", "cost_centre", "start_on", "language", "level")
_GIVEN, _INFIX, _FAMILY, _EMAIL, _NUMBER, _START, _LANGUAGE, _LEVEL = 0, 1, 2, 3, 4, 7, 8, 9
_PLAIN = tuple((FIELDS.index(name), name) for name in ("personnel_number", "department", "cost_centre"))
_MOST_ATTEMPTS = 5
Values = tuple[str | date | None, ...]
_SAME_NUMBER = N_("Line {n} has the same personnel number and says something else. Keep one of them.")
_SAME_EMAIL = N_("Line {n} has the same e-mail address and says something else. Keep one of them.")


class Action(StrEnum):
    """What a line does."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    PROBLEM = "problem"


class Known(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Somebody of the company as they are now: ``values`` in the order of ``FIELDS``; a relation has only an address."""

    id: UUID
    values: Values
    relation: bool = False
    left: bool = False


class LinePlan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one line will do. ``values`` are those of the person afterwards, ``changed`` the fields that differ."""

    line: int
    action: Action
    name: str
    person_id: UUID | None
    values: Values
    changed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What a file will do. ``missing`` says what must be mapped before any line can be read.

    ``created`` is filled by the write: the ids of the new people, by line.
    """

    fields: tuple[str, ...]
    dates: DateColumn
    lines: tuple[LinePlan, ...]
    missing: tuple[str, ...] = ()
    created: dict[int, UUID] = {}

    def of(self, action: Action) -> list[LinePlan]:
        """Return the lines that do this."""
        return [line for line in self.lines if line.action is action]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many lines do what, and how many carry a warning."""
        found = Counter(line.action for line in self.lines)
        return {action.value: found[action] for action in Action} | {"warnings": sum(1 for line in self.lines if line.warnings)}

    @property
    def fingerprint(self) -> str:
        """Return a short text that differs when the plan would write something else."""
        digest = hashlib.sha256()
        for line in self.lines:
            if line.action in (Action.NEW, Action.CHANGED):
                digest.update(repr((line.line, line.action.value, line.person_id, line.values)).encode())
        return digest.hexdigest()[:16]


def plan(table: StaffTable, known: Sequence[Known], choices: Choices = AS_READ) -> Plan:
    """Return what each line of the table will do to the staff that is known."""
    fields = mapping(table, choices)
    lacking = missing(fields)
    dates = _dates(table, fields, choices)
    if lacking:
        return Plan(fields, dates, (), tuple(lacking))
    reader = _Reader(fields, dates, width=table.columns if table.header else 0)
    planner = _Planner(known, frozenset())
    lines = tuple([planner.decide(row, reader) for row in table.rows])
    if planner.wishes:
        lines = _with_addresses_passed_on(table, known, reader, planner) or lines
    return Plan(fields, dates, lines)


def _with_addresses_passed_on(table: StaffTable, known: Sequence[Known], reader: _Reader, first: _Planner) -> tuple[LinePlan, ...] | None:
    """Return the plan where addresses that their owners give up in this very file are free for others; None when none is.

    Begins with everyone who wants another address and leaves out those whose line turns out to be a problem.
    """
    free = frozenset(first.wishes)
    for _attempt in range(_MOST_ATTEMPTS):
        planner = _Planner(known, free)
        lines = tuple([planner.decide(row, reader) for row in table.rows])
        if free <= planner.released:
            return lines
        free &= planner.released
    return None


def _dates(table: StaffTable, fields: tuple[str, ...], choices: Choices) -> DateColumn:
    if "start_on" not in fields:
        return DateColumn()
    at = fields.index("start_on")
    return date_column({row.cells[at] for row in table.rows if at < len(row.cells)}, chosen=choices.date_order)


class _Found(msgspec.Struct):
    """What a line says: None for what it doesn't."""

    values: list[str | date | None]
    whole_name: bool
    damaged: bool
    problems: list[str]
    warnings: list[str]


class _Reader:
    """Reads lines of one file; remembers texts that come again, as departments, dates and names do."""

    def __init__(self, fields: tuple[str, ...], dates: DateColumn, *, width: int) -> None:
        self._at = {field: at for at, field in enumerate(fields) if field}
        self._width = width
        self._date_column = dates
        self._dates: dict[str, date | None] = {"": None}
        self._whole = FULL_NAME in self._at
        self._name_cells = [self._at.get(name) for name in ((FULL_NAME,) if self._whole else ("given_name", "infix", "family_name"))]
        self._names: dict[tuple[str, ...], tuple[str, str, str, bool]] = {}
        self._plain = [(index, self._at[name], LIMITS[name]) for index, name in _PLAIN if name in self._at]
        self._languages: dict[str, str | None] = {}

    def read(self, row: Row) -> _Found:
        """Return what the line says, with a sentence for each cell that can't be used."""
        cells = row.cells
        problems: list[str] = []
        warnings: list[str] = []
        if self._width and len(cells) != self._width:
            if (len(cells) > self._width and any(cells[self._width :])) or len(cells) < self._width:
                problems.append(
                    _("This line has {n} cells, the head has {width}. Is a separator or quote missing?", n=len(cells), width=self._width)
                )
            cells = (*cells, *[""] * (self._width - len(cells)))
        values: list[str | date | None] = [None] * len(FIELDS)
        damaged = self._name(cells, values, problems)
        for index, at, limit in self._plain:
            text = cells[at] if at < len(cells) else ""
            if text:
                values[index] = text if text.isprintable() and "  " not in text else " ".join(text.split())
                if len(text) > limit:
                    problems.append(_("“{text}” is too long: at most {n} characters.", text=text[:30] + "…", n=limit))
        self._others(cells, values, problems, warnings)
        return _Found(values, self._whole, damaged, problems, warnings)

    def _cell(self, cells: tuple[str, ...], field: str) -> str:
        at = self._at.get(field)
        return cells[at] if at is not None and at < len(cells) else ""

    def _name(self, cells: tuple[str, ...], values: list[str | date | None], problems: list[str]) -> bool:
        key = tuple([cells[at] if at is not None and at < len(cells) else "" for at in self._name_cells])
        found = self._names.get(key)
        if found is None:
            parts = names.split_whole(key[0]) if self._whole else _joined(*key)
            found = self._names[key] = (*parts, any(is_damaged(part) for part in parts))
        given, infix, family, damaged = found
        values[_GIVEN], values[_INFIX], values[_FAMILY] = given or None, infix or None, family or None
        if len(given) > LIMITS["given_name"] or len(family) > LIMITS["family_name"] or len(infix) > LIMITS["infix"]:
            problems.append(_("This name is too long."))
        return damaged

    def _others(self, cells: tuple[str, ...], values: list[str | date | None], problems: list[str], warnings: list[str]) -> None:
        email = self._cell(cells, "email").lower()
        if email:
            values[_EMAIL] = email
            if not EMAIL.fullmatch(email) or len(email) > LIMITS["email"]:
                problems.append(email_sentence(email))
        start = self._cell(cells, "start_on")
        if start:
            if start not in self._dates:
                self._dates[start] = read_date(start, self._date_column)
            values[_START] = self._dates[start]
            if values[_START] is None:
                problems.append(_("“{text}” is not a date here. Write it as 27-01-2026.", text=start[:30]))
        self._tongues(cells, values, warnings)

    def _tongues(self, cells: tuple[str, ...], values: list[str | date | None], warnings: list[str]) -> None:
        language = self._cell(cells, "language")
        if language:
            if language not in self._languages:
                self._languages[language] = read_language(language)
            values[_LANGUAGE] = self._languages[language]
            if values[_LANGUAGE] is None:
                warnings.append(_("We don't write in “{text}”; the language stays as it is.", text=language[:30]))
        level = self._cell(cells, "level")
        if level:
            values[_LEVEL] = read_level(level)
            if values[_LEVEL] is None:
                warnings.append(_("“{text}” is not a level from A0 to C2; the level stays as it is.", text=level[:30]))


def _joined(given: str, infix: str, family: str) -> tuple[str, str, str]:
    """Return the three parts of a name in three columns; an infix may also stand at the head of the family name."""
    given, infix, family = " ".join(given.split()), " ".join(infix.split()), " ".join(family.split())
    if infix and family.lower().startswith(f"{infix.lower()} "):
        family = family[len(infix) + 1 :]
    if not infix:
        infix, family = names.split_family(family)
    return given, infix, family


class _Planner:
    """Decides line after line; knows who is there and which keys earlier lines of the file had."""

    def __init__(self, known: Sequence[Known], released: frozenset[object]) -> None:
        self._by_number = {person.values[_NUMBER]: person for person in known if person.values[_NUMBER]}
        self._by_email = {
            person.values[_EMAIL]: person for person in known if person.values[_EMAIL] and person.values[_EMAIL] not in released
        }
        self._persons: dict[UUID, int] = {}
        self.wishes: set[object] = set()
        self.released: set[object] = set()
        self._numbers: dict[object, tuple[int, Values]] = {}
        self._emails: dict[object, tuple[int, Values]] = {}

    def decide(self, row: Row, reader: _Reader) -> LinePlan:
        """Return what this line will do."""
        found = reader.read(row)
        said = tuple(found.values)
        shown = _shown(said)
        before = self._earlier(row.line, said, found)
        person = None if before is not None else self._person(said, found)
        if person is not None:
            self._once(row.line, person, found)
        elif before is None and not found.problems:
            _require(said, found)
        if found.damaged:
            found.warnings.append(_("Letters of this name were lost in the export: “{name}”. Is it saved as UTF-8?", name=shown))
        if found.problems:
            return LinePlan(row.line, Action.PROBLEM, shown, None, said, (), tuple(found.problems), tuple(found.warnings))
        if before is not None:
            found.warnings.append(_("The same as line {n}.", n=before))
            return LinePlan(row.line, Action.UNCHANGED, shown, None, said, (), (), tuple(found.warnings))
        if person is None:
            values = (said[_GIVEN], said[_INFIX] or "", *said[_FAMILY:])
            return LinePlan(row.line, Action.NEW, shown, None, values, (), (), tuple(found.warnings))
        done = _change(row.line, shown, person, found)
        if "email" in done.changed and person.values[_EMAIL]:
            self.released.add(person.values[_EMAIL])
        return done

    def _earlier(self, line: int, said: Values, found: _Found) -> int | None:
        """Return the earlier line that says the same; note a problem when it has the same key and says something else."""
        same = None
        for key, seen in ((said[_NUMBER], self._numbers), (said[_EMAIL], self._emails)):
            if not key:
                continue
            earlier = seen.setdefault(key, (line, said))
            if earlier[0] == line:
                continue
            if earlier[1] == said:
                same = earlier[0]
            else:
                sentence = _SAME_NUMBER if seen is self._numbers else _SAME_EMAIL
                found.problems.append(_(sentence, n=earlier[0]))
        return same

    def _once(self, line: int, person: Known, found: _Found) -> None:
        """Note a problem when an earlier line reached the same person by their other key."""
        if found.problems:
            return
        earlier = self._persons.setdefault(person.id, line)
        if earlier != line:
            found.problems.append(_("Line {n} is about the same person. Keep one of them.", n=earlier))

    def _person(self, said: Values, found: _Found) -> Known | None:
        number, email = said[_NUMBER], said[_EMAIL]
        by_number = self._by_number.get(number) if number else None
        by_email = self._by_email.get(email) if email else None
        if by_email is not None and by_email.relation:
            found.problems.append(_("This e-mail address is in use by a partner of an employee. Give the employee's own."))
            return None
        if by_number is not None and email and by_number.values[_EMAIL] not in (None, email):
            self.wishes.add(by_number.values[_EMAIL])
        if by_email is None or by_email is by_number:
            return by_number
        theirs = by_email.values[_NUMBER]
        if by_number is not None or (number and theirs):
            name = _shown(by_email.values)
            if theirs:
                found.problems.append(_("This e-mail address belongs to {name}, personnel number {number}.", name=name, number=theirs))
            else:
                found.problems.append(_("This e-mail address belongs to {name}.", name=name))
            return None
        return by_email


def _shown(values: Sequence[str | date | None]) -> str:
    given, infix, family = values[:3]
    return f"{given or ''} {infix} {family or ''}" if infix else f"{given or ''} {family or ''}".strip()


def _require(said: Values, found: _Found) -> None:
    """Note what a new person can't do without."""
    if not said[_GIVEN]:
        found.problems.append(_("The first name is missing."))
    if not said[_FAMILY]:
        found.problems.append(_("The family name is missing."))
    if not said[_EMAIL]:
        found.problems.append(_("The e-mail address is missing: invitations go there."))


def _change(line: int, shown: str, person: Known, found: _Found) -> LinePlan:
    said, now = found.values, person.values
    _keep_a_good_name(said, now, found)
    values = tuple([old if new is None else new for new, old in zip(said, now, strict=True)])
    if person.left:
        found.warnings.append(_("This person has left; that stays so."))
    if values == now:
        return LinePlan(line, Action.UNCHANGED, shown, person.id, now, (), (), tuple(found.warnings))
    changed = tuple([name for name, new, old in zip(FIELDS, values, now, strict=True) if new != old])
    return LinePlan(line, Action.CHANGED, shown, person.id, values, changed, (), tuple(found.warnings))


def _keep_a_good_name(said: list[str | date | None], now: Values, found: _Found) -> None:
    """Leave the name alone where the file knows less than we do: lost letters, or a whole name that was cut elsewhere."""
    if found.whole_name and said[_FAMILY]:
        new, old = _shown(said), _shown(now)
        if names.fold(new) == names.fold(old) or (found.damaged and may_be_the_same(new, old)):
            said[_GIVEN] = said[_INFIX] = said[_FAMILY] = None
            return
    for at in (_GIVEN, _INFIX, _FAMILY):
        if found.damaged and said[at] and now[at] and is_damaged(str(said[at])) and may_be_the_same(str(said[at]), str(now[at])):
            said[at] = None


def start_words(values: Values) -> str:
    """Return the first day of work in words, for the preview."""
    start = values[_START]
    return fmt_date(start) if isinstance(start, date) else ""
