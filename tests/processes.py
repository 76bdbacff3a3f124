"""Web processes and workers as they run in life, each a process of its own on the test's committed database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

from marketplace.kit.postgres_programs import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
FULL = bool(os.environ.get("MARKETPLACE_TEST_FULL"))


def measured(text: str) -> None:
    """Write down a figure, for those who run pytest with ``-s``."""
    sys.stdout.write(f"\n{text}\n")


def free_port() -> int:
    """Return a port on which nobody listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        return int(own.getsockname()[1])


class Process:
    """One verb of ours (``serve``, ``worker``) as a process; ends with the block."""

    def __init__(self, verb: str, dsn: str, log: Path, **environment: str) -> None:
        self.verb = verb
        self.log = log
        self.environment = {**os.environ, "DATABASE_URL": dsn, "PYTHONPATH": str(ROOT), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it in a group of its own, so that its helpers can be ended with it."""
        with self.log.open("ab") as out:
            launch = [sys.executable, "-I", "-S", str(LAUNCH), "--parent", str(os.getpid()), "--signal", str(int(signal.SIGKILL)), "--"]
            command = [*launch, sys.executable, "-m", "marketplace", self.verb]  # ends with us, also when we are killed
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=out, stderr=out, start_new_session=True)

    def kill(self) -> None:
        """End it without a word: ``kill -9``, to the process alone and then to what it left."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        """Return what it wrote."""
        return self.log.read_text(errors="replace")


class Web(Process):
    """A web process on a free port."""

    def __init__(self, dsn: str, log: Path, **environment: str) -> None:
        self.port = free_port()
        super().__init__("serve", dsn, log, PORT=str(self.port), **environment)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def until_ready(self, *, within: float = 30) -> None:
        """Wait until ``/readyz`` is 200."""
        if not until(lambda: status(self.url + "/readyz") == 200, within=within):
            raise AssertionError(f"the web process never got ready:\n{self.said()[-3000:]}")


class Worker(Process):
    """A worker process."""

    def __init__(self, dsn: str, log: Path, **environment: str) -> None:
        super().__init__("worker", dsn, log, **environment)


def status(url: str) -> int:
    """Return the status that an address answers with, 0 when nobody answers."""
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.HTTPError:
        return 0


def until(so: Callable[[], bool], *, within: float, every: float = 0.05) -> bool:
    """Wait until something is so; tell whether it came to be."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if so():
            return True
        time.sleep(every)
    return so()
