"""Runs the product's processes on one machine: starts them, starts again what dies, and leaves none behind.

Each process is its own group with its own log. They end with this one, even when it is killed outright. What the
processes do is none of its business.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from marketplace.kit.postgres_programs import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType

TICK = 0.1
_DELAYS = (0.2, 1.0, 2.0, 4.0)
_SETTLED = 30.0
_ROTATE = 10_000_000
_TAIL = 8
_HOPELESS = 3


class Stopping(Exception):
    """Somebody asked us to stop."""


class Part:
    """One process of the product: ``marketplace <words>`` with its environment, sockets and log."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        sockets: Iterable[int] = (),
        patience: float = 10,
        leaned_on: bool = False,
    ) -> None:
        self.name = name
        self.patience = patience
        self.leaned_on = leaned_on
        self.log = log
        self._command = [sys.executable, "-m", "marketplace", *words]
        self._environment = dict(environment)
        self._sockets = tuple(sockets)
        self._from = 0
        self.deaths = 0
        self._began = 0.0
        self._again_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it ends when we do."""
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _ROTATE:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as out:
            self._from = out.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCH), "--parent", str(os.getpid()), "--", *self._command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._environment,
                pass_fds=self._sockets,
                start_new_session=True,
            )
        self._began = time.monotonic()

    def died(self) -> str | None:
        """Return how the process ended, once for each death; None while it runs or waits to be started again."""
        if self.process is None or self.process.poll() is None:
            return None
        code = self.process.returncode
        self.sweep()
        self.process = None
        settled = time.monotonic() - self._began > _SETTLED
        self.deaths = 0 if settled else self.deaths + 1
        self._again_at = time.monotonic() + _DELAYS[min(self.deaths, len(_DELAYS) - 1)]
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def due(self) -> bool:
        """Whether it is time to start it again."""
        return self.process is None and time.monotonic() >= self._again_at

    def last_lines(self) -> list[str]:
        """Return the last lines that this run of the process wrote."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(self._from, self.log.stat().st_size - 4000))
            return file.read().decode(errors="replace").strip().splitlines()[-_TAIL:]
        return []

    def ask_to_stop(self) -> None:
        """Send the signal to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def sweep(self) -> None:
        """Kill what is left of its group: a killed process can't end its own helpers."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Keeps parts running until it is told to stop."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self.say = say
        self.parts: list[Part] = []
        self.database: Callable[[], None] | None = None
        self._asked = 0
        self._make = _make_above()

    def listen(self) -> None:
        """Take the signals that mean "stop": Ctrl-C, TERM, and the terminal going away."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1

    def check(self) -> None:
        """Raise ``Stopping`` when somebody asked us to stop, by a signal or by interrupting the ``make`` above us."""
        if self._asked or (self._make is not None and self._make.gone()):
            raise Stopping

    def start(self, part: Part) -> None:
        """Start a part and look after it from now on."""
        part.start()
        self.parts.append(part)

    def until(self, ready: Callable[[], bool], *, within: float) -> bool:
        """Look after the parts until ``ready()``; False when it takes too long or one keeps dying. Raises ``Stopping``.

        ``within`` is in seconds.
        """
        limit = time.monotonic() + within
        while not ready():
            if time.monotonic() > limit or any(part.deaths >= _HOPELESS for part in self.parts):
                return False
            self.turn()
        return True

    def turn(self) -> None:
        """Start again what died, then rest a moment. Raises ``Stopping``."""
        self.check()
        if self.database is not None:
            self.database()
        for part in self.parts:
            how = part.died()
            if how is not None:
                self.say(f"The {part.name} {how}; starting it again. Its log: {part.log}")
                for line in part.last_lines() if part.deaths <= 1 else ():
                    self.say(f"  | {line}")
            elif part.due():
                part.start()
        time.sleep(TICK)

    def stop(self) -> None:
        """End every part: politely, those that others lean on last, then by force. A second Ctrl-C goes straight to force."""
        already = self._asked
        for wave in ([part for part in self.parts if not part.leaned_on], [part for part in self.parts if part.leaned_on]):
            for part in wave:
                part.ask_to_stop()
            for part in wave:
                limit = time.monotonic() + part.patience
                while part.process is not None and part.process.poll() is None and time.monotonic() < limit and self._asked <= already + 1:
                    time.sleep(TICK / 5)
                part.sweep()
                if part.process is not None:
                    part.process.wait()


class _Make:
    """The ``make`` above us. Interrupted alone, it waits for its children without passing the signal on; we look for that."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._caught = self._catches()

    def gone(self) -> bool:
        """Whether it died, or was told to stop: then it no longer catches the signal that it caught."""
        return os.getppid() != self._pid or bool(self._caught & ~self._catches())

    def _catches(self) -> int:
        stopping = (1 << (signal.SIGINT - 1)) | (1 << (signal.SIGTERM - 1))
        with contextlib.suppress(OSError, StopIteration, ValueError):
            lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16) & stopping
        return 0


def _make_above() -> _Make | None:
    """Return the ``make`` that started us, if one did."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text().strip() in {"make", "gmake"}:
            return _Make(parent)
    return None
