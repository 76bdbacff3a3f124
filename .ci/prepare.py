"""Makes a checkout ready to run: virtual environment, locked packages, system libraries. Standard library only.

``python3 .ci/prepare.py run`` for the product, ``… test`` for the tests too. Doing it again costs a tenth of a second.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}

# What no wheel carries: Debian's package, and how to see that it is there.
LIBRARIES = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
}
PROGRAMS = {"chromium": "chromium", "poppler-utils": "pdftoppm", "qpdf": "qpdf", "git": "git"}
FONTS = {"fonts-noto-core": "noto/NotoSans*", "fonts-droid-fallback": "droid/DroidSansFallback*"}


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def stop(text: str) -> None:
    """End with a sentence and its mend."""
    sys.exit(text)


def environment() -> None:
    """Make the virtual environment if there is none that runs."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return
    say("Making the virtual environment in .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install([f"python{version}-venv"], "Python's venv module")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        stop(f"The virtual environment could not be made: {(made.stdout + made.stderr).strip()}")


def packages(purpose: str) -> None:
    """Install the locked packages, unless the last installation was of these very locks into this very place."""
    wanted = fingerprint(purpose)
    if any(stamp(one).is_file() and stamp(one).read_text() == fingerprint(one) for one in {purpose, "test"}):
        return
    lock = ROOT / LOCKS[purpose]
    count = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
    say(f"Installing the packages of {lock.name} (up to {count}; the first time takes a minute or two)")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
    done = subprocess.run([*command, "--progress-bar", "off"], check=False, capture_output=True, text=True)
    if done.returncode:
        told = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-8:])
        stop(f"pip could not install the packages; check this machine's network or its pip configuration, then run it again:\n{told}")
    link()
    for old in LOCKS:
        stamp(old).unlink(missing_ok=True)
    stamp(purpose).write_text(wanted)


def stamp(purpose: str) -> Path:
    """Return where the last installation is noted."""
    return VENV / f".installed-{purpose}"


def fingerprint(purpose: str) -> str:
    """Return what an installation depends on: the lock, the interpreter and the place."""
    parts = (ROOT / LOCKS[purpose]).read_bytes(), os.fsencode(ROOT), os.fsencode(os.path.realpath(PYTHON)), Path(__file__).read_bytes()
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def link() -> None:
    """Let the environment import this checkout, and give it the command ``marketplace``."""
    site = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True
    ).stdout.strip()
    Path(site, "ecl_marketplace.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = VENV / "bin" / "marketplace"
    command.write_text(
        f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\nimport sys\nfrom marketplace.cli import main\nsys.exit(main())\n",
        encoding="utf-8",
    )
    command.chmod(0o755)


def missing(purpose: str) -> list[str]:
    """Debian's names of the system parts that are not there."""
    lacking = []
    for package, library in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            lacking.append(package)
    if purpose == "test":
        lacking += [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
        lacking += [package for package, files in FONTS.items() if not any(Path("/usr/share/fonts").glob(f"**/{files}"))]
    return lacking


def install(names: list[str], what: str) -> None:
    """Install Debian packages when that is possible without asking; else stop with the command to run."""
    command = f"apt-get update && apt-get install --no-install-recommends -y {' '.join(names)}"
    if shutil.which("apt-get") is None:
        stop(f"Missing: {what}. Install what Debian calls {' '.join(names)}, then run this again.")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (shutil.which("sudo") is None or subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode):
        stop(f"Missing: {what}. Run this once as root, then try again:\n  {command}")
    say(f"Installing from Debian: {' '.join(names)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=False, capture_output=True, env=quiet)
    done = subprocess.run(
        [*sudo, "apt-get", "install", "-qq", "--no-install-recommends", "-y", *names],
        check=False,
        capture_output=True,
        text=True,
        env=quiet,
    )
    if done.returncode:
        told = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-6:])
        stop(f"apt-get could not install {what}; mend its complaint, or run by hand: {command}\n{told}")


def main() -> None:
    """Prepare for the purpose that is the first argument."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "run"
    if purpose not in LOCKS:
        stop("Say what for: .ci/prepare.py run, or .ci/prepare.py test.")
    if sys.version_info < (3, 11):  # noqa: UP036 - this file has to be read by the Python that it refuses
        stop(f"This needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: run “make PYTHON=python3.11 …”.")
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # two makes at once take turns
    try:
        environment()
        packages(purpose)
        if lacking := missing(purpose):
            install(lacking, "system libraries" if purpose == "run" else "system libraries and programs for the tests")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
