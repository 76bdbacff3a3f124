"""The mail server refuses, hangs or drops the line: the mail waits, and arrives once when the server is back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from marketplace.kit import db, mail, settings, work
from tests.smtp import Box

pytestmark = pytest.mark.asyncio(loop_scope="session")
_TO = "maria@waits.example"
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _a_mail(now: datetime) -> None:
    context = {"name": "Fenna", "link": "http://127.0.0.1:8000/password/example", "until": now}
    await mail.send(template="people/reset", to=_TO, locale="en", context=context, now=now)


@asynccontextmanager
async def _instead(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Let a server that misbehaves stand where the mail server was."""
    server = await asyncio.start_server(conversation, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with monkeypatch.context() as changed:
        changed.setenv("MARKETPLACE_SMTP_PORT", str(port))
        changed.setenv("MARKETPLACE_SMTP_TIMEOUT", "1")
        settings.reload()
        yield
    settings.reload()
    server.close()


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _drop_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line.upper().startswith(b"DATA"):
            break
        writer.write(b"250 ok\r\n")
    writer.close()


async def _try_once(now: datetime) -> None:
    """Let the worker try, and see that it keeps the mail for later."""
    (item,) = await work.claim(now, only=["mail.send"])
    assert not await work.perform(item, now=now)
    row = (await db.records("SELECT state, last_error, run_at FROM due_work WHERE id = $1", item.id))[0]
    assert row["state"] == "queued"
    assert row["last_error"]
    assert now < row["run_at"] <= now + timedelta(minutes=1)


async def _arrives_once(box: Box, now: datetime) -> None:
    await work.drain(now + timedelta(minutes=2), only=["mail.send"])
    await work.drain(now + timedelta(hours=2), only=["mail.send"])
    assert len(box.to(_TO)) == 1
    assert await db.value("SELECT state FROM mail_message WHERE recipient = $1", _TO) == "sent"


@pytest.mark.parametrize("conversation", [_hang, _drop_in_the_middle])
async def test_a_server_that_misbehaves_delays_a_mail(
    conversation: Conversation, committed: str, mails: Box, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _a_mail(now)
    async with _instead(conversation, monkeypatch):
        await _try_once(now)
    await _arrives_once(mails, now)


async def test_nobody_listening_delays_a_mail(committed: str, mails: Box, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    await _a_mail(now)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with monkeypatch.context() as changed:
        changed.setenv("MARKETPLACE_SMTP_PORT", str(port))
        settings.reload()
        await _try_once(now)
    settings.reload()
    await _arrives_once(mails, now)


@pytest.mark.parametrize("line", ["451 try later", "421 closing"])
async def test_a_temporary_refusal_delays_a_mail(line: str, committed: str, mails: Box, now: datetime) -> None:
    await _a_mail(now)
    mails.refuse = line
    await _try_once(now)
    mails.refuse = None
    await _arrives_once(mails, now)
