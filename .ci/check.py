"""What every commit must pass, and says so in one line each. ``make check`` runs it, and so does the CI.

A gate that fails shows what it found; the others still run.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LONGEST_FILE = 400
# Addresses of package registries, and folders of one person's machine, have no place in what everybody gets.
# The names are put together here, so that this file holds none of them itself.
_HOSTS = b"|".join(
    host + rb"\." + end for host, end in ((b"pypi", b"org"), (b"python" + b"hosted", b"org"), (b"npm" + b"js", b"(org|com)"))
)
_HOMES = b"|".join((b"work" + rb"/\w", b"(home|Users)" + rb"/\w+/\w", b"root" + rb"/\w"))
_FOREIGN = re.compile(b"--(extra-)?index" + b"-url|" + b'"resol' + b'ved":|' + _HOSTS + rb"|(?<![\w.])/(" + _HOMES + b")")
_SECRET = re.compile(rb"(sk|rk)_live_[0-9A-Za-z]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY-----")

COMMANDS = {
    "ruff": [BIN / "ruff", "check", "--quiet", "."],
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "types": [BIN / "mypy", "--no-error-summary"],
    "imports": [BIN / "lint-imports", "--no-cache"],
    "words": [sys.executable, "-m", "marketplace.kit.words"],
}


def tracked() -> list[Path]:
    """Return the files that git has, without those that were removed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607 - git is the one on the PATH
    return [path for name in listed.split(b"\0") if name and (path := ROOT / name.decode()).is_file()]


def foreign(files: list[Path]) -> list[str]:
    """Return the lines that hold an address of a registry, a path of one machine, or a secret."""
    found = []
    for path in files:
        name = str(path.relative_to(ROOT))
        content = path.read_bytes()
        if b"\0" in content[:1024]:
            continue
        for number, line in enumerate(content.splitlines(), start=1):
            if _FOREIGN.search(line) or _SECRET.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100].decode(errors='replace')}")
    return found


def too_long(files: list[Path]) -> list[str]:
    """Return the Python files that have grown past one capability."""
    ours = [path for path in files if path.suffix == ".py" and "piccolo_migrations" not in path.parts]
    sizes = {path: len(path.read_bytes().splitlines()) for path in ours}
    return [f"{path.relative_to(ROOT)}: {size} lines, at most {LONGEST_FILE}" for path, size in sizes.items() if size > LONGEST_FILE]


def report(name: str, began: float, trouble: str) -> bool:
    """Print a gate's line, and what it found; return whether it passed."""
    print(f"{'ok  ' if not trouble else 'FAIL'}  {name:<8} {time.monotonic() - began:5.1f} s", flush=True)
    if trouble:
        print(trouble, flush=True)
    return not trouble


def main() -> int:
    """Run every gate and return 1 when any failed."""
    passed = True
    for name, command in COMMANDS.items():
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).strip()
        if done.returncode and name == "format":
            listed = subprocess.run([BIN / "ruff", "format", "--check", "."], cwd=ROOT, capture_output=True, text=True, check=False).stdout
            said = f"Run “make format”:\n{listed.strip()}"
        passed &= report(name, began, (said or "failed without a word") if done.returncode else "")
    files = tracked()
    for name, gate in (("foreign", foreign), ("sizes", too_long)):
        began = time.monotonic()
        passed &= report(name, began, "\n".join(gate(files)))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
