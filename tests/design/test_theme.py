"""A municipality's NL Design System theme is read first, and a page with one still reads well."""

from __future__ import annotations

import re

import pytest

from tests.design import colours
from tests.design.test_parts import page

READ_FIRST = {
    "text": "--utrecht-document-font-family",
    "paper": "--utrecht-document-background-color",
    "ink": "--utrecht-document-color",
    "display": "--utrecht-heading-font-family",
    "heading": "--utrecht-heading-1-color",
    "action": "--utrecht-button-primary-action-background-color",
    "on-action": "--utrecht-button-primary-action-color",
    "radius": "--utrecht-button-border-radius",
    "link": "--utrecht-link-color",
    "focus": "--utrecht-focus-outline-color",
}
THEME = {
    "--utrecht-document-background-color": "#FFFFFF",
    "--utrecht-document-color": "#1A1A1A",
    "--utrecht-heading-1-color": "#14143C",
    "--utrecht-button-primary-action-background-color": "#24578F",
    "--utrecht-button-primary-action-color": "#FFFFFF",
    "--utrecht-link-color": "#24578F",
    "--utrecht-focus-outline-color": "#000000",
}
SHEET = colours.SHEET.read_text()
BLANK = '{% extends "base.html" %}{% block main %}<h1>x</h1>{% endblock %}'


@pytest.mark.parametrize(("token", "name"), READ_FIRST.items())
def test_our_token_reads_the_theme_first_and_has_a_fallback(token: str, name: str) -> None:
    assert re.search(rf"--{token}: var\({name}, .+\);", SHEET)


def test_a_themed_page_keeps_its_contrast() -> None:
    themed = re.sub(r"var\((--utrecht-[a-z0-9-]+), (light-dark\([^)]*\))\)", lambda m: f"{THEME.get(m[1]) or m[2]}", SHEET)
    tokens = {name: light for name, (light, _dark) in colours.tokens(themed).items()}
    for front in ("ink", "ink-2", "heading", "link", "canal", "ok", "warn", "stop", "brick"):
        for ground in ("paper", "surface"):
            assert colours.contrast(tokens[front], tokens[ground]) >= 4.5, (front, ground)
    assert colours.contrast(tokens["on-action"], tokens["action"]) >= 4.5
    assert colours.contrast(tokens["canal"], tokens["canal-tint"]) >= 4.5
    assert colours.contrast(tokens["focus"], tokens["paper"]) >= 3


def test_a_theme_stands_on_html_after_our_sheet_and_is_shown_light() -> None:
    document = page(BLANK, theme_css="/static/theme.css", theme_class="gemeente-theme")
    assert document.get("class") == "gemeente-theme"
    assert document.get("data-theme") == "light"
    assert [link.get("href") for link in document.xpath("//link[@rel='stylesheet']")] == ["/static/ecl.css", "/static/theme.css"]


def test_a_visitors_choice_of_scheme_wins() -> None:
    assert page(BLANK, theme="dark").get("data-theme") == "dark"
    assert page(BLANK).get("data-theme") is None
