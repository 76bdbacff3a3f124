"""The document process: warm, one at a time, replaced when it dies or grows old, gone when we are."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys

import pytest

from billing.documents import renderer
from billing.documents.renderer import Renderer, RendererDied
from tests.builders.documents import a_credit_note, a_document

PARENT = """
import asyncio, os, signal
from billing.documents.renderer import Renderer
from tests.builders.documents import a_document
async def main():
    warm = Renderer()
    await warm.render(a_document())
    print(warm.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_the_process_makes_the_same_bytes_as_we_do() -> None:
    document = a_document()
    assert await renderer.render(document) == renderer.render_now(document)
    await renderer.close()


async def test_the_process_stays_warm_and_ends_on_request() -> None:
    warm = Renderer()
    assert warm.pid is None
    await asyncio.gather(warm.render(a_document()), warm.render(a_credit_note()))
    first = warm.pid
    await warm.render(a_document())
    assert warm.pid == first
    await warm.close()
    assert warm.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(first or 0, 0)


async def test_a_process_that_was_killed_is_replaced_and_the_document_made() -> None:
    warm = Renderer()
    try:
        before = await warm.render(a_document())
        killed = warm.pid
        os.kill(killed or 0, signal.SIGKILL)
        assert await warm.render(a_document()) == before
        assert warm.pid != killed
    finally:
        await warm.close()


async def test_a_process_that_always_dies_is_an_error_and_never_a_wait() -> None:
    doomed = Renderer(module="tests.documents.dying_worker")
    with pytest.raises(RendererDied, match="2026-000417"):
        await doomed.render(a_document())
    assert doomed.pid is None


async def test_an_old_process_is_replaced() -> None:
    warm = Renderer(recycle_after=1)
    try:
        await warm.render(a_document())
        first = warm.pid
        await warm.render(a_document())
        assert warm.pid != first
    finally:
        await warm.close()


async def test_a_caller_who_gives_up_leaves_no_answer_for_the_next() -> None:
    warm = Renderer()
    try:
        expected = await warm.render(a_credit_note())
        waiting = asyncio.create_task(warm.render(a_document()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await warm.render(a_credit_note()) == expected
    finally:
        await warm.close()


def test_the_process_dies_with_a_parent_that_was_killed() -> None:
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    try:
        watched = os.pidfd_open(int(done.stdout))
    except ProcessLookupError:
        return
    gone, _, _ = select.select([watched], [], [], 20)
    os.close(watched)
    assert gone
