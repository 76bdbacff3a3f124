"""A tiny HTTP server on loopback that answers as it is told, or refuses, hangs and hangs up: the other side's bad days."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Heard(msgspec.Struct, frozen=True):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Other:
    """The other side. ``answer`` gives (status, body); ``hang`` never answers, ``drop`` hangs up after reading."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], tuple[int, object]] = lambda _heard: (200, {})
        self.hang = False
        self.drop = False
        self.base = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, one request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _version = head[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.heard.append(Heard(method, path, headers, body))
            if self.hang:
                await reader.read()  # until the caller has had enough
            elif not self.drop:
                status, content = self.answer(self.heard[-1])
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n".encode()
                    + raw
                )
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Other]:
    """Give a server on a free port until the block ends."""
    other = Other()
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    other.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield other
    finally:
        server.close()
