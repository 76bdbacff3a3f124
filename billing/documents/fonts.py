"""The typefaces of documents: TrueType only, because PDF/A with WeasyPrint can't carry the other kind.

Latin, Greek and Cyrillic are Inter, from the wheel ``fontpkg-inter``: one variable font, from which HarfBuzz cuts four fixed ones
in memory at start (10 ms each). Without the wheel, and for other scripts, Debian's Noto Sans and Droid Sans Fallback take over.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

WHEEL = "fontpkg_inter"
APT_PACKAGES = ("fonts-noto-core", "fonts-droid-fallback")
_SCRIPTS = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x2BB, 0x2BF), (0x2C6, 0x2DD), (0x300, 0x328), (0x37E, 0x3CE), (0x400, 0x4FF),
    (0x1E80, 0x1E85), (0x1E9E, 0x1E9E), (0x1EA0, 0x1EF9), (0x2010, 0x203A), (0x2044, 0x2044), (0x20A0, 0x20BF),
    (0x2116, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212), (0x2248, 0x2265),
)  # fmt: skip
_FEATURES = ("kern", "mark", "ccmp", "locl", "tnum", "calt")


class Cut(NamedTuple):
    """One fixed font: its CSS family and weight, and the optical size that it was drawn for, in points."""

    family: str
    weight: int
    optical_size: int

    @property
    def file(self) -> str:
        """The name under which the style sheet asks for it."""
        return f"{self.family.replace(' ', '')}-{self.weight}.ttf"


CUTS = (Cut("Document", 400, 14), Cut("Document", 500, 14), Cut("Document", 600, 14), Cut("Document Display", 600, 32))


def variable_font() -> Path | None:
    """Return the wheel's variable Inter, or None when the wheel isn't installed."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "files" / "Inter[opsz,wght].ttf"
    return found if found.exists() else None


def cuts() -> dict[str, bytes]:
    """Return the fixed fonts by file name; empty without the wheel, or with a HarfBuzz older than 6."""
    source, harfbuzz = variable_font(), _harfbuzz()
    if source is None or harfbuzz is None:
        return {}
    return harfbuzz.cut(source, CUTS)


def stylesheet(files: dict[str, bytes]) -> str:
    """Return the ``@font-face`` rules for these files, addressed as ``document:NAME``."""
    return "\n".join(
        f'@font-face {{ font-family: "{cut.family}"; font-weight: {cut.weight}; src: url("document:{cut.file}") }}'
        for cut in CUTS
        if cut.file in files
    )


class _HarfBuzz:
    """The few functions of HarfBuzz 6 that cut a variable font. Everything is kept for the life of the process."""

    FEATURE_TAGS = 6  # HB_SUBSET_SETS_LAYOUT_FEATURE_TAG
    NO_HINTING = 1

    def __init__(self) -> None:
        self._core = ctypes.CDLL("libharfbuzz.so.0")
        self._subset = ctypes.CDLL("libharfbuzz-subset.so.0")
        pointer, number = ctypes.c_void_p, ctypes.c_uint
        for library, name, result, arguments in (
            (self._core, "hb_blob_create_from_file_or_fail", pointer, [ctypes.c_char_p]),
            (self._core, "hb_face_create", pointer, [pointer, number]),
            (self._core, "hb_face_reference_blob", pointer, [pointer]),
            (self._core, "hb_blob_get_data", pointer, [pointer, ctypes.POINTER(number)]),
            (self._core, "hb_set_add_range", None, [pointer, number, number]),
            (self._core, "hb_set_add", None, [pointer, number]),
            (self._core, "hb_set_clear", None, [pointer]),
            (self._subset, "hb_subset_input_create_or_fail", pointer, []),
            (self._subset, "hb_subset_input_unicode_set", pointer, [pointer]),
            (self._subset, "hb_subset_input_set", pointer, [pointer, ctypes.c_int]),
            (self._subset, "hb_subset_input_set_flags", None, [pointer, number]),
            (self._subset, "hb_subset_input_pin_axis_location", ctypes.c_int, [pointer, pointer, ctypes.c_uint32, ctypes.c_float]),
            (self._subset, "hb_subset_or_fail", pointer, [pointer, pointer]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments

    def cut(self, source: Path, wanted: tuple[Cut, ...]) -> dict[str, bytes]:
        face = self._core.hb_face_create(self._core.hb_blob_create_from_file_or_fail(str(source).encode()), 0)
        return {cut.file: self._fixed(face, cut) for cut in wanted}

    def _fixed(self, face: int, cut: Cut) -> bytes:
        wish = self._subset.hb_subset_input_create_or_fail()
        signs = self._subset.hb_subset_input_unicode_set(wish)
        for first, last in _SCRIPTS:
            self._core.hb_set_add_range(signs, first, last)
        features = self._subset.hb_subset_input_set(wish, self.FEATURE_TAGS)
        self._core.hb_set_clear(features)
        for name in _FEATURES:
            self._core.hb_set_add(features, _tag(name))
        self._subset.hb_subset_input_pin_axis_location(wish, face, _tag("wght"), cut.weight)
        self._subset.hb_subset_input_pin_axis_location(wish, face, _tag("opsz"), cut.optical_size)
        self._subset.hb_subset_input_set_flags(wish, self.NO_HINTING)
        made = self._subset.hb_subset_or_fail(face, wish)
        if not made:
            raise RuntimeError(f"HarfBuzz could not cut {cut.file}")
        size = ctypes.c_uint()
        data = self._core.hb_blob_get_data(self._core.hb_face_reference_blob(made), ctypes.byref(size))
        return ctypes.string_at(data, size.value)


@lru_cache(maxsize=1)
def _harfbuzz() -> _HarfBuzz | None:
    try:
        return _HarfBuzz()
    except (OSError, AttributeError):
        return None


def _tag(name: str) -> int:
    return int.from_bytes(name.encode(), "big")
