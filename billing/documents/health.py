"""What documents need from the machine, and the one command that mends what is missing."""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import subprocess
from typing import NamedTuple

from billing.documents import fonts

LIBRARIES = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
NOTO, DROID = fonts.APT_PACKAGES
PACKAGE_OF = {"Noto Sans Arabic": NOTO, "Droid Sans Fallback": DROID}
LOOK_SECONDS = 10


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
    own = fonts.variable_font() is not None
    families = _families()
    problems = []
    if not own and "Noto Sans" not in families:
        problems.append(Problem("no typeface for documents", f"apt-get install -y {NOTO}", fatal=True))
    packages = [package for family, package in PACKAGE_OF.items() if family not in families]
    if packages:
        what = "names in Arabic or Chinese can't be printed on invoices"
        problems.append(Problem(what, f"apt-get install -y {' '.join(packages)}", fatal=False))
    return problems


def _families() -> set[str]:
    """Return the installed font families; empty when fontconfig's tool isn't there."""
    tool = shutil.which("fc-list")
    if tool is None:
        return set()
    listed = subprocess.run([tool, ":", "family"], capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)  # noqa: S603
    return {name.strip() for line in listed.stdout.splitlines() for name in line.split(",")}
