"""Makes documents in a warm process of its own, so that layout never holds up an event loop.

``render`` (invoices) and ``paper`` (everything else) are what the rest of the product calls. The process starts at the first document, is replaced after 500, and
dies with us. A crash is tried once more in a new process, then it is an error for the work queue to retry; nothing hangs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from billing.documents.frames import LENGTH, Answer

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from billing.documents.model import InvoiceDocument, Rendered
    from billing.documents.papers import AnyDocument, PaperDocument

RECYCLE_AFTER = 500
START_SECONDS = 60
RENDER_SECONDS = 120
STOP_SECONDS = 5
ATTEMPTS = 2
ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH")


class RenderError(RuntimeError):
    """The document can't be made; trying again gives the same."""


class RendererDied(RuntimeError):
    """The process crashed or hung twice. Try again later."""


class Renderer:
    """One process and the line to it. Calls wait for their turn; use it in one event loop."""

    def __init__(self, *, recycle_after: int = RECYCLE_AFTER, module: str = "billing.documents.worker") -> None:
        """Prepare; nothing is started yet. ``module`` is what the process runs."""
        self._recycle_after, self._module = recycle_after, module
        self._process: Process | None = None
        self._made = 0
        self._turn = asyncio.Lock()
        self.loop = asyncio.get_running_loop()

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return self._process.pid if self._process else None

    async def render(self, document: InvoiceDocument) -> Rendered:
        """Return an invoice's finished bytes. Raises ``RenderError`` for a hopeless document, ``RendererDied`` after two crashes."""
        answer = await self._answer(document)
        if answer.rendered is None:
            raise RenderError(answer.error)
        return answer.rendered

    async def paper(self, document: PaperDocument) -> bytes:
        """Return any other document's PDF. Raises as ``render`` does."""
        answer = await self._answer(document)
        if answer.pdf is None:
            raise RenderError(answer.error)
        return answer.pdf

    async def _answer(self, document: AnyDocument) -> Answer:
        frame = msgspec.msgpack.encode(document)
        async with self._turn:
            for _attempt in range(ATTEMPTS):
                try:
                    answer = await self._ask(frame)
                except (OSError, EOFError, TimeoutError):
                    await self._kill()
                except BaseException:
                    await self._kill()  # cancelled half way: an answer would come that nobody waits for
                    raise
                else:
                    return _warned(answer, document.number)
        raise RendererDied(f"the document process died {ATTEMPTS} times on {document.number}; `marketplace doctor` says what is missing")

    async def close(self) -> None:
        """End the process, politely first."""
        async with self._turn:
            await self._stop()

    def abandon(self) -> None:
        """End the process from outside its event loop, at once."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _ask(self, frame: bytes) -> Answer:
        if self._made >= self._recycle_after:
            await self._stop()
        process = self._process or await self._start()
        if process.stdin is None:
            raise EOFError
        process.stdin.write(LENGTH.pack(len(frame)) + frame)
        async with asyncio.timeout(RENDER_SECONDS):
            await process.stdin.drain()
            body = await _frame(process)
        self._made += 1
        return msgspec.msgpack.decode(body, type=Answer)

    async def _start(self) -> Process:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        environment["TZ"] = "UTC"
        command = (sys.executable, "-m", self._module)
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True)
        self._made = 0
        async with asyncio.timeout(START_SECONDS):
            await _frame(self._process)
        return self._process

    async def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        await self._kill()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _frame(process: Process) -> bytes:
    if process.stdout is None:
        raise EOFError
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)


def _warned(answer: Answer, number: str) -> Answer:
    if answer.missing_glyphs:
        _log.warning("document %s has signs that no typeface here can print: %s", number, answer.missing_glyphs)
    return answer


class _Shared:
    """The process-wide renderer; another event loop gets a new one."""

    renderer: Renderer | None = None


async def render(document: InvoiceDocument) -> Rendered:
    """Return the document's PDF/A-3, UBL and CII, made in the warm process. Call it outside any transaction.

    Raises ``RenderError`` when this document can never be made, ``RendererDied`` when trying again later makes sense.
    """
    return await _shared().render(document)


async def paper(document: PaperDocument) -> bytes:
    """Return the PDF/A-3 of any other document (``papers``), made in the same process. Call it outside any transaction; raises as ``render``."""
    return await _shared().paper(document)


def _shared() -> Renderer:
    shared = _Shared.renderer
    if shared is not None and shared.loop is not asyncio.get_running_loop():
        shared.abandon()
        shared = None
    if shared is None:
        shared = _Shared.renderer = Renderer()
    return shared


async def close() -> None:
    """End the warm process, at shutdown. The next ``render`` starts another."""
    shared, _Shared.renderer = _Shared.renderer, None
    if shared is not None and shared.loop is asyncio.get_running_loop():
        await shared.close()


def render_now(document: InvoiceDocument) -> Rendered:
    """Return the same, in this process and blocking: for tests and command-line tools only."""
    from billing.documents import finished

    return finished.make(document, press=finished.press())


def paper_now(document: PaperDocument) -> bytes:
    """Return any other document's PDF, in this process and blocking: for tests and command-line tools only."""
    from billing.documents import finished

    return finished.press().pdf(document)
