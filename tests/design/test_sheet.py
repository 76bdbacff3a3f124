"""The style sheet and the script keep their limits, and the minifier changes nothing that a browser reads."""

from __future__ import annotations

import re

from marketplace.kit.web import minify
from tests.design import colours

STATIC = colours.SHEET.parent
TEMPLATES = STATIC.parents[1] / "templates"
PAGES = sorted(
    path
    for path in TEMPLATES.rglob("*.html")
    if path.parts[-3:-2] != ("email",) and "documents" not in path.parts and "email" not in path.parts
)


def test_the_sheet_is_at_most_30_kilobytes() -> None:
    assert len(minify.css(colours.SHEET.read_text()).encode()) <= 30_000


def test_the_script_is_at_most_300_lines() -> None:
    assert len((STATIC / "ecl.js").read_text().splitlines()) <= 300


def test_minifying_keeps_strings_calculations_and_nesting() -> None:
    source = """
    .a { color: red; /* why */ &:hover, > b + i { top: calc(100% + 2px) } & .c { margin: 0 !important } .d & .e { left: 0 } }
    .f::before { content: attr(data-label) ": " }
    """
    small = minify.css(source)
    assert "calc(100% + 2px)" in small
    assert '": "' in small
    assert ">b+i{" in small
    assert ".d & .e{" in small
    assert "!important" in small
    assert "why" not in small
    assert small.count("{") == source.count("{")


def test_widths_break_at_720_and_960_only() -> None:
    widths = set(re.findall(r"(?:max|min)-width:\s*(\d+)px\)\s*\{", colours.SHEET.read_text()))
    assert widths <= {"720", "721", "960"}


def test_no_page_carries_a_style_or_a_script_of_its_own() -> None:
    for path in PAGES:
        text = path.read_text()
        assert not re.search(r"<[^>{]*\sstyle\s*=", text), path.name
        assert not re.search(r"<style", text), path.name
        assert not re.search(r"\son(?:click|load|change|submit|input)\s*=", text), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path.name


def test_pages_use_only_classes_that_the_sheet_knows() -> None:
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", colours.SHEET.read_text()))
    for folder in ("macros", "design"):
        for path in sorted((TEMPLATES / folder).glob("*.html")):
            for value in re.findall(r'class="([^"{}]*)"', path.read_text()):
                unknown = set(value.split()) - known - UNSTYLED
                assert not unknown, f"{path.name}: {unknown}"


UNSTYLED = {"b", "sessions", "plain", "moment", "day", "month", "fill", "grid", "base", "axis", "level-heading"}
