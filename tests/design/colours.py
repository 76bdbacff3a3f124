"""Reads colours out of the style sheet itself and measures contrast as WCAG 2 does."""

from __future__ import annotations

import re
from pathlib import Path

SHEET = Path(__file__).resolve().parents[2] / "marketplace" / "static" / "ecl.css"
SCHEMES = ("light", "dark")
_PAIR = re.compile(r"light-dark\(\s*(#[0-9A-Fa-f]{3,8})\s*,\s*(#[0-9A-Fa-f]{3,8})\s*\)")
_TOKEN = re.compile(r"--([a-z0-9-]+)\s*:\s*([^;}]+)[;}]")
_CATEGORY = re.compile(r"\.cat-([a-z-]+)\s*\{([^}]*)\}")


def tokens(text: str) -> dict[str, tuple[str, str]]:
    """Return the colour tokens of ``:root``: name to (light, dark), with names of other tokens followed."""
    root = text[text.index(":root {") :]
    raw = {name: value.strip() for name, value in _TOKEN.findall(root[: root.index("\n}") + 2])}
    return {name: pair for name, value in raw.items() if (pair := _pair(value, raw))}


def categories(text: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Return for each category its ``cat`` and ``tint``."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for name, body in _CATEGORY.findall(text):
        found[name] = {token: pair for token, value in _TOKEN.findall(body + ";") if (pair := _pair(value, {}))}
    return found


def _pair(value: str, raw: dict[str, str]) -> tuple[str, str] | None:
    both = _PAIR.search(value)
    if both:
        return both[1], both[2]
    if re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        return value, value
    other = re.fullmatch(r"var\(--([a-z0-9-]+)\)", value)
    return _pair(raw[other[1]], raw) if other and other[1] in raw else None


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
