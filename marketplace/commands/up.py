"""``marketplace up``: the whole product on this machine, with a database, a mail catcher and a Stripe sandbox of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from marketplace import runtime
from marketplace.kit import clock
from marketplace.kit.postgres_programs import LAUNCH
from marketplace.kit.settings import settings
from marketplace.supervise import Part, Stopping, Supervisor

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from marketplace.kit.postgres import Embedded
    from marketplace.kit.settings import Settings

_READY_SECONDS = 60
SIGN_INS = (
    ("hr@demo.example", "HR of one company"),
    ("approver@demo.example", "approver, same company"),
    ("finance@demo.example", "finance, same company"),
    ("hr@other.example", "HR of another company"),
    ("partner@demo.example", "training provider"),
    ("partner@other.example", "another provider"),
    ("ecl@demo.example", "Expat Centre Leiden"),
    ("ecl2@demo.example", "Expat Centre Leiden, the second pair of eyes"),
)


@click.command()
def up() -> int:
    """Run the whole product on this machine, until Ctrl-C.

    Starts the database (or uses DATABASE_URL), the web process, a worker, the Stripe sandbox and the mail catcher, and
    starts again what dies. The demo data is made the first time.

    \b
    Example: PORT=9000 marketplace up
    """
    loaded = settings()
    try:
        web = runtime.listen(loaded.port, loaded.host)
    except OSError as error:
        raise click.ClickException(_busy(loaded, error)) from None
    lock = runtime.claim(loaded.home)
    if lock is None:
        raise click.ClickException(
            f"This home ({loaded.home}) is in use by process {runtime.holder(loaded.home)}: stop it, or set MARKETPLACE_HOME to another folder."
        )
    with lock, web:
        return Product(loaded, web).run()


def _busy(loaded: Settings, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"Port {loaded.port} needs root: choose one above 1023, for example PORT=8000."
    if error.errno == 98:
        return f"Port {loaded.port} is in use: stop the program that listens there, or choose another port, for example PORT={loaded.port + 1}."
    return f"{loaded.host}:{loaded.port} can't be listened on ({error.strerror}): correct MARKETPLACE_HOST or PORT."


class Product:
    """One run of the product out of one home folder."""

    def __init__(self, loaded: Settings, web: socket.socket) -> None:
        self.loaded = loaded
        self.web = web
        self.supervisor = Supervisor(say=say)
        self.server: Embedded | None = None
        self.sandbox: socket.socket | None = None
        self.mail: tuple[socket.socket, socket.socket] | None = None
        self.gate, self._gate_key = os.pipe()
        self.environment = {
            **os.environ,
            "MARKETPLACE_HOME": str(loaded.home),
            "PORT": str(loaded.port),
            "PYTHONUNBUFFERED": "1",
            "TZ": "UTC",
        }
        self.environment["MARKETPLACE_BASE_URL"] = loaded.base_url
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a start without compiled modules takes twice as long

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.loaded.home / "log"

    def run(self) -> int:
        """Start everything, say where it is, and look after it until somebody stops it."""
        supervisor = self.supervisor
        supervisor.listen()
        try:
            self._open_sandbox()
            self._open_mail_catcher()
            self._choose_database()
            self._start_web()
            self._start_database()
            self._prepare()
            self._open_gate()
            if not supervisor.until(self._answers, within=_READY_SECONDS):
                say(f"The product does not start: see the log of the part above, or {self.logs / 'web.log'}.")
                return 1
            self._start_others()
            runtime.announce(self.loaded.home, self._running())
            self._welcome()
            while True:
                supervisor.turn()
        except Stopping:
            say("\nStopping …")
            return 0
        finally:
            runtime.withdraw(self.loaded.home)
            self._open_gate()
            supervisor.stop()
            if self.server is not None:
                self.server.stop()
            say(f"Everything is stopped; the data is kept in {_short(self.loaded.home)}.")

    def _choose_database(self) -> None:
        if not self.loaded.database_url:
            self.server = runtime.embedded(self.loaded)
        self.environment["DATABASE_URL"] = self.server.dsn if self.server else self.loaded.database_url

    def _start_database(self) -> None:
        if self.server is not None:
            self.server.start()
            self.supervisor.database = self._look_after_database

    def _look_after_database(self) -> None:
        server = self.server
        if server is not None and server.process is not None and server.process.poll() is not None:
            say("The database ended; starting it again. Its log: " + str(self.logs / "postgres.log"))
            server.restart()

    def _prepare(self) -> None:
        """Migrate and, the first time, make the demo: in a process of its own, whose answers are shown."""
        words = ["migrate", "--quiet", *(["--demo-if-empty"] if self.loaded.demo else [])]
        command = [sys.executable, "-I", "-S", str(LAUNCH), "--parent", str(os.getpid()), "--", sys.executable, "-m", "marketplace", *words]
        with subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, start_new_session=True) as child:  # noqa: S603
            try:
                self.supervisor.until(lambda: child.poll() is not None, within=3600)
            except Stopping:
                child.terminate()
                raise
        if child.returncode:
            raise click.ClickException("The database could not be prepared: see the lines above.")

    def _start_web(self) -> None:
        """Start the web process while the database starts: it loads itself, then waits for the gate to open."""
        words = ["serve", "--fd", str(self.web.fileno()), "--gate", str(self.gate)]
        self._part("web process", words, [self.web.fileno(), self.gate])

    def _open_gate(self) -> None:
        """Let the web process go on; a later one finds the gate open."""
        if self._gate_key >= 0:
            os.close(self._gate_key)
            self._gate_key = -1

    def _start_others(self) -> None:
        """Start what the first page can do without; each gets the sockets it listens on, open already."""
        before = runtime.ports(self.loaded.home)
        if self.mail is not None:
            before = self._start_mail_catcher(*self.mail, before)
        if self.sandbox is not None:
            before = self._start_sandbox(self.sandbox, before)
        runtime.remember(self.loaded.home, before)
        self._part("worker", ["worker"], [], patience=25)

    def _open_mail_catcher(self) -> None:
        """Choose the mail catcher's addresses, unless mail goes to a server."""
        if self.loaded.smtp.host:
            return
        before = runtime.ports(self.loaded.home)
        self.mail = runtime.listen_near(before.mail), runtime.listen_near(before.mail_page)
        self.environment |= {
            "MARKETPLACE_SMTP_HOST": "127.0.0.1",
            "MARKETPLACE_SMTP_PORT": str(_port(self.mail[0])),
            "MARKETPLACE_MAIL_PAGE": f"http://127.0.0.1:{_port(self.mail[1])}",
        }

    def _start_mail_catcher(self, smtp: socket.socket, page: socket.socket, before: runtime.Ports) -> runtime.Ports:
        used = msgspec.structs.replace(before, mail=_port(smtp), mail_page=_port(page))
        fds = [smtp.detach(), page.detach()]  # they stay open for a restarted part, until this process ends
        self._part("mail catcher", ["mailcatcher", "--smtp-fd", str(fds[0]), "--page-fd", str(fds[1])], fds, leaned_on=True)
        return used

    def _open_sandbox(self) -> None:
        """Choose the sandbox's address before anything else: the demo's invoices carry links to it."""
        if self.loaded.stripe_api_key:
            return
        self.sandbox = runtime.listen_near(runtime.ports(self.loaded.home).sandbox)
        keys = runtime.keys(self.loaded.home)
        self.environment |= {
            "STRIPE_API_KEY": keys.api_key,
            "STRIPE_WEBHOOK_SECRET": keys.webhook_secret,
            "MARKETPLACE_STRIPE_BASE": f"http://127.0.0.1:{_port(self.sandbox)}",
        }

    def _start_sandbox(self, own: socket.socket, before: runtime.Ports) -> runtime.Ports:
        used = msgspec.structs.replace(before, sandbox=_port(own))
        fd = own.detach()
        self._part("Stripe sandbox", ["sandbox", "--fd", str(fd)], [fd], leaned_on=True)
        return used

    def _part(self, name: str, words: list[str], sockets: list[int], *, patience: float = 10, leaned_on: bool = False) -> None:
        log = self.logs / f"{name.split(maxsplit=1)[0].lower()}.log"
        self.supervisor.start(
            Part(name, words, environment=self.environment, log=log, sockets=sockets, patience=patience, leaned_on=leaned_on)
        )

    def _answers(self) -> bool:
        host = self.loaded.host if self.loaded.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared, not bound
        own = http.client.HTTPConnection(host, self.loaded.port, timeout=0.5)
        try:
            own.request("GET", "/livez")
            return own.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            own.close()

    def _running(self) -> runtime.Running:
        names = (
            "DATABASE_URL", "PORT", "MARKETPLACE_BASE_URL", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET",
            "MARKETPLACE_STRIPE_BASE", "MARKETPLACE_SMTP_HOST", "MARKETPLACE_SMTP_PORT", "MARKETPLACE_MAIL_PAGE",
        )  # fmt: skip
        shared = {name: self.environment[name] for name in names if self.environment.get(name)}
        return runtime.Running(pid=os.getpid(), started_at=clock.now().isoformat(timespec="seconds"), environment=shared)

    def _welcome(self) -> None:
        environment = self.environment
        say(f"{self.loaded.operator.name} is open: {self.loaded.base_url}\n")
        if page := environment.get("MARKETPLACE_MAIL_PAGE"):
            say(f"Mail: {page}")
        base = environment.get("MARKETPLACE_STRIPE_BASE")
        say(f"Stripe sandbox: {base}" if base else "Stripe: api.stripe.com")
        say(f"Logs: {_short(self.logs)}\n")
        if self.loaded.demo:
            say("Sign in with the password demo-only-password as")
            for address, who in SIGN_INS:
                say(f"  {address:<23} {who}")
            say("")
        say("Ctrl-C stops everything.")


def _port(own: socket.socket) -> int:
    return int(own.getsockname()[1])


def _short(path: Path) -> str:
    """Return a path as a person would type it from where they are."""
    text = os.path.relpath(path)
    return str(path) if text.startswith("..") else text


def say(text: str) -> None:
    """Print at once, also into a pipe; a closed terminal is no reason to stop badly."""
    try:
        print(text, flush=True)  # noqa: T201 - this is the command's voice
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
