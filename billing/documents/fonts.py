"""The typefaces of documents: TrueType only, because PDF/A with WeasyPrint can't carry the other kind.

Latin, Greek and Cyrillic are Inter, from the wheel ``fontpkg-inter``: a variable font, cut once into four fixed ones that are kept
in the home directory. Without the wheel, and for other scripts, Debian's Noto Sans and Droid Sans Fallback take over.
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

WHEEL = "fontpkg_inter"
APT_PACKAGES = ("fonts-noto-core", "fonts-droid-fallback")
FALLBACK = ("Noto Sans", "Noto Sans Arabic", "Droid Sans Fallback", "DejaVu Sans")
_CUT = "1"  # raise it when the cuts below change, so that kept ones are made anew
_SCRIPTS = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x18F, 0x192), (0x1A0, 0x1B0), (0x218, 0x21B), (0x2BB, 0x2BF), (0x2C6, 0x2DD),
    (0x300, 0x328), (0x37E, 0x3CE), (0x400, 0x45F), (0x490, 0x491), (0x1E80, 0x1E85), (0x1E9E, 0x1E9E), (0x1EA0, 0x1EF9),
    (0x2010, 0x203A), (0x2044, 0x2044), (0x20AC, 0x20AC), (0x2116, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212),
    (0x2248, 0x2265),
)  # fmt: skip


class Cut(NamedTuple):
    """One fixed font: its CSS family and weight, and the optical size that it was drawn for, in points."""

    family: str
    weight: int
    optical_size: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.family.replace(' ', '')}-{self.weight}.ttf"


CUTS = (Cut("Document", 400, 14), Cut("Document", 500, 14), Cut("Document", 600, 14), Cut("Document Display", 600, 32))


def variable_font() -> Path | None:
    """Return the wheel's variable Inter, or None when the wheel isn't installed."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "files" / "Inter[opsz,wght].ttf"
    return found if found.exists() else None


def cuts(home: Path) -> dict[str, bytes]:
    """Return the fixed fonts by file name, cutting them first when they aren't there (some 15 seconds of one core, once).

    Two processes that cut at the same time make the same bytes. Empty when the wheel isn't installed.
    """
    source = variable_font()
    if source is None:
        return {}
    folder = home / "cache" / f"fonts-{_wheel_version()}-{_CUT}"
    missing = [cut for cut in CUTS if not (folder / cut.file).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        _cut(source, folder, missing)
    return {cut.file: (folder / cut.file).read_bytes() for cut in CUTS}


def stylesheet(files: dict[str, bytes]) -> str:
    """Return the ``@font-face`` rules for these files, addressed as ``document:NAME``."""
    return "\n".join(
        f'@font-face {{ font-family: "{cut.family}"; font-weight: {cut.weight}; src: url("document:{cut.file}") }}'
        for cut in CUTS
        if cut.file in files
    )


def _wheel_version() -> str:
    try:
        return version("fontpkg-inter")
    except PackageNotFoundError:
        return "unpacked"


def _cut(source: Path, folder: Path, wanted: list[Cut]) -> None:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
    from fontTools.varLib.instancer import instantiateVariableFont  # type: ignore[import-untyped]

    small = _only_our_scripts(source)
    try:
        for cut in wanted:
            with TTFont(small, recalcTimestamp=False) as font:
                fixed = instantiateVariableFont(font, {"wght": cut.weight, "opsz": cut.optical_size}, static=True)
                _rename(fixed, cut)
                partial = _temporary(folder)
                fixed.save(partial)
                partial.replace(folder / cut.file)
    finally:
        small.unlink()


def _only_our_scripts(source: Path) -> Path:
    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    wanted = [code for first, last in _SCRIPTS for code in range(first, last + 1)]
    options = subset.Options(
        layout_features=["kern", "mark", "ccmp", "locl", "tnum", "calt"],
        hinting=False,
        notdef_outline=True,
        drop_tables=["STAT", "MVAR", "DSIG"],
    )
    target = _temporary(Path(tempfile.gettempdir()))
    with TTFont(source, recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.save(target)
    return target


def _rename(font: TTFont, cut: Cut) -> None:
    names = font["name"]
    plain = cut.file.removesuffix(".ttf")
    for record in list(names.names):
        if record.nameID in {16, 17, 21, 22, 25}:
            names.removeNames(nameID=record.nameID)
    for name_id, text in ((1, f"Inter {cut.family} {cut.weight}"), (2, "Regular"), (4, plain), (6, plain)):
        names.setName(text, name_id, 3, 1, 0x409)


def _temporary(folder: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    os.close(handle)
    return Path(name)
