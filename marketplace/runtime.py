"""What runs on this machine out of one home folder, and how its parts and the commands beside it find each other.

``marketplace up`` writes ``run.json`` (addresses, keys of the sandbox) and holds a lock for as long as it lives; a
command in another shell reads the one and looks at the other. Servers with ``DATABASE_URL`` need none of this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import time
from typing import IO, TYPE_CHECKING

import msgspec

from marketplace.kit import settings as kit_settings
from marketplace.kit.postgres import Embedded, InUseError
from marketplace.kit.postgres_programs import find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketplace.kit.settings import Settings

_PATIENCE = 30.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that ``marketplace up`` has running, as environment variables for those who join."""

    pid: int
    started_at: str
    environment: dict[str, str]


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of the last start, which links in mails and on invoices may still hold."""

    sandbox: int = 0
    mail: int = 0
    mail_page: int = 0


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """The sandbox's own key and webhook secret, made once a home folder."""

    api_key: str
    webhook_secret: str


def claim(home: Path) -> IO[str] | None:
    """Take the home folder for this process until the file is closed; None while another process has it."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def holder(home: Path) -> str:
    """Return the pid of the process that has the home folder, as far as it is known."""
    with contextlib.suppress(OSError):
        return (home / "lock").read_text(encoding="ascii").strip() or "?"
    return "?"


def announce(home: Path, running: Running) -> None:
    """Write what runs, readable by this user only."""
    _write(home / "run.json", running)


def withdraw(home: Path) -> None:
    """Say that nothing runs any more."""
    (home / "run.json").unlink(missing_ok=True)


def running(home: Path) -> Running | None:
    """Return what ``marketplace up`` has running out of this home, or None; a note left by a killed one is not believed."""
    try:
        found = msgspec.json.decode((home / "run.json").read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    lock = claim(home)
    if lock is not None:
        lock.close()
        return None
    return found if str(found.pid) == holder(home) else None


def keys(home: Path) -> Keys:
    """Return the sandbox's keys, made at the first use."""
    path = home / "sandbox.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except (OSError, msgspec.DecodeError):
        made = Keys(api_key=f"sk_test_sandbox_{secrets.token_hex(16)}", webhook_secret=f"whsec_{secrets.token_hex(24)}")
        _write(path, made)
        return made


def ports(home: Path) -> Ports:
    """Return the ports of the last start (zeros when there was none)."""
    try:
        return msgspec.json.decode((home / "ports.json").read_bytes(), type=Ports)
    except (OSError, msgspec.DecodeError):
        return Ports()


def remember(home: Path, used: Ports) -> None:
    """Keep the ports for the next start."""
    _write(home / "ports.json", used)


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket that child processes may inherit. Raises ``OSError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_STREAM)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((host, port))
        own.listen(512)
    except BaseException:
        own.close()
        raise
    own.set_inheritable(True)
    return own


def listen_near(port: int) -> socket.socket:
    """Return a socket on this port when it is free, else on any free one."""
    with contextlib.suppress(OSError):
        return listen(port)
    return listen(0)


def embedded(loaded: Settings) -> Embedded:
    """Return the embedded server of a home folder, not started."""
    return Embedded(loaded.home / "postgres", programs=find(loaded.pg_bin), log=loaded.home / "log" / "postgres.log")


@contextlib.contextmanager
def joined() -> Iterator[Settings]:
    """Give the settings with a database to work on, for one command.

    That is ``DATABASE_URL``, or what ``marketplace up`` has running, or the embedded database started for the moment.
    """
    loaded = kit_settings.settings()
    until = time.monotonic() + _PATIENCE
    while True:
        found = running(loaded.home)
        if found is not None:
            yield _with({name: value for name, value in found.environment.items() if not os.environ.get(name)})
            return
        if loaded.database_url:
            yield loaded
            return
        lock = claim(loaded.home)
        if lock is not None:
            break
        if time.monotonic() > until:
            message = f"Process {holder(loaded.home)} has the database in {loaded.home}: wait for it to end, or stop it."
            raise InUseError(message)
        time.sleep(0.1)
    server = embedded(loaded)
    with lock:
        try:
            yield _with({"DATABASE_URL": server.start()})
        finally:
            server.stop()


def _with(extra: dict[str, str]) -> Settings:
    os.environ.update(extra)
    return kit_settings.reload()


def _write(path: Path, value: msgspec.Struct) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value)))
    draft.replace(path)
