"""A mailbox behind a real SMTP server."""

from __future__ import annotations

import asyncio
import email
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


class Box:
    """Keeps every mail that arrives, after ``delay`` seconds; ``refuse`` makes it answer with an SMTP error line instead."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[EmailMessage] = []
        self.refuse: str | None = None
        self.delay = 0.0

    def clear(self) -> None:
        """Forget everything."""
        self.messages.clear()
        self.refuse = None

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address, oldest first."""
        return [message for message in self.messages if address in str(message["To"])]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002 - aiosmtpd's hook
        """Take one mail."""
        if self.refuse:
            return self.refuse
        if self.delay:
            await asyncio.sleep(self.delay)
        content = cast("bytes", envelope.content)
        self.messages.append(cast("EmailMessage", email.message_from_bytes(content, policy=default)))
        return "250 taken"
