"""What documents need from the machine, and the one command that mends what is missing."""

from __future__ import annotations

import ctypes
import ctypes.util
from pathlib import Path
from typing import NamedTuple

from billing.documents import fonts

LIBRARIES = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
NOTO, DROID = fonts.APT_PACKAGES
PACKAGE_OF = {"NotoSansArabic-Regular.ttf": NOTO, "DroidSansFallback*.ttf": DROID}
FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts", Path.home() / ".fonts")


class Problem(NamedTuple):
    """One thing that is missing: what, the command that mends it, and whether documents can't be made without it."""

    what: str
    mend: str
    fatal: bool


def check() -> list[Problem]:
    """Return what is missing; empty when invoices can be made. Takes some milliseconds, loads no layout engine."""
    return [*_missing_libraries(), *_missing_fonts()]


def _missing_libraries() -> list[Problem]:
    missing = [package for library, package in LIBRARIES.items() if not _loads(library)]
    if not missing:
        return []
    return [Problem("system libraries for PDF are missing", f"apt-get install -y {' '.join(missing)}", fatal=True)]


def _loads(library: str) -> bool:
    for name in (f"lib{library}.so.0", ctypes.util.find_library(library)):
        if name is None:
            continue
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def _missing_fonts() -> list[Problem]:
    problems = []
    if fonts.variable_font() is None and not _installed("NotoSans-Regular.ttf"):
        problems.append(Problem("no typeface for documents", f"apt-get install -y {NOTO}", fatal=True))
    packages = [package for file, package in PACKAGE_OF.items() if not _installed(file)]
    if packages:
        what = "names in Arabic or Chinese can't be printed on invoices"
        problems.append(Problem(what, f"apt-get install -y {' '.join(packages)}", fatal=False))
    return problems


def _installed(pattern: str) -> bool:
    """Look for a font's file; fontconfig's own tools are another package, which may not be there."""
    return any(next(folder.rglob(pattern), None) for folder in FOLDERS if folder.is_dir())
