"""A PostgreSQL of our own: its data in a folder, its door a socket that only this user can open.

It starts in half a second, ends with the process that started it (also when that is killed), and survives being
killed itself. A server of somebody else's (``DATABASE_URL``) has nothing to do with this module.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from marketplace.kit.postgres_programs import NOBODY, PostgresError, Programs, Runner, find, runner

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Embedded", "InUseError", "PostgresError", "temporary"]

USER = DATABASE = "marketplace"
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 107
_PATIENCE = 10.0
_PROTOCOL_3 = 196608
_EASY = re.compile(r"[A-Za-z0-9/._-]+")
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")


class InUseError(PostgresError):
    """Another process of ours has this data folder."""


class Embedded:
    """A server on ``state/data``; ``start()`` and ``stop()`` belong to one process, which must call them from its main thread."""

    def __init__(self, state: Path, *, programs: Programs, log: Path | None = None, durable: bool = True) -> None:
        self.state = state.absolute()
        self.programs = programs
        self.process: subprocess.Popen[bytes] | None = None
        self._log = log or self.state / "postgres.log"
        self._durable = durable
        self._lock: IO[str] | None = None
        self._runner: Runner | None = None

    @property
    def data(self) -> Path:
        """The folder that PostgreSQL keeps its data in."""
        return self.state / "data"

    @property
    def door(self) -> Path:
        """The folder of the socket: beside the data, or in the machine's runtime folder where the path would be too long."""
        beside = self.state / "s"
        if len(os.fsencode(beside / _SOCKET)) <= _LONGEST_SOCKET_PATH and _EASY.fullmatch(str(beside)):
            return beside
        short = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]
        return Path(tempfile.gettempdir() if len(tempfile.gettempdir()) < 60 else "/tmp") / f"marketplace-{os.geteuid()}-{short}"  # noqa: S108 - a 0700 folder of ours

    @property
    def dsn(self) -> str:
        """The address for clients."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.door), safe='')}"

    def start(self) -> str:
        """Start the server, making its data folder the first time, and return the address for clients.

        Raises ``InUseError`` while another process of ours runs it, ``PostgresError`` when it can't be run.
        """
        self._claim()
        try:
            run = self._runner = runner(self.programs, self.state)
            self._own(self.state)
            self._check_major(run)
            self._make_door()
            if not self.data.is_dir():
                self._create(run)
            self._end_leftovers()
            self._open(run)
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def restart(self) -> None:
        """Start again after the server died. Raises ``PostgresError``."""
        if self._runner is None:
            message = "The database was never started."
            raise PostgresError(message)
        self._end_leftovers()
        self._open(self._runner)

    def stop(self) -> None:
        """Stop the server (sessions are cut, nothing committed is lost) and let go of its folder."""
        if self.process is not None:
            for number, patience in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                if self.process.poll() is None:
                    self.process.send_signal(number)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(patience)
            self.process = None
        if self._lock is not None:
            if self.door.parent != self.state:
                shutil.rmtree(self.door, ignore_errors=True)
            self._lock.close()
            self._lock = None

    def answers(self) -> bool:
        """Whether it answers a query now."""
        return _answers(self.door / _SOCKET)

    def _claim(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        lock = (self.state / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            message = f"The database in {self.state} is in use by process {holder or '?'}: wait for it to end, or stop it."
            raise InUseError(message) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _own(self, folder: Path) -> None:
        """Make a folder private to the user that PostgreSQL runs as."""
        user = NOBODY if os.geteuid() == 0 else os.geteuid()
        if folder.lstat().st_uid != user:
            os.chown(folder, user, -1, follow_symlinks=False)
        folder.chmod(0o700)

    def _make_door(self) -> None:
        with contextlib.suppress(FileExistsError):
            self.door.mkdir(mode=0o700)
        found = self.door.lstat()
        if self.door.is_symlink() or found.st_uid not in {os.geteuid(), NOBODY if os.geteuid() == 0 else os.geteuid()}:
            message = f"{self.door} belongs to somebody else: remove it, or set MARKETPLACE_HOME to a shorter path."
            raise PostgresError(message)
        self._own(self.door)

    def _check_major(self, run: Runner) -> None:
        major = run.major()
        written = self.data / "PG_VERSION"
        if written.is_file() and (made_by := written.read_text(encoding="ascii").strip()) != str(major):
            message = (
                f"The database in {self.data} was made by PostgreSQL {made_by}, and this is {major} ({self.programs.origin}): "
                f"set PG_BIN to the programs of PostgreSQL {made_by}, or move the folder away to start with an empty database."
            )
            raise PostgresError(message)

    def _create(self, run: Runner) -> None:
        draft = self.state / "incomplete"
        shutil.rmtree(draft, ignore_errors=True)
        sync = () if self._durable else ("--no-sync",)
        self._run(
            run, "initdb", "-D", str(draft), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", *sync
        )
        self._run(run, "postgres", "--single", "-D", str(draft), "postgres", feed=f"CREATE DATABASE {DATABASE};\n")
        draft.rename(self.data)

    def _run(self, run: Runner, program: str, *args: str, feed: str = "") -> None:
        done = subprocess.run(
            run.command(program, *args), input=feed, capture_output=True, text=True, check=False, cwd="/", env=_environment()
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            message = f"PostgreSQL's {program} failed in {self.state} ({said}): mend that, or set DATABASE_URL to a server."
            raise PostgresError(message)

    def _end_leftovers(self) -> None:
        """End a server that outlived its starter, and take away what a killed one left. We hold the folder's lock."""
        note = self.data / "postmaster.pid"
        until = time.monotonic() + _PATIENCE
        while (pid := _postmaster(note, self.data)) is not None:
            late = time.monotonic() > until
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGINT)
            time.sleep(0.1)
        note.unlink(missing_ok=True)
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (self.door / name).unlink(missing_ok=True)

    def _open(self, run: Runner) -> None:
        """Start the server and wait until it answers; a killed one's memory may need a moment to be given back."""
        until = time.monotonic() + _PATIENCE
        while True:
            self.process = self._spawn(run)
            while self.process.poll() is None:
                if self.answers():
                    return
                time.sleep(0.02)
            if time.monotonic() > until:
                message = f"PostgreSQL does not start: see {self._log}."
                raise PostgresError(message)
            time.sleep(0.3)

    def _spawn(self, run: Runner) -> subprocess.Popen[bytes]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self.door).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            "log_line_prefix": "%m [%p] ",
        }
        args = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        if not self._durable:
            args += _FAST
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                run.command("postgres", "-D", str(self.data), *args, signal_at_end=signal.SIGINT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _postmaster(note: Path, data: Path) -> int | None:
    """Return the pid of a live server on this very folder, or None; a pid that another program has by now does not count."""
    try:
        pid = int(note.read_text(encoding="utf-8").split("\n", 1)[0])
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(data) in words else None


def _answers(path: Path) -> bool:
    """Whether a real query is answered; a socket that merely accepts may belong to a server that is starting or dying."""
    start = b"".join(part.encode() + b"\0" for part in ("user", USER, "database", DATABASE)) + b"\0"
    with socket.socket(socket.AF_UNIX) as own, contextlib.suppress(OSError, struct.error):
        own.settimeout(2)
        own.connect(str(path))
        own.sendall(struct.pack("!ii", len(start) + 8, _PROTOCOL_3) + start)
        _read_until(own, b"Z")
        own.sendall(b"Q" + struct.pack("!i", 13) + b"SELECT 1\0")
        _read_until(own, b"C")
        own.sendall(b"X" + struct.pack("!i", 4))
        return True
    return False


def _read_until(own: socket.socket, wanted: bytes) -> None:
    """Read PostgreSQL's messages until one of a kind. Raises ``OSError`` at an error message or the end."""
    stream = own.makefile("rb", buffering=0)
    while (head := stream.read(1)) != wanted:
        if head in {b"", b"E", None}:
            raise ConnectionError
        _skip(stream)
    _skip(stream)


def _skip(stream: socket.SocketIO) -> None:
    left = struct.unpack("!i", stream.read(4) or b"")[0] - 4
    while left > 0:
        part = stream.read(left)
        if not part:
            raise ConnectionError
        left -= len(part)


@contextlib.contextmanager
def temporary(*, pg_bin: str = "", major: int | None = None) -> Iterator[str]:
    """Give the address of an empty server for tests: in a temporary folder, without ``fsync``, gone afterwards.

    ``MARKETPLACE_TEST_PG=15`` (or ``major``) takes Debian's PostgreSQL of that version instead of the wheel's.
    """
    asked = major or int(os.environ.get("MARKETPLACE_TEST_PG") or 0) or None
    folder = Path(tempfile.mkdtemp(prefix="marketplace-pg-"))
    folder.chmod(0o711)
    server = Embedded(folder / "postgres", programs=find(pg_bin or os.environ.get("PG_BIN", ""), major=asked), durable=False)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
