"""What the benches share: a database of their own, server processes, a lean HTTP client, and counting.

Machines are noisy, so the two sides of a ratio take turns in short rounds, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from marketplace import registry, runtime
from marketplace.kit import db, migrations
from marketplace.kit.postgres import Embedded
from marketplace.kit.postgres_programs import find
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

_PATIENCE = 60.0
SECRET = "b" * 32
WEBHOOK_SECRET = "whsec_bench"  # noqa: S105 - of a database that lives for a minute


class Measured(msgspec.Struct, frozen=True):
    """One side of one round: ``rate`` a second, and how long each answer took (seconds)."""

    rate: float
    took: list[float]
    statuses: dict[int, int]


class Ratio(msgspec.Struct, frozen=True):
    """Ours by the other's, as the median of rounds that took turns; rates a second, times in milliseconds."""

    ours: float
    bare: float
    ratio: float
    p50_ms: float
    p99_ms: float


@contextlib.asynccontextmanager
async def database(*, connections: int = 4) -> AsyncIterator[str]:
    """Give the address of a fresh database at this version's schema, with this process's pool on it.

    A server of its own in a temporary folder, set up as ``make run`` sets it up (it waits for the disk at each commit).
    """
    folder = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    folder.chmod(0o711)  # noqa: ASYNC240 - nobody else waits
    server = Embedded(folder / "postgres", programs=find(settings().pg_bin))
    try:
        dsn = server.start()
        registry.load()
        await migrations.forwards(dsn)
        await db.open_pool(dsn, max_size=connections, command_timeout=900, name="bench")
        try:
            yield dsn
        finally:
            await db.close_pool()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def web(dsn: str, words: Sequence[str] = ("-m", "marketplace", "serve"), **extra: str) -> Iterator[Server]:
    """Run a server process and give its port; it is handed an open socket as ``--fd``."""
    own = runtime.listen(0)
    environment = {
        **os.environ, "DATABASE_URL": dsn, "PORT": str(own.getsockname()[1]), "MARKETPLACE_HOME": tempfile.gettempdir(), "TZ": "UTC",
        "MARKETPLACE_SECRET": SECRET, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET, **extra,
    }  # fmt: skip
    command = [sys.executable, *words, "--fd", str(own.fileno())]
    process = subprocess.Popen(command, env=environment, pass_fds=[own.fileno()], start_new_session=True)  # noqa: S603 - our own program
    try:
        yield Server(process, own.getsockname()[1])
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        own.close()


class Server:
    """A running server process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    @property
    def cpu(self) -> float:
        """The processor time that it has used, in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def ready(self, path: str) -> bytes:
        """Wait until a path answers 200, and return its body."""
        until = time.monotonic() + _PATIENCE
        while True:
            client = Client(self.port)
            try:
                status, body = await client.send(request("GET", path))
            finally:
                client.close()
            if status == 200:
                return body
            if time.monotonic() > until:
                message = f"{path} answers {status}: {body[:300]!r}"
                raise RuntimeError(message)
            await asyncio.sleep(0.1)


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of an HTTP/1.1 request; ``content_type="…"`` is a header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Client:
    """One keep-alive connection that does as little as possible, since it shares the machine with the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, sent: bytes) -> tuple[int, bytes]:
        """Send one request and return status and body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0
        return int(head[9:12]), await reader.readexactly(length)

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()


async def load(step: Callable[[int], Awaitable[int]], *, workers: int, seconds: float) -> Measured:
    """Let ``workers`` call ``step(worker)`` one after the other for a while; it returns a status."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    start = time.perf_counter()
    end = start + seconds

    async def one(worker: int) -> None:
        while (began := time.perf_counter()) < end:
            statuses[await step(worker)] += 1
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(one(worker) for worker in range(workers)))
    return Measured(len(took) / (time.perf_counter() - start), took, dict(statuses))


async def compare(
    ours: Callable[[int], Awaitable[int]], bare: Callable[[int], Awaitable[int]], *, workers: int, seconds: float, rounds: int, ok: int
) -> Ratio:
    """Measure two sides in turns. Raises ``RuntimeError`` when ours answers anything but ``ok``."""
    await load(bare, workers=workers, seconds=seconds / 2)
    await load(ours, workers=workers, seconds=seconds / 2)
    pairs = []
    for at in range(rounds):
        sides = [bare, ours] if at % 2 else [ours, bare]
        found = [await load(side, workers=workers, seconds=seconds) for side in sides]
        pairs.append(tuple(reversed(found)) if at % 2 else tuple(found))
    strange = {status: count for mine, _other in pairs for status, count in mine.statuses.items() if status != ok}
    if strange:
        message = f"answers that were not {ok}: {strange}"
        raise RuntimeError(message)
    took = sorted(one for mine, _other in pairs for one in mine.took)
    return Ratio(
        ours=round(statistics.median(mine.rate for mine, _other in pairs), 1),
        bare=round(statistics.median(other.rate for _mine, other in pairs), 1),
        ratio=round(statistics.median(mine.rate / other.rate for mine, other in pairs), 3),
        p50_ms=round(took[len(took) // 2] * 1000, 2),
        p99_ms=round(took[min(len(took) - 1, int(len(took) * 0.99))] * 1000, 2),
    )


def getter(port: int, path: str, *, workers: int, **headers: str) -> Callable[[int], Awaitable[int]]:
    """Return a step that gets one path, each worker on its own connection."""
    clients = [Client(port) for _worker in range(workers)]
    sent = request("GET", path, b"", **headers)

    async def step(worker: int) -> int:
        return (await clients[worker].send(sent))[0]

    return step
