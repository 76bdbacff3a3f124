"""The real product out of an own home folder: PostgreSQL, web, worker, Stripe sandbox and mail catcher, by ``marketplace up``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from marketplace.kit.settings import ROOT
from tests.browser.town import Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60.0


class Product(msgspec.Struct, frozen=True):
    """Where the parts of the running product are."""

    home: Path
    base: str
    environment: dict[str, str]

    @property
    def sandbox(self) -> str:
        """The Stripe sandbox's address."""
        return self.environment["MARKETPLACE_STRIPE_BASE"]

    def mails(self, to: str) -> list[dict[str, str]]:
        """Return the mails to an address that the catcher took, newest first."""
        found = json.loads(get(f"{self.environment['MARKETPLACE_MAIL_PAGE']}/mails.json"))
        return [mail for mail in found if to in mail["to"]]

    def attachment(self, mail: dict[str, str], number: int = 0) -> bytes:
        """Return an attachment of a mail."""
        return get(f"{self.environment['MARKETPLACE_MAIL_PAGE']}/mails/{mail['id']}/files/{number}")

    def town(self, kind: str, tag: str) -> Town:
        """Make a town in the product's database."""
        made = self.command("-m", "tests.browser.town", kind, tag)
        return msgspec.json.decode(made, type=Town)

    def command(self, *words: str) -> bytes:
        """Run a Python module beside the product and return what it said."""
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=_clean(self.home), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def get(address: str) -> bytes:
    """Return what an address answers."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return bytes(answer.read())


def eventually(what: Callable[[], Any], *, within: float = PATIENCE) -> Any:
    """Ask until there is an answer; for what other processes do."""
    until = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < until, f"nothing within {within:.0f} s"
        time.sleep(0.1)
    return found


def _clean(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MARKETPLACE_", "STRIPE_", "DATABASE_URL", "PORT"))}
    (home / "no.env").write_text("", encoding="ascii")
    return {**kept, "MARKETPLACE_HOME": str(home), "MARKETPLACE_ENV": "", "PYTHONPATH": str(ROOT), **more}


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Run the whole product, once for all tests that need it."""
    with running(tmp_path_factory.mktemp("product")) as made:
        yield made


@contextmanager
def running(home: Path, *, demo: bool = False) -> Iterator[Product]:
    """Run the product until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = {"PORT": str(port), "MARKETPLACE_DEMO": str(int(demo)), "MARKETPLACE_BASE_URL": f"http://127.0.0.1:{port}"}
    with (home / "up.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "marketplace", "up"], cwd=ROOT, env=_clean(home, **more), stdout=log, stderr=log, start_new_session=True
        )
        try:
            note = home / "run.json"
            eventually(lambda: note.exists() or child.poll() is not None, within=180)
            assert child.poll() is None, (home / "up.log").read_text(encoding="utf-8")
            yield Product(home, f"http://127.0.0.1:{port}", json.loads(note.read_bytes())["environment"])
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
