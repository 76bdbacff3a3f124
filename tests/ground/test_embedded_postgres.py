"""The embedded PostgreSQL through its life: first start, deaths, restarts, long paths, closed folders."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from marketplace.kit.postgres import Embedded, InUseError, PostgresError
from marketplace.kit.postgres_programs import Programs, find

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="marketplace-ground-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


def server(folder: Path, *, programs: Programs | None = None) -> Embedded:
    return Embedded(folder / "postgres", programs=programs or find(), durable=False)


def ask(dsn: str, sql: str) -> object:
    async def asked() -> object:
        own = await asyncpg.connect(dsn)
        try:
            return await own.fetchval(sql)
        finally:
            await own.close()

    return asyncio.run(asked())


def pid_of(own: Embedded) -> int:
    assert own.process is not None
    return own.process.pid


def test_data_outlives_a_stop_and_a_start(folder: Path) -> None:
    own = server(folder)
    ask(own.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    own.stop()
    assert not own.answers()
    again = server(folder)
    assert ask(again.start(), "SELECT answer FROM kept") == 42
    again.stop()


def test_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    own = server(folder)
    ask(own.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    for _ in range(3):
        os.kill(pid_of(own), signal.SIGKILL)
        assert own.process is not None
        own.process.wait()
        own.restart()
        assert ask(own.dsn, "SELECT answer FROM kept") == 42
    own.stop()


def test_server_ends_when_its_starter_is_killed_and_starts_again(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from marketplace.kit.postgres import Embedded; "
        "from marketplace.kit.postgres_programs import find; "
        "own = Embedded(Path(sys.argv[1]), programs=find(), durable=False); own.start(); print(own.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder / "postgres")], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
    own = server(folder)
    assert ask(own.start(), "SELECT 1") == 1
    assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    own.stop()


def test_two_starters_do_not_share_a_folder(folder: Path) -> None:
    own = server(folder)
    own.start()
    with pytest.raises(InUseError, match=str(os.getpid())):
        server(folder).start()
    assert own.answers()
    own.stop()


def test_an_unfinished_first_start_is_begun_again(folder: Path) -> None:
    half = folder / "postgres" / "incomplete"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    own = server(folder)
    assert ask(own.start(), "SELECT 1") == 1
    own.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_door(folder: Path) -> None:
    deep = folder.joinpath(*["a-folder-with-quite-a-long-name"] * 5)
    own = server(deep)
    assert ask(own.start(), "SELECT 1") == 1
    door = own.door
    assert deep not in door.parents
    assert door.stat().st_mode & 0o777 == 0o700
    own.stop()
    assert not door.exists()


def test_only_the_owner_passes_the_door(folder: Path) -> None:
    own = server(folder)
    own.start()
    for private in (own.data, own.door, own.state):
        assert private.stat().st_mode & 0o777 == 0o700
    own.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand over to another user")
def test_root_runs_it_below_a_folder_that_is_closed_to_everybody_else() -> None:
    package = find().folder.parents[1]
    closed = Path(tempfile.mkdtemp(prefix="marketplace-closed-"))
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.copytree(package / "pginstall", closed / "x" / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / "x" / f"{package.name}.libs", symlinks=True)
    own = server(closed / "home", programs=Programs(closed / "x" / package.name / "pginstall" / "bin", "wheel 18.6.3"))
    assert ask(own.start(), "CREATE TABLE kept (at timestamptz)") is None
    status = Path(f"/proc/{pid_of(own)}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    own.stop()
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to copy the programs")
def test_root_copies_programs_that_nobody_else_may_reach(folder: Path) -> None:
    package = find().folder.parents[1]
    closed = Path(tempfile.mkdtemp(prefix="marketplace-closed-"))
    shutil.copytree(package / "pginstall", closed / "x" / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / "x" / f"{package.name}.libs", symlinks=True)
    own = server(folder, programs=Programs(closed / "x" / package.name / "pginstall" / "bin", "wheel 18.6.3"))
    assert ask(own.start(), "SELECT 1") == 1
    assert (own.state / "programs" / "18.6.3").is_dir()
    own.stop()
    shutil.rmtree(closed)


def test_data_of_another_major_version_is_refused_with_the_mend(folder: Path) -> None:
    own = server(folder)
    own.start()
    own.stop()
    (own.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresError, match=r"was made by PostgreSQL 12, and this is 18 .* set PG_BIN"):
        server(folder).start()


def test_a_stale_pid_of_another_program_does_not_stop_the_start(folder: Path) -> None:
    own = server(folder)
    own.start()
    own.stop()
    (own.data / "postmaster.pid").write_text(f"{os.getppid()}\n{own.data}\n{int(time.time())}\n5432\n")
    again = server(folder)
    assert ask(again.start(), "SELECT 1") == 1
    again.stop()


def test_missing_programs_are_said_with_the_mend(folder: Path) -> None:
    with pytest.raises(PostgresError, match="PG_BIN is .* no initdb"):
        find(str(folder))
    with pytest.raises(PostgresError, match="apt-get install postgresql-9"):
        find(major=9)


@pytest.mark.skipif(not DEBIAN_15.is_dir(), reason="Debian's PostgreSQL 15 is not installed")
def test_debians_programs_serve_too(folder: Path) -> None:
    own = server(folder, programs=find(str(DEBIAN_15)))
    assert "PostgreSQL 15" in str(ask(own.start(), "SELECT version()"))
    own.stop()
