"""How we talk with the document process: four bytes of length, then msgpack."""

from __future__ import annotations

import struct
from typing import IO

import msgspec

from billing.documents.model import Rendered

LENGTH = struct.Struct(">I")


class Answer(msgspec.Struct, frozen=True):
    """What comes back for one document: an invoice in every format, a paper as PDF, or one sentence on what went wrong."""

    rendered: Rendered | None = None
    pdf: bytes | None = None
    error: str = ""
    missing_glyphs: str = ""


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next frame, or None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def send(stream: IO[bytes], body: bytes) -> None:
    """Write one frame, at once."""
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()
