"""Words and formats: Dutch for every sentence, dates and amounts as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from markupsafe import Markup

from marketplace.kit import i18n, words
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2027, 1, 18, 8, 30, tzinfo=UTC)
NBSP = i18n.NBSP


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", ["€645", "€645.00", "€1,935.00", "−€0.05", "Mon 18 Jan", "18 Jan 2027", "Mon 18 Jan, 09:30", "Mon 18 Jan, 09:30–12:30", "a, b and c"]),
        (
            "nl",
            [
                f"€{NBSP}645", f"€{NBSP}645,00", f"€{NBSP}1.935,00", f"€{NBSP}−0,05",
                "ma 18 jan", "18 jan 2027", "ma 18 jan 09:30", "ma 18 jan 09:30–12:30", "a, b en c",
            ],
        ),
    ],
)  # fmt: skip
def test_amounts_and_dates_are_written_as_the_language_writes_them(locale: str, shown: list[str]) -> None:
    with i18n.use_locale(locale):
        assert [
            i18n.fmt_money(Money(64500), whole_if_round=True),
            i18n.fmt_money(Money(64500)),
            i18n.fmt_money(Money(193500)),
            i18n.fmt_money(Money(-5)),
            i18n.fmt_date(AT.date(), "weekday"),
            i18n.fmt_date(AT),
            i18n.fmt_datetime(AT),
            i18n.fmt_range(AT, AT + timedelta(hours=3)),
            i18n.fmt_list(["a", "b", "c"]),
        ] == shown


def test_instants_show_amsterdams_time_on_both_sides_of_the_clock_change() -> None:
    assert i18n.fmt_time(datetime(2027, 3, 28, 0, 59, tzinfo=UTC)) == "01:59"
    assert i18n.fmt_time(datetime(2027, 3, 28, 1, 0, tzinfo=UTC)) == "03:00"
    assert i18n.fmt_date(datetime(2027, 1, 17, 23, 30, tzinfo=UTC), "short") == "18 Jan"
    assert i18n.fmt_time(time(9, 5)) == "09:05"
    assert i18n.fmt_date(date(2027, 3, 1), "full") == "Monday 1 March 2027"


def test_the_language_of_a_block_ends_with_it() -> None:
    with i18n.use_locale("nl"):
        assert i18n._("Fill this in.") == "Vul dit in."
        with i18n.use_locale("de"):
            assert i18n._("Fill this in.") == "Fill this in."
        assert i18n.current_locale() == "nl"
    assert i18n.current_locale() == "en"


def test_markup_in_a_sentence_stays_and_the_rest_is_escaped() -> None:
    said = i18n._("{link} by {name}", link=Markup("<a>here</a>"), name="<b>")
    assert said == "<a>here</a> by &lt;b&gt;"
    assert i18n.n_("{n} seat of {name}", "{n} seats of {name}", 2, name="A") == "2 seats of A"
    assert i18n._("100% {off}") == "100% {off}"


HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


def _problems(folder: Path, po: str, code: str) -> list[str]:
    (folder / "nl").mkdir()
    (folder / "nl" / "a.po").write_text(HEAD + po, encoding="utf-8")
    (folder / "marketplace").mkdir()
    (folder / "templates").mkdir()
    (folder / "marketplace" / "x.py").write_text(code, encoding="utf-8")
    (folder / "templates" / "x.html").write_text('<p>{{ _("From a template") }}</p>', encoding="utf-8")
    used, known = words.sentences(folder), words.dutch(folder / "nl")
    return [found.problem for found in sorted(words.missing(used, known) + words.faults(known, used))]


def test_the_gate_finds_what_is_missing_in_code_and_templates(tmp_path: Path) -> None:
    assert _problems(tmp_path, "", 'a = _("One")\nb = n_("{n} seat", "{n} seats", 2)\n') == [
        "no Dutch for “One”",
        "no Dutch for “{n} seat”",
        "no Dutch for “From a template”",
    ]


def test_the_gate_finds_fuzzy_double_unequal_and_unused(tmp_path: Path) -> None:
    po = (
        '#, fuzzy\nmsgid "One"\nmsgstr "Een"\n\nmsgid "Hello {name}"\nmsgstr "Dag {naam}"\n\nmsgid "Nobody"\nmsgstr "Niemand"\n\n'
        'msgid "From a template"\nmsgstr "Uit een sjabloon"\n\nmsgid "{n} seat"\nmsgid_plural "{n} seats"\nmsgstr[0] "één plaats"\nmsgstr[1] "{n} plaatsen"\n'
    )
    found = _problems(tmp_path, po, 'a = _("One")\nb = _("Hello {name}", name=1)\nc = n_("{n} seat", "{n} seats", 2)\n')
    assert found == [
        "fuzzy or obsolete: “One”",
        "placeholders differ: “Hello {name}” → “Dag {naam}”",
        "nobody says “Nobody”",
        "no Dutch for “One”",
    ]


def test_every_sentence_of_the_kit_and_the_public_pages_has_its_dutch() -> None:
    own = ("marketplace/kit/", "templates/errors/", "templates/site/", "marketplace/locale/nl/kit.po")
    assert [found for found in words.gate() if found.path.startswith(own)] == []
