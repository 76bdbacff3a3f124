"""Contrast, computed from the style sheet itself, in both schemes."""

from __future__ import annotations

import pytest

from tests.design import colours

TEXT = 4.5
DRAWING = 3.0
SHEET = colours.SHEET.read_text()
TOKENS = colours.tokens(SHEET)
GROUNDS = ("surface", "paper", "sunken", "canal-tint")

READ = [
    *[(ink, ground, TEXT) for ink in ("ink", "ink-2", "heading", "link", "canal") for ground in GROUNDS],
    *[(tone, ground, TEXT) for tone in ("ok", "warn", "stop", "brick") for ground in ("surface", "paper")],
    *[(tone, f"{tone}-tint", TEXT) for tone in ("ok", "warn", "stop", "brick")],
    *[("ink", f"{tone}-tint", TEXT) for tone in ("ok", "warn", "stop", "brick")],
    ("ok", "sunken", TEXT),
    ("on-action", "action", TEXT),
    ("on-action", "action-hover", TEXT),
    ("on-deep", "canal-deep", TEXT),
    ("on-deep-2", "canal-deep", TEXT),
    ("on-deep", "rail", TEXT),
    ("on-deep-2", "rail", TEXT),
    ("line-firm", "surface", DRAWING),
    ("line-firm", "paper", DRAWING),
    ("taken", "surface", DRAWING),
    ("lit-edge", "surface", DRAWING),
    ("lit", "taken", DRAWING),
    ("focus", "paper", DRAWING),
    ("focus", "surface", DRAWING),
]


@pytest.mark.parametrize("scheme", colours.SCHEMES)
@pytest.mark.parametrize(("front", "ground", "least"), READ)
def test_tokens_are_readable_on_their_grounds(front: str, ground: str, least: float, scheme: str) -> None:
    at = colours.SCHEMES.index(scheme)
    assert colours.contrast(TOKENS[front][at], TOKENS[ground][at]) >= least - 0.05


@pytest.mark.parametrize("scheme", colours.SCHEMES)
@pytest.mark.parametrize("category", ["language", "culture", "dual-career", "welcome", "company", "package"])
def test_each_category_is_readable_on_panels_and_on_its_tint(category: str, scheme: str) -> None:
    at = colours.SCHEMES.index(scheme)
    own = colours.categories(SHEET)[category]
    for ground in (own["tint"][at], TOKENS["surface"][at]):
        assert colours.contrast(own["cat"][at], ground) >= TEXT
    assert colours.contrast(TOKENS["ink"][at], own["tint"][at]) >= TEXT
    assert colours.contrast(TOKENS["heading"][at], own["tint"][at]) >= TEXT


def test_every_colour_of_the_page_has_a_light_and_a_dark_value() -> None:
    assert {"paper", "surface", "ink", "canal", "brick", "lit", "taken", "focus"} <= TOKENS.keys()
    same = {name for name, (light, dark) in TOKENS.items() if light == dark}
    assert same <= {"on-deep"}


def test_a_focus_ring_shows_on_dark_ground() -> None:
    for ground in ("canal-deep", "rail"):
        for colour in TOKENS[ground]:
            assert colours.contrast("#FFC95C", colour) >= DRAWING
