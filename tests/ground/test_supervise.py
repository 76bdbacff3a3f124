"""The supervisor, with small parts that behave badly: they die, leave helpers, ignore requests to stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace import runtime
from marketplace.kit.postgres_programs import LAUNCH
from marketplace.supervise import Part, Supervisor


class Script(Part):
    """A part that runs a line of Python instead of one of our verbs."""

    def __init__(self, name: str, code: str, folder: Path, *, patience: float = 5) -> None:
        super().__init__(name, [], environment=dict(os.environ), log=folder / f"{name}.log", patience=patience)
        self._command = [sys.executable, "-c", code]


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    said: list[str] = []
    made = Supervisor(say=said.append)
    made.said = said  # type: ignore[attr-defined]
    yield made
    made.stop()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(ready: object, *, within: float = 10) -> bool:
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if ready():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_killed_part_is_back_within_five_seconds(supervisor: Supervisor, tmp_path: Path) -> None:
    part = Script("worker", "import time; time.sleep(60)", tmp_path)
    supervisor.start(part)
    assert part.process is not None
    first = part.process.pid
    os.kill(first, signal.SIGKILL)
    assert supervisor.until(lambda: part.process is not None and part.process.pid != first and alive(part.process.pid), within=5)
    assert any("The worker was killed by SIGKILL" in line for line in supervisor.said)  # type: ignore[attr-defined]


def test_the_last_lines_of_a_dead_part_are_shown(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Script("web", "raise SystemExit('no such table')", tmp_path))
    assert not supervisor.until(lambda: False, within=30)
    said = supervisor.said  # type: ignore[attr-defined]
    assert any("The web ended with code 1" in line for line in said)
    assert "  | no such table" in said


def test_helpers_of_a_dead_part_do_not_stay(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "helper"
    code = (
        f"import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    part = Script("worker", code, tmp_path)
    supervisor.start(part)
    assert until(lambda: note.exists() and note.read_text())
    helper = int(note.read_text())
    assert part.process is not None
    part.process.kill()
    assert supervisor.until(lambda: not alive(helper), within=5)


def test_a_part_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w'); time.sleep(60)"
    stubborn, own = Script("stubborn", code, tmp_path, patience=0.3), Supervisor(say=lambda _text: None)
    own.start(stubborn)
    assert until(ready.exists)
    own.stop()
    assert stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


def test_a_launched_program_ends_with_a_killed_parent() -> None:
    code = (
        "import os, subprocess, sys, time; "
        f"p = subprocess.Popen([sys.executable, '-I', '-S', {str(LAUNCH)!r}, '--parent', str(os.getpid()), '--', 'sleep', '60']); "
        "print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert until(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes())
        parent.kill()
    assert until(lambda: not alive(child))


def marketplace(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {**os.environ, "MARKETPLACE_ENV": "", **environ}
    return subprocess.run([sys.executable, "-m", "marketplace", *words], env=own, capture_output=True, text=True, check=False, timeout=60)


def test_a_busy_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with runtime.listen(0) as taken:
        port = taken.getsockname()[1]
        done = marketplace("up", PORT=str(port), MARKETPLACE_HOME=str(tmp_path / "home"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().splitlines() == [
        f"Error: Port {port} is in use: stop the program that listens there, or choose another port, for example PORT={port + 1}."
    ]
    assert not (tmp_path / "home").exists()


def test_a_home_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lock = runtime.claim(tmp_path)
    assert lock is not None
    with lock:
        done = marketplace("up", PORT=str(port), MARKETPLACE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert f"in use by process {os.getpid()}" in done.stderr


def test_a_wrong_setting_is_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    done = marketplace("jobs", MARKETPLACE_HOME=str(tmp_path), MARKETPLACE_BASEURL="x")
    assert done.returncode == 1
    assert done.stderr.strip() == "MARKETPLACE_BASEURL is not a setting: did you mean MARKETPLACE_BASE_URL?"


def test_every_verb_has_help_with_an_example() -> None:
    from click.testing import CliRunner

    from marketplace.cli import VERBS, cli

    for verb in VERBS:
        shown = CliRunner().invoke(cli, [verb, "--help"])
        assert shown.exit_code == 0, verb
        assert "Example: marketplace" in shown.output or "marketplace " + verb in shown.output, verb


def test_a_note_of_a_killed_run_is_not_believed(tmp_path: Path) -> None:
    lock = runtime.claim(tmp_path)
    assert lock is not None
    told = runtime.Running(pid=os.getpid(), started_at="2026-11-23T09:00:00+00:00", environment={"DATABASE_URL": "postgresql://x@/y"})
    runtime.announce(tmp_path, told)
    assert runtime.running(tmp_path) == told
    lock.close()
    assert runtime.running(tmp_path) is None
