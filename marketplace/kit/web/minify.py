"""A small minifier for our own style sheet: comments, spaces and last semicolons go, nothing is rewritten.

It reads the plain CSS that we write (no strings with braces, no data addresses), not anybody's.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACES = re.compile(r"\s+")
_AROUND = re.compile(r"\s*([{};,>])\s*")
_COLON = re.compile(r"(?<!\"):\s+")
_COMBINATOR = re.compile(r"\s*([+~])\s*(?![^(]*\))")
_NESTED = re.compile(r"(?<=[{};])& (?=[\w.\[])")
_HEX = re.compile(r"#([0-9A-Fa-f])\1([0-9A-Fa-f])\2([0-9A-Fa-f])\3\b")


def css(text: str) -> str:
    """Return the style sheet without what a browser doesn't need; the same rules in the same order."""
    text = _SPACES.sub(" ", _COMMENT.sub("", text))
    text = _COLON.sub(":", _AROUND.sub(r"\1", text))
    text = _COMBINATOR.sub(r"\1", text)
    text = _NESTED.sub("", text.replace(" !important", "!important"))
    return _HEX.sub(r"#\1\2\3", text).replace(";}", "}").strip()
