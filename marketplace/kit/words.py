"""The words gate: every sentence in code and templates has its Dutch, once, and with the same placeholders.

``python -m marketplace.kit.words`` prints what is missing, file by file, and exits with 1; ``--stub PREFIX`` prints ready
``.po`` entries for the sentences of files under PREFIX that have no Dutch yet. Extraction is Babel's.
"""

from __future__ import annotations

import argparse
import ast
import re
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from marketplace.kit.i18n import LOCALE_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CODE = ("marketplace", "catalog", "billing")
TEMPLATES = "templates"
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "n_": (1, 2), "gettext": None, "ngettext": (1, 2)}
_JINJA_OPTIONS = {"trimmed": "true", "silent": "false"}


class Sentence(msgspec.Struct, frozen=True):
    """One message id where it is used; ``many`` is its English plural."""

    path: str
    line: int
    one: str
    many: str | None = None


class Dutch(msgspec.Struct, frozen=True):
    """One entry of a ``.po`` file."""

    file: str
    line: int
    one: str
    many: str | None
    strings: tuple[str, ...]
    fuzzy: bool


class Finding(msgspec.Struct, frozen=True, order=True):
    """Something to mend."""

    path: str
    line: int
    problem: str


def sentences(root: Path = ROOT) -> list[Sentence]:
    """Return every sentence in Python and templates."""
    found: list[Sentence] = []
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            if "piccolo_migrations" not in path.parts:
                found += _extract(path, root, "python")
                found += _in_f_strings(path, root)
    for path in sorted((root / TEMPLATES).rglob("*")):
        if path.suffix in {".html", ".txt", ".svg", ".xml"}:
            found += _extract(path, root, "jinja2.ext:babel_extract")
    return found


def _extract(path: Path, root: Path, method: str) -> Iterator[Sentence]:
    name = str(path.relative_to(root))
    options = _JINJA_OPTIONS if method != "python" else {}
    with path.open("rb") as file:
        for line, message, _comments, _context in extract(method, file, keywords=KEYWORDS, options=options):
            ids = [part for part in ([message] if isinstance(message, str) else message) if part]
            if ids:
                yield Sentence(name, line, ids[0], ids[1] if len(ids) > 1 else None)


def _in_f_strings(path: Path, root: Path) -> Iterator[Sentence]:
    """Find sentences inside f-strings, which Babel's extractor reads only from Python 3.12 on."""
    for outer in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(outer, ast.JoinedStr):
            for call in ast.walk(outer):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
                    ids = [arg.value for arg in call.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                    if ids:
                        yield Sentence(
                            str(path.relative_to(root)),
                            call.lineno,
                            ids[0],
                            ids[1] if call.func.id.startswith("n") and len(ids) > 1 else None,
                        )


def dutch(folder: Path = LOCALE_ROOT / "nl") -> list[Dutch]:
    """Return every entry of every ``.po`` file."""
    found: list[Dutch] = []
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale="nl", abort_invalid=True)
        for message in catalog:
            if message.id:
                ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
                strings = (message.string,) if isinstance(message.string, str) else tuple(message.string)
                found.append(Dutch(path.name, message.lineno or 0, ids[0], ids[1] if len(ids) > 1 else None, strings, message.fuzzy))
        found += [Dutch(path.name, 0, str(old), None, ("",), fuzzy=True) for old in catalog.obsolete]
    return found


def missing(used: list[Sentence], known: list[Dutch]) -> list[Finding]:
    """Return the sentences that have no Dutch."""
    spoken = {entry.one: entry for entry in known if all(entry.strings) and not entry.fuzzy}
    found: list[Finding] = []
    for sentence in used:
        entry = spoken.get(sentence.one)
        if entry is None:
            found.append(Finding(sentence.path, sentence.line, f"no Dutch for “{sentence.one}”"))
        elif sentence.many is not None and entry.many != sentence.many:
            found.append(Finding(sentence.path, sentence.line, f"the plural of “{sentence.one}” is another in {entry.file}"))
    return found


def faults(known: list[Dutch], used: list[Sentence]) -> list[Finding]:
    """Return what is wrong in the ``.po`` files themselves: fuzzy, double and different, other placeholders, not used."""
    found: list[Finding] = []
    first: dict[str, Dutch] = {}
    wanted = {sentence.one for sentence in used}
    for entry in known:
        where = f"marketplace/locale/nl/{entry.file}"
        if entry.fuzzy:
            found.append(Finding(where, entry.line, f"fuzzy or obsolete: “{entry.one}”"))
        if entry.one not in wanted and not entry.fuzzy:
            found.append(Finding(where, entry.line, f"nobody says “{entry.one}”"))
        other = first.setdefault(entry.one, entry)
        if other.strings[0] != entry.strings[0]:
            found.append(Finding(where, entry.line, f"“{entry.one}” has another Dutch in {other.file}"))
        found += [Finding(where, entry.line, problem) for problem in _unequal(entry)]
    return found


def _unequal(entry: Dutch) -> Iterator[str]:
    english = placeholders(entry.one) | placeholders(entry.many or "")
    for text in entry.strings:
        theirs = placeholders(text)
        allowed = english | {"n"} if entry.many else english
        needed = placeholders(entry.many or entry.one) - {"n"} if entry.many else english
        if text and not (needed & english) - {"n"} <= theirs <= allowed:
            yield f"placeholders differ: “{entry.one}” → “{text}”"


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    try:
        return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name}
    except ValueError:
        return {"unbalanced braces"}


def gate(root: Path = ROOT) -> list[Finding]:
    """Return everything to mend, by file and line."""
    used, known = sentences(root), dutch()
    return sorted(set(missing(used, known) + faults(known, used)))


def stub(prefixes: tuple[str, ...]) -> str:
    """Return ``.po`` entries to fill in for sentences without Dutch in files whose path starts with one of the prefixes."""
    used, known = sentences(), dutch()
    spoken = {entry.one for entry in known}
    lines: list[str] = []
    seen: set[str] = set()
    for sentence in used:
        if sentence.path.startswith(prefixes) and sentence.one not in spoken | seen:
            seen.add(sentence.one)
            lines.append(f"#: {sentence.path}:{sentence.line}\nmsgid {_quoted(sentence.one)}")
            lines.append('msgstr ""\n' if sentence.many is None else f'msgid_plural {_quoted(sentence.many)}\nmsgstr[0] ""\nmsgstr[1] ""\n')
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text).replace("\n", "\\n")
    return f'"{escaped}"'


def main() -> int:
    """Run the gate, or print stubs."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.kit.words", description=__doc__)
    parser.add_argument("--stub", nargs="+", metavar="PREFIX", help="print .po entries to fill in for files under these paths")
    parser.add_argument("--only", nargs="+", metavar="PREFIX", help="report only files under these paths")
    options = parser.parse_args()
    if options.stub:
        sys.stdout.write(stub(tuple(options.stub)) + "\n")
        return 0
    findings = [found for found in gate() if not options.only or found.path.startswith(tuple(options.only))]
    for found in findings:
        sys.stdout.write(f"{found.path}:{found.line}: {found.problem}\n")
    sys.stdout.write(f"{len(findings)} to mend\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
